"""Where our engine goes beyond FuseMax: over the length, by lever, and step by step in Verilog."""

from pathlib import Path
from typing import Any

import numpy as np

from dse.plot import STYLES
from dse.reproduce.fusemax import ablation, beyond
from dse.reproduce.fusemax.points import length_name
from dse.reproduce.fusemax.published import LENGTHS
from dse.reproduce.measurements import Measurements
from dse.reproduce.panels import save, side_by_side
from dse.reproduce.paper import Technologies

PANEL_INCHES = (6.2, 4.0)
BAR = 0.38
"""Width of one of two bars side by side."""


def draw(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Two panels; bars of what was not measured are missing."""
    figure, (lengths, steps) = side_by_side(2, PANEL_INCHES)
    _lengths(lengths)
    _steps(steps, found)
    save(figure, path)


def _lengths(axes: Any) -> None:
    """Speed over FuseMax by length, dense and causal."""
    places = np.arange(len(LENGTHS))
    rows = {row.what: row.ours for row in beyond.speed()}
    for order, (width, masks) in enumerate(
        (width, masks) for masks in ("", ", causal") for width in beyond.WIDTHS
    ):
        color, marker = STYLES[order]
        values = [rows[f"{width}, {length_name(length)}{masks}"] for length in LENGTHS]
        axes.plot(places, values, color=color, marker=marker, label=width + masks)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(places, [length_name(length) for length in LENGTHS])
    axes.set(title="our engine at FuseMax's array, clock and DRAM", xlabel="tokens",
             ylabel="speed over FuseMax", ylim=(0.9, 2.2))  # fmt: skip
    axes.grid(visible=True, linewidth=0.3)
    axes.legend(frameon=False, loc="center right")


def _steps(axes: Any, found: Measurements) -> None:
    """Speed over the step before, by size; the formulas' beside the first."""
    rows = ablation.rows(found, ())
    sides = [row.what.partition(":")[0] for row in rows[:: len(ablation.CHAIN)]]
    width, places = BAR * 2 / len(sides), np.arange(len(ablation.CHAIN))
    for order, side in enumerate(sides):
        own = [row for row in rows if row.what.startswith(f"{side}:")]
        left = places + (order - (len(sides) - 1) / 2) * width
        color = STYLES[order][0]
        source = "model" if order == len(sides) - 1 else "Verilog"
        axes.bar(left, [row.ours or 0 for row in own], width, color=color,
                 label=f"{side}, {source}")  # fmt: skip
        paper = [(place, row.paper) for place, row in zip(left, own, strict=True) if row.paper]
        axes.plot(*zip(*paper, strict=True), color="black", marker="_", markersize=16,
                  linestyle="none", label="" if order else "paper's formulas")  # fmt: skip
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(places, [step.short for step in ablation.CHAIN])
    axes.set(title="step by step", ylabel="speed over the step before")
    axes.grid(visible=True, axis="y", linewidth=0.3)
    axes.set_axisbelow(True)
    axes.legend(frameon=False)
