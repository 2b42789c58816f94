"""Pictures of the reproduction: file name to what draws it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from dse.plot import STYLES
from dse.reproduce.measurements import Measurements
from dse.reproduce.neupims import (
    ablation,
    built_plot,
    counted_plot,
    interleaving,
    simulator,
    timeline_plot,
)
from dse.reproduce.neupims.points import SETS, Machine, Point, mean, rate, ratios
from dse.reproduce.neupims.published import BATCHES, OVER_BLOCKED, OVER_GPU, OVER_NPU, TITLES
from dse.reproduce.panels import save, side_by_side
from dse.reproduce.paper import Plot, Technologies

THIN = 0.3
BAR = 0.8
"""Part of the axis that the bars of a group take."""

LINES = {
    Machine.GPU: "GPU, stated efficiencies",
    Machine.NPU: "NPU, corrected",
    Machine.BLOCKED_PUBLISHED: "NPU+PIM, as published",
    Machine.BLOCKED: "NPU+PIM, without its limit",
    Machine.BEST: "NeuPIMs, corrected",
}
HEADLINES = {
    "over GPU-only": (OVER_GPU, None, Machine.GPU, Machine.GPU_ROOFLINE),
    "over NPU-only": (OVER_NPU, Machine.NPU_PUBLISHED, Machine.NPU, Machine.NPU_ROOFLINE),
    "over NPU+PIM": (
        OVER_BLOCKED, Machine.BLOCKED_PUBLISHED, Machine.BLOCKED, Machine.BLOCKED_ROOFLINE
    ),
}  # fmt: skip
"""The paper's number, and the baseline's three kinds."""


def _figure(inches: tuple[float, float]) -> Figure:
    figure = Figure(figsize=inches, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _legend(figure: Figure, axes: Any, columns: int) -> None:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns,
                  frameon=False)  # fmt: skip


def throughput(found: Measurements, technologies: Technologies, path: Path) -> None:
    """A panel for each model and data set."""
    figure = _figure((13.0, 6.2))
    panels = figure.subplots(len(SETS), len(TITLES), sharex=True, squeeze=False)
    for row, lengths in enumerate(SETS):
        for column, (model, title) in enumerate(TITLES.items()):
            axes = panels[row][column]
            for (machine, name), (color, marker) in zip(LINES.items(), STYLES, strict=True):
                own = [
                    rate(machine, Point(model=model, lengths=lengths, batch=batch))
                    for batch in BATCHES
                ]
                axes.plot(BATCHES, own, color=color, marker=marker, markersize=5, label=name)
            axes.set_title(f"{title}, {lengths}", fontsize=10)
            axes.set_ylim(bottom=0)
            axes.set_xticks(BATCHES)
            axes.grid(visible=True, linewidth=THIN)
        panels[row][0].set_ylabel("tokens/s, all devices")
    for axes in panels[-1]:
        axes.set_xlabel("requests")
    _legend(figure, panels[0][0], len(LINES))
    save(figure, path)


def headline(found: Measurements, technologies: Technologies, path: Path) -> None:
    """The paper's averages beside ours, over each kind of baseline."""
    figure, (axes,) = side_by_side(1, (8.0, 4.2))
    kinds = ("the paper", "ours, over the baseline as published", "ours, over it corrected",
             "ours, over its roofline")  # fmt: skip
    width = BAR / len(kinds)
    for place, (theirs, *baselines) in enumerate(HEADLINES.values()):
        values = [theirs, *(None if one is None else mean(ratios(Machine.BEST, one))
                            for one in baselines)]  # fmt: skip
        for order, (kind, value) in enumerate(zip(kinds, values, strict=True)):
            if value is None:
                continue
            left = place + (order - (len(kinds) - 1) / 2) * width
            color = "#999999" if not order else STYLES[order - 1][0]
            bar = axes.bar(left, value, width, color=color, label="" if place != 1 else kind)
            axes.bar_label(bar, fmt="%.2f", fontsize=9, padding=2)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(range(len(HEADLINES)), list(HEADLINES))
    axes.set(ylabel="throughput of NeuPIMs, mean of 40 points", ylim=(0, 6),
             title="what a fair baseline makes of the averages")  # fmt: skip
    axes.grid(visible=True, axis="y", linewidth=THIN)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, loc="upper left")
    save(figure, path)


