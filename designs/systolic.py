"""Dense tensor engines: what can be asked for.

C[m, n] = sum over k of A[m, k] * W[k, n] on a grid of `rows` x `cols` multiply-accumulate elements,
with the outputs (`os`) or the weights (`ws`) held in the grid. The classic arrays are points of it:

systolic array      os, or ws with reduction chain
3D cube             os with depth > 1: each element adds `depth` products of its own
2D matrix           os with broadcast
multiplier-adder    ws with reduction tree: the `rows` weights of a column are the lanes of one
tree                dot-product unit
"""

import enum
from dataclasses import dataclass, fields
from typing import ClassVar, overload

from designs.digits import Encoded, Encoding, PartialProductStyle, SignExtension
from designs.mapping import Loop, Mapping
from designs.rules import (
    Flag,
    Int,
    Rule,
    boolean,
    check,
    choice,
    integer,
    where,
)
from designs.widths import product_sum_bits
from designs.workload import GEMM_FIT_RULES, ONE_WIDTH_RULE, REDUCTION_MAX, Gemm, GemmJob

ACC_ROWS_DEFAULT = 1024


class Dataflow(enum.IntEnum):
    """What stays in the grid: partial outputs (os) or weights (ws)."""

    OS = 0
    WS = 1


class Reduction(enum.IntEnum):
    """How products of one result that are formed side by side are added.

    CHAIN: each to the sum that climbs past, a register after each. TREE: all of them in one step.
    """

    CHAIN = 0
    TREE = 1


class Element(enum.IntEnum):
    """The arithmetic of an element.

    MAC: a multiplier, then an adder. FUSED: partial products and the running sum in one compressor
    tree, then one adder. OPT1: the same tree without the adder: the running sum is a pair of words.
    OPT2: as OPT1, but first the partial products of one bit weight are added, over all lanes.
    """

    MAC = 0
    FUSED = 1
    OPT1 = 2
    OPT2 = 3


class EncoderPlace(enum.IntEnum):
    """Where it is: in each element, or once at the edge of the array, so that digits travel."""

    ELEMENT = 0
    EDGE = 1


