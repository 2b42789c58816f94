"""The linear layer of BitNet: quantisers, scales, packing, and the norm that is not waited for."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.golden.bitlinear import (
    WeightScale,
    absmax,
    absmean,
    accumulate,
    bitlinear,
    normalised_codes,
    pack,
    rescale,
    rms_norm,
    unpack,
)

EPSILON = 1e-5


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_absmean_rounds_halves_to_even() -> None:
    # The mean magnitude is 1: a half goes to 0, one and a half would go to 2 and is clipped.
    trits, gamma = absmean(floats(0.5, -0.5, 1.5, -1.5, 1.0, -1.0))
    assert gamma == 1
    assert trits.tolist() == [0, 0, 1, -1, 1, -1]


def test_absmean_of_a_gaussian_is_zero_where_it_should_be() -> None:
    weights = np.random.default_rng(1).normal(size=(300, 200)).astype(np.float32)
    trits, gamma = absmean(weights)
    assert gamma == pytest.approx(np.sqrt(2 / np.pi), rel=0.01)
    assert (trits == 0).mean() == pytest.approx(0.31, abs=0.01)  # erf(1 / (2 sqrt(pi)))
    assert np.array_equal(trits, np.clip(np.rint(weights / gamma), -1, 1))


def test_least_scale_of_weights() -> None:
    trits, gamma = absmean(floats(0, 0, 1e-7))
    assert gamma == np.float32(1e-5)
    assert trits.tolist() == [0, 0, 0]


def test_absmax_of_each_token() -> None:
    codes, scale = absmax(np.array([[0, 0], [2, -4], [0.5, 127]], dtype=np.float32))
    assert codes.tolist() == [[0, 0], [64, -127], [0, 127]]  # 63.5 and 0.5 to even
    assert scale.tolist() == [[127 / np.float32(1e-5)], [31.75], [1]]


@given(st.lists(st.floats(-(2.0**90), 2.0**90, width=32), min_size=1, max_size=9))
def test_no_code_is_the_most_negative_one(values: list[float]) -> None:
    codes, scale = absmax(floats(*values))
    assert codes.min() >= -127
    exact = [Fraction(value) * Fraction(float(scale[0])) for value in values]
    differences = [code - one for code, one in zip(codes.tolist(), exact, strict=True)]
    assert all(abs(one) <= Fraction(501, 1000) for one in differences)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_must_be_finite(value: float) -> None:
    with pytest.raises(ValueError, match=f"x must be finite, not {value}"):
        absmax(floats(1, value))
    with pytest.raises(ValueError, match=f"weights must be finite, not {value}"):
        absmean(floats(1, value))


def test_sums_are_exact_and_take_every_code() -> None:
    codes = np.array([[-128, 127, -128]], dtype=np.int8)
    trits = np.array([[1, -1], [-1, 1], [1, -1]], dtype=np.int8)
    assert accumulate(codes, trits).tolist() == [[-383, 383]]


def test_weights_must_be_trits() -> None:
    with pytest.raises(ValueError, match="weights must be -1, 0 or 1, not -2"):
        accumulate(np.ones((1, 2), dtype=np.int8), np.array([[1], [-2]]))
    with pytest.raises(ValueError, match="weights must be -1, 0 or 1, not 3"):
        pack(np.array([[3]], dtype=np.int8))
    with pytest.raises(ValueError, match="weights must be -1, 0 or 1, not 0.5"):
        accumulate(np.ones((1, 2), dtype=np.int8), np.array([[1], [0.5]]))


def test_shapes_must_match() -> None:
    with pytest.raises(ValueError, match=r"codes and trits must be .* not \(1, 3\) and \(2, 1\)"):
        accumulate(np.ones((1, 3), dtype=np.int8), np.ones((2, 1), dtype=np.int8))


def test_both_conventions_of_the_weight_scale() -> None:
    sums = np.array([[100, -300]])
    scale, gamma = floats(4), np.float32(0.5)
    assert rescale(sums, scale, gamma, WeightScale.MULTIPLY).tolist() == [[12.5, -37.5]]
    assert rescale(sums, scale, np.float32(2), WeightScale.DIVIDE).tolist() == [[12.5, -37.5]]


def test_a_layer_comes_near_the_real_one() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=(5, 300)).astype(np.float32)
    trits, gamma = absmean(random.normal(size=(300, 70)).astype(np.float32))
    real = x.astype(np.float64) @ (trits * np.float64(gamma))
    multiplied = bitlinear(x, trits, gamma, WeightScale.MULTIPLY)
    divided = bitlinear(x, trits, np.float32(1) / gamma, WeightScale.DIVIDE)
    assert multiplied.dtype == np.float32
    np.testing.assert_allclose(multiplied, divided, rtol=1e-6)
    # Each of 300 codes is off by half a step at most, and by a step over root 12 in the mean.
    step = np.abs(x).max(axis=1, keepdims=True) / 127
    assert (np.abs(multiplied - real) < 4 * gamma * step * np.sqrt(300 / 12)).all()


def test_the_root_mean_square_cancels() -> None:
    random = np.random.default_rng(3)
    total, near = 0, 0
    for n in (1, 3, 64, 256, 3200):
        size = 10 ** random.uniform(-4, 2, size=(80, 1))
        x = (random.normal(size=(80, n)) * size).astype(np.float32)
        gain = random.uniform(-2, 2, size=n).astype(np.float32)
        codes, scale = normalised_codes(x, gain, EPSILON)
        expected, expected_scale = absmax(rms_norm(x, gain, EPSILON))
        np.testing.assert_allclose(scale, expected_scale, rtol=1e-6)
        differ = codes != expected
        h = (x * gain).astype(np.float64)
        exact = h * (127 / np.abs(h).max(axis=1, keepdims=True))
        from_half = np.abs(np.abs(exact) % 1 - 0.5)
        assert (from_half[differ] <= np.abs(exact[differ]) * 2.0**-20).all()
        assert np.abs(codes.astype(np.int64) - expected).max() <= 1
        total, near = total + codes.size, near + int(differ.sum())
    assert near <= total * 1e-5


def test_the_norm_of_nothing() -> None:
    x, gain = np.zeros((2, 3), dtype=np.float32), np.ones(3, dtype=np.float32)
    codes, scale = normalised_codes(x, gain, EPSILON)
    assert not codes.any()
    np.testing.assert_allclose(scale, absmax(rms_norm(x, gain, EPSILON))[1], rtol=1e-6)


def test_least_scale_matters_only_below_it() -> None:
    # Of gains so small that the normalised values are below 1e-5, the reference makes small codes.
    x, gain = floats(1, -1), floats(1e-6, 1e-6)
    assert absmax(rms_norm(x, gain, EPSILON))[0].tolist() == [13, -13]
    assert normalised_codes(x, gain, EPSILON)[0].tolist() == [127, -127]


def test_the_reference_s_example_of_packing() -> None:
    packed = np.array([[0b10100001, 0b00011000], [0b10010000, 0b00001010]], dtype=np.uint8)
    trits = [[0, -1], [-1, 1], [-1, 1], [-1, 1], [1, 0], [0, -1], [1, -1], [1, -1]]
    assert unpack(packed, 8).tolist() == trits
    assert np.array_equal(pack(np.array(trits, dtype=np.int8)), packed)


@given(st.integers(1, 19), st.integers(1, 5), st.integers(0, 99))
def test_packing_goes_both_ways(outputs: int, inputs: int, seed: int) -> None:
    trits = np.random.default_rng(seed).integers(-1, 2, size=(outputs, inputs)).astype(np.int8)
    packed = pack(trits)
    stride = -(-outputs // 4)
    assert packed.shape == (stride, inputs)
    assert np.array_equal(unpack(packed, outputs), trits)
    for row in range(outputs):  # row r lies in packed row r mod stride at bits 2 * (r div stride)
        field = packed[row % stride] >> (2 * (row // stride)) & 3
        assert np.array_equal(field, trits[row] + 1)


def test_packed_weights_of_a_wrong_length() -> None:
    with pytest.raises(
        ValueError, match="packed weights of 9 outputs must have 3 rows of bytes, not 2"
    ):
        unpack(np.zeros((2, 4), dtype=np.uint8), 9)


def test_packed_weights_that_are_no_trits() -> None:
    packed = pack(np.ones((8, 3), dtype=np.int8))
    packed[1, 2] |= 3 << 4
    with pytest.raises(
        ValueError, match="packed weights must be codes of 0, 1 or 2, not 3 in row 1 at bit 4"
    ):
        unpack(packed, 8)