def steps(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Tokens per second of each step of the ablation, by batch; the simulator's as crosses."""
    figure, (axes,) = side_by_side(1, (11.0, 4.6))
    shown = ablation.STEPS[:-1]
    width = BAR / len(shown)
    rows = {(row.what, row.machine): row for row in ablation.rows(found)
            if row.section == ablation.SECTION}  # fmt: skip
    colors = ["#999999", *(color for color, _ in STYLES)]
    for order, step in enumerate(shown):
        own = [rows[f"{batch}: {step.what}", "as published"] for batch in BATCHES]
        other = [rows[f"{batch}: {step.what}", "corrected"].ours for batch in BATCHES]
        left = np.arange(len(BATCHES)) + (order - (len(shown) - 1) / 2) * width
        axes.bar(left, [row.ours for row in own], width, color=colors[order], label=step.what)
        last = order == len(shown) - 1
        axes.plot(left, other, color="black", marker="_", markersize=10, linestyle="none",
                  label="corrected" if last else "")  # fmt: skip
        theirs = [row.simulator for row in own]
        axes.plot(left, [np.nan if one is None else one for one in theirs], color="black",
                  marker="x", linestyle="none", label="their simulator, its own draw" if last
                  else "")  # fmt: skip
    axes.set_xticks(range(len(BATCHES)), [f"{batch} requests" for batch in BATCHES])
    axes.set(ylabel="tokens/s", title="GPT-3 7B on ShareGPT, step by step, as published")
    axes.grid(visible=True, axis="y", linewidth=THIN)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, loc="upper left", ncols=2)
    save(figure, path)


def runs(found: Measurements, technologies: Technologies, path: Path) -> None:
    """How far each run of the simulator is from the model: stages, layer, power."""
    figure, (axes,) = side_by_side(1, (8.5, 6.0))
    rows = simulator.rows(found)
    names = [run.what for run in simulator.RUNS]
    for (section, label), (color, marker) in zip(
        ((simulator.STAGES, "a stage"), (simulator.POWER, "power of the memory"),
         (simulator.LAYERS, "a layer")), (("#999999", "|"), STYLES[1], STYLES[0]), strict=True
    ):  # fmt: skip
        own = [row for row in rows if row.section == section]
        places = [names.index(row.what if row.what in names else row.what[:-3]) for row in own]
        off = [100 * ((row.simulator_ratio or 1) - 1) for row in own]
        axes.plot(off, places, color=color, marker=marker, markersize=8, linestyle="none",
                  label=label)  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlabel="model over simulator [%]", xlim=(-9, 9),
             title="the model beside the authors' simulator")  # fmt: skip
    axes.grid(visible=True, linewidth=THIN)
    _legend(figure, axes, 3)
    save(figure, path)


def where(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Maps of what interleaving gains: a panel for each model."""
    figure, panels = side_by_side(len(TITLES), (4.2, 3.6))
    colors = colormaps["PuOr"].with_extremes(bad="#eeeeee")
    norm = LogNorm(0.5, 2.0)
    batches, lengths = interleaving.BATCHES, interleaving.LENGTHS
    for name, axes in zip(TITLES, panels, strict=True):
        gains = interleaving.gains(name).gains
        axes.imshow(gains, cmap=colors, norm=norm, aspect="auto", origin="lower")
        for row, column in np.argwhere(gains > 1):
            axes.plot(column, row, color="black", marker=".", markersize=3)
        ticks = [place for place, batch in enumerate(batches) if batch % 256 == 0 or batch == 128]
        axes.set_xticks(ticks, [str(batches[place]) for place in ticks])
        axes.set_yticks(range(len(lengths)), [str(one) for one in lengths])
        axes.set(title=TITLES[name], xlabel="requests of a micro-batch")
    panels[0].set_ylabel("tokens of each request")
    bar = figure.colorbar(
        ScalarMappable(norm, colors), ax=panels, ticks=_ticks(), format="%.2g", pad=0.01
    )
    bar.set_label("speed, interleaved over in turn")
    bar.ax.minorticks_off()
    figure.suptitle("Where interleaving pays (dots); grey: the caches have no room")
    save(figure, path)


def _ticks() -> Sequence[float]:
    return (0.5, 0.7, 1.0, 1.4, 2.0)


PLOTS: Mapping[str, Plot] = {
    "neupims_headline.png": headline,
    "neupims_throughput.png": throughput,
    "neupims_ablation.png": steps,
    "neupims_interleaving.png": where,
    "neupims_timeline.png": timeline_plot.draw,
    "neupims_built.png": built_plot.draw,
    "neupims_counted.png": counted_plot.draw,
    "neupims_simulator.png": runs,
}
