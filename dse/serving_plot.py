"""The picture of serving: throughput and batch over time, and times between tokens."""

from pathlib import Path
from typing import Any

import numpy as np

from archmodels.npu_pim.serving import Serving, percentile

SPANS = 80
"""Of time, for each of which the throughput is told."""

ITERATIONS = 4
"""That a span has at least, so that it does not tell single ones."""

BINS = 60
ANSWERED, PROMPTS, SERVED, WAITING = "#0072b2", "#009e73", "#0072b2", "#d55e00"
"""Colours of Okabe and Ito's palette, for every colour vision."""


def draw(found: Serving, clock_hz: int, title: str, path: Path) -> None:
    """A PNG or SVG, by the end of its name, the same bytes on every run."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": title}):
        figure = Figure(figsize=(8, 8), layout="constrained")
        FigureCanvasAgg(figure)
        rate, batch, times = figure.subplots(3, 1)
        batch.sharex(rate)
        _rate(rate, found, clock_hz)
        _batch(batch, found, clock_hz)
        _times(times, found, clock_hz)
        figure.suptitle(title)
        date = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        figure.savefig(path, dpi=110, metadata=date)


def _rate(axes: Any, found: Serving, clock_hz: int) -> None:
    """Tokens in a second, those of an iteration spread over its time."""
    ends = [one.start + one.cycles for one in found.iterations]
    until = np.array([found.iterations[0].start, *ends]) / clock_hz
    spans = max(1, min(SPANS, len(found.iterations) // ITERATIONS))
    edges = np.linspace(found.start / clock_hz, until[-1], spans + 1)
    for label, colour, counts in (
        ("answered", ANSWERED, [one.tokens for one in found.iterations]),
        ("of prompts", PROMPTS, [one.prompt_tokens for one in found.iterations]),
    ):
        if any(counts):
            sums = np.interp(edges, until, np.cumsum([0, *counts]))
            axes.stairs(np.diff(sums) / np.diff(edges), edges, color=colour, label=label)
    axes.set_ylabel("tokens per second")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right")
    axes.grid(visible=True, linewidth=0.3)


def _batch(axes: Any, found: Serving, clock_hz: int) -> None:
    starts = [one.start / clock_hz for one in found.iterations]
    for label, colour, counts in (
        ("given a token", SERVED, [one.tokens for one in found.iterations]),
        ("waiting for a place", WAITING, [one.waiting for one in found.iterations]),
    ):
        axes.step(starts, counts, where="post", color=colour, label=label, linewidth=1)
    axes.set_xlabel("time [s]")
    axes.set_ylabel("requests")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right")
    axes.grid(visible=True, linewidth=0.3)


def _times(axes: Any, found: Serving, clock_hz: int) -> None:
    between = found.between_tokens
    times = between * (1000 / clock_hz)
    if times.size:
        axes.hist(times, bins=BINS, color=SERVED)
        for part, style in ((50, "--"), (99, ":")):
            value = percentile(between, part) * 1000 / clock_hz
            label = f"p{part}: {value:.2f} ms"
            axes.axvline(value, color=WAITING, linestyle=style, label=label)
        axes.legend(loc="upper left")
    axes.set_xlabel("time from a token to the next [ms]")
    axes.set_ylabel("tokens")
    axes.grid(visible=True, linewidth=0.3)
