"""The compressor trees of an element: one for each count of products, one for their sum."""

from dataclasses import dataclass
from functools import lru_cache

from archmodels.arith import Word, tree
from archmodels.distinct import distinct
from archmodels.laconic.shape import Shape
from designs.rules import Int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Adders in the tree of one count, of that of exponent 0, and in the tree of the sum.

    first_carries: whether the tree of exponent 0 leaves two words to add: not with one lane.
    levels: full adders from an input to the last output of the tree, of a count and of the sum.
    """

    count_full: Int
    count_half: Int
    first_full: Int
    first_half: Int
    first_carries: Int
    sum_full: Int
    sum_half: Int
    count_levels: Int
    sum_levels: Int

    @classmethod
    def of(cls, params: Shape) -> "Trees":
        """The trees of one engine, or of each of a grid."""
        found = distinct(_trees, params.lanes, params.exponent_count)
        return cls(**dict(zip(cls.__slots__, found, strict=True)))


@lru_cache(maxsize=1024)
def _trees(lanes: int, exponent_count: int) -> tuple[int, ...]:
    """The fields of `Trees`.

    A count adds two bits per lane; the first adds a constant of `lanes` too. The counts of every
    `bits`-th exponent make a word of the sum.
    """
    bits = (2 * lanes).bit_length()
    ones = (Word(0, 1),) * (2 * lanes)
    count, first = tree(ones, bits), tree(ones, bits, lanes)
    words = tuple(
        Word(start, bits * len(range(start, exponent_count, bits)))
        for start in range(min(bits, exponent_count))
    )
    total = tree(words, lanes.bit_length() + exponent_count)
    return (
        count.full_adders,
        count.half_adders,
        first.full_adders,
        first.half_adders,
        min(first.carry_bits, 1),
        total.full_adders,
        total.half_adders,
        count.levels,
        total.levels,
    )
