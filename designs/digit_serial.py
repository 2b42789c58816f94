"""Digit-serial tensor engines: what can be asked for.

C[m, n] = sum over k of A[m, k] * W[k, n], where one operand is written in radix-4 digits and an
element multiplies one digit at a time, of one bit weight after the other. Zero digits are skipped.

Source: Wu et al., "Exploring the Performance Improvement of Tensor Processing Engines through
Transformation in the Bit-weight Dimension of MACs", HPCA 2025. Its engines are points of this one:

OPT2    sparse: false (every digit takes a cycle; the bit weight is a loop in time)
OPT3    cols: 1 (each element selects its own digits)
OPT4C   cols > 1, lanes: 1 (a row of elements shares the selection)
OPT4E   cols > 1, lanes: 4 (an element adds the products of four digits per cycle)
"""

from dataclasses import dataclass
from typing import ClassVar

from designs.digits import (
    Encoded,
    Encoding,
    PartialProductStyle,
    SignExtension,
    digit_count,
    digit_sum_bits,
)
from designs.mapping import Loop, Mapping
from designs.rules import Rule, boolean, check, choice, integer, maximum, where
from designs.widths import product_sum_bits
from designs.workload import GEMM_FIT_RULES, ONE_WIDTH_RULE, Gemm, GemmJob


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitSerialParams(GemmJob):
    """Structure of one digit-serial engine.

    It multiplies X (p x k, in digits) by Y (k x q, plain): A by W, or with `encoded: w` the
    transposes of W and A, which gives C transposed. A tile is `rows` rows of X and `cols` columns
    of Y with all k, so that every result is finished when its tile is.

    k = lanes * j + lane, and `group` consecutive j of a lane are a group, the unit in which digits
    are stored and skipped. `max_k` is a power of two, as are all that divide it.
    """

    RULES: ClassVar[tuple[Rule["DigitSerialParams"], ...]]

    rows: int = integer(
        default=16, low=1, high=64, doc="rows of elements, each with digits of its own", unit="rows"
    )
    cols: int = integer(
        default=16, low=1, high=1024, doc="elements that share the digits of a row", unit="elements"
    )
    lanes: int = integer(
        default=4, low=1, high=8, doc="digits that an element takes per cycle", unit="digits"
    )
    group: int = integer(
        default=4, low=1, high=8, doc="digits that are looked at together", unit="digits"
    )
    skip_groups: int = integer(
        default=0,
        low=0,
        high=3,
        doc="groups without a nonzero digit that cost no cycle, after each visited group",
        unit="groups",
    )
    row_banks: int = integer(
        default=1,
        low=1,
        high=2,
        doc="banks of Y per row; with 2 a row may run ahead of its neighbour by a bank",
        unit="banks",
    )
    sparse: bool = boolean(default=True, doc="skip zero digits; else every digit takes a cycle")
    lockstep: bool = boolean(
        default=False, doc="lanes go on to the next group together instead of each by itself"
    )
    encoding: Encoding = choice(
        default=Encoding.ENT, doc="digits of the encoded operand: booth, ent or naf"
    )
    encoded: Encoded = choice(default=Encoded.A, doc="which operand is encoded: a or w")
    a_bits: int = integer(default=8, low=2, high=16, doc="width of an activation", unit="bits")
    w_bits: int = integer(default=8, low=2, high=16, doc="width of a weight", unit="bits")
    a_signed: bool = boolean(default=True, doc="activations are two's complement")
    w_signed: bool = boolean(default=True, doc="weights are two's complement")
    partial_product: PartialProductStyle = choice(
        default=PartialProductStyle.HOT_ONE,
        doc="how a negative multiple is formed: hot_one (inverted) or negate (by a subtractor)",
    )
    sign_extension: SignExtension = choice(
        default=SignExtension.CONSTANT,
        doc="how partial products are extended: constant (one for all) or full (sign copies)",
    )
    carry_block_bits: int = integer(
        default=0,
        low=0,
        high=32,
        doc="carries kept of a running sum: one per block of so many bits, or 0 for all",
        unit="bits",
    )
    max_k: int = integer(
        default=1024,
        low=2,
        high=8192,
        doc="longest reduction of a job: depth of the operand buffers",
        unit="products",
    )
    double_buffer: bool = boolean(
        default=True, doc="load the next tile while this one computes, in two halves of the buffers"
    )
    resolve_adders: int = integer(
        default=0,
        low=0,
        high=1024,
        doc="adders that resolve a row of results, or 0 for one per column",
        unit="adders",
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def digit_count(self) -> int:
        """Digits of an operand: the bit weights, each a phase of a tile."""
        return digit_count(self.x_bits, self.x_signed)

    @property
    def x_bits(self) -> int:
        """Width of the encoded operand."""
        return where(self.encoded == Encoded.A, self.a_bits, self.w_bits)

    @property
    def x_signed(self) -> bool:
        """Whether the encoded operand is two's complement."""
        return (self.a_signed & (self.encoded == Encoded.A)) | (
            self.w_signed & (self.encoded == Encoded.W)
        )

    @property
    def y_bits(self) -> int:
        """Width of the plain operand."""
        return where(self.encoded == Encoded.A, self.w_bits, self.a_bits)

    @property
    def y_signed(self) -> bool:
        """Whether the plain operand is two's complement."""
        return (self.w_signed & (self.encoded == Encoded.A)) | (
            self.a_signed & (self.encoded == Encoded.W)
        )

    @property
    def acc_bits(self) -> int:
        """Width of a result: a sum of `max_k` products."""
        return product_sum_bits(self.max_k, self.a_bits, self.a_signed, self.w_bits, self.w_signed)

    @property
    def acc_signed(self) -> bool:
        """Whether results are two's complement."""
        return self.a_signed | self.w_signed

    @property
    def phase_bits(self) -> int:
        """Width of the sum of one phase alone, of `max_k` products of a digit.

        What an element with a running sum per phase would need, and a shifter and an adder after
        it; here the sum of all phases so far is shifted instead, in `acc_bits`.
        """
        return digit_sum_bits(self.max_k, self.y_bits, self.y_signed)

    @property
    def stream_count(self) -> int:
        """Lanes, or groups of lanes, of a row that go through their digits by themselves."""
        return where(self.sparse, where(self.lockstep, 1, self.lanes), 1)

    @property
    def bank_count(self) -> int:
        """Banks of Y; each row starts at its own. One row needs no more than one."""
        return where(self.rows == 1, 1, self.rows * self.row_banks)

    @property
    def bank_groups(self) -> int:
        """Groups that a bank holds of each lane."""
        return self.max_k // (self.lanes * self.group * self.bank_count)

    @property
    def halves(self) -> int:
        """Tiles of each operand that the buffers hold."""
        return where(self.double_buffer, 2, 1)

    @property
    def resolve_steps(self) -> int:
        """Cycles in which a row of results is resolved."""
        return where(self.resolve_adders == 0, 1, self.cols // maximum(self.resolve_adders, 1))

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak multiply-accumulates per cycle, of operands with one nonzero digit each."""
        return self.rows * self.cols * self.lanes

    def mapping(self) -> Mapping:
        """Tiles in the order in which results leave: for tile of Y, for tile of X."""
        p_rank, q_rank = ("m", "n") if self.encoded == Encoded.A else ("n", "m")
        return Mapping(loops=(Loop(rank=q_rank, tile=self.cols), Loop(rank=p_rank, tile=self.rows)))


def _power_of_two(key: str) -> Rule[DigitSerialParams]:
    return Rule(
        key=key,
        holds=lambda p: getattr(p, key) & (getattr(p, key) - 1) == 0,
        sentence=f"{key} must be a power of two, not {{p.{key}}}",
    )


DigitSerialParams.RULES = (
    *map(_power_of_two, ("rows", "lanes", "group", "max_k")),
    Rule(
        key="max_k",
        holds=lambda p: p.max_k >= 2 * p.lanes * p.group * p.bank_count,
        sentence="max_k must be at least 2 * lanes * group * bank_count = "
        "2 * {p.lanes} * {p.group} * {p.bank_count}, so that each bank has two groups of each "
        "lane, not {p.max_k}",
    ),
    Rule(
        key="carry_block_bits",
        holds=lambda p: p.carry_block_bits != 1,
        sentence="carry_block_bits must be 0 or at least 2, not 1: blocks of one column are what "
        "0 means",
    ),
    Rule(
        key="skip_groups",
        holds=lambda p: p.sparse | (p.skip_groups == 0),
        sentence="skip_groups must be left out with sparse false, which skips nothing, "
        "not {p.skip_groups}",
    ),
    Rule(
        key="lockstep",
        holds=lambda p: (p.sparse & (p.lanes > 1)) | (p.lockstep ^ True),
        sentence="lockstep must be left out where lanes never part: with sparse false, or one lane",
    ),
    Rule(
        key="resolve_adders",
        holds=lambda p: (p.resolve_adders == 0) | (p.cols % maximum(p.resolve_adders, 1) == 0),
        sentence="resolve_adders must divide cols = {p.cols}, which {p.resolve_adders} does not",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitSerialFit:
    """A GEMM on a digit-serial engine."""

    RULES: ClassVar[tuple[Rule["DigitSerialFit"], ...]]

    params: DigitSerialParams
    workload: Gemm


DigitSerialFit.RULES = (*GEMM_FIT_RULES, ONE_WIDTH_RULE)
