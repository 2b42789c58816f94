"""Laconic: what can be asked for. A baseline that multiplies term by term.

C[m, n] = sum over k of A[m, k] * W[k, n], where both operands are sums of signed powers of two
(terms) and a product is the sum over the pairs of their terms. Source: Sharify et al., "Laconic
Deep Learning Inference Acceleration", ISCA 2019.
"""

from dataclasses import dataclass
from typing import ClassVar

from designs.digits import Encoding
from designs.mapping import Loop, Mapping
from designs.rules import Rule, check, choice, integer
from designs.widths import product_sum_bits
from designs.workload import GEMM_FIT_RULES, ONE_WIDTH_RULE, Gemm, GemmJob, SignedOperands


@dataclass(frozen=True, kw_only=True, slots=True)
class LaconicParams(GemmJob, SignedOperands):
    """Structure of one Laconic engine: a grid of elements, each with `lanes` pairs of terms.

    Operands are two's complement. Each nonzero digit of an encoding is one term, so NAF, which has
    the fewest, is the kindest to this machine.
    """

    RULES: ClassVar[tuple[Rule["LaconicParams"], ...]]

    rows: int = integer(default=4, low=1, high=64, doc="rows of the grid", unit="elements")
    cols: int = integer(default=4, low=1, high=64, doc="columns of the grid", unit="elements")
    lanes: int = integer(
        default=16,
        low=1,
        high=16,
        doc="products of an element that start together",
        unit="products",
    )
    a_bits: int = integer(default=8, low=4, high=16, doc="width of an activation", unit="bits")
    w_bits: int = integer(default=8, low=4, high=16, doc="width of a weight", unit="bits")
    encoding: Encoding = choice(
        default=Encoding.NAF, doc="digits whose nonzeros are the terms: booth, ent or naf"
    )
    max_k: int = integer(
        default=1024, low=1, high=8192, doc="longest reduction of a job", unit="products"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def exponent_count(self) -> int:
        """Powers of two that a product of two terms can be: 2**0 to 2**(exponent_count - 1)."""
        return self.a_bits + self.w_bits - 1

    @property
    def acc_bits(self) -> int:
        """Width of a result: a sum of `max_k` products."""
        return product_sum_bits(self.max_k, self.a_bits, self.a_signed, self.w_bits, self.w_signed)

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak multiply-accumulates per cycle, of operands with one term each."""
        return self.rows * self.cols * self.lanes

    def mapping(self) -> Mapping:
        """Tiles in the order in which results leave; each runs through all k."""
        return Mapping(loops=(Loop(rank="m", tile=self.rows), Loop(rank="n", tile=self.cols)))


LaconicParams.RULES = (
    Rule(
        key="lanes",
        holds=lambda p: p.lanes & (p.lanes - 1) == 0,
        sentence="lanes must be a power of two, not {p.lanes}",
    ),
    Rule(
        key="lanes",
        holds=lambda p: p.lanes <= p.max_k,
        sentence="lanes must be at most max_k = {p.max_k}, not {p.lanes}",
    ),
    Rule(
        key="a_bits",
        holds=lambda p: p.a_bits % 2 == 0,
        sentence="a_bits must be even, whole digits of two bits, not {p.a_bits}",
    ),
    Rule(
        key="w_bits",
        holds=lambda p: p.w_bits % 2 == 0,
        sentence="w_bits must be even, whole digits of two bits, not {p.w_bits}",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class LaconicFit:
    """A GEMM on a Laconic engine."""

    RULES: ClassVar[tuple[Rule["LaconicFit"], ...]]

    params: LaconicParams
    workload: Gemm


LaconicFit.RULES = (*GEMM_FIT_RULES, ONE_WIDTH_RULE)
