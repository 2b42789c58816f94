"""Attention engines on Llama-3-8B and BERT, area for area: what wins where, 1K to 1M tokens.

`python -m benchmarks.attention_front` puts every engine through the model, as often as it fits on
an area, behind memories of several bandwidths, and writes `results/attention_front.{md,json,png}`
and the tables of docs/attention_front.md.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archmodels import technology
from benchmarks.attention_front_picture import picture
from benchmarks.attention_front_systems import (
    ALIKE,
    FORMAT,
    MEMORY,
    Measures,
    Reals,
    Scenario,
    Swept,
    swept,
)
from benchmarks.tables import RESULTS, Row, Table, publish, refresh
from designs.attention import Masking, Pattern

PAGE = Path(__file__).parent.parent / "docs" / "attention_front.md"

TECHNOLOGY = "asap7"
BANDWIDTHS = (256.0, 1024.0, math.inf)
"""GB/s; 1024 are between three and four stacks of HBM2."""

BUDGETS_MM2 = (2.0, 8.0, 32.0)
MIDDLE_MM2 = 8.0
LENGTHS = (2**10, 2**13, 2**16, 2**20)
SHOWN = 2**13

LLAMA = {"batch": 16, "heads": 32, "kv_heads": 8, "width": 128, "groups": (1, 4),
         "pattern": Pattern.CAUSAL, "masking": Masking.UPPER}  # fmt: skip
SCENARIOS = (
    Scenario(name="Llama-3-8B, prefill", decodes=False, **LLAMA),
    Scenario(name="Llama-3-8B, decode", decodes=True, splits=(1, 2, 4, 8, 16),
             **LLAMA),
    Scenario(name="BERT", batch=16, heads=12, kv_heads=12, width=64, decodes=False, groups=(1,),
             pattern=Pattern.FULL, masking=Masking.NONE),
)  # fmt: skip


def length_text(length: int) -> str:
    """1K to 1M."""
    return f"{length >> 10}K" if length < 2**20 else f"{length >> 20}M"


def bandwidth_text(gb_per_s: float) -> str:
    """A bandwidth in a table."""
    return "unlimited" if math.isinf(gb_per_s) else f"{gb_per_s:g}"


def design_text(some: Swept, index: int) -> str:
    """An engine in a table."""
    chosen = {axis: str(names[index]) for axis, names in some.engines.names.items()}
    labels = {"N": "N {}", "P1": "P1 {}", "G": "G {}", "splits": "{} splits"}
    is_plain = {"G": "1", "splits": "1", "format": ""}
    return ", ".join(
        labels.get(axis, "{}").format(name)
        for axis, name in chosen.items()
        if axis != "format" and is_plain.get(axis) != name
    )


def winner(some: Swept, place: int, element: str = FORMAT) -> int:
    """Of a format's engines within ALIKE of its fastest, that which takes the least energy."""
    found, time_ms = some.found[place], some.time_ms(place, element)
    fast = time_ms <= (1 + ALIKE) * time_ms.min()
    return int(np.argmin(np.where(fast, found.energy_mj, np.inf)))


def row(some: Swept, place: int, index: int) -> Row:
    """What one engine does."""
    found: Measures = some.found[place]
    tokens = some.scenario.tokens(some.length)
    return {
        "engine": design_text(some, index),
        "engines": int(found.count[index]),
        "mm2 used": float(found.area_mm2[index]),
        "MHz": float(found.clock_mhz[index]),
        "ms": float(found.time_ms[index]),
        "mJ": float(found.energy_mj[index]),
        "tokens/s/mm2": float(some.throughput(place)[index]),
        "uJ/token": 1e3 * float(found.energy_mj[index]) / tokens,
        "MACs used": f"{float(found.used[index]):.0%}",
        "waits for DRAM": f"{float(found.waiting[index]):.0%}",
    }


def merged(rows: Sequence[Row]) -> list[Row]:
    """Rows that follow each other and differ in bandwidth alone as one."""
    found: list[Row] = []
    for one in rows:
        if found and {**found[-1], "GB/s": ""} == {**one, "GB/s": ""}:
            found[-1] = {**one, "GB/s": f"{found[-1]['GB/s']}, {one['GB/s']}"}
        else:
            found.append(one)
    every = ", ".join(map(bandwidth_text, BANDWIDTHS))
    return [{**one, "GB/s": "any"} if one["GB/s"] == every else one for one in found]


