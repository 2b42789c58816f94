"""Digits: they give the value back, they stay in range, and no fewer than NAF's are nonzero."""

import itertools

import numpy as np
import pytest

from designs.digits import (
    Encoding,
    digit_count,
    digit_sum_bits,
    encode,
    nonzero_probabilities,
)
from designs.operands import Distribution, Operand, operand_range

WEIGHTS = 4 ** np.arange(9)


def values_of(bits, signed):
    """All values of a width, or above 12 bits the ends and a sample."""
    low, high = operand_range(bits, signed)
    if bits <= 12:
        return np.arange(low, high + 1)
    drawn = np.random.default_rng(bits).integers(low, high, 4096, endpoint=True)
    return np.concatenate([[low, low + 1, -1 if signed else 0, 0, 1, high - 1, high], drawn])


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", range(2, 17))
@pytest.mark.parametrize("encoding", Encoding)
def test_digits_are_small_and_give_the_value_back(encoding, bits, signed):
    values = values_of(bits, signed)
    digits = encode(encoding, values, bits, signed)
    assert digits.shape == (len(values), digit_count(bits, signed))
    assert digits.dtype == np.int8
    assert np.abs(digits).max() <= 2
    assert (digits @ WEIGHTS[: digits.shape[1]] == values).all()


def test_documented_digits():
    assert encode(Encoding.ENT, np.array([91, 124]), 8, True).tolist() == [
        [-1, -1, 2, 1],
        [0, -1, 0, 2],
    ]
    assert encode(Encoding.BOOTH, np.array([-128, 127]), 8, True).tolist() == [
        [0, 0, 0, -2],
        [-1, 0, 0, 2],
    ]
    assert encode(Encoding.NAF, np.array([[3, 6], [11, -11]]), 8, True).tolist() == [
        [[-1, 1, 0, 0], [-2, 2, 0, 0]],
        [[-1, -1, 1, 0], [1, 1, -1, 0]],
    ]


@pytest.mark.parametrize("signed", [True, False])
def test_ent_has_the_operands_sign_but_for_threes(signed):
    values = values_of(8, signed)
    digits = encode(Encoding.ENT, values, 8, signed) * np.sign(values)[:, None]
    assert set(np.unique(digits).tolist()) == {-1, 0, 1, 2}
    assert (encode(Encoding.ENT, values, 8, signed)[:, -1] * np.sign(values) >= 0).all()


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", range(2, 9))
def test_no_digits_have_fewer_nonzeros_than_naf(bits, signed):
    count = digit_count(bits, signed)
    fewest = {}
    for digits in itertools.product(range(-2, 3), repeat=count):
        value = int(np.dot(digits, WEIGHTS[:count]))
        nonzero = sum(digit != 0 for digit in digits)
        fewest[value] = min(nonzero, fewest.get(value, nonzero))
    values = values_of(bits, signed)
    nonzero = (encode(Encoding.NAF, values, bits, signed) != 0).sum(axis=1)
    assert nonzero.tolist() == [fewest[value] for value in values.tolist()]


@pytest.mark.parametrize(
    ("encoding", "mean"), [(Encoding.BOOTH, 3.0), (Encoding.ENT, 2.91796875), (Encoding.NAF, 2.777)]
)
def test_mean_nonzero_digits_of_uniform_int8(encoding, mean):
    # BOOTH: three of the four triples of each digit. ENT: 2.918, NAF: 2.777 by enumeration.
    per_digit = nonzero_probabilities(encoding, Operand(), 8, True)
    assert per_digit.sum() == pytest.approx(mean, abs=5e-4)


def test_probabilities_follow_the_distribution():
    all_zero = Operand(zeros=1.0)
    assert nonzero_probabilities(Encoding.BOOTH, all_zero, 8, True).tolist() == [0, 0, 0, 0]
    narrow = Operand(distribution=Distribution.NORMAL, std=0.05)
    drawn = narrow.draw(np.random.default_rng(1), (200_000,), 8, True)
    seen = (encode(Encoding.ENT, drawn, 8, True) != 0).mean(axis=0)
    expected = nonzero_probabilities(Encoding.ENT, narrow, 8, True)
    assert seen == pytest.approx(expected, abs=5e-3)


def test_counts_on_a_grid():
    bits, signed = np.array([2, 3, 8, 8]), np.array([True, True, True, False])
    assert digit_count(bits, signed).tolist() == [1, 2, 4, 5]
    assert digit_sum_bits(np.array([1, 1, 16, 1]), bits, signed).tolist() == [4, 5, 14, 10]


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3, 15, 16, 17, 4096])
def test_digit_sums_need_just_their_width(count, signed):
    low, high = operand_range(8, signed)
    extremes = [count * digit * b for digit in (-2, 2) for b in (low, high)]
    bits = digit_sum_bits(count, 8, signed)
    assert all(-(1 << bits - 1) <= total < 1 << bits - 1 for total in extremes)
    assert any(not -(1 << bits - 2) <= total < 1 << bits - 2 for total in extremes)
    if signed:
        assert bits == 10 + count.bit_length() - 1
