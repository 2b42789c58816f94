"""The two configurations that do a softmax of whole rows: unfused, and FLAT.

Both run QK and AV on the array and the softmax on the lanes, which take four cycles for every N
scores: maximum, difference and exponential, sum, quotient. What the buffer moves for the maximum
and the sum, beside the scores, is fitted to the published energies.
"""

from archmodels.fusemax.activity import Activity, Operations, read_back
from archmodels.fusemax.flat_mapping import Choice, Sizes, chosen, sizes
from archmodels.fusemax.one_pass import FLAT_ARRAY_REGISTERS, FLAT_LANE_REGISTERS
from archmodels.fusemax.shapes import Machine, Problem, all_heads, scores, tiles
from archmodels.fusemax.timing import Timing, longest, to_bytes
from designs.rules import Flag, Int, Real, maximum, to_real, where, where_real

SOFTMAX_CYCLES = 4
"""Of a lane for a score."""

CROSSINGS = 4
"""Of scores and weights off chip: written by QK, read and written by the softmax, read by AV."""

SPILLED_CROSSINGS = 7
"""Of the part of scores and weights that spills: the softmax's five on top of QK and AV."""

REREAD_WORDS = 8
"""Of a query or a key, what one reading of the other tensor does for; fitted (see `rereads`)."""


def softmax_cycles(machine: Machine, work: Problem) -> Int:
    """Cycles of the lanes."""
    return SOFTMAX_CYCLES * tiles(machine, work) * machine.side


def array_cycles(machine: Machine, work: Problem) -> dict[str, Int]:
    """Cycles of both products where the array is full."""
    count = tiles(machine, work)
    return {"QK": count * work.e, "AV": count * work.f}


