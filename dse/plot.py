"""The picture of a sweep."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.pareto import pareto_front
from dse.space import OBJECTIVES, SYSTEM_OBJECTIVES
from dse.sweep import SweepResult

STYLES = (
    ("#0072b2", "o"), ("#d55e00", "^"), ("#009e73", "s"), ("#cc79a7", "D"), ("#56b4e9", "v"),
)  # fmt: skip
"""Colour and marker of each variant; the palette is Okabe and Ito's, for every colour vision."""

CHOSEN = "#f0e442"  # the yellow of the same palette
LABELS = OBJECTIVES | SYSTEM_OBJECTIVES
MARGIN = 0.12  # around the front, as a part of its span
DECADE = 10


def pareto_plot(result: SweepResult, path: Path) -> None:
    """A PNG: the first objective of the space against each other one, front and best marked.

    The front is over all objectives together, so with three of them a point of it may lie above
    the line of a panel, which is the front over the two objectives shown. A panel spans the front;
    points far from it are outside.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    first, *others = result.space.objectives
    figure = Figure(figsize=(6.5 * len(others), 6.0), layout="constrained")
    FigureCanvasAgg(figure)
    panels = [figure.add_subplot(1, len(others), place + 1) for place in range(len(others))]
    variants = result.variants
    for panel, other in zip(panels, others, strict=True):
        _panel(panel, result, variants, first, other)
    panels[0].annotate(
        "\n".join(f"{name}: {value}" for name, value in result.best_choices.items()),
        (result.costs[first][result.best], result.costs[others[0]][result.best]),
        (0.03, 0.03),
        textcoords="axes fraction",
        verticalalignment="bottom",
        bbox={"boxstyle": "round", "facecolor": "white"},
        arrowprops={"arrowstyle": "-", "shrinkB": 9},
    )
    entries = panels[0].get_legend_handles_labels()
    legend = figure.legend(*entries, loc="outside lower center", ncols=len(variants) + 1)
    for line in legend.get_lines():
        line.set_alpha(1)
    figure.suptitle(_title(result))
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _panel(
    axes: Any, result: SweepResult, variants: dict[str, NDArray[np.bool_]], first: str, other: str
) -> None:
    x, y, front = result.costs[first], result.costs[other], result.front
    for (variant, mask), (color, marker) in zip(
        variants.items(), itertools.cycle(STYLES), strict=False
    ):
        axes.plot(
            x[mask & ~front], y[mask & ~front], marker, color=color, markersize=3, alpha=0.15,
            markeredgewidth=0, label=f"{variant} dominated point".strip(), zorder=1,
        )  # fmt: skip
        axes.plot(
            x[mask & front], y[mask & front], marker, color=color, markersize=5.5,
            markeredgecolor="white", markeredgewidth=0.5, label=f"{variant} Pareto front".strip(),
        )  # fmt: skip
    line = np.flatnonzero(pareto_front(np.stack([x, y], axis=1).astype(np.float64)))
    line = line[np.argsort(x[line])]
    axes.step(
        x[line], y[line], where="post", color="black", linewidth=0.8, zorder=1.5,
        label="front of the two objectives shown",
    )  # fmt: skip
    axes.plot(
        x[result.best], y[result.best], "*", color=CHOSEN, markersize=19,
        markeredgecolor="black", label="chosen point", zorder=3,
    )  # fmt: skip
    _span(axes.set_xscale, axes.set_xlim, x[front])
    _span(axes.set_yscale, axes.set_ylim, y[front])
    axes.set_xlabel(LABELS[first])
    axes.set_ylabel(LABELS[other])
    axes.grid(visible=True, which="both", linewidth=0.3)


def _span(
    scale: Callable[[str], object], limit: Callable[[float, float], object], values: NDArray[Any]
) -> None:
    """Make an axis span `values` and a margin, logarithmic where that is more than a decade."""
    low, high = float(values.min()), float(values.max())
    if high > DECADE * low:
        scale("log")
        factor = (high / low) ** MARGIN
        limit(low / factor, high * factor)
    else:
        margin = (high - low or high) * MARGIN
        limit(low - margin, high + margin)


def _title(result: SweepResult) -> str:
    space = result.space
    workloads = [*space.workloads.values()]
    shown = f"{len(workloads)} workloads" if len(workloads) > 1 else workloads[0]
    memory = f", {space.supply.gb_per_s:g} GB/s" if space.supply else ""
    return (
        f"{space.name}: {shown}, technology {space.technology}{memory}\n"
        f"{len(result.points):,} valid of {space.point_count:,} points, "
        f"{int(np.count_nonzero(result.front)):,} on the Pareto front over all objectives"
    )
