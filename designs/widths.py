"""Widths that follow from widths."""

from typing import overload

from designs.operands import operand_range
from designs.rules import Flag, Int, clog2, maximum, minimum, where


@overload
def product_sum_bits(
    count: int, a_bits: int, a_signed: bool, w_bits: int, w_signed: bool
) -> int: ...
@overload
def product_sum_bits(
    count: Int, a_bits: Int, a_signed: Flag, w_bits: Int, w_signed: Flag
) -> Int: ...
def product_sum_bits(count: Int, a_bits: Int, a_signed: Flag, w_bits: Int, w_signed: Flag) -> Int:
    """Width of any sum of `count` products of two operands, signed where either of them is."""
    a_low, a_high = operand_range(a_bits, a_signed)
    w_low, w_high = operand_range(w_bits, w_signed)
    low = count * minimum(a_low * w_high, a_high * w_low)
    high = count * maximum(a_low * w_low, a_high * w_high)
    return where(a_signed | w_signed, clog2(maximum(-low, high + 1)) + 1, clog2(high + 1))