def winners(name: str, all_swept: Sequence[Swept]) -> Table:
    """Per length, area and bandwidth."""
    rows: list[Row] = [
        {"tokens": length_text(some.length), "mm2": some.budget_mm2,
         "GB/s": bandwidth_text(BANDWIDTHS[place])}
        | row(some, place, winner(some, place))
        for some in all_swept
        for place in range(len(BANDWIDTHS))
    ]  # fmt: skip
    caption = (
        f"{name}: attention of one layer, 16 sequences, {TECHNOLOGY}, {MEMORY}, "
        f"{all_swept[0].engines.grid.size:,} engines. Of those of {FORMAT} within {ALIKE:.0%} of "
        "the fastest, the one that takes the least energy; ms and mJ of the layer, tokens/s/mm2 of "
        "the area allowed."
    )
    return Table(caption=caption, rows=merged(rows))


def summary(by_scenario: Sequence[Sequence[Swept]]) -> Table:
    """The winners on the area in the middle."""
    rows: list[Row] = [
        {"attention": some.scenario.name, "tokens": length_text(some.length),
         "GB/s": bandwidth_text(BANDWIDTHS[place])}
        | row(some, place, winner(some, place))
        for sweeps in by_scenario
        for some in sweeps
        if some.budget_mm2 == MIDDLE_MM2
        for place in range(len(BANDWIDTHS))
    ]  # fmt: skip
    return Table(caption=f"What wins on {MIDDLE_MM2:g} mm2.", rows=merged(rows))


def choices(by_scenario: Sequence[Sequence[Swept]]) -> Table:
    """Per choice: the best speed with it, as part of the fastest engine's."""
    rows: list[Row] = []
    for sweeps in by_scenario:
        for some in sweeps:
            if some.budget_mm2 == MIDDLE_MM2 and some.length in (LENGTHS[0], LENGTHS[2]):
                for place, gb_per_s in enumerate(BANDWIDTHS):
                    speed = 1 / some.found[place].time_ms
                    names = some.engines.names
                    own = names["format"] == FORMAT
                    parts = {
                        axis: _parts(column, speed)
                        if axis == "format"
                        else _parts(column[own], speed[own])
                        for axis, column in names.items()
                    }
                    rows.append(
                        {"attention": some.scenario.name, "tokens": length_text(some.length),
                         "GB/s": bandwidth_text(gb_per_s)} | parts
                    )  # fmt: skip
    return Table(
        caption=f"The best speed with each choice on {MIDDLE_MM2:g} mm2, as part of the fastest's.",
        rows=merged(rows),
    )


def _parts(column: NDArray[np.str_], speed: Reals) -> str:
    """The best speed with each value on an axis, as part of the best of all, if any fits."""
    best = {name: speed[column == name].max() / speed.max() for name in dict.fromkeys(column)}
    return ", ".join(f"{name}: {part:.2f}" for name, part in best.items() if part > 0)


def formats(by_scenario: Sequence[Sequence[Swept]]) -> Table:
    """Per format: its winner on the area in the middle, at the length that is shown."""
    rows: list[Row] = [
        {"attention": some.scenario.name, "GB/s": bandwidth_text(BANDWIDTHS[place]),
         "format": element}
        | row(some, place, winner(some, place, element))
        for sweeps in by_scenario
        for some in sweeps
        if (some.length, some.budget_mm2) == (SHOWN, MIDDLE_MM2)
        for element in dict.fromkeys(some.engines.names["format"])
        for place in range(len(BANDWIDTHS))
    ]  # fmt: skip
    caption = f"The winner of each format, {length_text(SHOWN)} tokens on {MIDDLE_MM2:g} mm2."
    return Table(caption=caption, rows=merged(rows))


def sweeps(scenario: Scenario) -> list[Swept]:
    """All lengths and areas of a scenario."""
    prices = technology.load(TECHNOLOGY)
    return [
        swept(scenario, length, budget_mm2, BANDWIDTHS, prices)
        for length in LENGTHS
        for budget_mm2 in BUDGETS_MM2
    ]


def run() -> None:
    """Sweep, publish the tables and draw the picture."""
    found = [sweeps(scenario) for scenario in SCENARIOS]
    tables = [
        summary(found),
        choices(found),
        formats(found),
        *(winners(some[0].scenario.name, some) for some in found),
    ]
    publish("attention_front", tables)
    refresh(PAGE, "attention_front", tables)
    shown = [
        next(one for one in some if (one.length, one.budget_mm2) == (SHOWN, MIDDLE_MM2))
        for some in found
    ]
    names = [bandwidth_text(one) for one in BANDWIDTHS]
    title = f"Attention of a layer at {length_text(SHOWN)} tokens, engines side by side on "
    title += f"{MIDDLE_MM2:g} mm2 of {TECHNOLOGY}, {MEMORY}"
    picture(shown, names, title, RESULTS / "attention_front.png")


if __name__ == "__main__":
    run()
