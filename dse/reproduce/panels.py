"""Figures of panels side by side, the same bytes on every run."""

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DOTS_PER_INCH = 110


def side_by_side(count: int, inches: tuple[float, float]) -> tuple[Figure, list[Any]]:
    """A figure and its panels, each of so many inches, width and height."""
    width, height = inches
    figure = Figure(figsize=(width * count, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(1, count, place + 1) for place in range(count)]


def save(figure: Figure, path: Path) -> None:
    """The figure as a PNG without date or version."""
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})
