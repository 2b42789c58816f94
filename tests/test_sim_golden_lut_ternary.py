"""The golden of ternary cores: tables against plain products, floats adder by adder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.floats import BF16, FP16
from designs.lut_ternary import (
    FLOAT_FORMATS,
    Activation,
    Build,
    LutTernaryParams,
    Stationary,
    WeightFormat,
)
from designs.ternary import encode_keys
from sim.golden import floats
from sim.golden.lut_ternary import gemm, lut_gemm, reference

NO_TABLES = {"mu": 1, "weight_format": WeightFormat.CODE2}
SHAPES = st.integers(1, 5), st.integers(1, 20), st.integers(1, 5)
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed, m, k, n, low=-128, high=127):
    random = np.random.default_rng(seed)
    return random.integers(low, high + 1, (m, k)), random.integers(-1, 2, (k, n))


def float_activations(params, seed, shape, std=1.0):
    """Patterns of Gaussian numbers."""
    reals = np.random.default_rng(seed).normal(0.0, std, shape)
    return floats.encode(FLOAT_FORMATS[params.activation], reals)


@given(st.integers(1, 7), *SHAPES, SEEDS)
def test_tables_equal_bitlinear(mu, m, k, n, seed):
    a, w = drawn(seed, m, k, n)
    assert np.array_equal(lut_gemm(a, encode_keys(w, mu), mu), a @ w)


@pytest.mark.parametrize("mu", range(1, 7))
@pytest.mark.parametrize(("m", "k", "n"), [(1, 5460, 2), (2, 100, 3), (1, 8640, 1)])
def test_tables_equal_bitlinear_at_the_sizes_of_the_models(mu, m, k, n):
    a, w = drawn(mu, m, k, n)
    params = LutTernaryParams(mu=mu, max_k=8640)
    expected = gemm(params, a, w)
    assert np.array_equal(lut_gemm(a, encode_keys(w, mu), mu), expected)
    assert np.array_equal(expected, a @ w)


@pytest.mark.parametrize("activation", [Activation.INT4, Activation.INT8, Activation.INT16])
def test_ends_of_the_range_reach_the_greatest_sum(activation):
    params = LutTernaryParams(activation=activation, max_k=16)
    least = -(1 << (params.a_bits - 1))
    a, w = np.full((1, 16), least), np.full((16, 1), -1)
    assert gemm(params, a, w).item() == -16 * least
    assert lut_gemm(a, encode_keys(w, 2), 2).item() == -16 * least


def stepwise(params, a, w):
    """One result of a minimal core in numpy's own float16, adder by adder."""

    def pairwise(values):
        while len(values) > 1:
            odd = values[len(values) & ~1 :]
            values = [x + y for x, y in zip(values[::2], values[1::2], strict=False)] + odd
        return values[0]

    def table_sum(values, trits):
        if len(values) == 1:
            return values[0] if trits[0] > 0 else -values[0] if trits[0] else None
        half = (len(values) + 1) // 2
        head, tail = table_sum(values[:half], trits[:half]), table_sum(values[half:], trits[half:])
        if head is None or tail is None:
            return tail if head is None else head
        return head + tail

    total, zero = np.float16(0), np.float16(0)
    for start in range(0, len(a), params.step_k):
        leaves = []
        for group in range(start, start + params.step_k, params.mu):
            values, trits = a[group : group + params.mu], w[group : group + params.mu]
            missing = params.mu - len(trits)
            found = table_sum([*values, *[zero] * missing], [*trits, *[0] * missing])
            leaves.append(zero if found is None else found)
        total = total + pairwise(leaves)
    return total


@pytest.mark.parametrize("mu", range(1, 7))
@pytest.mark.parametrize("tables", [1, 2, 3, 8])
def test_floats_are_added_as_numpy_adds_them(mu, tables):
    params = LutTernaryParams(mu=mu, tables=tables, activation=Activation.FP16)
    a = float_activations(params, mu, (2, 50))
    w = np.random.default_rng(tables).integers(-1, 2, (50, 3))
    found = gemm(params, a, w)
    halves = a.astype(np.uint16).view(np.float16)
    for row, col in np.ndindex(found.shape):
        expected = stepwise(params, list(halves[row]), list(w[:, col]))
        assert found[row, col] == int(expected.view(np.uint16))


