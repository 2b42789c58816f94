"""What the model of digit-serial engines reads, and the widths that many counts share."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from archmodels.arith import (
    Word,
    pair_bits,
    pair_words,
    product_constant,
    product_words,
    row_bits,
    tree,
)
from archmodels.distinct import distinct
from archmodels.gemm import JobWidths
from designs.rules import Flag, Int, clog2, where

DIGIT_BITS = 3
"""Bits of a digit on a wire: one, two, negative."""

DIGIT_SHIFT = 2
"""Bits between the weights of two digits."""

FETCH = 3
"""Cycles from when a tile is taken to its first digit: start, reading of the group, fetching."""

CLEAR = 2
"""Cycles from the last result of a tile to the first digit of the next one."""

PIPELINE = 3
"""Cycles from the selection of a digit to the sum with its product."""


class Shape(JobWidths, Protocol):
    """The attributes of `DigitSerialParams` that counts follow from."""

    @property
    def rows(self) -> Int: ...
    @property
    def cols(self) -> Int: ...
    @property
    def lanes(self) -> Int: ...
    @property
    def group(self) -> Int: ...
    @property
    def skip_groups(self) -> Int: ...
    @property
    def row_banks(self) -> Int: ...
    @property
    def sparse(self) -> Flag: ...
    @property
    def lockstep(self) -> Flag: ...
    @property
    def encoding(self) -> Int: ...
    @property
    def encoded(self) -> Int: ...
    @property
    def a_bits(self) -> Int: ...
    @property
    def w_bits(self) -> Int: ...
    @property
    def a_signed(self) -> Flag: ...
    @property
    def w_signed(self) -> Flag: ...
    @property
    def x_bits(self) -> Int: ...
    @property
    def x_signed(self) -> Flag: ...
    @property
    def y_bits(self) -> Int: ...
    @property
    def y_signed(self) -> Flag: ...
    @property
    def digit_count(self) -> Int: ...
    @property
    def partial_product(self) -> Int: ...
    @property
    def sign_extension(self) -> Int: ...
    @property
    def carry_block_bits(self) -> Int: ...
    @property
    def max_k(self) -> Int: ...
    @property
    def double_buffer(self) -> Flag: ...
    @property
    def acc_bits(self) -> Int: ...
    @property
    def acc_signed(self) -> Flag: ...
    @property
    def stream_count(self) -> Int: ...
    @property
    def bank_count(self) -> Int: ...
    @property
    def bank_groups(self) -> Int: ...
    @property
    def halves(self) -> Int: ...
    @property
    def resolve_steps(self) -> Int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Widths of one engine, or of each of a grid, computed once for all that need them.

    `phases`: bit weights. `pair`: of a running sum, both words. `word`: of a group in a digit
    buffer, with `word_digits` digits and `skip` bits of how many groups to skip. `position`: of a
    digit in its group, `index`: of a group in its bank, `bank`: of a bank. `credit`: of a number of
    banks. `k_last`, `steps`: of the last k and the last transfer. `shift_stages`: cycles from the
    end of a phase to the sum. `resolve_step`: of a step of the resolution.
    """

    phases: Int
    pair: Int
    word: Int
    word_digits: Int
    skip: Int
    position: Int
    index: Int
    bank: Int
    credit: Int
    k_last: Int
    steps: Int
    shift_stages: Int
    rows_left: Int
    resolve_step: Int

    @classmethod
    def of(cls, params: Shape) -> "Widths":
        """The widths that `params` imply."""
        digits = params.lanes // params.stream_count * params.group
        skip = clog2(params.skip_groups + 1)
        return cls(
            phases=params.digit_count,
            pair=pair_bits(params.acc_bits, params.carry_block_bits),
            word=DIGIT_BITS * digits + skip,
            word_digits=digits,
            skip=skip,
            position=clog2(params.group),
            index=clog2(params.bank_groups),
            bank=clog2(params.bank_count),
            credit=clog2(params.bank_count + 1),
            k_last=clog2(params.max_k),
            steps=clog2(params.max_k // params.lanes),
            shift_stages=PIPELINE,
            rows_left=clog2(params.rows + 1),
            resolve_step=clog2(params.resolve_steps),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """The tree of an element: bits of a partial product; adders, and levels of them after it."""

    row_bits: Int
    full_adders: Int
    half_adders: Int
    levels: Int

    @classmethod
    def of(cls, params: Shape) -> "Element":
        """The element of `params`."""
        row = row_bits(params.partial_product, params.y_bits, params.y_signed)
        full_adders, half_adders, levels = distinct(
            _tree,
            params.lanes,
            row,
            params.acc_bits,
            params.carry_block_bits,
            params.partial_product,
            params.sign_extension,
            where(params.digit_count > 1, 1, 0),
        )
        return cls(row_bits=row, full_adders=full_adders, half_adders=half_adders, levels=levels)


@lru_cache(maxsize=4096)
def _tree(
    lanes: int, row: int, width: int, block_bits: int, style: int, extension: int, shifts: int
) -> tuple[int, int, int]:
    """Full adders, half adders and levels of what adds one product per lane to a running sum.

    The sum comes as it is or shifted by a digit: a carry of a block may be in either column.
    """
    words = product_words(1, row, width, style, extension) * lanes
    if block_bits:
        carries = range(block_bits, width, block_bits)
        columns = {at + by for at in carries for by in (0, DIGIT_SHIFT * shifts)}
        pair = [Word(0, width, 1), *(Word(at, 1, 1) for at in sorted(columns) if at < width)]
    else:
        pair = list(pair_words(width, 0, 1))
    constant = lanes * product_constant(1, row, width, extension) % (1 << width)
    made = tree((*words, *pair), width, constant)
    return made.full_adders, made.half_adders, made.levels - 1
