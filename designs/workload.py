"""Workloads: the problems that a design is asked to solve."""

from dataclasses import dataclass
from typing import Any, ClassVar

from designs.operands import Operands
from designs.rules import Rule, bit_length, check, integer, nested

SIZE_BITS = 20
"""Width of the sizes m and n of a job, such that every count of a GEMM stays below 2**63."""

REDUCTION_MAX = 2**17
"""Longest reduction that any design may be built for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gemm:
    """C[m, n] = sum over k of A[m, k] * W[k, n], with A of shape (m, k) and W of shape (k, n).

    `operands` says what the values are like: simulations draw them so, and energy depends on it.
    """

    RULES: ClassVar[tuple[Rule["Gemm"], ...]] = ()

    m: int = integer(low=1, high=2**SIZE_BITS - 1, doc="rows of A and C", unit="rows")
    k: int = integer(low=1, high=REDUCTION_MAX, doc="reduction length", unit="products")
    n: int = integer(low=1, high=2**SIZE_BITS - 1, doc="columns of W and C", unit="columns")
    w_bits: int = integer(
        default=0,
        low=0,
        high=16,
        doc="width of the weights, for machines that multiply narrow ones faster; 0: the machine's",
        unit="bits",
    )
    operands: Operands = nested(default=Operands(), doc="distribution of the operands")

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        width = f", w_bits={self.w_bits}" if self.w_bits else ""
        given = "" if self.operands == Operands() else f", operands={self.operands}"
        return f"Gemm(m={self.m}, k={self.k}, n={self.n}{width}{given})"

    @property
    def mac_count(self) -> int:
        """Useful multiply-accumulates: m * k * n."""
        return self.m * self.k * self.n


class GemmJob:
    """What the params of every GEMM machine say of a job: the widths of its sizes m, k and n."""

    __slots__ = ()

    max_k: int

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


class SignedOperands:
    """What the params of a machine say whose operands and results always have a sign."""

    __slots__ = ()

    @property
    def a_signed(self) -> bool:
        """Activations have a sign."""
        return True

    @property
    def w_signed(self) -> bool:
        """Weights have a sign."""
        return True

    @property
    def acc_signed(self) -> bool:
        """Results have a sign."""
        return True


GEMM_FIT_RULES: tuple[Rule[Any], ...] = (
    Rule(
        key="k",
        holds=lambda p: p.workload.k <= p.params.max_k,
        sentence="k must be at most max_k = {p.params.max_k}, not {p.workload.k}",
        limit="max_k",
    ),
    Rule(
        key="operands",
        holds=lambda p: p.workload.operands.a.within(p.params.a_bits, p.params.a_signed),
        sentence="operands.a must be values of a_bits = {p.params.a_bits}, "
        "not {p.workload.operands.a.values.span[0]} to {p.workload.operands.a.values.span[1]}",
        limit="a_bits",
    ),
    Rule(
        key="operands",
        holds=lambda p: p.workload.operands.w.within(p.params.w_bits, p.params.w_signed),
        sentence="operands.w must be values of w_bits = {p.params.w_bits}, "
        "not {p.workload.operands.w.values.span[0]} to {p.workload.operands.w.values.span[1]}",
        limit="w_bits",
    ),
)
"""What holds for a GEMM on every machine: k fits, and the widths hold what a file has."""

ONE_WIDTH_RULE: Rule[Any] = Rule(
    key="w_bits",
    holds=lambda p: p.workload.w_bits == 0,
    sentence="w_bits must be left out: this machine multiplies weights of one width, "
    "not {p.workload.w_bits}",
)
"""What holds besides where narrow weights are not faster."""
