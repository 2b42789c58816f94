"""Systolic tensor engines: what can be asked for.

C[m, n] = sum over k of A[m, k] * W[k, n] on a grid of `rows` x `cols` multiply-accumulate elements,
with the outputs (`os`) or the weights (`ws`) held in the grid.
"""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.mapping import Loop, Mapping
from designs.operands import operand_range
from designs.rules import (
    Rule,
    bit_length,
    boolean,
    check,
    choice,
    clog2,
    integer,
    maximum,
    minimum,
    where,
)
from designs.workload import REDUCTION_MAX, SIZE_BITS, Gemm

ACC_ROWS_DEFAULT = 1024


class Dataflow(enum.IntEnum):
    """What stays in the grid: partial outputs (os) or weights (ws)."""

    OS = 0
    WS = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SystolicParams:
    """Structure of one systolic engine.

    Widths that follow (`acc_bits`, `psum_bits`, ...) are properties: the narrowest that no legal
    operands can overflow.
    """

    RULES: ClassVar[tuple[Rule["SystolicParams"], ...]]

    rows: int = integer(default=16, low=1, high=1024, doc="rows of the grid", unit="elements")
    cols: int = integer(default=16, low=1, high=1024, doc="columns of the grid", unit="elements")
    dataflow: Dataflow = choice(
        default=Dataflow.OS, doc="what stays in the grid: os (outputs) or ws (weights)"
    )
    a_bits: int = integer(default=8, low=2, high=16, doc="width of an activation", unit="bits")
    w_bits: int = integer(default=8, low=2, high=16, doc="width of a weight", unit="bits")
    a_signed: bool = boolean(default=True, doc="activations are two's complement")
    w_signed: bool = boolean(default=True, doc="weights are two's complement")
    max_k: int = integer(
        default=65536, low=1, high=REDUCTION_MAX, doc="longest reduction of a job", unit="products"
    )
    mac_stages: int = integer(
        default=0,
        low=0,
        high=2,
        doc="pipeline registers of a MAC: 1 after the multiplier, 2 before it as well",
        unit="stages",
    )
    acc_rows: int = integer(
        default=ACC_ROWS_DEFAULT,
        low=2,
        high=65536,
        doc="depth of the accumulator memory (ws only); a larger m is cut into blocks",
        unit="rows",
    )
    double_buffer: bool = boolean(
        default=True, doc="overlap tiles: fill the next while one drains, preload the next weights"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def acc_bits(self) -> int:
        """Width of a result: a sum of `max_k` products."""
        return self.sum_bits(self.max_k)

    @property
    def psum_bits(self) -> int:
        """Width of a partial sum that leaves a column (ws): a sum of `rows` products."""
        return self.sum_bits(self.rows)

    @property
    def product_bits(self) -> int:
        """Width of one product."""
        return self.sum_bits(1)

    @property
    def acc_signed(self) -> bool:
        """Whether products, partial sums and results are two's complement."""
        return self.a_signed | self.w_signed

    @property
    def k_bits(self) -> int:
        """Width of the field k of a job."""
        return bit_length(self.max_k)

    @property
    def m_bits(self) -> int:
        """Width of the field m of a job."""
        return SIZE_BITS

    @property
    def n_bits(self) -> int:
        """Width of the field n of a job."""
        return SIZE_BITS

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak multiply-accumulates per cycle."""
        return self.rows * self.cols

    def sum_bits(self, term_count: int) -> int:
        """Width of any sum of `term_count` products of legal operands."""
        a_low, a_high = operand_range(self.a_bits, self.a_signed)
        w_low, w_high = operand_range(self.w_bits, self.w_signed)
        low = term_count * minimum(a_low * w_high, a_high * w_low)
        high = term_count * maximum(a_low * w_low, a_high * w_high)
        return where(self.acc_signed, clog2(maximum(-low, high + 1)) + 1, clog2(high + 1))

    def mapping(self) -> Mapping:
        """Tiles in the order in which operands arrive and results leave.

        `os`: for m-tile, for n-tile (each tile runs through all k).
        `ws`: for n-tile, for m-block, for k-tile (each tile runs through the block's m).
        """
        if self.dataflow == Dataflow.OS:
            return Mapping(loops=(Loop(rank="m", tile=self.rows), Loop(rank="n", tile=self.cols)))
        return Mapping(
            loops=(
                Loop(rank="n", tile=self.cols),
                Loop(rank="m", tile=self.acc_rows),
                Loop(rank="k", tile=self.rows),
            )
        )


SystolicParams.RULES = (
    Rule(
        key="acc_rows",
        holds=lambda p: (p.dataflow == Dataflow.WS) | (p.acc_rows == ACC_ROWS_DEFAULT),
        sentence="acc_rows must be left out with dataflow os, which has no accumulator memory, "
        "not {p.acc_rows}",
    ),
    Rule(
        key="rows",
        holds=lambda p: (p.dataflow == Dataflow.OS) | (p.rows <= p.max_k),
        sentence="rows must be at most max_k = {p.max_k} with dataflow ws, not {p.rows}",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SystolicFit:
    """A GEMM on a systolic engine."""

    RULES: ClassVar[tuple[Rule["SystolicFit"], ...]]

    params: SystolicParams
    workload: Gemm


SystolicFit.RULES = (
    Rule(
        key="k",
        holds=lambda p: p.workload.k <= p.params.max_k,
        sentence="k must be at most max_k = {p.params.max_k}, not {p.workload.k}",
        limit="max_k",
    ),
)
