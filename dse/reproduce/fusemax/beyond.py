"""Our engine at FuseMax's array, bandwidth and clock, against FuseMax's own formulas.

The formulas leave out fills and drains; our cycles are all, from the first operand to the last
result. Cycles are compared with cycles and DRAM traffic with DRAM traffic.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import archmodels
from archmodels import fusemax as published_model
from archmodels import technology
from archmodels.counts import memory_bits
from archmodels.fusemax.one_pass import binding_epoch_cycles
from archmodels.fusemax.shapes import query_tiles
from designs.attention import Attention, AttentionParams, Binding, Element, Masking, Pattern
from designs.fusemax import Configuration, FuseMaxParams, published
from dse.reproduce.figures import ratio
from dse.reproduce.fusemax.engines import (
    CAUSAL,
    DENSE,
    KEY_TILES,
    MASKED,
    OURS,
    PUBLISHED,
    SIDES,
    counted,
    engine_name,
    model,
    work,
    workload_name,
)
from dse.reproduce.fusemax.points import length_name, shapes
from dse.reproduce.fusemax.published import LENGTHS
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_least, at_most, between

SPEED = "Our engine at FuseMax's size: speed over FuseMax"
LEVERS = "Our engine at FuseMax's size: what each choice is worth, E = 64"
MEMORY = "Our engine at FuseMax's size: buffer and DRAM"
SMALL = "The same in Verilog: speed over FuseMax's formula at the array's size, E = 64"

CYCLES = (
    "FuseMax's formula over our exact cycles, both at 256 x 256, 256 lanes and one clock; keys "
    "are never hidden, so no slot is spent on masks"
)
SKIPPED = "tiles above the diagonal are skipped; a slot for masks; FuseMax computes all tiles"
SHORT = (
    "causal and short: query tiles end faster than a half of the output buffer becomes free, and "
    "the engine waits"
)
STEP = "speed over FuseMax with this and all above it"
PART = {
    "as published, nothing between heads": "FuseMax's exponential of six products and lanes of "
    "two slots on our schedule: the division is hidden, heads follow each other without a gap",
    "exponential of 2 slots, not 6": "a difference, then a straight line and a shift",
    "numerator in one slot": "lanes multiply and add at once; the slot behind the sums is gone",
    "causal": SKIPPED,
}
ALONE = {
    "exponential of no slot": "a weight in the slot of its difference; a longer critical path",
    "an empty slot": "what a slot costs that nothing uses",
    "a slot for masks": "`masking: upper` on a workload that hides nothing",
    "each head alone": "fill and drain for every head; FuseMax's formula has neither",
    "one tile after the other": "`binding: sequential`",
    "values of fp16": "`element: fp16`, as FuseMax counts; a slower clock, which is not in this",
}
INSTEAD = "speed over FuseMax of our engine with this instead"
ON_CHIP = "all memories of the engine, numerators and output included; FuseMax's buffer is 16 MiB"
WORDS = "words that a query and tile of keys read and write beyond the lanes' own memories"
TRAFFIC = (
    "DRAM bytes over 456.9 of a cycle, as part of the core's cycles; two query tiles are resident"
)
RTL_CYCLES = "FuseMax's formula at this size over cycles in Verilog, outputs bit-exact"
CLOCK = "of the model, before placement; the paper's 45 nm clock of 940 MHz is assumed above"

FUSEMAX = published(Configuration.BINDING)
LONG = 2**16
SHORT_CAUSAL = 2**10
WIDTHS = {"E = 64": "bert", "E = 128": "xlm"}

SPEED_WANTED, SHORT_WANTED, CAUSAL_WANTED = 1.03, 1.15, (1.95, 2.1)
"""From 64K on; at 1K; of a causal mask, from 16K on."""

BUFFER_KIB = 1024

WAYS = ("reads", "writes")


def fusemax(side: int) -> FuseMaxParams:
    """The paper's machine with an array of another size."""
    return replace(FUSEMAX, side=side)


