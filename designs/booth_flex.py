"""BoothFlex: what can be asked for. Radix-4 Booth multipliers that also multiply narrow weights.

C[m, n] = sum over k of A[m, k] * W[k, n]. A weight of `w_bits` is `w_bits` / 2 Booth digits, each
times an activation a partial product. A weight of two bits, which a trit is, is one digit: the same
partial products are then those of `w_bits` / 2 different activations. A serial element has one
partial product, and a weight takes as many steps as it has digits.

Source: "VitaLLM: A Versatile, Ultra-Compact Ternary LLM Accelerator with Dependency-Aware
Scheduling", arXiv 2604.27396; the circuits are ours, for the paper does not give them.
"""

from dataclasses import dataclass
from typing import ClassVar

from designs.mapping import Loop, Mapping
from designs.rules import Rule, bit_length, boolean, check, integer, where
from designs.widths import product_sum_bits
from designs.workload import GEMM_FIT_RULES, Gemm, GemmJob, SignedOperands

NARROW_BITS = 2
"""Width of a weight that is one digit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BoothFlexParams(GemmJob, SignedOperands):
    """Structure of one BoothFlex core: `cols` columns of `elements` along k, a row at a time.

    Operands are two's complement. A Gemm with `w_bits` 2 uses all digits of an element for
    different activations; with `serial`, a Gemm of any even `w_bits` takes half as many steps as
    its weights have bits.
    """

    RULES: ClassVar[tuple[Rule["BoothFlexParams"], ...]]

    elements: int = integer(
        default=16, low=1, high=256, doc="elements of a column", unit="elements"
    )
    cols: int = integer(default=1, low=1, high=256, doc="columns", unit="columns")
    serial: bool = boolean(default=False, doc="one digit of each weight in a step")
    a_bits: int = integer(default=8, low=4, high=16, doc="width of an activation", unit="bits")
    w_bits: int = integer(default=8, low=2, high=16, doc="width of a whole weight", unit="bits")
    max_k: int = integer(
        default=1024, low=1, high=16384, doc="longest reduction of a job", unit="products"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def digit_count(self) -> int:
        """Digits of a whole weight."""
        return self.w_bits // 2

    @property
    def digits_per_step(self) -> int:
        """Digits that an element multiplies in a step."""
        return where(self.serial, 1, self.digit_count)

    @property
    def a_lanes(self) -> int:
        """Activations of a step."""
        return self.elements * self.digits_per_step

    @property
    def w_lane_bits(self) -> int:
        """Bits that an element takes of its weights in a step: a serial one a digit's window."""
        return where(self.serial, 3, self.w_bits)

    @property
    def acc_bits(self) -> int:
        """Width of a result: a sum of `max_k` products of whole weights."""
        return product_sum_bits(self.max_k, self.a_bits, self.a_signed, self.w_bits, self.w_signed)

    @property
    def digits_bits(self) -> int:
        """Width of the field `digits` of a job."""
        return bit_length(self.digit_count)

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak multiply-accumulates per cycle, of weights with one digit."""
        return self.a_lanes * self.cols

    def mapping(self) -> Mapping:
        """Tiles in the order in which results leave; each runs through all k."""
        return Mapping(loops=(Loop(rank="m", tile=1), Loop(rank="n", tile=self.cols)))


BoothFlexParams.RULES = (
    Rule(
        key="w_bits",
        holds=lambda p: p.w_bits % 2 == 0,
        sentence="w_bits must be even, whole digits of two bits, not {p.w_bits}",
    ),
    Rule(
        key="elements",
        holds=lambda p: p.elements * p.digits_per_step <= p.max_k,
        sentence="elements times the digits of a step must be at most max_k = {p.max_k}, "
        "not {p.elements} * {p.digits_per_step}",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BoothFlexFit:
    """A GEMM on a BoothFlex core; `w_bits` of the Gemm says how many digits its weights have."""

    RULES: ClassVar[tuple[Rule["BoothFlexFit"], ...]]

    params: BoothFlexParams
    workload: Gemm

    @property
    def weight_bits(self) -> int:
        """Width of the weights of this problem."""
        return where(self.workload.w_bits == 0, self.params.w_bits, self.workload.w_bits)


BoothFlexFit.RULES = (
    *GEMM_FIT_RULES,
    Rule(
        key="w_bits",
        holds=lambda p: (p.workload.w_bits % 2 == 0) & (p.workload.w_bits <= p.params.w_bits),
        sentence="w_bits must be even and at most that of the machine, {p.params.w_bits}, "
        "not {p.workload.w_bits}",
        limit="w_bits",
    ),
    Rule(
        key="w_bits",
        holds=lambda p: (
            p.params.serial
            | (p.workload.w_bits == 0)
            | (p.workload.w_bits == NARROW_BITS)
            | (p.workload.w_bits == p.params.w_bits)
        ),
        sentence="w_bits must be 2 or {p.params.w_bits} where elements are not serial, "
        "not {p.workload.w_bits}",
    ),
    Rule(
        key="operands",
        holds=lambda p: p.workload.operands.w.within(p.weight_bits, p.params.w_signed),
        sentence="operands.w must be values of the {p.weight_bits} bits that w_bits says, "
        "not {p.workload.operands.w.values.span[0]} to {p.workload.operands.w.values.span[1]}",
    ),
)
