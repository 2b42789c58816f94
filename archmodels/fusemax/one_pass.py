"""The three configurations that read keys and values once for many queries.

Cycles of a tile of N keys by N queries, M1 tiles of keys, X cycles of an exponential; the Einsums
and what runs where are those of the paper, sections 4 and 5. What the buffer moves, beside the
operands of products, is fitted to the published energies: five words for each query and tile of
keys that are read again (RM three times, RD, PRM) and four that are written.
"""

from archmodels.fusemax.activity import Activity, Operations, read_back
from archmodels.fusemax.shapes import (
    Machine,
    Problem,
    all_heads,
    key_passes,
    query_tiles,
    scores,
    side_tiles,
    tiles,
)
from archmodels.fusemax.timing import Timing, longest, to_bytes
from designs.rules import Int, maximum, to_real

ARRAY_REGISTERS, LANE_REGISTERS = 12, 32
FLAT_ARRAY_REGISTERS, FLAT_LANE_REGISTERS = 4, 16
"""Words of a register file, of FuseMax's and of FLAT's elements."""

SMALL_WORDS = 2
"""RM and RD of a query."""

FILED_WORDS = 2
"""Words of a query and tile of keys that are written to the buffer beside RM, RD and RNV."""

AGAIN_WORDS = 3
"""Words of a query and tile of keys, but for the first tile, that are read beside RM, RD, RNV."""


def words(machine: Machine, work: Problem) -> Int:
    """Values between DRAM and buffer: Q and the results once, K and V once for each P2."""
    once: Int = all_heads(work) * work.keys * (work.e + work.f)
    return once * (1 + key_passes(machine, work))


def binding_epoch_cycles(machine: Machine, work: Problem) -> Int:
    """Cycles of all tiles that overlap: in each step the slower of array and lanes."""
    count, scored = tiles(machine, work), machine.exp_cycles + 1
    first = maximum(count * (work.e + 1), count * (1 + work.f) + divide_cycles(machine, work))
    return first + count * (1 + scored + work.f)


def architecture_epoch_cycles(machine: Machine, work: Problem) -> Int:
    """As the binding's, but tiles wait for the maximum to come down the column."""
    count, scored = tiles(machine, work), machine.exp_cycles + 1
    first = maximum(count * (work.e + 1), count + divide_cycles(machine, work))
    return first + count * (machine.side + 1 + scored + 2 * work.f)


def divide_cycles(machine: Machine, work: Problem) -> Int:
    """Cycles in which the lanes divide the results."""
    return all_heads(work) * side_tiles(machine, work) * work.f


def binding_timing(machine: Machine, work: Problem) -> Timing:
    """FuseMax."""
    return _on_fusemax(machine, work, binding_epoch_cycles(machine, work))


def architecture_timing(machine: Machine, work: Problem) -> Timing:
    """FuseMax's elements, tile after tile."""
    return _on_fusemax(machine, work, architecture_epoch_cycles(machine, work))


def _on_fusemax(machine: Machine, work: Problem, cycles: Int) -> Timing:
    count, moved = tiles(machine, work), to_real(words(machine, work))
    lane: Int = machine.exp_cycles + SMALL_WORDS + 1 + 2 * work.f
    lanes: Int = count * lane + divide_cycles(machine, work)
    return Timing(
        clock_hz=machine.clock_hz,
        latency_s=longest(machine, cycles, moved),
        traffic_bytes=to_bytes(machine, moved),
        array_cycles={
            "QK": count * work.e,
            "LM": count,
            "SLN": count * machine.exp_cycles,
            "SLD": count,
            "SLNV": count * work.f,
        },
        lane_cycles=lanes,
    )