def theirs(side: int, workload: Attention) -> int:
    """FuseMax's cycles, of an array of a size."""
    return int(binding_epoch_cycles(fusemax(side), workload))


def faster(params: AttentionParams, workload: Attention) -> float:
    """FuseMax's cycles over ours; FuseMax has no masks, and computes all pairs."""
    whole = replace(workload, pattern=Pattern.FULL)
    return theirs(params.side, whole) / int(model(params, workload).cycles)


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """The point, its levers, its memories, and arrays that are simulated."""
    return [*speed(), *_levers(), *_memory(), *_small(measurements)]


@cache
def _encoder(name: str, length: int) -> Attention:
    return shapes()[name].attention(length)


def _wide(params: AttentionParams, workload: Attention) -> AttentionParams:
    return replace(params, e=workload.e, f=workload.f)


def speed() -> Sequence[Row]:
    """By width of a head and length, dense and causal."""
    found = []
    for width, name in WIDTHS.items():
        for length in LENGTHS:
            workload = _encoder(name, length)
            causal = replace(workload, pattern=CAUSAL)
            long = at_least(SPEED_WANTED) if length >= LONG else None
            limit = at_least(SHORT_WANTED) if length == LENGTHS[0] else long
            about = between(*CAUSAL_WANTED) if length >= LONG >> 2 else None
            found += [
                Row(section=SPEED, what=f"{width}, {length_name(length)}", reason=CYCLES,
                    ours=faster(_wide(OURS, workload), workload),
                    limit=limit if name == "bert" else None),
                Row(section=SPEED, what=f"{width}, {length_name(length)}, causal",
                    ours=faster(_wide(MASKED, workload), causal),
                    reason=SHORT if length == SHORT_CAUSAL else SKIPPED, limit=about),
            ]  # fmt: skip
    return found


def _levers() -> Sequence[Row]:
    found = []
    for length in (LENGTHS[0], LONG):
        workload = _encoder("bert", length)
        steps = (PUBLISHED, replace(OURS, fma_lanes=False), OURS, MASKED)
        for (what, reason), params in zip(PART.items(), steps, strict=True):
            given = replace(workload, pattern=CAUSAL if params == MASKED else DENSE)
            found.append(
                Row(section=LEVERS, what=f"{length_name(length)}: {what}",
                    ours=faster(params, given), reason=f"{STEP}; {reason}")
            )  # fmt: skip
        found += _alone(length, workload)
    return found


def _alone(length: int, workload: Attention) -> Sequence[Row]:
    head = replace(workload, batch=1, heads=1, kv_heads=1)
    apart = int(model(OURS, head).cycles) * workload.batch * workload.heads
    values = (
        faster(replace(OURS, exp_stages=1), workload),
        faster(replace(OURS, idle_slot=True), workload),
        faster(replace(OURS, masking=Masking.UPPER), workload),
        theirs(OURS.side, workload) / apart,
        faster(replace(OURS, binding=Binding.SEQUENTIAL), workload),
        faster(replace(OURS, element=Element.FP16), workload),
    )
    return [
        Row(section=LEVERS, what=f"{length_name(length)}: {what}", ours=value,
            reason=f"{INSTEAD}; {reason}")
        for (what, reason), value in zip(ALONE.items(), values, strict=True)
    ]  # fmt: skip


def buffer_kib(params: AttentionParams, workload: Attention) -> float:
    """All memories of an engine."""
    return int(memory_bits(model(params, workload))) / 8 / 1024


def moved_bytes(params: AttentionParams, workload: Attention, *, word: int, result: int) -> int:
    """Between DRAM and engine, of operands and results of so many bytes."""
    events = model(params, workload).activity
    read = sum(int(events[f"{port}.transfers"].count) for port in "qkv")
    written = int(events["o.transfers"].count)
    return params.side * (read * word + written * result)


