"""Pictures of the reproduction."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from archmodels.vitallm.durations import duration
from archmodels.vitallm.schedule import timeline
from designs.vitallm.instructions import Unit
from designs.vitallm.program import program
from dse.plot import STYLES
from dse.reproduce.measurements import Measurements
from dse.reproduce.panels import save, side_by_side
from dse.reproduce.paper import Plot, Technologies
from dse.reproduce.vitallm import memory, speed
from dse.reproduce.vitallm.published import (
    CONTEXT,
    KEEP,
    TOKENS_PER_S,
    model,
    preset,
)

PANEL_INCHES = (5.2, 4.0)


def bandwidth_plot(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Tokens per second over the bandwidth of the DRAM, and what is left of the schedule."""
    figure, (curve, bars) = side_by_side(2, PANEL_INCHES)
    gigabytes = np.geomspace(memory.GIGABYTES[0] / 2, memory.GIGABYTES[-1] * 2, 15).tolist()
    for (name, bits), (color, marker) in zip(memory.FORMATS.items(), STYLES, strict=False):
        rates = [memory.tokens_per_s(one, bits) for one in gigabytes]
        curve.plot(gigabytes, rates, marker=marker, color=color, label=f"{name} per weight")
        bounds = [one * 1e9 / float(model().weight_bytes(bits)) for one in gigabytes]
        curve.plot(gigabytes, bounds, color=color, linewidth=0.8, linestyle=":")
    curve.axhline(TOKENS_PER_S, color="black", linewidth=0.8, linestyle="--", label="the paper")
    curve.set(xscale="log", xlabel="DRAM [GB/s]", ylabel="tokens/s, 3B")
    curve.set_ylim(0, 1.15 * TOKENS_PER_S)
    curve.legend(frameon=False, title="dotted: bandwidth alone")
    rates_by_name = {name: speed.tokens_per_s(one) for name, (one, _) in speed.ablations().items()}
    rates_by_name["all of it"] = speed.tokens_per_s(preset())
    bars.barh([*rates_by_name], [*rates_by_name.values()], color=STYLES[0][0])
    bars.axvline(TOKENS_PER_S, color="black", linewidth=0.8, linestyle="--", label="the paper")
    bars.set_xlabel("tokens/s, 3B, enough bandwidth")
    bars.set_xlim(0, 1.35 * TOKENS_PER_S)
    bars.legend(frameon=False, loc="lower right")
    for axes in (curve, bars):
        axes.grid(visible=True, linewidth=0.3)
    save(figure, path)


def schedule_plot(found: Measurements, technologies: Technologies, path: Path) -> None:
    """When each unit works: the whole block, and its first heads."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    block = model().block(CONTEXT, KEEP)
    spans = timeline(program(preset(), block), duration(preset()))
    end = spans[Unit.VECTOR][-1].end
    for place, last in enumerate((end, end // 12)):
        axes = figure.add_subplot(2, 1, place + 1)
        for unit, (color, _) in zip(Unit, STYLES, strict=True):
            work = [(one.start, one.end + 1 - one.start) for one in spans[unit] if one.start < last]
            axes.broken_barh(work, (-int(unit) - 0.4, 0.8), color=color, linewidth=0)
        axes.set_yticks([-int(unit) for unit in Unit], [unit.name for unit in Unit])
        axes.set_xlim(0, last)
    axes.set_xlabel("cycle")
    figure.suptitle("One token in one block of the 3B model, and the beginning of it")
    save(figure, path)


PLOTS: Mapping[str, Plot] = {
    "vitallm_bandwidth.png": bandwidth_plot,
    "vitallm_schedule.png": schedule_plot,
}
"""File name to picture."""
