"""What the model of BoothFlex cores reads, and the trees of adders in them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from archmodels.arith import Word, tree
from archmodels.distinct import distinct
from archmodels.gemm import JobWidths, Problem
from designs.booth_flex import NARROW_BITS
from designs.rules import Flag, Int, ceil_div, where


class Shape(JobWidths, Protocol):
    """The attributes of `BoothFlexParams` that counts follow from."""

    @property
    def elements(self) -> Int: ...
    @property
    def cols(self) -> Int: ...
    @property
    def serial(self) -> Flag: ...
    @property
    def a_bits(self) -> Int: ...
    @property
    def w_bits(self) -> Int: ...
    @property
    def digit_count(self) -> Int: ...
    @property
    def digits_per_step(self) -> Int: ...
    @property
    def a_lanes(self) -> Int: ...
    @property
    def w_lane_bits(self) -> Int: ...
    @property
    def acc_bits(self) -> Int: ...
    @property
    def digits_bits(self) -> Int: ...
    @property
    def mac_slots_per_cycle(self) -> Int: ...


class Weighted(Problem, Protocol):
    """A GEMM that says how wide its weights are."""

    @property
    def w_bits(self) -> Int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Steps of a GEMM. digits: of a weight. tile_k: products of a column and pass. passes: of all
    k, for one tile. steps: in all.
    """

    digits: Int
    tile_k: Int
    tiles: Int
    passes: Int
    steps: Int

    @classmethod
    def of(cls, params: Shape, gemm: Weighted) -> "Work":
        """The steps of one problem on one core, or of grids of both."""
        digits = where(gemm.w_bits == 0, params.w_bits, gemm.w_bits) // 2
        is_packed = (digits == NARROW_BITS // 2) & (params.digits_per_step > 1)
        tile_k = params.elements * where(is_packed, params.digits_per_step, 1)
        tiles = gemm.m * ceil_div(gemm.n, params.cols)
        passes = where(params.digits_per_step == params.digit_count, 1, digits)
        return cls(
            digits=digits,
            tile_k=tile_k,
            tiles=tiles,
            passes=passes,
            steps=tiles * passes * ceil_div(gemm.k, tile_k),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Adders of the tree of one digit of a column, and of the column's; their levels; the width of
    a digit's sum.
    """

    digit_full: Int
    digit_half: Int
    digit_levels: Int
    digit_bits: Int
    column_full: Int
    column_half: Int
    column_levels: Int

    @classmethod
    def of(cls, params: Shape) -> "Trees":
        """The trees of one core, or of each of a grid."""
        sizes = (params.elements, params.a_bits, params.digits_per_step, params.acc_bits)
        found = distinct(_trees, *sizes)
        return cls(**dict(zip(cls.__slots__, found, strict=True)))


@lru_cache(maxsize=1024)
def _trees(elements: int, a_bits: int, digits: int, acc_bits: int) -> tuple[int, ...]:
    """The fields of `Trees`. A row has `a_bits` + 1 bits, its sign inverted: 2**a_bits too much."""
    row = a_bits + 1
    digit_bits = (elements << row).bit_length()
    rows = (Word(0, row, 1), Word(0, 1)) * elements
    digit_tree = tree(rows, digit_bits)
    words = [Word(0, digit_bits, digit_tree.levels)] * 2
    for digit in range(1, digits):
        words += [Word(0, digit_bits + 2 * digit, digit_tree.levels + 1)] * 2
    wrap = (1 << acc_bits) - 1
    whole = -elements * sum(1 << (a_bits + 2 * digit) for digit in range(digits)) & wrap
    narrow = (-elements * digits << a_bits) & wrap
    words += [Word(at, 1) for at in range(acc_bits) if (whole ^ narrow) >> at & 1]
    words.append(Word(0, acc_bits))
    column = tree(tuple(words), acc_bits, whole & narrow)
    return (
        digit_tree.full_adders,
        digit_tree.half_adders,
        digit_tree.levels,
        digit_bits,
        column.full_adders,
        column.half_adders,
        column.levels,
    )