def _memory() -> Sequence[Row]:
    found = []
    for width, name in WIDTHS.items():
        workload = _encoder(name, LONG)
        params = _wide(OURS, workload)
        limit = at_most(BUFFER_KIB)
        found.append(Row(section=MEMORY, what=f"memories, {width}", unit="KiB", reason=ON_CHIP,
                         ours=buffer_kib(params, workload), limit=limit))  # fmt: skip
        found += _traffic(width, params, workload)
    found += _words()
    delays = archmodels.estimate(OURS, _encoder("bert", LONG), technology.load("asap7"))
    found.append(Row(section=MEMORY, what="highest clock in asap7", unit="MHz", reason=CLOCK,
                     ours=float(delays.frequency_mhz or 0.0)))  # fmt: skip
    return found


def _traffic(width: str, params: AttentionParams, workload: Attention) -> Sequence[Row]:
    """What the DRAM takes of the core's time, by format; 2 bytes are what FuseMax's values have."""
    per_cycle = FUSEMAX.dram_bytes_per_s / FUSEMAX.clock_hz
    took = int(model(params, workload).cycles)
    formats = {"16 bits, as FuseMax counts": (2, 2), "int8, results of 16 bits": (1, 2),
               "fp16, results of 32 bits": (2, 4)}  # fmt: skip
    small = least_buffer(workload)
    whole = published_model.timing(small, workload)
    same = moved_bytes(params, workload, word=2, result=2)
    return [
        *(
            Row(section=MEMORY, what=f"DRAM, {width}, {name}", reason=TRAFFIC, limit=at_most(1),
                ours=moved_bytes(params, workload, word=word, result=result) / per_cycle / took)
            for name, (word, result) in formats.items()
        ),
        Row(section=MEMORY, what=f"DRAM bytes over FuseMax's, {width}", limit=between(1, 1),
            ours=same / float(whole.traffic_bytes),
            reason="values of 16 bits, as many resident query tiles; each key is read P2 times"),
    ]  # fmt: skip


def least_buffer(workload: Attention) -> FuseMaxParams:
    """FuseMax with room for as many resident query tiles as ours."""
    e, f, count = workload.e, workload.f, OURS.query_tiles
    room = FUSEMAX.tile_bytes(e, f) + count * FUSEMAX.query_bytes(e, f)
    small = replace(FUSEMAX, buffer_bytes=int(room))
    if int(query_tiles(small, workload)) != count:
        raise ValueError(f"query tiles of {workload} must be a multiple of {count}")
    return small


def _words() -> Sequence[Row]:
    """Of the buffer, which holds RNV in FuseMax, and of the edge banks, which do not in ours."""
    workload = _encoder("bert", LONG)
    found = published_model.activity(least_buffer(workload), workload)
    pairs = workload.batch * workload.heads * workload.keys * (workload.keys // OURS.side)
    buffered = float(found.buffer_reads + found.buffer_writes) / pairs
    events = model(OURS, workload).activity
    banks = [int(events[f"{bank}_bank.{way}"].count) for bank in "qkv" for way in WAYS]
    ours = sum(banks) / pairs
    return [Row(section=MEMORY, what="buffer words over FuseMax's, E = 64", ours=ours / buffered,
                reason=f"{WORDS}; numerators lie in the lanes", limit=at_most(1))]  # fmt: skip


def _small(measurements: Measurements) -> Sequence[Row]:
    """Arrays of 8 and 16, at the tiles of keys that 256 have at 1K, 2K and 4K."""
    found = []
    for side in SIDES:
        for step, pattern in (("ours", DENSE), ("causal", CAUSAL)):
            for key_tiles in KEY_TILES:
                name, place = engine_name(side, step), workload_name(key_tiles)
                took = counted(measurements, name, place, "cycles")
                whole = theirs(side, work(side, key_tiles))
                wanted = at_least(SHORT_WANTED if key_tiles == min(KEY_TILES) else SPEED_WANTED)
                masks = ", causal" if pattern == CAUSAL else ""
                found.append(
                    Row(section=SMALL, what=f"{side} x {side}, {key_tiles} tiles of keys{masks}",
                        ours=ratio(whole, took), limit=wanted, reason=RTL_CYCLES)
                )  # fmt: skip
    return found
