"""What the model of dense engines reads, and the widths and places that many counts share."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from archmodels.distinct import distinct
from archmodels.gemm import JobWidths
from designs.digits import Encoded, Encoding, encode
from designs.operands import operand_range
from designs.rules import Flag, Int, anywhere, clog2, either, where
from designs.systolic import Dataflow, Element, EncoderPlace, Reduction, ResolvePlace


class Shape(JobWidths, Protocol):
    """The attributes of `SystolicParams` that counts follow from."""

    @property
    def rows(self) -> Int: ...
    @property
    def cols(self) -> Int: ...
    @property
    def dataflow(self) -> Int: ...
    @property
    def a_bits(self) -> Int: ...
    @property
    def w_bits(self) -> Int: ...
    @property
    def a_signed(self) -> Flag: ...
    @property
    def w_signed(self) -> Flag: ...
    @property
    def mac_stages(self) -> Int: ...
    @property
    def acc_rows(self) -> Int: ...
    @property
    def double_buffer(self) -> Flag: ...
    @property
    def depth(self) -> Int: ...
    @property
    def reduction(self) -> Int: ...
    @property
    def broadcast(self) -> Flag: ...
    @property
    def element(self) -> Int: ...
    @property
    def encoding(self) -> Int: ...
    @property
    def encoded(self) -> Int: ...
    @property
    def encoder(self) -> Int: ...
    @property
    def partial_product(self) -> Int: ...
    @property
    def sign_extension(self) -> Int: ...
    @property
    def carry_block_bits(self) -> Int: ...
    @property
    def resolve(self) -> Int: ...
    @property
    def acc_signed(self) -> Flag: ...
    @property
    def product_bits(self) -> Int: ...
    @property
    def psum_bits(self) -> Int: ...
    @property
    def acc_bits(self) -> Int: ...
    def sum_bits(self, term_count: Int) -> Int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Widths of one engine, or of each of a grid, computed once for all that need them.

    `a`, `w`: of an operand as it moves through the array, in digits where the edge encodes it.
    `summed`: of what an element adds up. `row_lane`, `col_lane`: of the number of a row, a column.
    `row_count`: of a number of rows, 0 to `rows`; `block_row`, `block_count`: the same of a row of
    the accumulator memory, and of a number of them.
    """

    a: Int
    w: Int
    product: Int
    psum: Int
    acc: Int
    summed: Int
    m: Int
    k: Int
    n: Int
    row_lane: Int
    col_lane: Int
    row_count: Int
    block_row: Int
    block_count: Int

    @classmethod
    def of(cls, params: Shape) -> "Widths":
        """The widths that `params` imply."""
        acc, psum = params.acc_bits, params.psum_bits
        a, w = moving_bits(params)
        return cls(
            a=a,
            w=w,
            product=params.product_bits,
            psum=psum,
            acc=acc,
            summed=where(params.dataflow == Dataflow.WS, psum, acc),
            m=params.m_bits,
            k=params.k_bits,
            n=params.n_bits,
            row_lane=clog2(params.rows),
            col_lane=clog2(params.cols),
            row_count=clog2(params.rows + 1),
            block_row=clog2(params.acc_rows),
            block_count=clog2(params.acc_rows + 1),
        )


def moving_bits(params: Shape) -> tuple[Int, Int]:
    """Width of an operand `a` and an operand `w` as they move through the array."""
    at_edge = params.encoder == EncoderPlace.EDGE
    if not anywhere(at_edge):
        return params.a_bits, params.w_bits
    encodes_a = params.encoded == Encoded.A
    a = distinct(_digit_bits, params.encoding, params.a_bits, params.a_signed)[0]
    w = distinct(_digit_bits, params.encoding, params.w_bits, params.w_signed)[0]
    return (
        where(at_edge & encodes_a, a, params.a_bits),
        where(at_edge & (encodes_a ^ True), w, params.w_bits),
    )


def encoded_operand(params: Shape) -> tuple[Int, Flag]:
    """Width and sign of the operand that is written in digits."""
    encodes_a = params.encoded == Encoded.A
    return (
        where(encodes_a, params.a_bits, params.w_bits),
        either(encodes_a, params.a_signed, params.w_signed),
    )


def multiplied_operand(params: Shape) -> tuple[Int, Flag]:
    """Width and sign of the operand that the digits multiply."""
    encodes_a = params.encoded == Encoded.A
    return (
        where(encodes_a, params.w_bits, params.a_bits),
        either(encodes_a, params.w_signed, params.a_signed),
    )


@cache
def _digit_bits(encoding: int, bits: int, signed: int) -> tuple[int]:
    """Signals that tell the digits of a word: a one, a two, a sign, where a digit can be that."""
    low, high = operand_range(bits, bool(signed))
    digits = encode(Encoding(encoding), np.arange(low, high + 1), bits, bool(signed))
    found = [np.abs(digits) == 1, np.abs(digits) == 2, digits < 0]
    return (sum(int(np.count_nonzero(one.any(axis=0))) for one in found),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What stands side by side in an engine, and how many steps one part runs behind another.

    is_unit: the rows are the lanes of one element per column (ws tree). is_chained: the lanes of an
        element (os) pass their sum on, a step each, to its accumulator. is_pair: sums in the grid
        are pairs of words
    multiplies: 1 where multipliers make the products, else 0
    rows: of elements; climbs: 1 where partial sums climb them (ws), else 0
    lanes: products that an element forms in each step
    k_tile: terms of one result that enter in a step (os), or are held (ws)
    row_step, col_step: by which a row runs behind the row below it, a column behind that before it
    fill: steps by which the last element runs behind the first
    element_steps: from the operands of an element to its sum, beyond the first
    at_element, at_column, at_output: 1 where the pairs of an engine are resolved, else 0
    """

    is_ws: Flag
    is_unit: Flag
    is_chained: Flag
    is_pair: Flag
    multiplies: Int
    rows: Int
    climbs: Int
    lanes: Int
    k_tile: Int
    row_step: Int
    col_step: Int
    fill: Int
    element_steps: Int
    at_element: Int
    at_column: Int
    at_output: Int

    @classmethod
    def of(cls, params: Shape) -> "Layout":
        """The layout that `params` ask for."""
        is_ws, is_tree = params.dataflow == Dataflow.WS, params.reduction == Reduction.TREE
        is_unit, is_pair = is_ws & is_tree, params.element >= Element.OPT1
        is_chained = (is_ws | is_tree | (params.depth == 1)) ^ True
        in_step = is_unit | (params.broadcast & (is_ws ^ True))
        row_step, col_step = where(in_step, 0, 1), where(params.broadcast, 0, 1)
        resolve = where(is_pair, params.resolve, -1)
        return cls(
            is_ws=is_ws,
            is_unit=is_unit,
            is_chained=is_chained,
            is_pair=is_pair,
            multiplies=where(params.element == Element.MAC, 1, 0),
            rows=where(is_unit, 1, params.rows),
            climbs=where(is_ws, where(is_unit, 0, 1), 0),
            lanes=where(is_unit, params.rows, params.depth),
            k_tile=where(is_ws, params.rows, params.depth),
            row_step=row_step,
            col_step=col_step,
            fill=(params.rows - 1) * row_step + (params.cols - 1) * col_step,
            element_steps=params.mac_stages + where(is_chained, params.depth, 0),
            at_element=where(resolve == ResolvePlace.ELEMENT, 1, 0),
            at_column=where(resolve == ResolvePlace.COLUMN, 1, 0),
            at_output=where(resolve == ResolvePlace.OUTPUT, 1, 0),
        )
