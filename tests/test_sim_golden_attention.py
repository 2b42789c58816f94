"""Attention of int8 values: against plain Python, its widths, and how far it is from float64."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.attention import Attention, AttentionParams, ExpMethod, Pattern
from designs.attention.exponential import coefficients, lines
from sim.golden.attention import GATES, Case, Error, attention, draw, numbers, quantise, reference
from sim.golden.attention.cascade import steps, tiles
from sim.golden.attention.exponential import X_MAX, mantissas, weights
from sim.golden.attention.integer import Integers

ONE = 1 << 15

EXPONENTIALS = {
    "lines2": {"exp_segments": 2},
    "lines16": {"exp_segments": 16},
    "lines32": {"exp_segments": 32},
    "degree2": {"exp_method": ExpMethod.POLYNOMIAL, "exp_degree": 2},
    "degree5": {"exp_method": ExpMethod.POLYNOMIAL, "exp_degree": 5},
}

WORKLOADS = {
    "one": Attention(queries=1, keys=1, e=1, f=1),
    "ragged": Attention(queries=5, keys=13, e=3, f=2),
    "grouped": Attention(batch=2, heads=6, kv_heads=2, queries=3, keys=9, e=4, f=5),
    "causal": Attention(heads=2, queries=9, keys=11, e=5, f=3, pattern=Pattern.CAUSAL),
    "window": Attention(queries=12, keys=14, e=2, f=3, pattern=Pattern.WINDOW, window=3),
}


def machine(workload, **fields):
    return AttentionParams(**({"e": workload.e, "f": workload.f} | fields))


def drawn(params, workload, case=Case.RANDOM, seed=0):
    return draw(params, workload, np.random.default_rng(seed), case)


def power(params, x):
    """2**-(x / 256) with 15 fraction bits, in Python's integers."""
    t, i = x % 256, x // 256
    if params.exp_method == ExpMethod.PWL:
        table = lines(params.exp_segments)
        part, rest = divmod(t, 256 // params.exp_segments)
        y = table.base[part] - (table.drop[part] * rest + table.half) // 2**table.rest_bits
    else:
        y = 0
        for coefficient in reversed(coefficients(params.exp_degree)):
            y = coefficient + (y * t + 128) // 256
    return y if i == 0 else (y + 2 ** (i - 1)) // 2**i


def plain(params, q, keys, values, shift):
    """One query's output, of keys (None where hidden) that groups of columns take in turn."""
    starts = range(0, len(keys), params.side)
    states = []
    for group in range(params.splits):
        tiles = [
            list(zip(keys, values, strict=True))[start : start + params.side]
            for start in starts[group :: params.splits]
        ]
        states += state(params, q, tiles, shift)
    most = max(rm for rm, _, _ in states)
    rd, rnv = 0, [0] * params.f
    for rm, own_rd, own_rnv in states:
        weight = power(params, min((most - rm) >> shift, X_MAX))
        rd += (weight * own_rd + 2**14) >> 15
        rnv = [n + ((weight * own + 2**14) >> 15) for n, own in zip(rnv, own_rnv, strict=True)]
    cut = rd.bit_length() - 16
    scaled = [(n >> cut) * (2**31 // (rd >> cut)) for n in rnv]
    return [min(max((n + 2**22) >> 23, -(2**15)), 2**15 - 1) for n in scaled]


def state(params, q, tiles, shift):
    """RM, RD and RNV of a group, tile by tile; tiles (lists of keys with values, None where
    hidden) without a key that is seen are left out, and the first that is left starts the state."""
    masked = -(2 ** (params.score_bits - 1))
    low = 2 ** min(shift, params.score_bits - 2) - 1
    rm = rd = rnv = None
    for keys in tiles:
        tile = [
            (None if key is None else sum(a * b for a, b in zip(q, key, strict=True)), value)
            for key, value in keys
        ]
        scores = [masked if score is None else score for score, _ in tile]
        if max(scores) == masked:
            continue
        is_first = rm is None
        before, rm = rm, max(scores if is_first else [*scores, rm]) | low
        found = [
            0 if score == masked else power(params, min((rm - score) >> shift, X_MAX))
            for score in scores
        ]
        prm = 0 if is_first else power(params, min((rm - before) >> shift, X_MAX))
        sld = sum(found)
        slnv = [
            sum(p * v[f] for p, (_, v) in zip(found, tile, strict=True)) for f in range(params.f)
        ]
        rd = sld if is_first else sld + ((prm * rd + 2**14) >> 15)
        rnv = [
            part if is_first else part + ((prm * old + 2**14) >> 15)
            for part, old in zip(slnv, rnv or slnv, strict=True)
        ]
    return [] if rm is None else [(rm, rd, rnv)]


@pytest.mark.spread(150)
@pytest.mark.parametrize("splits", [1, 2, 4])
@pytest.mark.parametrize("case", Case)
@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("side", [1, 2, 4, 16])
def test_as_plain_python(side, name, case, splits):
    workload = WORKLOADS[name]
    fields = EXPONENTIALS[sorted(EXPONENTIALS)[side % 5]]
    params = machine(workload, side=side, splits=min(splits, side), **fields)
    inputs = drawn(params, workload, case, side)
    found = attention(params, workload, inputs)
    assert found.dtype == np.int16
    q, k, v = (inputs[one].tolist() for one in "qkv")
    for head, query in np.ndindex(found.shape[:2]):
        own = head // workload.share
        position = workload.keys - workload.queries + query
        last = position if workload.pattern != Pattern.FULL else workload.keys
        first = position - workload.window + 1 if workload.pattern == Pattern.WINDOW else 0
        keys = [key if first <= m <= last else None for m, key in enumerate(k[own])]
        expected = plain(params, q[head][query], keys, v[own], int(inputs["shift"][own]))
        assert found[head, query].tolist() == expected


@pytest.mark.parametrize("shift", [0, 5, 15, 16, 17, 31])
@pytest.mark.parametrize("splits", [1, 3])
def test_any_shift_as_plain_python(splits, shift):
    workload = Attention(queries=3, keys=10, e=2, f=2)
    params = machine(workload, side=3, splits=splits)
    inputs = {**drawn(params, workload, Case.SATURATED), "shift": np.array([shift])}
    found = attention(params, workload, inputs)
    q, k, v = (inputs[one][0].tolist() for one in "qkv")
    assert found[0].tolist() == [plain(params, query, k, v, shift) for query in q]


def states(params, workload, inputs):
    (keys,) = tiles(workload.keys, params.side)
    return list(steps(Integers.of(params, workload, inputs), workload, inputs, keys))


def fits(values, bits, signed=True):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return values.min() >= low and values.max() <= high


@pytest.mark.parametrize("case", Case)
@pytest.mark.parametrize("name", ["ragged", "causal", "window"])
@pytest.mark.parametrize("side", [1, 4])
def test_state_stays_within_its_widths(side, name, case):
    workload = WORKLOADS[name]
    params = machine(workload, side=side, max_keys=workload.keys)
    found = states(params, workload, drawn(params, workload, case))
    for step in found:
        is_seen = step.rm >= -(1 << params.score_bits - 2)
        assert fits(step.scores, params.score_bits) and fits(step.rm, params.score_bits)
        assert fits(step.rm[..., None] - step.scores, params.score_bits, signed=False)
        assert fits(step.prm, params.weight_bits, signed=False) and step.prm.max() <= ONE
        assert fits(step.sld, params.psum_bits) and fits(step.slnv, params.psum_bits)
        assert fits(step.rd, params.denominator_bits, signed=False)
        assert fits(step.rnv, params.numerator_bits)
        assert (step.rd[is_seen] >= ONE).all() and not step.rd[~is_seen].any()
        assert not step.rnv[~is_seen].any()
    for before, after in pairwise(found):
        assert (after.rm >= before.rm).all()
        still = (after.rm == before.rm) & (before.rd > 0)
        assert (after.prm[still] == ONE).all()


@pytest.mark.parametrize("keys", [1, 7, 16])
@pytest.mark.parametrize("value", [-128, 127])
def test_extremes_need_every_bit(keys, value):
    workload = Attention(queries=1, keys=keys, e=3, f=1)
    params = machine(workload, side=keys, max_keys=keys)
    inputs = {
        "q": np.full((1, 1, 3), -128),
        "k": np.full((1, keys, 3), -128),
        "v": np.full((1, keys, 1), value),
        "shift": np.array([0]),
    }
    (step,) = states(params, workload, inputs)
    assert step.scores.max() == 3 << 14
    assert step.rd.item() == keys << 15
    assert step.rnv.item() == step.slnv.item() == keys * value << 15
    assert fits(step.rnv, params.numerator_bits) and fits(step.slnv, params.psum_bits)
    assert not fits(step.rd, params.denominator_bits - 1, signed=False)
    if keys == 7:
        assert not fits(step.rnv, params.numerator_bits - 1)
    assert attention(params, workload, inputs).item() == value << 8


@given(st.integers(0, 2**32), st.sampled_from([1, 2, 5, 8]))
def test_tiles_in_any_order_differ_by_roundings(seed, side):
    workload = Attention(heads=2, queries=4, keys=40, e=8, f=4)
    params = machine(workload, side=side)
    inputs = drawn(params, workload, seed=seed)
    order = np.random.default_rng(seed).permutation(40 // side)
    keys = np.arange(40).reshape(-1, side)[order].ravel()
    turned = {**inputs, "k": inputs["k"][:, keys], "v": inputs["v"][:, keys]}
    found, other = (attention(params, workload, one).astype(int) for one in (inputs, turned))
    # An exponent is the same in any order; a weight is rounded, by 2**-16, and so is its product
    # with each factor, whose mantissas are off by 3e-4 at most: 0.04 of a value of 127.
    assert np.abs(found - other).max() <= 10


def test_a_slowly_rising_maximum_is_followed():
    # 4096 keys rise by three powers of two in all, less than a unit of an exponent from tile to
    # tile: were differences of maxima rounded one by one, no key would ever lose weight.
    workload = Attention(queries=1, keys=4096, e=16, f=1)
    level = np.linspace(0, 1524, 4096).astype(int)[:, None]
    inputs = {
        "q": np.full((1, 1, 16), 64),
        "k": ((level + np.arange(16)) // 16)[None],
        "v": np.rint(np.linspace(-100, 100, 4096)).astype(int)[None, :, None],
        "shift": np.array([7]),
    }
    for side, most in ((1, 0.02), (8, 0.02), (64, 0.006)):
        params = machine(workload, side=side)
        found = numbers(params, attention(params, workload, inputs))
        assert Error.between(found, reference(params, workload, inputs)).relative < most


@pytest.mark.parametrize("side", [1, 8, 256])
@pytest.mark.parametrize("keys", [64, 256])
@pytest.mark.parametrize("fields", [{}, {"exp_segments": 8}, EXPONENTIALS["degree5"]])
def test_gaussian_values_are_within_the_gate(fields, keys, side):
    workload = Attention(heads=2, queries=32, keys=keys, e=64, f=64)
    params = machine(workload, side=side, **fields)
    inputs = drawn(params, workload)
    found = numbers(params, attention(params, workload, inputs))
    error = Error.between(found, reference(params, workload, inputs))
    assert error.within(GATES[params.element])
    assert error.relative > 1e-4  # it is not the reference that is compared with itself


def test_gates_are_not_met_by_coarse_weights():
    workload = Attention(heads=2, queries=32, keys=256, e=64, f=64)
    params = machine(workload, exp_segments=2)
    inputs = drawn(params, workload)
    found = numbers(params, attention(params, workload, inputs))
    assert not Error.between(found, reference(params, workload, inputs)).within(
        GATES[params.element]
    )


def test_errors():
    exact = np.array([3.0, 0.0, -4.0])
    error = Error.between(exact + np.array([0, 0.5, 0]), exact)
    assert error == Error(0.1, 0.5)
    assert error.within(error)
    assert not error.within(Error(0.09, 0.5)) and not error.within(Error(0.1, 0.4))
    nan = np.array([np.nan])
    assert not Error.between(nan, np.ones(1)).within(Error(np.inf, np.inf))


# A chord over 1 / n of an octave is off by (ln 2 / n)**2 / 8 of the value at its start, which is
# 2**(1 / 2n) of that in the middle; two halves of 2**-15 for roundings are part of a half or more.
CHORDS = {n: (np.log(2) / n) ** 2 / 8 * 2 ** (0.5 / n) + 2.0**-14 for n in (2, 4, 8, 16, 32)}
# Found, and rounded up; the last one is mostly that of rounding five times.
POLYNOMIALS = {2: 9.6e-3, 3: 4.0e-4, 4: 6.5e-5, 5: 1.3e-4}
FIELDS = [{"exp_segments": n} for n in CHORDS] + [
    {"exp_method": ExpMethod.POLYNOMIAL, "exp_degree": n} for n in POLYNOMIALS
]


@pytest.mark.parametrize(
    ("fields", "most"), list(zip(FIELDS, [*CHORDS.values(), *POLYNOMIALS.values()], strict=True))
)
def test_powers_of_two(fields, most):
    params = AttentionParams(**fields)
    x = np.arange(X_MAX + 1)
    y, found = mantissas(params, x % 256), weights(params, x)
    errors = np.abs(y / ONE / np.exp2(-(x % 256) / 256) - 1)
    assert most / 3 < errors.max() <= most
    assert y.max() == ONE == found[0] and y.min() > ONE // 2
    assert (np.diff(found) <= 0).all()
    assert np.abs(found - y / np.exp2(x // 256)).max() <= 0.5
    assert not found[17 * 256 :].any()


def quotient(params, rd, rnv):
    integers = Integers(params=params, shift=np.zeros((1, 1, 1), dtype=np.int64))
    return integers.quotients(np.array([[rd]]), np.array([[[rnv]]])).item()


@given(st.integers(0, 20), st.floats(0.5, 1), st.floats(-1, 1))
def test_quotients(length, part, value):
    params = AttentionParams(max_keys=1 << 20)
    rd = max(ONE, int(part * (ONE << length)))
    rnv = int(value * 127 * rd)
    exact = 256 * rnv / rd
    # RD loses less than 2**-15 of itself and its reciprocal as much, RNV a unit of 2**-15 of RD;
    # half a unit is that of the result.
    bound = abs(exact) * 2.0**-14 + 256 * 2.0**-15 + 0.51
    assert abs(quotient(params, rd, rnv) - exact) <= bound


def test_quotients_at_the_ends():
    params = AttentionParams(max_keys=1 << 20)
    assert quotient(params, 0, 0) == 0
    assert quotient(params, ONE, -128 * ONE) == -(1 << 15)
    assert quotient(params, ONE, 128 * ONE) == (1 << 15) - 1
    assert quotient(params, ONE << 20, -128 * ONE << 20) == -(1 << 15)
    assert quotient(params, ONE, ONE) == 256
    assert quotient(params, ONE, 64) == 1  # half a unit goes up
    assert quotient(params, ONE, -64) == 0


def test_heads_of_a_group_share_keys():
    workload = WORKLOADS["grouped"]
    params = machine(workload, side=4)
    inputs = drawn(params, workload)
    alone = Attention(queries=3, keys=9, e=4, f=5)
    whole = attention(params, workload, inputs)
    for head in range(12):
        own = slice(head // 3, head // 3 + 1)
        part = {name: inputs[name][own] for name in ("k", "v", "shift")}
        part["q"] = inputs["q"][head : head + 1]
        assert (attention(params, alone, part)[0] == whole[head]).all()


def test_a_layer_is_within_the_gate():
    workload = Attention(heads=12, kv_heads=12, queries=256, keys=256, e=64, f=64)
    params = machine(workload, side=16)
    random = np.random.default_rng(0)
    tensors = {name: random.normal(size=(12, 256, 64)) for name in "qkv"}
    inputs, _ = quantise(params, workload, tensors)
    found = numbers(params, attention(params, workload, inputs))
    assert Error.between(found, reference(params, workload, inputs)).within(GATES[params.element])
