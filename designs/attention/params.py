"""Attention on an array of processing elements and a row of lanes: what can be asked for.

The machine runs the cascade of Einsums that reads keys and values once (FlashAttention-2's): tiles
of `side` keys by `side` queries follow each other, and for each query a running maximum RM, a
running denominator RD and a running numerator RNV are kept. Sources: Nayak et al., "FuseMax:
Leveraging Extended Einsums to Optimize Attention Accelerator Design", MICRO 2024, whose names of
tensors are used; the structure, the schedule and the arithmetic are ours, for the paper has none.
"""

from dataclasses import dataclass
from typing import ClassVar

from designs.attention.choices import (
    DIVIDE_CYCLES,
    FLOAT_BITS,
    FLOAT_DIVIDE_CYCLES,
    FRACTION_BITS,
    INTEGER_BITS,
    OUTPUT_FRACTION_BITS,
    SHIFT_BITS,
    WEIGHT_FRACTION_BITS,
    Binding,
    Division,
    ExpMethod,
    Masking,
)
from designs.attention.rules import ENGINE_RULES
from designs.elements import Element
from designs.floats import FP16
from designs.rules import (
    Rule,
    bit_length,
    boolean,
    ceil_div,
    check,
    choice,
    clog2,
    integer,
    maximum,
    where,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AttentionParams:
    """Structure of one attention engine: `side` x `side` elements, a lane below each column."""

    RULES: ClassVar[tuple[Rule["AttentionParams"], ...]]

    side: int = integer(
        default=8,
        low=1,
        high=512,
        doc="N: rows and columns; keys, and queries, of a tile",
        unit="elements",
    )
    e: int = integer(default=16, low=1, high=1024, doc="width of a query and a key", unit="values")
    f: int = integer(default=16, low=1, high=1024, doc="width of a value", unit="values")
    element: Element = choice(
        default=Element.INT8, doc="format of queries, keys and values: int8, fp16 or bf16"
    )
    exp_method: ExpMethod = choice(
        default=ExpMethod.PWL, doc="how a power of two is computed: pwl or polynomial"
    )
    exp_segments: int = integer(
        default=16, low=2, high=32, doc="straight lines (pwl only), a power of two", unit="lines"
    )
    exp_degree: int = integer(
        default=3, low=2, high=5, doc="degree of the polynomial (polynomial only)"
    )
    exp_stages: int = integer(
        default=3,
        low=1,
        high=3,
        doc="slots from score to weight (pwl only): difference, line and shift apart at 3",
        unit="slots",
    )
    fma_lanes: bool = boolean(
        default=True, doc="a lane multiplies and adds in one slot, else in two"
    )
    lane_stages: int = integer(
        default=1,
        low=1,
        high=2,
        doc="cycles of a lane's multiply-add (fma_lanes only): at 2 a register keeps the product",
        unit="cycles",
    )
    columns_per_lane: int = integer(
        default=1,
        low=1,
        high=2,
        doc="columns that have a lane in common (fma_lanes only)",
        unit="columns",
    )
    query_tiles: int = integer(
        default=1,
        low=1,
        high=64,
        doc="P1: query tiles that share each tile of keys and values",
        unit="tiles",
    )
    numerator_lanes: int = integer(
        default=1,
        low=1,
        high=512,
        doc="lanes whose running numerators share one memory: 1 in each lane, all in one buffer",
        unit="lanes",
    )
    binding: Binding = choice(
        default=Binding.INTERLEAVED, doc="whether tiles overlap: interleaved or sequential"
    )
    idle_slot: bool = boolean(default=False, doc="a slot more in each epoch, in which nothing runs")
    masking: Masking = choice(
        default=Masking.UPPER, doc="keys that can be hidden: none, upper or window"
    )
    group: int = integer(
        default=1,
        low=1,
        high=64,
        doc="G: heads of queries side by side that share keys and values",
        unit="heads",
    )
    kv_tiles: int = integer(
        default=2,
        low=1,
        high=8,
        doc="tiles of keys, and of values, for which there is room",
        unit="tiles",
    )
    return_registers: int = integer(
        default=1,
        low=1,
        high=16,
        doc="W: registers between a lane's maximum and the top of its column",
        unit="registers",
    )
    max_keys: int = integer(
        default=2**16, low=1, high=2**20, doc="keys of a query at most", unit="keys"
    )
    splits: int = integer(
        default=1,
        low=1,
        high=64,
        doc="S: groups of columns, each with keys of its own for the same queries",
        unit="groups",
    )
    result_tiles: int = integer(
        default=2, low=1, high=8, doc="query tiles whose results wait at most", unit="tiles"
    )
    division: Division = choice(
        default=Division.HIDDEN,
        doc="whether lanes go on while results are divided: hidden or exposed",
    )
    port_beats: int = integer(
        default=1,
        low=1,
        high=64,
        doc="transfers that a value of each query, or key, of a tile takes on q, k and v",
        unit="transfers",
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def is_float(self) -> bool:
        """Whether elements are floating-point numbers."""
        return self.element != Element.INT8

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak multiply-accumulates per cycle."""
        return self.side * self.side

    @property
    def split_columns(self) -> int:
        """C: columns of a group, and queries of a tile."""
        return self.side // self.splits

    @property
    def tile_keys(self) -> int:
        """Keys of a tile: `side` for each group of columns."""
        return self.splits * self.side

    @property
    def element_bits(self) -> int:
        """Width of a value of Q, K and V."""
        return where(self.is_float, 16, 8)

    @property
    def query_values(self) -> int:
        """Values of one transfer on the port q."""
        return self.split_columns // self.port_beats

    @property
    def key_values(self) -> int:
        """Values of one transfer on the ports k and v."""
        return self.tile_keys // self.port_beats

    @property
    def west_bits(self) -> int:
        """Width of the links along the rows: an element, a row's number, or a shift."""
        return maximum(maximum(self.element_bits, clog2(self.side)), SHIFT_BITS)

    @property
    def score_bits(self) -> int:
        """Width of a score; of integers, that of any sum of e products, and a bit for masks."""
        return where(self.is_float, FLOAT_BITS, bit_length(self.e << 14) + 2)

    @property
    def weight_bits(self) -> int:
        """Width of a weight P: with 15 fraction bits, from 0 to 1, or an element."""
        return WEIGHT_FRACTION_BITS + 1

    @property
    def weight_scale(self) -> int:
        """Logarithm to base 2 of what a weight P = 1 is in the format of the elements.

        fp16 ends at 2**-14, where thousands of keys may still count together, and is finite up to
        2**15: weights take all of that. RD and RNV are larger alike, and their quotient is not.
        """
        return where(self.element == Element.FP16, FP16.bias, 0)

    @property
    def x_bits(self) -> int:
        """Width of an exponent x >= 0 of a weight 2**-x."""
        return INTEGER_BITS + FRACTION_BITS

    @property
    def psum_bits(self) -> int:
        """Width of a sum down a column, of weights or of their products with values, with sign."""
        return where(self.is_float, FLOAT_BITS, bit_length(self.side << 22) + 1)

    @property
    def link_bits(self) -> int:
        """Width of the links down the columns."""
        return maximum(self.score_bits, self.psum_bits)

    @property
    def denominator_bits(self) -> int:
        """Width of RD, unsigned: each key adds at most 2**15."""
        return where(self.is_float, FLOAT_BITS, bit_length(self.max_keys << WEIGHT_FRACTION_BITS))

    @property
    def numerator_bits(self) -> int:
        """Width of RNV, with sign: each key adds at most 2**15 * 2**7."""
        return where(self.is_float, FLOAT_BITS, bit_length(self.max_keys << 22) + 1)

    @property
    def out_bits(self) -> int:
        """Width of an output: int8's with 8 fraction bits, else float32."""
        return where(self.is_float, FLOAT_BITS, 8 + OUTPUT_FRACTION_BITS)

    @property
    def exp_slots(self) -> int:
        """X: slots from score to weight, the difference to the maximum among them."""
        polynomial = self.exp_degree + 2
        return where(self.exp_method == ExpMethod.PWL, self.exp_stages, polynomial)

    @property
    def mask_slots(self) -> int:
        """Slots of an epoch in which scores are masked."""
        some = where(self.masking == Masking.WINDOW, 2, 1)
        return where(self.masking == Masking.NONE, 0, some)

    @property
    def pitch(self) -> int:
        """Slots from one sum of products with values to the next, as the lanes take them."""
        return where(self.fma_lanes, self.columns_per_lane, 2)

    @property
    def lanes(self) -> int:
        """Lanes below the array."""
        return self.side // self.columns_per_lane

    @property
    def keeps_product(self) -> int:
        """1 where a register is behind a lane's multiplier, and a product is rounded, else 0."""
        return where(self.fma_lanes, self.lane_stages - 1, 1)

    @property
    def divide_cycles(self) -> int:
        """D: cycles from one reciprocal of a denominator to the next, at least."""
        return where(self.is_float, FLOAT_DIVIDE_CYCLES, DIVIDE_CYCLES)

    @property
    def maximum_wait(self) -> int:
        """Slots from a tile's maximum to the difference to it, in their epochs."""
        way = self.side + self.return_registers
        return where(self.binding == Binding.INTERLEAVED, 1, way)

    @property
    def sum_wait(self) -> int:
        """Slots from a tile's maximum to the sum of its weights, in their epochs.

        By then the weights are there, and one after the other the factors of a lane's columns.
        Where tiles overlap these begin in slots that products leave free.
        """
        free = maximum(self.e - (self.pitch - 1) * self.f, 0) + self.mask_slots
        before = where(self.binding == Binding.INTERLEAVED, free, 0)
        factors = maximum(self.columns_per_lane * self.exp_slots - before, 0)
        return maximum(self.maximum_wait + self.exp_slots, self.columns_per_lane + factors)

    @property
    def divides(self) -> bool:
        """Whether lanes divide."""
        return self.division == Division.EXPOSED

    @property
    def epoch_slots(self) -> int:
        """Slots of an epoch that something asks for."""
        once = self.mask_slots + self.sum_wait + self.pitch + where(self.idle_slot, 1, 0)
        overlapped = maximum(self.e + self.f, self.pitch * self.f)
        apart = self.e + self.pitch * self.f
        return once + where(self.binding == Binding.INTERLEAVED, overlapped, apart)

    @property
    def numerator_cycles(self) -> int:
        """Cycles from one use of a running numerator to the next, at least.

        It is read a cycle ahead of the first of the lanes that share its memory, and written as the
        last of them has brought its own up to date: the cycle after, it can be read again.
        """
        return self.numerator_skew + self.keeps_product + 2

    @property
    def numerator_skew(self) -> int:
        """Cycles by which the last of the lanes that share numerators is behind the first."""
        return (self.numerator_lanes - 1) * self.columns_per_lane

    @property
    def epoch(self) -> int:
        """T: cycles from one tile to the next; no less than reciprocal and numerators take."""
        return maximum(maximum(self.epoch_slots, self.divide_cycles), self.numerator_cycles)

    @property
    def lag(self) -> int:
        """q: epochs after which a tile's maximum is back at the top of the array.

        The difference to it is taken a slot after the maximum's, q epochs later; no earlier than
        side + return_registers cycles after the maximum's.
        """
        waited = ceil_div(self.side + self.return_registers - 1, self.epoch)
        return where(self.binding == Binding.INTERLEAVED, waited, 0)

    @property
    def accumulators(self) -> int:
        """Tiles whose scores an element holds."""
        return self.lag + 1

    @property
    def query_slots(self) -> int:
        """Query tiles for which there is room: those at work, and as many that arrive."""
        return 2 * self.query_tiles


AttentionParams.RULES = ENGINE_RULES
