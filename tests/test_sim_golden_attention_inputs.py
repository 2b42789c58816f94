"""What goes into attention, and what comes out of it as real numbers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.attention import Attention, AttentionParams, Element, Pattern
from sim.golden.attention import (
    GATES,
    Case,
    Error,
    attention,
    dequantise,
    draw,
    exact,
    numbers,
    quantise,
    reference,
    seen,
    shapes,
)
from sim.golden.attention.cascade import steps, tiles
from sim.golden.attention.integer import Integers
from sim.golden.attention.reference import logits

WORKLOAD = Attention(batch=2, heads=4, kv_heads=2, queries=6, keys=40, e=8, f=3)
PARAMS = AttentionParams(side=4, e=8, f=3)


def gaussian(workload, seed=0, size=1.0):
    random = np.random.default_rng(seed)
    return {name: size * random.normal(size=shape) for name, shape in shapes(workload).items()}


@given(
    st.integers(1, 9), st.integers(0, 9), st.integers(1, 12), st.sampled_from(Pattern),
    st.integers(1, 5), st.integers(0, 3), st.integers(1, 3),
)  # fmt: skip
def test_seen_keys(queries, more, window, pattern, block, sinks, latest):
    keys = queries + more
    workload = Attention(
        queries=queries, keys=keys, e=1, f=1, pattern=pattern, window=window, block=block,
        sink_blocks=sinks, window_blocks=latest,
    )  # fmt: skip
    cut = [list(range(keys))[at : at + block] for at in range(0, keys, block)]
    found = seen(workload, np.arange(keys))
    for query in range(queries):
        own = next(number for number, one in enumerate(cut) if more + query in one)
        kept = cut[: own + 1][:sinks] + cut[: own + 1][sinks:][-latest:]
        visible = {
            Pattern.FULL: list(range(keys)),
            Pattern.CAUSAL: list(range(more + query + 1)),
            Pattern.WINDOW: list(range(more + query + 1))[-window:],
            Pattern.BLOCKS: [key for one in kept for key in one if key <= more + query],
        }[pattern]
        assert np.flatnonzero(found[query]).tolist() == visible
    assert found.sum() == workload.pair_count
    assert (seen(workload, np.arange(keys)[1::2]) == found[:, 1::2]).all()


def naive(tensors, workload):
    """Attention as its definition has it, with exp and a division of each weight."""
    out = np.zeros((*tensors["q"].shape[:2], workload.f))
    for head, query in np.ndindex(out.shape[:2]):
        own = head // (workload.heads // workload.kv_heads)
        keys = tensors["k"][own][: workload.keys - workload.queries + query + 1]
        powers = np.exp(keys @ tensors["q"][head, query] / np.sqrt(workload.e))
        out[head, query] = powers / powers.sum() @ tensors["v"][own][: len(keys)]
    return out


def test_exact_is_the_definition():
    workload = Attention(
        batch=2, heads=4, kv_heads=2, queries=6, keys=9, e=8, f=3, pattern=Pattern.CAUSAL
    )
    tensors = gaussian(workload)
    assert np.allclose(exact(workload, tensors), naive(tensors, workload), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("element", Element)
def test_reference_takes_what_the_engine_takes(element):
    params = AttentionParams(side=4, e=8, f=3, element=element)
    tensors = gaussian(WORKLOAD)
    inputs, units = quantise(params, WORKLOAD, tensors)
    expected = exact(WORKLOAD, tensors)
    found = reference(params, WORKLOAD, inputs) * np.repeat(units, 2)[:, None, None]
    # Of values about 1, rounded to 8 bits of the greatest, or to 11 or 8 bits.
    assert np.abs(found - expected).max() < {0: 0.05, 1: 2e-3, 2: 2e-2}[element]
    assert np.abs(found - expected).max() > 1e-5


@pytest.mark.parametrize("element", Element)
def test_a_real_result_is_as_the_float_model(element):
    workload = Attention(heads=3, queries=64, keys=64, e=32, f=32)
    params = AttentionParams(side=16, e=32, f=32, element=element)
    tensors = gaussian(workload)
    inputs, units = quantise(params, workload, tensors)
    found = dequantise(params, attention(params, workload, inputs), units)
    expected = exact(workload, tensors)
    for one, other in zip(found, expected, strict=True):
        cosine = (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)
        assert 0.999 < cosine < 1


@given(st.floats(2.0**-12, 2), st.floats(2.0**-12, 2), st.integers(0, 99))
def test_scales_make_a_power_of_two(q_size, k_size, seed):
    tensors = gaussian(WORKLOAD, seed)
    tensors["q"] *= q_size
    tensors["k"] *= k_size
    inputs, units = quantise(PARAMS, WORKLOAD, tensors)
    for head in range(4):
        queries = slice(2 * head, 2 * head + 2)
        codes = {"q": inputs["q"][queries], "k": inputs["k"][head], "v": inputs["v"][head]}
        reals = {"q": tensors["q"][queries], "k": tensors["k"][head], "v": tensors["v"][head]}
        steps = {}
        for name, values in codes.items():
            highest = np.abs(values.astype(int)).max()
            # Of 127 codes no more than a factor sqrt(2) is lost, and half a code to rounding.
            assert (127 if name == "v" else 89.3) <= highest <= 127
            steps[name] = np.abs(reals[name]).max() / highest
            errors = np.abs(values * steps[name] - reals[name])
            assert errors.max() <= steps[name] * 1.01
        product = steps["q"] * steps["k"] * logits(WORKLOAD) * 2.0 ** (inputs["shift"][head] + 8)
        assert product == pytest.approx(1, rel=0.02)  # two greatest codes, each half a code off
        assert units[head] == pytest.approx(steps["v"], rel=1e-12)


def test_small_scores_take_the_greatest_shift():
    tensors = gaussian(WORKLOAD, size=1e-8)
    tensors["k"][1] = 0
    tensors["v"][1] = 0
    inputs, _ = quantise(PARAMS, WORKLOAD, tensors)
    assert inputs["shift"].tolist() == [31] * 4
    assert not inputs["k"][1].any() and not inputs["v"][1].any()
    found = attention(PARAMS, WORKLOAD, inputs)
    average = inputs["v"].astype(int).mean(axis=1).repeat(2, axis=0)[:, None]
    assert np.abs(found / 256 - average).max() < 0.02


def test_scores_that_are_too_great_are_refused():
    tensors = gaussian(WORKLOAD)
    limit = 127**2 / 256 / logits(WORKLOAD)
    tensors["q"][2, 0, 0], tensors["k"][1, 3, 1] = 20, -1.01 * limit / 20
    with pytest.raises(ValueError) as caught:
        quantise(PARAMS, WORKLOAD, tensors)
    assert str(caught.value) == (
        f"greatest magnitudes of q and k must have a product of at most {limit:g}, "
        f"not {1.01 * limit:g}"
    )
    tensors["k"][1, 3, 1] = -0.99 * limit / 20
    assert quantise(PARAMS, WORKLOAD, tensors)[0]["shift"][1] == 0


def inputs_of(case, seed=0, params=PARAMS, workload=WORKLOAD):
    return draw(params, workload, np.random.default_rng(seed), case)


def last_states(case):
    inputs = inputs_of(case)
    (keys,) = tiles(WORKLOAD.keys, PARAMS.side)
    return list(steps(Integers.of(PARAMS, WORKLOAD, inputs), WORKLOAD, inputs, keys))


@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize("case", Case)
def test_examples_are_legal_and_repeat(case, element):
    params = AttentionParams(side=4, e=8, f=3, element=element)
    first, again = (inputs_of(case, 3, params) for _ in range(2))
    assert set(first) == {"q", "k", "v"} | ({"shift"} if element == Element.INT8 else set())
    for name, tensor in first.items():
        assert (tensor == again[name]).all()
        assert tensor.dtype == (np.int64 if name == "shift" else "iuu"[element] + "122"[element])
    assert np.isfinite(attention(params, WORKLOAD, first)).all()
    if case not in (Case.CONSTANT, Case.INCREASING, Case.DECREASING, Case.ONE_HOT):
        assert (inputs_of(case, 4, params)["q"] != first["q"]).any()


def test_examples_are_what_they_are_called():
    increasing, decreasing = last_states(Case.INCREASING), last_states(Case.DECREASING)
    assert all((two.rm > one.rm).all() for one, two in pairwise(increasing))
    assert all((two.prm < 1 << 15).all() for two in increasing[1:])
    assert all((step.prm == 1 << 15).all() for step in decreasing[1:])
    assert all((two.scores.max() < one.scores.min()) for one, two in pairwise(decreasing))
    (*_, hot) = last_states(Case.ONE_HOT)
    assert (hot.rd == 1 << 15).all()
    for case in (Case.EQUAL, Case.CONSTANT):
        scores = np.concatenate([step.scores for step in last_states(case)], axis=-1)
        assert (scores == scores[..., :1]).all()
        assert len(np.unique(inputs_of(case)["v"])) == 1 or case == Case.EQUAL
    saturated = inputs_of(Case.SATURATED)
    assert all(np.unique(saturated[name]).tolist() == [-128, 127] for name in "qkv")
    scores = np.concatenate([step.scores for step in last_states(Case.SATURATED)], axis=-1)
    spread = scores.max(axis=-1, keepdims=True) - scores
    assert (spread >= 1 << 13).any() and not saturated["shift"].any()


@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize("case", Case)
def test_examples_are_computed_well(case, element):
    params = AttentionParams(side=4, e=8, f=3, element=element)
    inputs = inputs_of(case, 5, params)
    found = numbers(params, attention(params, WORKLOAD, inputs))
    error = Error.between(found, reference(params, WORKLOAD, inputs))
    assert error.within(GATES[element])


def wrong(name, tensor, element=Element.INT8):
    params = AttentionParams(side=4, e=8, f=3, element=element)
    with pytest.raises(ValueError) as caught:
        attention(params, WORKLOAD, inputs_of(Case.RANDOM, 0, params) | {name: tensor})
    return str(caught.value)


def test_illegal_inputs_are_refused():
    assert wrong("q", np.zeros((8, 6, 7))) == "q must be of shape (8, 6, 8), not (8, 6, 7)"
    assert wrong("k", np.zeros((8, 40, 8))) == "k must be of shape (4, 40, 8), not (8, 40, 8)"
    assert wrong("shift", np.zeros(8)) == "shift must be of shape (4,), not (8,)"
    assert wrong("shift", np.array([0, 31, 32, 0])) == "shift must be between 0 and 31, not 32"
    values = np.zeros((4, 40, 3), dtype=np.int64)
    values[3, 39, 2] = -129
    assert wrong("v", values) == "v must be between -128 and 127, not -129"
    values[3, 39, 2] = 1 << 16
    assert wrong("v", values, Element.FP16) == "v must be between 0 and 65535, not 65536"
    values[3, 39, 2] = 0x7C00
    assert wrong("v", values, Element.FP16) == "v must be finite, not infinite or NaN"
    values[3, 39, 2] = 0xFF80
    assert wrong("v", values, Element.BF16) == "v must be finite, not infinite or NaN"
