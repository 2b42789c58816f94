"""What the leading-one predictor takes and gives, and the widths that follow."""

from dataclasses import dataclass

from amaranth.hdl import signed
from amaranth.lib import data

from designs.rules import bit_length, ceil_div, clog2

CODE_BITS = 4
"""A leading-one code: a level, which is an exponent plus 1 or 0 for zero, below a sign."""

SCALE_BITS = 8
"""The scale of a key: four bits of mantissa below an exponent."""

BUCKETS = 64
"""Counters of the histogram of scores."""

_MANTISSA_BITS = SCALE_BITS // 2
_LEVELS = 1 << (CODE_BITS - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LopParams:
    """One predictor.

    vector_lanes: query values that are written at a time; a power of two. lop_lanes: codes that are
    taken per cycle, a multiple of it, and a power of two. max_head_dim: a multiple of lop_lanes.
    slots: queries that are kept. rounded: codes of the query are those of the nearest power of two.
    """

    vector_lanes: int
    lop_lanes: int
    max_head_dim: int
    max_context: int
    slots: int
    kv_heads: int
    rounded: bool

    @property
    def slot_words(self) -> int:
        """Words of a query."""
        return self.max_head_dim // self.lop_lanes

    @property
    def index_bits(self) -> int:
        """Width of a token's number: the token itself has the number of those before it."""
        return bit_length(self.max_context)

    @property
    def power_bits(self) -> int:
        """Width of the magnitude of a product of two codes."""
        return 2 * (_LEVELS - 1) - 1

    @property
    def sum_bits(self) -> int:
        """Width of the sum over all dimensions."""
        return 1 + bit_length(self.max_head_dim << (self.power_bits - 1))

    @property
    def score_bits(self) -> int:
        """Width of a sum times the greatest scale."""
        greatest = self.max_head_dim << (self.power_bits - 1)
        return 1 + bit_length(greatest * 31 << 15)


def code_layout() -> data.StructLayout:
    """A leading-one code."""
    return data.StructLayout({"level": CODE_BITS - 1, "negative": 1})


def lo_layout(params: LopParams) -> data.StructLayout:
    """Some codes of a key, and the code of its scale, the same with all of a key."""
    codes = data.ArrayLayout(code_layout(), params.lop_lanes)
    return data.StructLayout({"codes": codes, "scale": SCALE_BITS})


def query_layout(params: LopParams) -> data.ArrayLayout:
    """Some values of a query."""
    return data.ArrayLayout(signed(8), params.vector_lanes)


def query_address_bits(params: LopParams) -> int:
    """Width of the address of a word of `query_layout`; a slot has `max_head_dim` values."""
    return clog2(params.slots * ceil_div(params.max_head_dim, params.vector_lanes))


def request_layout(params: LopParams) -> data.StructLayout:
    """A token whose key and value are wanted."""
    return data.StructLayout({"index": params.index_bits, "kv_head": clog2(params.kv_heads)})


def instruction_layout(params: LopParams) -> data.StructLayout:
    """One selection.

    context: tokens before this one. sinks: as many of the first survive anyway. latest: and all
    from this one on. need: survivors among the others. words: transfers of a key. query: its slot.
    """
    count = params.index_bits
    return data.StructLayout(
        {
            "context": count,
            "need": count,
            "sinks": count,
            "latest": count,
            "words": bit_length(params.slot_words),
            "query": clog2(params.slots),
            "kv_head": clog2(params.kv_heads),
        }
    )