def cascade_timing(machine: Machine, work: Problem) -> Timing:
    """The cascade on FLAT's elements: all but two products is the lanes' work.

    They take N cycles for the maximum and the sum of a tile, 2 N for its weights.
    """
    count, moved = tiles(machine, work), to_real(words(machine, work))
    array = {"QK": count * work.e, "SLNV": count * work.f}
    lane: Int = 4 * machine.side + 2 * SMALL_WORDS + 1 + 2 * work.f
    lanes: Int = count * lane + divide_cycles(machine, work)
    products: Int = array["QK"] + array["SLNV"]
    return Timing(
        clock_hz=machine.clock_hz,
        latency_s=longest(machine, maximum(products, lanes), moved),
        traffic_bytes=to_bytes(machine, moved),
        array_cycles=array,
        lane_cycles=lanes,
    )


def fusemax_activity(machine: Machine, work: Problem) -> Activity:
    """Of architecture and binding, which do the same work."""
    pairs, queries = scores(work), all_heads(work) * work.keys
    steps = queries * side_tiles(machine, work)
    reads, writes = _moved(machine, work)
    return Activity(
        array=Operations(
            macc=pairs * (work.e + work.f + machine.exp_maccs),
            add=2 * pairs,
            maximum=pairs,
            arriving=2 * pairs * (work.e + work.f),
            sums=pairs * (work.e + work.f + 1),
        ),
        lanes=Operations(
            macc=steps * (machine.exp_maccs + 1 + work.f),
            add=steps * (SMALL_WORDS + work.f),
            maximum=steps,
            divide=queries * work.f,
            arriving=steps * (2 * work.f + 2 * SMALL_WORDS),
            sums=steps * (work.f + 1),
        ),
        dram_words=to_real(words(machine, work)),
        buffer_reads=reads + AGAIN_WORDS * (steps - queries),
        buffer_writes=writes,
        read_back=_read_back(machine, work),
        state_reads=steps * (work.f + 1),
        state_writes=steps * (work.f + 1),
        array_registers=ARRAY_REGISTERS,
        lane_registers=LANE_REGISTERS,
    )


def cascade_activity(machine: Machine, work: Problem) -> Activity:
    """Of the cascade on FLAT's elements; scores and weights go through the buffer.

    The authors misspell the exponential's key, and so charge none.
    """
    pairs, queries = scores(work), all_heads(work) * work.keys
    steps = queries * side_tiles(machine, work)
    reads, writes = _moved(machine, work)
    tile = query_tiles(machine, work) * machine.side * machine.side
    return Activity(
        array=Operations(
            macc=pairs * (work.e + work.f),
            arriving=2 * pairs * (work.e + work.f),
            sums=pairs * (work.e + work.f),
        ),
        lanes=Operations(
            macc=steps * (1 + work.f),
            add=2 * pairs + steps * (SMALL_WORDS + work.f),
            maximum=pairs + steps,
            divide=queries * work.f,
            arriving=4 * pairs + steps * (2 * work.f + 2 * SMALL_WORDS),
            sums=pairs + steps * (work.f + 1),
        ),
        uncharged=pairs + steps,
        dram_words=to_real(words(machine, work)),
        buffer_reads=reads + 2 * pairs,
        buffer_writes=writes + 2 * pairs,
        read_back=_read_back(machine, work) + 2 * read_back(pairs, tile),
        state_reads=steps * (work.f + 1),
        state_writes=steps * (work.f + 1),
        array_registers=FLAT_ARRAY_REGISTERS,
        lane_registers=FLAT_LANE_REGISTERS,
    )


def _moved(machine: Machine, work: Problem) -> tuple[Int, Int]:
    """Values that are read from the buffer and written to it, but for what differs."""
    queries = all_heads(work) * work.keys
    steps = queries * side_tiles(machine, work)
    reads = steps * (2 * work.e + 2 * work.f + SMALL_WORDS) + queries * (work.f + 1)
    filled = queries * (work.e + key_passes(machine, work) * (work.e + work.f))
    return reads, filled + steps * (SMALL_WORDS + work.f + FILED_WORDS)


def _read_back(machine: Machine, work: Problem) -> Int:
    """Of RNV, of which the resident queries' is a tile."""
    steps = all_heads(work) * work.keys * side_tiles(machine, work)
    return read_back(steps * work.f, query_tiles(machine, work) * machine.side * work.f)
