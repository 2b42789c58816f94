"""What decides when: loaders, the schedule, the tiles at work, and counters of what happened."""

from archmodels.attention.edges import bound_bits
from archmodels.attention.elements import OP_BITS
from archmodels.attention.lanes import lane_command_bits, place_of
from archmodels.attention.shape import Epoch, Shape, divides, shift_bits
from archmodels.counts import Item, Kind, register_bits
from archmodels.items import choice, cleared, control, held, mux, operator, plain
from designs.attention import Masking
from designs.rules import Int, bit_length, clog2, maximum, minimum, where

CYCLE_BITS, TRANSFER_BITS = 48, 40
"""Width of counters of cycles, and of transfers and tiles."""

CYCLE_COUNTERS, TRANSFER_COUNTERS = 4, 5

AGES = 3
"""Tiles at work in an epoch."""

AGE_BITS = 2


def controls(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """Everything beside array, lanes and edges."""
    p = params
    return {
        **_loader("k_loader", p.kv_tiles, p.e, p.port_beats),
        **_loader("v_loader", p.kv_tiles, p.f, p.port_beats),
        **_loader("q_loader", 2 * p.query_tiles, p.e, p.port_beats),
        **_slots(p, epoch),
        **_tiles(p, epoch),
        **_delays(p, epoch),
        **_counters(p),
    }


def _ring(place: str, words: Int, is_there: Int = 1) -> dict[str, Item]:
    """A place that goes from 0 to `words` - 1, and begins again; none of one word."""
    bits = clog2(words)
    there = minimum(bits, 1) * is_there
    return {
        f"{place}": control(bits, there),
        f"{place}_step": operator(Kind.INCREMENTER, bits, there),
        f"{place}_wrap": operator(Kind.COMPARATOR, bits, there),
    }


def _loader(place: str, tiles: Int, words: Int, beats: Int) -> dict[str, Item]:
    """Where a transfer goes, and how many tiles are there; a ring of one tile counts its words."""
    return {
        **_ring(f"{place}.beat", beats),
        **_ring(f"{place}.place", tiles * words),
        **_ring(f"{place}.word", words, minimum(tiles - 1, 1)),
        f"{place}.held": cleared(bit_length(tiles), 2),
        f"{place}.more": operator(Kind.INCREMENTER, bit_length(tiles), 2),
        f"{place}.fewer": operator(Kind.SUBTRACTOR, bit_length(tiles), 2),
        f"{place}.tests": operator(Kind.COMPARATOR, bit_length(tiles), 2),
    }


def _slots(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """The schedule in a memory, and places in the rings that its commands ask for.

    The memory is read-only, and has as many words as its address can tell apart.
    """
    p = params
    ages = 2 * AGE_BITS * epoch.overlapped
    indices = clog2(maximum(p.e, p.f)) + clog2(p.f) + clog2(p.columns_per_lane)
    bits = 2 * OP_BITS + ages + indices + 2
    longest, slots = maximum(p.e, p.f), epoch.cycles + epoch.tail
    counts = minimum(longest - 1, 1)
    west_bits, north_bits = clog2(p.kv_tiles * longest), clog2(2 * p.query_tiles * p.e)
    return {
        "schedule.memory": Item(kind=Kind.MEMORY, count=1, bits=bits, other_bits=1 << clog2(slots)),
        "schedule.read": operator(Kind.MEMORY_READ_REGISTER, bits),
        **_ring("sequencer.slot", slots),
        "sequencer.tail": operator(Kind.COMPARATOR, clog2(slots), divides(p)),
        # Whether a slot is at work, and whether there is a job.
        "sequencer.flags": cleared(1, 2),
        **_ring("sequencer.keys", p.kv_tiles),
        **_ring("sequencer.values", p.kv_tiles),
        "sequencer.west": operator(Kind.ADDER, west_bits, counts * minimum(p.kv_tiles - 1, 1)),
        "sequencer.north": operator(Kind.ADDER, north_bits, counts),
        "sequencer.tiles": choice(west_bits, p.kv_tiles, 2),
        "sequencer.queries": choice(north_bits, 2 * p.query_tiles),
        "sequencer.ages": choice(lane_command_bits(p, epoch), AGES),
        "sequencer.control": operator(Kind.GATE, 1, 64),
    }


def _tiles(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """Lines of the tile table at work: each field as long as someone will ask for it."""
    p, x = params, epoch
    masked = where(p.masking == Masking.NONE, 0, 1)
    diagonal = masked * where(p.split_columns > p.group, 1, 0)
    new = clog2(2 * p.query_tiles) + bit_length(p.query_tiles)
    new = new + p.masking * bound_bits(p) + diagonal
    stages = x.lag + 1 + x.overlapped
    flags = 3  # first, last, and whether the keys are not needed any more
    return {
        "tiles.valid": control(1, stages),
        "tiles.new": held(new),
        "tiles.state": held(clog2(p.query_tiles) + flags, stages),
        "tiles.shift": held(shift_bits(p), x.lag + 1),
        "tiles.end": held(1, (x.lag + 1) * x.overlapped),
        **_ring("tiles.score", x.lag + 1),
        **_ring("tiles.maximum", maximum(x.lag, 1)),
        **place_of("tiles.half", p.result_tiles),
        "tiles.weighed_half": held(clog2(p.result_tiles), x.overlapped),
        # A bit for each part of the staging memories, and whether the last of a job is in it.
        "staging.used": cleared(p.result_tiles),
        "staging.ends": plain(p.result_tiles),
        "staging.next": mux(p.result_tiles, 4),
    }


def tile_bits(params: Shape, epoch: Epoch) -> Int:
    """Registers of all tiles at work, which move on together."""
    return register_bits(_tiles(params, epoch))


def _delays(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """What lanes are told, and what room is given free, goes the way of the wavefront."""
    p, own = params, params.columns_per_lane - 1  # what a lane of several columns does itself
    released = bit_length(p.query_tiles) + 2
    return {
        "delay.acts": cleared(OP_BITS + released, p.side - own),
        "delay.about": plain(lane_command_bits(p, epoch), p.side - own),
        "delay.released": cleared(released, own),
    }


def _counters(params: Shape) -> dict[str, Item]:
    """Counts of cycles, transfers and tiles, and how full the rings have been."""
    p = params
    marks = bit_length(2 * p.query_tiles) + 2 * bit_length(p.kv_tiles)
    return {
        "counters.flags": control(1, 2),
        # Where nothing is counted nothing is added: the gates below hold a count, and clear it.
        "counters.cycles": cleared(CYCLE_BITS, CYCLE_COUNTERS),
        "counters.transfers": cleared(TRANSFER_BITS, TRANSFER_COUNTERS),
        "counters.marks": control(marks),
        "counters.cycle_step": operator(Kind.INCREMENTER, CYCLE_BITS, CYCLE_COUNTERS),
        "counters.transfer_step": operator(Kind.INCREMENTER, TRANSFER_BITS, TRANSFER_COUNTERS),
        "counters.most": operator(Kind.COMPARATOR, marks),
        "counters.restart": operator(
            Kind.GATE, CYCLE_COUNTERS * CYCLE_BITS + TRANSFER_COUNTERS * TRANSFER_BITS + marks
        ),
    }
