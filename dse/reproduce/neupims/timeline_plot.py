"""The picture of a layer's time, without and with interleaving."""

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dse.plot import STYLES
from dse.reproduce.measurements import Measurements
from dse.reproduce.neupims import timeline
from dse.reproduce.neupims.points import CORRECTED, models, packed
from dse.reproduce.neupims.timeline import ATTEND, LINEAR, LOGIT, VECTOR, Timeline
from dse.reproduce.panels import save
from dse.reproduce.paper import Technologies

MODEL, LENGTHS, BATCH = "gpt3_7b", "ShareGPT", 256
INCHES = (11.0, 7.6)
HEIGHTS = (1.0, 3.2, 1.0)
COLORS = {LINEAR: STYLES[0][0], VECTOR: STYLES[4][0], LOGIT: STYLES[1][0], ATTEND: STYLES[2][0]}
LETTER = 0.012
"""Part of the axis that a letter takes; names are written into bars that have room for them."""

KILO = 1000


def draw(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Arrays, channels and bus of one layer, in turn on the left and interleaved on the right."""
    model = models()[MODEL]
    placed = packed(model, LENGTHS, BATCH)
    shown = {
        "one after the other": timeline.turned(CORRECTED, model, placed),
        "two sub-batches interleaved": timeline.mixed(CORRECTED, model, placed),
    }
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(3, 2, sharex=True, sharey="row", height_ratios=HEIGHTS)
    last = max(one.marks[-1] for one in shown.values()) / KILO
    for column, (title, own) in enumerate(shown.items()):
        _panel(axes[:, column], own, last)
        cycles = f"{own.marks[-1] / KILO:,.0f} thousand cycles"
        axes[0][column].set_title(f"{title}: {cycles} a layer", fontsize=10)
        axes[2][column].set_xlabel("thousand cycles")
    axes[0][0].set(ylabel="arrays", yticks=[])
    axes[1][0].set_ylabel("channel")
    axes[2][0].set(ylabel="data bus, share\nfor the arrays", ylim=(0, 1))
    handles = [Patch(color=color, label=kind) for kind, color in COLORS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    figure.suptitle("One layer of GPT-3 7B, 256 requests of ShareGPT, NeuPIMs corrected")
    save(figure, path)


def _panel(rows: Any, own: Timeline, last: float) -> None:
    arrays, channels, bus = rows
    for one in own.segments:
        start, width = one.start / KILO, (one.end - one.start) / KILO
        color = COLORS[one.kind]
        if one.unit >= 0:
            channels.barh(one.unit, width, 0.9, left=start, color=color)
            continue
        arrays.barh(0, width, 0.8, left=start, color=color, edgecolor="white", linewidth=0.5)
        bus.bar(start, one.bus, width, align="edge", color=color)
        if width > LETTER * len(one.name) * last:
            arrays.text(start + width / 2, 0, one.name, ha="center", va="center", color="white",
                        fontsize=8)  # fmt: skip
    for axes in rows:
        for mark in own.marks:
            axes.axvline(mark / KILO, color="black", linewidth=0.6, linestyle=":")
        axes.set_xlim(0, last)
