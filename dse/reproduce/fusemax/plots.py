"""The paper's figures 6 to 12, from the model: a file for each; and where ours goes beyond."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from designs.fusemax import Configuration
from dse.plot import STYLES
from dse.reproduce.fusemax import beyond_plot, pareto, points, ratios
from dse.reproduce.fusemax.points import Reals
from dse.reproduce.fusemax.published import LENGTHS, NAMES, PARETO_NAMES
from dse.reproduce.measurements import Measurements
from dse.reproduce.panels import save, side_by_side
from dse.reproduce.paper import Plot, Technologies

PANEL_INCHES = (3.4, 3.2)
WIDE_INCHES = (3.4, 3.4)
BAR = 0.8
"""Part of the axis that the bars of a group take."""

HIGHEST = "transformer_xl"
"""Whose curve is above those of the others in figure 12, and has the names of the arrays."""

Values = Callable[[Configuration], Reals]
"""Of a configuration: a row for each encoder, a column for each length."""


def bars(values: Values, label: str, shown: Iterable[Configuration], path: Path) -> None:
    """A panel for each encoder, a group of bars for each length."""
    figure, panels = side_by_side(len(points.names()), PANEL_INCHES)
    chosen = list(shown)
    width, places = BAR / len(chosen), np.arange(len(LENGTHS))
    for order, one in enumerate(chosen):
        found = values(one)
        for row, axes in enumerate(panels):
            left = places + (order - (len(chosen) - 1) / 2) * width
            axes.bar(left, found[row], width, color=STYLES[int(one)][0], label=NAMES[one])
    top = max(axes.get_ylim()[1] for axes in panels)
    for name, axes in zip(points.names(), panels, strict=True):
        axes.set_xticks(places, [points.length_name(length) for length in LENGTHS])
        axes.set(title=name, xlabel="tokens", ylim=(0, top))
        axes.grid(visible=True, axis="y", linewidth=0.3)
        axes.set_axisbelow(True)
    panels[0].set_ylabel(label)
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(chosen), frameon=False)
    save(figure, path)


def einsums(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Figure 7: a panel for each configuration, use of the array by Einsum, BERT."""
    shown = [one for one in Configuration if one != Configuration.UNFUSED]
    figure, panels = side_by_side(len(shown), WIDE_INCHES)
    colors = {"QK": 0, "AV": 1, "SLNV": 1, "LM": 2, "SLN": 3, "SLD": 4}
    for one, axes in zip(shown, panels, strict=True):
        bottom = np.zeros(len(LENGTHS))
        for einsum, share in points.attention(one).array_shares.items():
            own = points.by_length(share)[0]
            color = STYLES[colors[einsum]][0]
            axes.bar(range(len(LENGTHS)), own, BAR, bottom=bottom, color=color, label=einsum)
            bottom = bottom + own
        axes.set_xticks(range(len(LENGTHS)), [points.length_name(one) for one in LENGTHS])
        axes.set(title=NAMES[one], xlabel="tokens", ylim=(0, 1))
        axes.grid(visible=True, axis="y", linewidth=0.3)
        axes.set_axisbelow(True)
    panels[0].set_ylabel("use of the array, BERT")
    handles, labels = panels[-1].get_legend_handles_labels()
    named = ["AV, SLNV" if label == "SLNV" else label for label in labels]
    figure.legend(handles, named, loc="outside lower center", ncols=len(named), frameon=False)
    save(figure, path)


def front(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Figure 12: latency over area, by encoder, each array named."""
    figure, (axes,) = side_by_side(1, (6.0, 4.4))
    for (key, name), (color, marker) in zip(PARETO_NAMES.items(), STYLES, strict=False):
        own = pareto.front(key)
        areas, times = [one.area_mm2 for one in own], [one.latency_s for one in own]
        axes.plot(areas, times, color=color, marker=marker, label=name)
    for one in pareto.front(HIGHEST):
        place = (one.area_mm2, one.latency_s)
        axes.annotate(f"{one.side} x {one.side}", place, (7, 7), textcoords="offset points")
    axes.margins(x=0.28, y=0.1)
    axes.set(xscale="log", yscale="log", xlabel="area [mm2]", ylabel="attention at 256K [s]")
    axes.grid(visible=True, linewidth=0.3)
    axes.legend(frameon=False, loc="lower left")
    save(figure, path)


def _lanes(one: Configuration) -> Reals:
    return points.by_length(points.attention(one).lane_utilisation)


def _array(one: Configuration) -> Reals:
    return points.by_length(points.attention(one).array_utilisation)


def _over_unfused(ratio: ratios.Ratio, one: Configuration) -> Reals:
    return ratio(one, Configuration.UNFUSED)


def _bars(values: Values, label: str, with_unfused: bool = False) -> Plot:
    shown = [one for one in Configuration if with_unfused or one != Configuration.UNFUSED]

    def draw(found: Measurements, technologies: Technologies, path: Path) -> None:
        bars(values, label, shown, path)

    return draw


def _ratio(ratio: ratios.Ratio, label: str) -> Plot:
    values: Any = partial(_over_unfused, ratio)
    return _bars(values, label)


PLOTS: Mapping[str, Plot] = {
    "fusemax_figure_6a.png": _bars(_lanes, "use of the lanes", with_unfused=True),
    "fusemax_figure_6b.png": _bars(_array, "use of the array", with_unfused=True),
    "fusemax_figure_7.png": einsums,
    "fusemax_figure_8.png": _ratio(ratios.attention_speed, "speed over unfused"),
    "fusemax_figure_9.png": _ratio(ratios.attention_energy, "energy over unfused"),
    "fusemax_figure_10.png": _ratio(ratios.layer_speed, "speed of a layer over unfused"),
    "fusemax_figure_11.png": _ratio(ratios.layer_energy, "energy of a layer over unfused"),
    "fusemax_figure_12.png": front,
    "fusemax_beyond.png": beyond_plot.draw,
}
"""File name to picture."""
