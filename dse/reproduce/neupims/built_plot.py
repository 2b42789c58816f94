"""The picture of what the units of the circuits do when."""

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from archmodels.npu_pim.core import Run
from dse.plot import STYLES
from dse.reproduce.measurements import Measurements
from dse.reproduce.neupims.built import ONE, TOKENS, ran
from dse.reproduce.neupims.counted import merged
from dse.reproduce.panels import save
from dse.reproduce.paper import Technologies

SHOWN = {
    "NPU only, one batch": ("NPU only", ONE),
    "NPU+PIM, one batch": ("NPU+PIM", ONE),
    "NeuPIMs, two sub-batches": ("NeuPIMs", TOKENS),
}
UNITS = {"array": "array", "vector": "vector", "load_0": "load", "store_0": "store", "pim_0": "PIM"}
INCHES = (11.0, 6.6)
KILO = 1000


def draw(found: Measurements, technologies: Technologies, path: Path) -> None:
    """A line for each unit and machine; a bar where the unit has an instruction at hand."""
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(SHOWN), 1, sharex=True)
    for axes, (title, chosen) in zip(panels, SHOWN.items(), strict=True):
        own = ran(*chosen)
        _panel(axes, own)
        axes.set_title(f"{title}: {own.cycles / KILO:,.1f} thousand cycles", fontsize=10)
    panels[-1].set_xlabel("thousand cycles")
    figure.suptitle("Units of the circuits in one layer: 16 requests of 256 tokens")
    save(figure, path)


def busy(run: Run, unit: str) -> list[tuple[int, int]]:
    """From when to when a unit works without a break: first cycle, cycles."""
    works = merged((span.start, span.end) for span in run.spans[unit])
    return [(start, end + 1 - start) for start, end in works]


def _panel(axes: Any, run: Run) -> None:
    shown = [unit for unit in UNITS if unit in run.spans]
    for place, unit in enumerate(shown):
        bars = [(start / KILO, cycles / KILO) for start, cycles in busy(run, unit)]
        axes.broken_barh(bars, (place - 0.4, 0.8), color=STYLES[list(UNITS).index(unit)][0])
    axes.set_yticks(range(len(shown)), [UNITS[unit] for unit in shown])
    axes.invert_yaxis()
    axes.margins(x=0)
