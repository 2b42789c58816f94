"""What the model of systolic engines reads, and the widths that many counts share."""

from dataclasses import dataclass
from typing import Protocol

from designs.operands import Operands
from designs.rules import Flag, Int, bit_length, clog2, where
from designs.systolic import Dataflow


class Shape(Protocol):
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
    def acc_signed(self) -> Flag: ...
    @property
    def product_bits(self) -> Int: ...
    @property
    def psum_bits(self) -> Int: ...
    @property
    def acc_bits(self) -> Int: ...
    @property
    def m_bits(self) -> Int: ...
    @property
    def k_bits(self) -> Int: ...
    @property
    def n_bits(self) -> Int: ...


class Problem(Protocol):
    """The attributes of `Gemm`."""

    @property
    def m(self) -> Int: ...
    @property
    def k(self) -> Int: ...
    @property
    def n(self) -> Int: ...
    @property
    def mac_count(self) -> Int: ...
    @property
    def operands(self) -> Operands: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Widths of one engine, or of each of a grid, computed once for all that need them.

    `summed`: of what an element adds up. `row_lane`, `col_lane`: of the number of a row, a column.
    `row_count`: of a number of rows, 0 to `rows`; `block_row`, `block_count`: the same of a row of
    the accumulator memory, and of a number of them.
    """

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
        return cls(
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


def changed_bits(width: Int, constant: Int) -> Int:
    """Bits of `width` that adding or subtracting `constant` >= 1 can change: its low zeros stay."""
    return width + 1 - bit_length(constant & -constant)