@pytest.mark.parametrize("build", [Build.MINIMAL, Build.REFERENCE])
def test_the_order_of_the_adders_shows(build):
    # (2048 + 1) - (2048 - 1) by neighbours is 2048 - 2047; from left to right 2048 + 1 rounds to
    # 2048 and 2048 - 2048 leaves the last term alone.
    params = LutTernaryParams(mu=1, tables=4, activation=Activation.FP16, build=build)
    a = floats.encode(FP16, np.array([[2048.0, 1.0, -2048.0, 1.0]]))
    result = floats.decode(FP16, gemm(params, a, np.ones((4, 1), dtype=np.int64)))
    by_neighbours, from_the_left = 2048.0 - 2047.0, 0.0 + 1.0
    assert result.item() == (by_neighbours if build == Build.MINIMAL else from_the_left)


@pytest.mark.parametrize("mu", [3, 4, 5])
def test_published_tables_add_a_head_and_a_tail(mu):
    params = LutTernaryParams(mu=mu, tables=1, activation=Activation.FP16, build=Build.REFERENCE)
    a = float_activations(params, mu, (1, mu))
    values = a[0].astype(np.uint16).view(np.float16)
    for seed in range(20):
        w = np.random.default_rng(seed).integers(-1, 2, (mu, 1))
        head = np.float16(w[0, 0]) * values[0] + np.float16(w[1, 0]) * values[1]
        tail = np.float16(0)
        for trit, value in zip(w[2:, 0], values[2:], strict=True):
            tail = tail + np.float16(trit) * value
        assert gemm(params, a, w).item() == int((head + tail).view(np.uint16))


FLOAT_BUILDS = {
    "mu1": {"mu": 1},
    "mu3": {"mu": 3},
    "mu6_table": {"mu": 6, "stationary": Stationary.TABLE},
    "published": {"mu": 4, "build": Build.REFERENCE},
    "multiply": NO_TABLES | {"build": Build.MULTIPLY},
}


@pytest.mark.parametrize("activation", [Activation.FP16, Activation.BF16])
@pytest.mark.parametrize("fields", FLOAT_BUILDS.values(), ids=FLOAT_BUILDS)
def test_floats_stay_within_the_stated_error(fields, activation):
    params = LutTernaryParams(activation=activation, tables=5, **fields)
    a = float_activations(params, 1, (3, 300))
    w = np.random.default_rng(2).integers(-1, 2, (300, 4))
    exact, bound = reference(params, a, w)
    assert np.allclose(exact, floats.decode(FLOAT_FORMATS[activation], a) @ w)
    found = floats.decode(FLOAT_FORMATS[activation], gemm(params, a, w))
    error = np.abs(found - exact)
    assert (error <= bound).all()
    assert error.any()


@pytest.mark.parametrize("number", [FP16, BF16])
def test_special_values(number):
    activation = Activation.FP16 if number == FP16 else Activation.BF16
    sign = 1 << (number.bits - 1)
    looked_up = LutTernaryParams(mu=2, tables=1, activation=activation)
    multiplied = LutTernaryParams(
        tables=2, activation=activation, build=Build.MULTIPLY, **NO_TABLES
    )
    infinite = np.array([[number.infinity, number.infinity]])
    column = np.array([[1], [1]])
    for params in (looked_up, multiplied):
        assert gemm(params, infinite, column).item() == number.infinity
        assert gemm(params, infinite, -column).item() == number.infinity | sign
        assert gemm(params, infinite, np.array([[1], [-1]])).item() == number.nan
        assert gemm(params, np.array([[number.nan, 0]]), -column).item() == number.nan
        assert gemm(params, np.array([[sign, sign]]), column).item() == 0
    # A weight of zero never reads a table; a product with infinity is NaN.
    skipped = np.array([[1], [0]])
    assert gemm(looked_up, infinite, skipped).item() == number.infinity
    assert gemm(multiplied, infinite, skipped).item() == number.nan


BAD = [
    ([[128]], [[1]], "a must be between -128 and 127, not 128"),
    ([[1]], [[2]], "weights must be -1, 0 or 1, not 2"),
    ([[1, 2]], [[1]], "a and w must be of shapes (m, k) and (k, n), not (1, 2) and (1, 1)"),
    ([[1, 2, 3]], [[1], [0], [1]], "k must be at most max_k = 2, not 3"),
]


@pytest.mark.parametrize(("a", "w", "sentence"), BAD)
def test_illegal_operands_are_refused(a, w, sentence):
    with pytest.raises(ValueError) as caught:
        gemm(LutTernaryParams(tables=1, max_k=2), np.array(a), np.array(w))
    assert str(caught.value) == sentence


def test_floats_are_patterns():
    params = LutTernaryParams(activation=Activation.BF16)
    for wrong in (-1, 65536):
        with pytest.raises(ValueError) as caught:
            gemm(params, np.array([[wrong]]), np.array([[1]]))
        assert str(caught.value) == f"a must be between 0 and 65535, not {wrong}"
