"""Operands as radix-4 digits, whose multiples of the other operand need no multiplier.

The value of digits d_0, d_1, ... is the sum of d_i * 4**i. Every digit is one of -2, -1, 0, 1, 2.
"""

import enum
from typing import overload

import numpy as np
from numpy.typing import NDArray

from designs.operands import Operand, operand_range, probabilities
from designs.rules import Flag, Int, Ints, bit_length, ceil_div, where


class Encoding(enum.IntEnum):
    """Which of the digit strings of a value is taken.

    BOOTH: modified Booth. A digit depends on three neighbouring bits and on no other digit.
    ENT: the digits of the magnitude, of which 3 becomes -1 and carries, each with the operand's
    sign. No magnitude has a digit -2. Source: Wu et al., EN-T, ICCD 2024.
    NAF: the binary non-adjacent form, grouped in pairs. No digits of the value have fewer nonzeros.
    """

    BOOTH = 0
    ENT = 1
    NAF = 2


class Encoded(enum.IntEnum):
    """The operand that is written in digits."""

    A = 0
    W = 1


class PartialProductStyle(enum.IntEnum):
    """How -1 and -2 times the other operand are formed.

    HOT_ONE: the complement, and a one added at its lowest bit, in the tree that adds anyway.
    NEGATE: a subtractor forms minus the operand once for all digits.
    """

    HOT_ONE = 0
    NEGATE = 1


class SignExtension(enum.IntEnum):
    """How a signed partial product enters a wider sum.

    CONSTANT: its sign bit is inverted, and what that adds is taken off by one constant for all.
    FULL: its sign bit is repeated up to the width of the sum.
    """

    CONSTANT = 0
    FULL = 1


@overload
def digit_count(bits: int, signed: bool) -> int: ...
@overload
def digit_count(bits: Int, signed: Flag) -> Int: ...
def digit_count(bits: Int, signed: Flag) -> Int:
    """Digits of an operand of `bits`, the same for all encodings."""
    return where(signed, ceil_div(bits, 2), bits // 2 + 1)


@overload
def digit_sum_bits(count: int, bits: int, signed: bool) -> int: ...
@overload
def digit_sum_bits(count: Int, bits: Int, signed: Flag) -> Int: ...
def digit_sum_bits(count: Int, bits: Int, signed: Flag) -> Int:
    """Bits, in two's complement, of any sum of `count` products of a digit and a `bits` operand.

    For a signed operand 2 + bits + floor(log2(count)): twice its least value is -2**bits, and the
    digit -2 makes that +2**bits.
    """
    return 1 + bit_length(count * where(signed, 1 << bits, 2 * ((1 << bits) - 1)))


def encode(encoding: Encoding, values: Ints, bits: int, signed: bool) -> NDArray[np.int8]:
    """The digits of values of `bits`, least significant first, along a new last axis."""
    count = digit_count(bits, signed)
    numbers = np.asarray(values, dtype=np.int64)
    if encoding == Encoding.ENT:
        magnitudes = _ent(np.abs(numbers), count)
        return (magnitudes * np.sign(numbers)[..., None]).astype(np.int8)
    ones = _booth(numbers, count) if encoding == Encoding.BOOTH else _naf(numbers, count)
    return (ones[..., 0::2] + 2 * ones[..., 1::2]).astype(np.int8)


def _booth(numbers: Ints, count: int) -> Ints:
    """Binary digits: a run of ones is -1 at its lower end and 1 above its upper end."""
    at = np.arange(2 * count)
    bits: Ints = (numbers[..., None] >> at) & 1
    below: Ints = ((2 * numbers)[..., None] >> at) & 1
    return below - bits


def _ent(magnitudes: Ints, count: int) -> Ints:
    digits = np.zeros((*magnitudes.shape, count), dtype=np.int64)
    carry = np.zeros_like(magnitudes)
    for at in range(count):
        total = ((magnitudes >> 2 * at) & 3) + carry
        carry = (total >= 3).astype(np.int64)
        digits[..., at] = total - 4 * carry
    return digits


def _naf(numbers: Ints, count: int) -> Ints:
    """Binary digits -1, 0, 1 of which no two neighbours are nonzero."""
    digits = np.zeros((*numbers.shape, 2 * count), dtype=np.int64)
    left = numbers
    for at in range(2 * count):
        # An odd number gives the digit that makes the rest a multiple of four.
        digits[..., at] = np.where(left & 1, 2 - (left & 3), 0)
        left = (left - digits[..., at]) >> 1
    return digits


def nonzero_probabilities(
    encoding: Encoding, operand: Operand, bits: int, signed: bool
) -> NDArray[np.float64]:
    """Probability of each digit to be nonzero, over the operand's distribution, exactly."""
    low, high = operand_range(bits, signed)
    digits = encode(encoding, np.arange(low, high + 1), bits, signed)
    mass: NDArray[np.float64] = probabilities(operand, bits, signed) @ (digits != 0)
    return mass
