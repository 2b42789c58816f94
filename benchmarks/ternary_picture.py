"""The picture of the ternary front: density over size, and area over speed, per bandwidth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ternary_systems import Measures, Swept
from dse.pareto import pareto_front

COLORS = ("#d55e00", "#e69f00", "#009e73", "#0072b2")
"""Of the bandwidths, from low to high; from Okabe and Ito's palette, for every colour vision."""

MARKERS = ("*", "s", "D")
"""Of the winner and of the papers' points."""

BINS_PER_OCTAVE = 1
"""Of lanes, in each of which one core stands for all: numbers with few divisors have few shapes."""

Marked = Sequence[tuple[str, Measures]]


def picture(
    phases: Sequence[tuple[str, Swept, Sequence[Marked]]], bandwidths: Sequence[str], path: Path
) -> None:
    """A PNG: a row of two panels for each phase; `Marked` are points to mark, by bandwidth."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14.0, 5.6 * len(phases)), layout="constrained")
    FigureCanvasAgg(figure)
    for line, (phase, every, marked) in enumerate(phases):
        dense, front = (figure.add_subplot(len(phases), 2, 2 * line + side) for side in (1, 2))
        for found, color, name, points in zip(every.found, COLORS, bandwidths, marked, strict=True):
            label = name if name == "unlimited" else f"{name} GB/s"
            _density(dense, found, color, label)
            _front(front, found, color, label)
            for (_, one), marker in zip(points, MARKERS, strict=True):
                _mark(dense, one.lanes, one.tokens_per_s_mm2, color, marker)
                _mark(front, one.tokens_per_s, one.area_mm2, color, marker)
        dense.set(title=f"{phase}: the densest core of each size", xlabel="lanes (MAC per cycle)",
                  ylabel="tokens/s per mm2")  # fmt: skip
        front.set(title=f"{phase}: the smallest core for each speed", xlabel="tokens/s",
                  ylabel="area of the core [mm2]")  # fmt: skip
        _finish(dense, front, [title for title, _ in marked[0]])
    figure.suptitle("Ternary cores on BitNet b1.58 3B behind LPDDR5X of four bandwidths, asap7")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _density(axes: Any, found: Measures, color: str, label: str) -> None:
    sizes = np.round(BINS_PER_OCTAVE * np.log2(found.lanes)) / BINS_PER_OCTAVE
    places = [
        np.flatnonzero(sizes == size)[np.argmax(found.tokens_per_s_mm2[sizes == size])]
        for size in np.unique(sizes)
    ]
    axes.plot(
        found.lanes[places], found.tokens_per_s_mm2[places], color=color, linewidth=1.4, label=label
    )


def _front(axes: Any, found: Measures, color: str, label: str) -> None:
    x, y = found.tokens_per_s, found.area_mm2
    line = np.flatnonzero(pareto_front(np.stack([-x, y], axis=1)))
    line = line[np.argsort(x[line])]
    axes.step(x[line], y[line], where="pre", color=color, linewidth=1.4, label=label)


def _mark(axes: Any, x: Any, y: Any, color: str, marker: str) -> None:
    size = 15 if marker == "*" else 7
    axes.plot(x, y, marker, color=color, markersize=size, markeredgecolor="black", zorder=3)


def _finish(dense: Any, front: Any, titles: Sequence[str]) -> None:
    for axes in (dense, front):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.grid(visible=True, which="both", linewidth=0.25)
    for title, marker in zip(titles, MARKERS, strict=True):
        front.plot([], [], marker, color="white", markeredgecolor="black", label=title,
                   markersize=13 if marker == "*" else 7)  # fmt: skip
    front.legend(fontsize="small", loc="upper left")
