"""What sums of partial products are made of: encoders, rows, trees of adders.

The number of adders is that of Dadda's scheme, Some schemes for parallel multipliers, Alta
Frequenza 34 (1965), on columns of bits: level by level no column stays higher than 2, 3, 4, 6, 9,
13, ... bits, the greatest first. Of the bits of a column those that arrive first are added first,
a constant one before all others; the lowest column ends with one bit if there is a level at all.

Functions take the shape of one tree; `distinct` applies them to a grid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from archmodels.counts import Item, Kind, Stage
from designs.digits import Encoding, PartialProductStyle, SignExtension
from designs.rules import Flag, Int, ceil_div, maximum, where

ENCODERS = {
    Encoding.BOOTH: Kind.BOOTH_RECODER,
    Encoding.ENT: Kind.ENT_ENCODER,
    Encoding.NAF: Kind.NAF_ENCODER,
}
"""Encoding to the primitive that forms its digits."""

ONE = -1
"""Arrival of a constant one, before everything else."""


class Word(NamedTuple):
    """A word of `bits` to add, of weight 2**offset; it is there after `arrival` levels."""

    offset: int
    bits: int
    arrival: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """Adders of a tree, and the pair that comes out.

    full_adders, half_adders: a full adder that adds a constant one is a half adder; a half adder
    that does is an inverter and is not counted. levels: full adders from the start of time to the
    last bit. sum_bits, carry_bits: columns that hold one bit at least, and two. left: bits that are
    left in each column.
    """

    full_adders: int
    half_adders: int
    levels: int
    sum_bits: int
    carry_bits: int
    left: tuple[int, ...]


@lru_cache(maxsize=4096)
def tree(words: tuple[Word, ...], width: int, constant: int = 0) -> Tree:
    """The tree that adds words and a constant, modulo 2**width."""
    columns: list[list[int]] = [[ONE] if constant >> at & 1 else [] for at in range(width)]
    for word in words:
        for at in range(word.offset, min(word.offset + word.bits, width)):
            columns[at].append(word.arrival)
    full_adders = half_adders = 0
    for height in _heights(max(map(len, columns))):
        columns, full, half = _level(columns, height)
        full_adders += full
        half_adders += half
    return Tree(
        full_adders=full_adders,
        half_adders=half_adders,
        levels=max((arrival for column in columns for arrival in column), default=0),
        sum_bits=sum(len(column) > 0 for column in columns),
        carry_bits=sum(len(column) > 1 for column in columns),
        left=tuple(map(len, columns)),
    )


def _heights(highest: int) -> list[int]:
    """The heights to which the columns are brought one after the other."""
    heights = []
    height = 2
    while height < highest:
        heights.append(height)
        height += height // 2
    return heights[::-1]


def _level(columns: Iterable[Sequence[int]], height: int) -> tuple[list[list[int]], int, int]:
    """Columns after one level, the full adders and the half adders in it."""
    after: list[list[int]] = []
    full_adders = half_adders = 0
    carries: list[int] = []
    for at, column in enumerate(columns):
        left = sorted(column)
        allowed = 1 if height == 2 and at == 0 else height
        excess = max(len(left) + len(carries) - allowed, 0)
        sums: list[int] = []
        passed: list[int] = []
        for size in [3] * (excess // 2) + [2] * (excess % 2):
            taken, left = left[:size], left[size:]
            variables = size - taken.count(ONE)
            full_adders += variables == 3
            half_adders += variables == 2
            # One variable bit and a constant one: its complement, and itself as the carry.
            sums.append(max(taken) + (variables > 1))
            passed.append(taken[-1] if variables == 1 else sums[-1])
        after.append(left + carries + sums)
        carries = passed
    return after, full_adders, half_adders


def levels(count: Int) -> tuple[Stage, ...]:
    """So many full adders, one after the other."""
    return tuple(
        Stage(kind=Kind.COMPRESSOR_3_2, bits=where(count > level, 1, 0))
        for level in range(int(np.max(count)))
    )


def row_bits(style: Int, bits: Int, signed: Flag) -> Int:
    """Width of a digit times a word of `bits`, in two's complement.

    Formed with a hot one, -2 times the least signed word is the complement of its double: one less.
    """
    return bits + 2 - where((style == PartialProductStyle.HOT_ONE) & signed, 1, 0)


def product_words(
    digit_count: int, row: int, width: int, style: int, extension: int, arrival: int = 0
) -> tuple[Word, ...]:
    """The words of a product whose digits are there after `arrival` levels, in `width` bits.

    `row`: bits of a row; its top bit is repeated up to the width with full sign extension.
    """
    offsets = range(0, min(2 * digit_count, width), 2)
    is_full = extension == SignExtension.FULL
    rows = [Word(at, width if is_full else row, arrival + 1) for at in offsets]
    is_hot = style == PartialProductStyle.HOT_ONE
    return (*rows, *(Word(at, 1, arrival) for at in offsets if is_hot))


def product_constant(digit_count: int, row: int, width: int, extension: int) -> int:
    """What takes off what the inverted sign bits of a product add too much, not negative."""
    if extension == SignExtension.FULL:
        return 0
    signs = range(row - 1, min(row - 1 + 2 * digit_count, width), 2)
    return -sum(1 << at for at in signs) % (1 << width)


def pair_words(width: int, block_bits: int, arrival: int = 0) -> tuple[Word, ...]:
    """A sum as a pair: a word, and a carry into each column, or each block, but the first."""
    if block_bits < 2:
        return (Word(0, width, arrival), Word(1, width - 1, arrival))
    boundaries = range(block_bits, width, block_bits)
    return (Word(0, width, arrival), *(Word(at, 1, arrival) for at in boundaries))


def pair_bits(width: Int, block_bits: Int) -> Int:
    """Bits of a sum as a pair, see `pair_words`."""
    return width + (width - 1) // maximum(block_bits, 1)


def block_adder_count(width: Int, block_bits: Int) -> Int:
    """Adders that carry through the blocks of a pair: none without blocks."""
    return where(block_bits > 1, ceil_div(width, maximum(block_bits, 1)), 0)


def encoders(encoding: Int, count: Int, bits: Int, signed: Flag) -> dict[str, Item]:
    """`count` encoders of words of `bits`, by name; an unsigned word has a sign bit more."""
    return {
        kind.value: Item(
            kind=kind, count=where(encoding == code, count, 0), bits=bits + where(signed, 0, 1)
        )
        for code, kind in ENCODERS.items()
    }
