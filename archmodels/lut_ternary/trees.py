"""The adders between what a column reads and the sum of a step, and the registers among them."""

from dataclasses import dataclass

from archmodels.lut_ternary.shape import Shape, Style
from designs.rules import Int, ceil_div, clog2, maximum, minimum, where

LEVELS_MAX = 8
"""Most levels of a tree: of 256 leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What a column adds up.

    bits: width of one. growth: a sum of j of them has clog2(j * growth) bits more than `base`, up
    to `most`. carries: 1 where each comes with a sign that is still to be added, else 0.
    """

    bits: Int
    base: Int
    growth: Int
    most: Int
    carries: Int

    @classmethod
    def of(cls, params: Shape, style: Style) -> "Leaf":
        """The leaves of a core."""
        p = params
        base = where(
            style.multiply == 1,
            2 * p.a_bits,
            where(style.offset == 1, p.a_bits + 1, p.a_bits),
        )
        flat = (style.float_ | style.reference) == 1
        most = p.acc_bits
        base = where(flat, most, base)
        bits = where(style.minimal == 1, where(flat, most, p.table_bits), minimum(base, most))
        return cls(
            bits=bits,
            base=base,
            growth=where(style.minimal == 1, p.mu, 1),
            most=most,
            carries=style.minimal * style.integer,
        )

    def sum_bits(self, leaves: Int) -> Int:
        """Width of a sum of so many leaves."""
        return minimum(self.base + clog2(leaves * self.growth), self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the tree of a column: pairs of neighbours are added, an odd one passes.

    full: adders whose sum has as many leaves as the level allows, of `full_bits`; ragged: 1 where
    there is one of fewer leaves besides, of `ragged_bits`. word_bits: all bits behind the level,
    pending signs included.
    """

    full: Int
    full_bits: Int
    ragged: Int
    ragged_bits: Int
    word_bits: Int


def tree_level(leaf: Leaf, leaves: Int, level: int) -> Level:
    """Level `level`, from 1, of a tree of so many leaves."""
    whole = 1 << level
    full, rest = leaves // whole, leaves % whole
    rest_bits = leaf.sum_bits(where(rest > 0, rest, 1))
    full_bits = leaf.sum_bits(whole)
    has_rest = minimum(rest, 1)
    return Level(
        full=full,
        full_bits=full_bits,
        ragged=where(rest > whole // 2, 1, 0),
        ragged_bits=rest_bits,
        word_bits=full * (full_bits + leaf.carries) + has_rest * (rest_bits + leaf.carries),
    )


def tree_registers(params: Shape, style: Style, leaf: Leaf) -> tuple[Int, Int]:
    """Registers of one column behind the levels of its tree, but for the first ones: words, and the
    bits of all together beyond those of a leaf each.

    A register stands behind every `adder_levels` levels, and behind the last one.
    """
    depth, step = clog2(params.tables), maximum(params.adder_levels, 1)
    words: Int = 0
    bits: Int = 0
    for number in range(1, LEVELS_MAX + 1):
        is_cut = (number <= depth) & ((number % step == 0) | (number == depth))
        level = tree_level(leaf, params.tables, number)
        words = words + where(is_cut, ceil_div(params.tables, 1 << number), 0)
        bits = bits + where(is_cut, level.word_bits, 0)
    is_there = style.staged * (1 - style.reference)
    return is_there * words, is_there * (bits - words * (leaf.bits + leaf.carries))


def chain_adders(params: Shape) -> tuple[tuple[Int, Int], ...]:
    """Adders of one chain by what their sums can be: how many, and bits more than a leaf has."""
    found = []
    for growth in range(1, LEVELS_MAX + 1):
        up_to, below = 1 << growth, 1 << (growth - 1)
        found.append((maximum(minimum(params.tables, up_to) - below, 0), growth))
    return tuple(found)


def chain_words(params: Shape, style: Style) -> Int:
    """Words in the registers of one chain of adders, from left to right, but for the first ones.

    Behind x adders there is their sum, and the leaves that are still to be added.
    """
    adders, step = params.tables - 1, maximum(params.adder_levels, 1)
    cuts: Int = adders // step
    words: Int = cuts * params.tables - step * cuts * (cuts + 1) // 2
    last = where(adders % step > 0, 1, 0)
    return style.staged * style.reference * (words + last)
