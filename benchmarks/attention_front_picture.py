"""The picture of the attention front: speed and energy of the best engines of each side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.attention_front_systems import ALIKE, Reals, Swept
from dse.reproduce.panels import DOTS_PER_INCH

STYLES = (("#000000", "o", 1.2), ("#d55e00", "s", 3.0), ("#56b4e9", "^", 7.0))
"""Colour, marker and width of the bandwidths, from low to high, so that all are seen where they
coincide; from Okabe and Ito's palette, for every colour vision."""

PANEL_INCHES = (5.2, 4.0)


def picture(shown: Sequence[Swept], bandwidths: Sequence[str], title: str, path: Path) -> None:
    """A PNG: a column of two panels for each scenario."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = PANEL_INCHES
    figure = Figure(figsize=(width * len(shown), 2 * height), layout="constrained")
    FigureCanvasAgg(figure)
    for column, some in enumerate(shown):
        speed, energy = (figure.add_subplot(2, len(shown), column + 1 + row * len(shown))
                         for row in range(2))  # fmt: skip
        for place in reversed(range(len(bandwidths))):
            name = bandwidths[place]
            label = name if name == "unlimited" else f"{name} GB/s"
            chosen = best(some, place)
            sides = some.engines.grid.side[chosen]
            _line(speed, sides, some.throughput(place)[chosen], place, label)
            joules = 1e3 * some.found[place].energy_mj / some.scenario.tokens(some.length)
            _line(energy, sides, joules[chosen], place, label)
        speed.set(title=some.scenario.name, ylabel="tokens/s per mm2")
        energy.set(xlabel="N, side of the array", ylabel="energy [uJ/token]")
        for axes in (speed, energy):
            _finish(axes, np.unique(some.engines.grid.side))
        if not column:
            speed.legend(frameon=False, loc="lower center")
    figure.suptitle(title)
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})


def best(some: Swept, place: int) -> list[int]:
    """Of each side that fits, the engine with the least energy of those as fast as any."""
    found = some.found[place]
    chosen = []
    for side in np.unique(some.engines.grid.side):
        time_ms: Reals = np.where(some.engines.grid.side == side, some.time_ms(place), np.inf)
        if np.isfinite(time_ms).any():
            fast = time_ms <= (1 + ALIKE) * time_ms.min()
            chosen.append(int(np.argmin(np.where(fast, found.energy_mj, np.inf))))
    return chosen


def _line(axes: Any, sides: Any, values: Reals, place: int, label: str) -> None:
    color, marker, width = STYLES[place]
    axes.plot(sides, values, color=color, marker=marker, markersize=4 + width, linewidth=width,
              label=label)  # fmt: skip


def _finish(axes: Any, sides: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sides, [str(side) for side in sides])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    )
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, linewidth=0.25)
