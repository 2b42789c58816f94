"""What the engines count in Verilog, beside the model and closed forms: no difference is allowed.

TileFlow (MICRO 2023) compares its model with synthesised RTL over 131 mappings: 5.4 % of latency.
"""

from collections.abc import Iterator, Sequence

from designs.rules import ceil_div
from dse.reproduce.figures import product, ratio
from dse.reproduce.fusemax.engines import (
    FUSED,
    KEY_TILES,
    MIDDLE,
    OURS,
    SIDES,
    Simulated,
    counted,
    engine_name,
    fused,
    model,
    simulated,
    work,
    workload_name,
)
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_most, between

CYCLES = "Cycles in Verilog and in the model"
USE = "Counters in Verilog: how busy array and lanes are, E = 64, 16 tiles of keys"
WORDS = "Counters in Verilog: words and buffers, E = 64"

TILEFLOW_ERROR = 0.054
TILEFLOW = "TileFlow (MICRO 2023), 131 mappings"

EXACT = "the model's cycles are the Verilog's; `hwgen check` asserts it for every design"
WORST = "largest difference over the model's cycles, of all runs of this section"
ARRAY = "slots with work over all slots of all tiles; the formula: (E + F + X + 2 + masks) / T"
LANES = "the same; the formula: (F + X + 2) / T, with 2 F + X + 3 where lanes take two slots"
WHOLE = "of all cycles, first operand to last result; the model's to the last digit"
ONCE = "each key and each value is read once for each block of two query tiles: P2 times"
ROOM = "tiles in the ring at most, whatever the length"

BUSY = {"array": ARRAY, "lanes": LANES}


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """Cycles of every run, use of array and lanes, words of keys and values."""
    return [*_cycles(measurements), *_use(measurements), *_words(measurements)]


def runs() -> Iterator[tuple[Simulated, str]]:
    """Every engine with the names of its workloads."""
    for engine in simulated():
        for name in engine.workloads:
            yield engine, name


def _cycles(measurements: Measurements) -> Sequence[Row]:
    found, errors = [], []
    for engine, name in runs():
        took = counted(measurements, engine.name, name, "cycles")
        expected = int(model(engine.params, engine.workloads[name]).cycles)
        if took is not None:
            errors.append(abs(took - expected) / expected)
        found.append(
            Row(section=CYCLES, what=f"{engine.name}, {name}", unit="cycles", ours=took,
                limit=between(expected, expected), reason=EXACT)
        )  # fmt: skip
    worst = max(errors) if errors else None
    return [
        *found,
        Row(section=CYCLES, what=f"worst error of {len(found)} runs", ours=worst, limit=at_most(0),
            paper=TILEFLOW_ERROR, source=TILEFLOW, reason=WORST),
    ]  # fmt: skip


def formula(side: int, step: str, part: str) -> float:
    """Part of an epoch in which the array, or the lanes, have work."""
    p = fused(side, step)
    once = p.exp_slots + 2
    slots = p.e + p.f + p.mask_slots + once if part == "array" else p.pitch * (p.f + 1) + once - 1
    return slots / p.epoch


def _use(measurements: Measurements) -> Sequence[Row]:
    found = []
    for side in SIDES:
        for step in FUSED:
            name, place = engine_name(side, step), workload_name(MIDDLE)
            tiles = counted(measurements, name, place, "tiles")
            slots = product(tiles, fused(side, step).epoch)
            for part, reason in BUSY.items():
                busy = counted(measurements, name, place, f"{part}.busy")
                exact = formula(side, step, part)
                found.append(
                    Row(section=USE, what=f"{side} x {side}, {step}: {part}", reason=reason,
                        ours=ratio(busy, slots), limit=between(exact, exact))
                )  # fmt: skip
        found.append(_whole(measurements, side))
    return found


def _whole(measurements: Measurements, side: int) -> Row:
    """Use of ours over all cycles."""
    name, place = engine_name(side, "ours"), workload_name(MIDDLE)
    busy, took = (counted(measurements, name, place, key) for key in ("array.busy", "cycles"))
    expected = model(fused(side, "ours"), work(side, MIDDLE))
    exact = int(expected.activity["array.busy"].count) / int(expected.cycles)
    return Row(section=USE, what=f"{side} x {side}, ours: array, fills and drains included",
               ours=ratio(busy, took), limit=between(exact, exact), reason=WHOLE)  # fmt: skip


def _words(measurements: Measurements) -> Sequence[Row]:
    found = []
    for side in SIDES:
        for key_tiles, heads in KEY_TILES.items():
            name, place = engine_name(side, "ours"), workload_name(key_tiles)
            blocks = ceil_div(key_tiles, OURS.query_tiles)
            for port, width in (("k", OURS.e), ("v", OURS.f)):
                moved = counted(measurements, name, place, f"{port}.transfers")
                once = heads * key_tiles * width
                found.append(
                    Row(section=WORDS, reason=ONCE, limit=between(blocks, blocks),
                        what=f"{side} x {side}, {key_tiles} tiles of keys: readings of {port}",
                        ours=ratio(moved, once))
                )  # fmt: skip
            found.append(
                Row(section=WORDS, reason=ROOM, limit=between(OURS.kv_tiles, OURS.kv_tiles),
                    what=f"{side} x {side}, {key_tiles} tiles of keys: tiles of keys in the ring",
                    ours=counted(measurements, name, place, "k_tiles"))
            )  # fmt: skip
    return found
