"""What moves through the attention engine: streams, and commands between its parts."""

import enum
from typing import Any

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.attention.choices import SHIFT_BITS, Masking
from designs.attention.params import AttentionParams
from designs.attention.schedule import LaneOp, PeOp
from designs.floats import FP32
from designs.rules import bit_length, clog2

CYCLE_BITS = 48
"""Width of what is counted in cycles: years."""

TRANSFER_BITS = 40
"""Width of what is counted in transfers, or in tiles."""


class North(enum.IntEnum):
    """What a column is given from the top.

    ZERO: where sums begin. LEAST: where maxima begin, a masked score. QUERY: a value of Q. MAXIMUM:
    the running maximum that has come back. BOUND, DIAGONAL: the number of keys of the tile up to a
    bound, the same for all columns, or one more for each position.
    """

    ZERO = 0
    LEAST = 1
    QUERY = 2
    MAXIMUM = 3
    BOUND = 4
    DIAGONAL = 5


def pe_command(params: AttentionParams) -> data.StructLayout:
    """What an element does in a cycle.

    op: see `PeOp`; acc: the accumulator, where there are several; fresh: with SCORE, the product is
    the first of its score.
    """
    acc = {"acc": clog2(params.accumulators)} if params.accumulators > 1 else {}
    return data.StructLayout({"op": bit_length(max(PeOp))} | acc | {"fresh": 1})


def lane_command(params: AttentionParams) -> data.StructLayout:
    """What a lane does in a cycle; fields are those of the tile that it is about.

    op: see `LaneOp`; state: which of the resident query tiles; ring: where the difference of its
    maxima is kept; index: f of a numerator; column: which of those that the lane has; shift: of
    scores to exponents, with MAXIMUM and SUBTRACT; first, last: of the query tile's tiles; half:
    which part of the staging memory, one of `result_tiles`, with SUM and WEIGH of a last one.
    """
    return data.StructLayout(
        {
            "op": bit_length(max(LaneOp)),
            "state": clog2(params.query_tiles),
            "ring": clog2(params.accumulators),
            "index": clog2(params.f),
            "column": clog2(params.columns_per_lane),
            "shift": shift_bits(params),
            "first": 1,
            "last": 1,
            "half": clog2(params.result_tiles),
        }
    )


def west_command(params: AttentionParams) -> data.StructLayout:
    """What travels down the west edge.

    pe: for the row; operand: the address of a value of K with SCORE, of V with WEIGH; with SUBTRACT
    the shift.
    """
    p = params
    operand = max(clog2(key_words(p)), clog2(value_words(p)), shift_bits(p))
    return data.StructLayout({"pe": pe_command(p), "operand": operand})


def north_command(params: AttentionParams) -> data.StructLayout:
    """What travels along the north edge.

    source: see `North`; operand: the address of a value of Q, the entry of the ring of maxima, or
    the bound of column 0, signed.
    """
    p = params
    operand = max(clog2(query_words(p)), north_held_bits(p))
    source = North.MAXIMUM if p.masking == Masking.NONE else North.DIAGONAL
    return data.StructLayout({"source": bit_length(source), "operand": operand})


def north_held_bits(params: AttentionParams) -> int:
    """Lowest bits of a north operand that are used after the memory has been read."""
    bound = 0 if params.masking == Masking.NONE else bound_bits(params)
    return max(bound, clog2(ring_entries(params)))


def bound_bits(params: AttentionParams) -> int:
    """Width of the bound of column 0, signed: from less to more than all keys of a tile."""
    return bit_length(params.tile_keys) + 1


def shift_bits(params: AttentionParams) -> int:
    """Width of the shift of scores to exponents; floats have none."""
    return 0 if params.is_float else SHIFT_BITS


def least_score(params: AttentionParams) -> int:
    """A masked score: the least of all; of floats, the pattern of minus infinity."""
    infinity = FP32.infinity if params.is_float else 0
    return infinity - (1 << (params.score_bits - 1))


def ring_entries(params: AttentionParams) -> int:
    """Maxima that a column keeps between lane and array."""
    return max(params.lag, 1)


def key_words(params: AttentionParams) -> int:
    """Words of the memory of K of a row."""
    return max(params.kv_tiles * params.e, 2)


def value_words(params: AttentionParams) -> int:
    """Words of the memory of V of a row."""
    return max(params.kv_tiles * params.f, 2)


def query_words(params: AttentionParams) -> int:
    """Words of the memory of Q of a column."""
    return params.query_slots * params.e


def tile_layout(params: AttentionParams) -> data.StructLayout:
    """A line of the tile table, see `designs.attention.tiles.Tile`.

    query: a place of the ring of query tiles, which goes on from job to job; only a reset begins it
    anew.
    shift: a score times 2**-(shift + 8) is a power of two; no shift for floats, no bounds without
    masking, and no diagonal where all columns have the same position.
    """
    p = params
    fields: dict[str, Any] = {
        "query": clog2(p.query_slots),
        "state": clog2(p.query_tiles),
        "first": 1,
        "last": 1,
        "kv_done": 1,
        "query_release": bit_length(p.query_tiles),
        "end": 1,
    }
    if p.masking != Masking.NONE:
        fields["upper"] = signed(bound_bits(p))
        if p.split_columns > p.group:
            fields["diagonal"] = 1
    if p.masking == Masking.WINDOW:
        fields["lower"] = signed(bound_bits(p))
    if not p.is_float:
        fields["shift"] = shift_bits(p)
    return data.StructLayout(fields)


def values_layout(params: AttentionParams, count: int) -> data.ArrayLayout:
    """`count` values of Q, K or V, floats as patterns."""
    shape = unsigned if params.is_float else signed
    return data.ArrayLayout(shape(params.element_bits), count)


def o_layout(params: AttentionParams) -> data.ArrayLayout:
    """One output of each query of a tile: with 8 fraction bits, or a float32's pattern."""
    shape = unsigned if params.is_float else signed
    return data.ArrayLayout(shape(params.out_bits), params.split_columns)


def counters_layout(params: AttentionParams) -> data.StructLayout:
    """What is counted of a job, that is since the report of the one before it.

    cycles: from the first transfer on q, k or v, of a job that follows at once from the end of the
    one before it, to the last on o. stall_cycles: in which an epoch could begin, and a tile, an
    operand or room for results was missing. epochs: tiles begun. array_busy, lanes_busy: slots with
    work for the elements, for the lanes, in cycles. q, k, v, o: transfers. q_tiles, k_tiles,
    v_tiles: complete and not yet released, at most.
    """
    cycles = ("cycles", "stall_cycles", "array_busy", "lanes_busy")
    transfers = ("epochs", "q", "k", "v", "o")
    tiles = {"q_tiles": params.query_slots, "k_tiles": params.kv_tiles, "v_tiles": params.kv_tiles}
    return data.StructLayout(
        {name: CYCLE_BITS for name in cycles}
        | {name: TRANSFER_BITS for name in transfers}
        | {name: bit_length(count) for name, count in tiles.items()}
    )


def streams(params: AttentionParams) -> dict[str, Any]:
    """The ports of an engine."""
    queries = values_layout(params, params.query_values)
    keys = values_layout(params, params.key_values)
    inputs = {"tile": tile_layout(params), "q": queries, "k": keys, "v": keys}
    outputs = {"o": o_layout(params), "counters": counters_layout(params)}
    return {
        **{name: In(stream.Signature(layout)) for name, layout in inputs.items()},
        **{name: Out(stream.Signature(layout)) for name, layout in outputs.items()},
    }