def rereads(machine: Machine, work: Problem, width: Int) -> Int:
    """Times that the unfused machine reads keys (`width` e) or values (f) of a head.

    Once where they fit in the buffer, else width / 8. Fitted: the authors' mapper found 8 readings
    for a width of 64 and 16 for 128, at 256K and at 1M alike; fewer would do.
    """
    is_held = machine.word_bytes * work.keys * width < machine.buffer_bytes
    return where(is_held, 1, maximum(width // REREAD_WORDS, 1))


def unfused_timing(machine: Machine, work: Problem) -> Timing:
    """QK, softmax and AV one after the other, all through DRAM."""
    cycles = array_cycles(machine, work)
    latency: Real = 0.0
    total: Real = 0.0
    for name, width in {"QK": work.e, "AV": work.f}.items():
        words = to_real(_product_words(machine, work, width))
        latency = latency + longest(machine, cycles[name], words)
        total = total + words
    softmax = to_real(2 * scores(work))
    lanes = softmax_cycles(machine, work)
    return Timing(
        clock_hz=machine.clock_hz,
        latency_s=latency + longest(machine, lanes, softmax),
        traffic_bytes=to_bytes(machine, total + softmax),
        array_cycles=cycles,
        lane_cycles=lanes,
    )


def _product_words(machine: Machine, work: Problem, width: Int) -> Int:
    """Values of QK, or of AV, between DRAM and buffer."""
    one = all_heads(work) * work.keys * width
    return one * (1 + rereads(machine, work, width)) + scores(work)


def unfused_activity(machine: Machine, work: Problem) -> Activity:
    """Sums of AV wait in the buffer; tensors pass through it."""
    pairs, side = scores(work), machine.side
    rows, sums = all_heads(work) * work.keys, pairs * work.f // side
    filled = rows * work.e + rows * work.e * rereads(machine, work, work.e)
    filled = filled + rows * work.f * rereads(machine, work, work.f)
    reads, writes, back = _softmax_moved(machine, work, False)
    array, lanes = _operations(work)
    return Activity(
        array=array,
        lanes=lanes,
        dram_words=unfused_timing(machine, work).traffic_bytes / to_real(machine.word_bytes),
        buffer_reads=reads + 2 * pairs * (work.e + work.f) // side - rows * work.f,
        buffer_writes=writes + filled + sums,
        read_back=back,
        state_reads=sums - rows * work.f,
        state_writes=sums,
        array_registers=FLAT_ARRAY_REGISTERS,
        lane_registers=FLAT_LANE_REGISTERS,
    )


def flat_timing(machine: Machine, work: Problem) -> Timing:
    """What FLAT's mapping gives when the softmax's transfers and lanes are counted."""
    choice, cost = chosen(machine, work)
    words = _flat_words(machine, work, choice, 1 - cost.buffered)
    cycles, lanes = array_cycles(machine, work), softmax_cycles(machine, work)
    products: Int = cycles["QK"] + cycles["AV"]
    return Timing(
        clock_hz=machine.clock_hz,
        latency_s=longest(machine, maximum(products, lanes), words),
        traffic_bytes=to_bytes(machine, words),
        array_cycles=cycles,
        lane_cycles=lanes,
    )


def _flat_words(machine: Machine, work: Problem, choice: Choice, spilled: Real) -> Real:
    """Values between DRAM and buffer; of a tensor on chip the part that spills is fetched."""
    found, blocks = sizes(machine, work, choice), _blocks(work, choice)
    words: Real = to_real(scores(work)) * where_real(
        choice.scores, SPILLED_CROSSINGS * spilled, CROSSINGS + spilled * 0.0
    )
    for name in ("q", "k", "v"):
        fetched, values = to_real(found.fetched[name]), to_real(found.values[name])
        kept = values * (1 - spilled) + fetched * spilled
        words = words + to_real(blocks) * where_real(choice.on_chip[name], kept, fetched)
    results, summed = to_real(found.values["av"]), to_real(found.fetched["av"])
    kept = results * (1 - spilled) + summed * spilled
    return words + to_real(blocks) * where_real(choice.av, kept, results)


def flat_activity(machine: Machine, work: Problem) -> Activity:
    """Tensors on chip are filled once for each block and read as the array fetches them."""
    choice, cost = chosen(machine, work)
    found, blocks = sizes(machine, work, choice), _blocks(work, choice)
    reads, writes, back = _softmax_moved(machine, work, choice.scores)
    reads = reads + where(choice.scores, scores(work), 0)
    writes = writes + where(choice.scores, scores(work), 0)
    back = back + where(choice.scores, read_back(scores(work), choice.block * work.keys), 0)
    for name in ("q", "k", "v"):
        reads = reads + where(choice.on_chip[name], blocks * found.fetched[name], 0)
        writes = writes + where(choice.on_chip[name], blocks * found.values[name], 0)
    summed = blocks * _written(found, choice)
    array, lanes = _operations(work)
    return Activity(
        array=array,
        lanes=lanes,
        dram_words=_flat_words(machine, work, choice, 1 - cost.buffered),
        buffer_reads=reads + where(choice.av, summed, 0),
        buffer_writes=writes + where(choice.av, summed, 0),
        read_back=back,
        state_reads=where(choice.av, summed, 0),
        state_writes=where(choice.av, summed, 0),
        array_registers=FLAT_ARRAY_REGISTERS,
        lane_registers=FLAT_LANE_REGISTERS,
    )


def _written(found: Sizes, choice: Choice) -> Int:
    """Sums of a block that are written to the buffer, each of which is read once too."""
    return where(choice.weights_stay, found.fetched["av"] // 2, found.fetched["av"])


def _blocks(work: Problem, choice: Choice) -> Int:
    return all_heads(work) * (work.keys // choice.block)


def _operations(work: Problem) -> tuple[Operations, Operations]:
    """Of array and lanes: a maximum, a difference, an exponential, a sum, a quotient."""
    pairs = scores(work)
    products = pairs * (work.e + work.f)
    return (
        Operations(macc=products, arriving=2 * products, sums=products),
        Operations(
            maximum=pairs,
            add=2 * pairs,
            exponential=pairs,
            divide=pairs,
            arriving=4 * pairs,
            sums=pairs,
        ),
    )


def _softmax_moved(machine: Machine, work: Problem, fused: Flag) -> tuple[Int, Int, Int]:
    """Values that the softmax reads from the buffer, writes to it, and is charged to read back."""
    pairs, rows = scores(work), 2 * all_heads(work) * work.keys
    steps = pairs // machine.side
    reads: Int = 3 * pairs + rows
    writes: Int = 2 * pairs + rows
    return reads + where(fused, steps, 0), writes + 2 * steps, read_back(pairs, work.keys)
