"""The picture of small circuits' units: when they work by the model, and in Verilog."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from archmodels.npu_pim.core import run
from dse.plot import STYLES
from dse.reproduce.measurements import Measurements
from dse.reproduce.neupims.counted import MACHINES, WORK, Interval, modelled, simulated
from dse.reproduce.panels import save
from dse.reproduce.paper import Technologies

INCHES = (11.0, 5.6)
KILO = 1000
HEIGHT, OFFSET = 0.4, 0.2
"""Of the bar of a unit, and of its place above and below the unit's own."""

KINDS = {
    "array": ("ARRAY", STYLES[0][0]),
    "vector": ("VECTOR", STYLES[4][0]),
    "load": ("LOAD: weights, and keys and values of the array", STYLES[3][0]),
    "store": ("STORE: new keys and values, vectors", STYLES[2][0]),
    "pim": ("PIM: dot products in banks", STYLES[1][0]),
}
IN_VERILOG = "black"


def draw(found: Measurements, technologies: Technologies, path: Path) -> None:
    """A panel for each machine, a line for each unit."""
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    spans = {machine: modelled(machine) for machine in MACHINES}
    heights = [len(own) for own in spans.values()]
    panels = figure.subplots(len(spans), 1, sharex=True, height_ratios=heights)
    for axes, (machine, own) in zip(panels, spans.items(), strict=True):
        _panel(axes, own, simulated(found, machine))
        cycles = run(MACHINES[machine], WORK).cycles
        axes.set_title(f"{machine}: {cycles:,} cycles", fontsize=10, loc="left")
    panels[-1].set_xlabel("thousand cycles")
    handles = [Patch(color=color, label=label) for label, color in KINDS.values()]
    handles.append(Patch(color=IN_VERILOG, label="below: counted in Verilog"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(f"Units of small circuits: {WORK.requests} requests of {WORK.keys} tokens")
    save(figure, path)


def _panel(axes: Any, model: dict[str, list[Interval]], verilog: dict[str, list[Interval]]) -> None:
    units = list(model)
    for place, unit in enumerate(units):
        color = KINDS[unit.split("_")[0]][1]
        _bars(axes, place - OFFSET, model[unit], color)
        _bars(axes, place + OFFSET, verilog.get(unit, []), IN_VERILOG)
    axes.set_yticks(range(len(units)), units, fontsize=8)
    axes.set_ylim(len(units) - HEIGHT, -1 + HEIGHT)


def _bars(axes: Any, place: float, intervals: Sequence[Interval], color: str) -> None:
    axes.broken_barh(
        [(start / KILO, (end - start + 1) / KILO) for start, end in intervals],
        (place - HEIGHT / 2, HEIGHT),
        facecolors=color,
        linewidth=0,
    )
