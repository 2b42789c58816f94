"""The picture of the accuracy table: model over synthesis, a panel for each metric."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dse.plot import STYLES


def scatter(
    outcomes: Sequence[Any], technologies: Sequence[str], units: Mapping[str, str], path: Path
) -> None:
    """A PNG; both axes are logarithmic, the line is where model and synthesis are equal."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    figure = Figure(figsize=(4.4 * len(units), 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (metric, unit) in enumerate(units.items(), 1):
        axes = figure.add_subplot(1, len(units), place)
        for technology, (colour, marker) in zip(technologies, STYLES, strict=False):
            pairs = [one.pairs[metric] for one in outcomes if one.technology == technology]
            axes.loglog(
                [synthesis for _, synthesis in pairs],
                [model for model, _ in pairs],
                linestyle="none",
                marker=marker,
                markersize=5,
                alpha=0.6,
                color=colour,
                label=technology,
            )
        values = [value for one in outcomes for value in one.pairs[metric]]
        span = (0.8 * min(values), 1.25 * max(values))
        axes.plot(span, span, color="black", linewidth=0.8, zorder=0)
        axes.set(xlim=span, ylim=span, title=f"{metric} [{unit}]", xlabel="synthesis")
        axes.set_aspect("equal")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter(NullFormatter())
    figure.axes[0].set_ylabel("model")
    figure.axes[0].legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=110, metadata={"Software": None})