class ResolvePlace(enum.IntEnum):
    """Where the two words of a sum are added.

    ELEMENT: in each element, before its result leaves. COLUMN: above each column, and registered.
    OUTPUT: where rows of results are put together.
    """

    ELEMENT = 0
    COLUMN = 1
    OUTPUT = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class SystolicParams(GemmJob):
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
    depth: int = integer(
        default=1, low=1, high=64, doc="products that an element forms per step (os)", unit="lanes"
    )
    reduction: Reduction = choice(
        default=Reduction.CHAIN,
        doc="how products formed side by side are added: chain (a step each) or tree (in one step)",
    )
    broadcast: bool = boolean(
        default=False, doc="operands reach all elements of a row or column in the same step"
    )
    element: Element = choice(
        default=Element.MAC, doc="arithmetic of an element: mac, fused, opt1 or opt2"
    )
    encoding: Encoding = choice(
        default=Encoding.BOOTH, doc="digits of the encoded operand: booth, ent or naf"
    )
    encoded: Encoded = choice(default=Encoded.A, doc="which operand is encoded: a or w")
    encoder: EncoderPlace = choice(
        default=EncoderPlace.ELEMENT, doc="where it is encoded: in each element or at the edge"
    )
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
        doc="one carry of a sum kept per block of so many bits; 0: all of them (opt1, opt2)",
        unit="bits",
    )
    resolve: ResolvePlace = choice(
        default=ResolvePlace.COLUMN,
        doc="where the two words of a sum are added: element, column or output (opt1, opt2)",
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
    def lanes(self) -> int:
        """Products that one element forms per step."""
        is_unit = (self.dataflow == Dataflow.WS) & (self.reduction == Reduction.TREE)
        return where(is_unit, self.rows, self.depth)

    @property
    def grid_rows(self) -> int:
        """Rows of elements: one where the rows are the lanes of an element (ws tree)."""
        is_unit = (self.dataflow == Dataflow.WS) & (self.reduction == Reduction.TREE)
        return where(is_unit, 1, self.rows)

    @property
    def is_carry_save(self) -> bool:
        """Whether sums in the grid are pairs of words."""
        return self.element >= Element.OPT1

    @property
    def has_sum_chain(self) -> bool:
        """Whether partial sums climb, within an element (os) or a column (ws), a step each."""
        side_by_side = (self.dataflow == Dataflow.WS) | (self.depth > 1)
        return (self.reduction == Reduction.CHAIN) & side_by_side

    @property
    def has_pairs_of_final_width(self) -> bool:
        """Whether the pairs of opt1 enter no sum that is wider than they are."""
        in_place = (self.depth == 1) | (self.reduction == Reduction.TREE)
        return ((self.dataflow == Dataflow.OS) & in_place) | (
            (self.dataflow == Dataflow.WS) & (self.resolve != ResolvePlace.OUTPUT)
        )

    @property
    def k_tile(self) -> int:
        """Products of one result that enter together."""
        return where(self.dataflow == Dataflow.WS, self.rows, self.depth)

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak multiply-accumulates per cycle."""
        return self.rows * self.cols * self.depth

    @overload
    def sum_bits(self, term_count: int) -> int: ...
    @overload
    def sum_bits(self, term_count: Int) -> Int: ...
    def sum_bits(self, term_count: Int) -> Int:
        """Width of any sum of `term_count` products of legal operands."""
        return product_sum_bits(term_count, self.a_bits, self.a_signed, self.w_bits, self.w_signed)

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


def _default_below(element: Element, key: str, what: str) -> Rule[SystolicParams]:
    """A field that means nothing with simpler elements than `element`."""
    default = {item.name: item.default for item in fields(SystolicParams)}[key]

    def holds(params: SystolicParams) -> Flag:
        keeps_default: Flag = getattr(params, key) == default
        return (params.element >= element) | keeps_default

    return Rule(key=key, holds=holds, sentence=f"{key} must be left out with {what}")


def _has_two_bits_beside_unsigned(params: SystolicParams) -> Flag:
    """Whether digits of an unsigned operand multiply a signed one of two bits."""
    p, of_a = params, params.encoded == Encoded.A
    beside_a: Flag = of_a & (p.a_signed ^ True) & p.w_signed & (p.w_bits == 2)
    beside_w: Flag = (of_a ^ True) & (p.w_signed ^ True) & p.a_signed & (p.a_bits == 2)
    return beside_a | beside_w


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
    Rule(
        key="depth",
        holds=lambda p: (p.dataflow == Dataflow.OS) | (p.depth == 1),
        sentence="depth must be left out with dataflow ws, whose rows are what is added up, "
        "not {p.depth}",
    ),
    Rule(
        key="depth",
        holds=lambda p: p.depth <= p.max_k,
        sentence="depth must be at most max_k = {p.max_k}, not {p.depth}",
    ),
    Rule(
        key="reduction",
        holds=lambda p: (
            (p.reduction == Reduction.CHAIN) | (p.dataflow == Dataflow.WS) | (p.depth > 1)
        ),
        sentence="reduction must be left out with dataflow os and depth 1, "
        "where an element forms one product per step",
    ),
    Rule(
        key="mac_stages",
        holds=lambda p: (p.element == Element.MAC) | (p.mac_stages == 0),
        sentence="mac_stages must be 0 with an element other than mac, whose products are never "
        "one word that a register could hold, not {p.mac_stages}",
    ),
    *(
        _default_below(Element.FUSED, key, "element mac, which has no digits")
        for key in ("encoding", "encoded", "encoder", "partial_product", "sign_extension")
    ),
    *(
        _default_below(Element.OPT1, key, "element mac or fused, whose sums are one word")
        for key in ("carry_block_bits", "resolve")
    ),
    Rule(
        key="carry_block_bits",
        holds=lambda p: p.carry_block_bits != 1,
        sentence="carry_block_bits must be 0 or at least 2, not 1: blocks of one column are what "
        "0 means",
    ),
    Rule(
        key="element",
        holds=lambda p: (
            (p.element != Element.OPT2) | ((p.reduction == Reduction.TREE) & (p.lanes > 1))
        ),
        sentence="element must not be opt2 without reduction tree over more than one lane: "
        "it adds the partial products of all lanes of a tree by bit weight",
    ),
    Rule(
        key="element",
        holds=lambda p: (
            (p.element != Element.OPT1)
            | (p.has_sum_chain ^ True)
            | (_has_two_bits_beside_unsigned(p) ^ True)
        ),
        sentence="element must not be opt1 where sums climb and digits of an unsigned operand meet "
        "a signed one of 2 bits: a carry would have a register that is always zero",
    ),
    Rule(
        key="resolve",
        holds=lambda p: (
            (p.resolve != ResolvePlace.ELEMENT)
            | (p.dataflow == Dataflow.OS)
            | (p.reduction == Reduction.TREE)
        ),
        sentence="resolve must be column or output with dataflow ws and reduction chain, "
        "where an adder in each element would be the fused element",
    ),
    Rule(
        key="sign_extension",
        holds=lambda p: (
            (p.sign_extension == SignExtension.CONSTANT)
            | (p.element < Element.OPT1)
            | ((p.element == Element.OPT1) & p.has_pairs_of_final_width)
        ),
        sentence="sign_extension must be constant where a pair of words enters a wider sum "
        "(opt2, ws with resolve output, os with a chain of lanes): with sign copies a pair "
        "is right only modulo its width",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SystolicFit:
    """A GEMM on a systolic engine."""

    RULES: ClassVar[tuple[Rule["SystolicFit"], ...]]

    params: SystolicParams
    workload: Gemm


SystolicFit.RULES = (*GEMM_FIT_RULES, ONE_WIDTH_RULE)
