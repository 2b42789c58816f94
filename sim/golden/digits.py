"""What the parts of bit-weight engines compute, bit for bit."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from designs.digits import PartialProductStyle
from designs.operands import operand_range

Ints = NDArray[np.int64]


def partial_product(
    digit: Ints, b: Ints, bits: int, signed: bool, style: PartialProductStyle
) -> tuple[Ints, Ints]:
    """Row and hot one of digit * b, int64 of any shape; row + hot is the product.

    With HOT_ONE a negative row is the complement of the multiple, hot is 1 there. With NEGATE hot
    is always 0. The row is a signed number, which needs `bits` + 2 bits at most.

    Raises ValueError for a digit or a b out of range.
    """
    low, high = operand_range(bits, signed)
    if (np.abs(digit) > 2).any() or (b < low).any() or (b > high).any():
        raise ValueError(f"digit must be between -2 and 2 and b between {low} and {high}")
    hot: Ints = ((digit < 0) & (style == PartialProductStyle.HOT_ONE)).astype(np.int64)
    return digit * b - hot, hot


def tree_sum(words: Sequence[int], offsets: Sequence[int], width: int, constant: int = 0) -> int:
    """The sum of words of weight 2**offset and a constant, modulo 2**width; exact integers."""
    terms = (word << offset for word, offset in zip(words, offsets, strict=True))
    return (constant + sum(terms)) % (1 << width)


def pair_sum(s: int, c: int, width: int, block_bits: int = 0) -> int:
    """What a pair stands for, modulo 2**width; exact integers.

    Bit i of c has the weight of column i + 1, or with blocks of column (i + 1) * block_bits.
    """
    columns = range(block_bits or 1, width, block_bits or 1)
    carries = sum((c >> bit & 1) << column for bit, column in enumerate(columns))
    return (s + carries) % (1 << width)


def running_sums(terms: Sequence[int], first: Sequence[bool], width: int) -> list[int]:
    """The sum after each step, modulo 2**width: of the terms since the last `first`."""
    sums: list[int] = []
    for term, starts in zip(terms, first, strict=True):
        before = 0 if starts or not sums else sums[-1]
        sums.append((before + term) % (1 << width))
    return sums


def group_schedule(digits: Sequence[int]) -> list[tuple[int, int, bool]]:
    """Position, digit and last of each cycle that a group takes.

    Its nonzero digits in order, the last one marked; a group without any takes one cycle, with the
    digit zero at position 0.
    """
    nonzero = [position for position, digit in enumerate(digits) if digit]
    return [(at, digits[at], at == nonzero[-1]) for at in nonzero] or [(0, 0, True)]
