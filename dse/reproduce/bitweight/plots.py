"""Pictures of the reproduction."""

from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import Any

from designs.digits import Encoding
from dse.plot import STYLES
from dse.reproduce.bitweight import digits, elements, equal_area
from dse.reproduce.bitweight.arrays import ARRAYS, VIEWS, Gains
from dse.reproduce.bitweight.networks import NETWORKS
from dse.reproduce.measurements import Measurements
from dse.reproduce.panels import save, side_by_side
from dse.reproduce.paper import Plot, Technologies

PANEL_INCHES = (4.4, 3.8)
DELAY_STYLES = {"separate": "MAC, multiply then add", "fused": "MAC, one tree", "opt1": "OPT1"}
SIGMAS = (5, 10, 15, 20, 25, 30, 40, 50, 60)


def delay_plot(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Shortest period of an element over the width of its accumulator, a panel per technology."""
    figure, panels = side_by_side(max(len(technologies), 1), PANEL_INCHES)
    for axes, technology in zip(panels, technologies, strict=False):
        for (name, label), (color, marker) in zip(DELAY_STYLES.items(), STYLES, strict=False):
            points = [
                (bits, delay)
                for bits in elements.WIDTHS
                if (delay := found.figure(technology, f"{name}_{bits}", "delay_ps")) is not None
            ]
            axes.plot(*zip(*points, strict=True) if points else ([], []), marker=marker,
                      color=color, label=label)  # fmt: skip
        axes.set(title=technology, xlabel="accumulator [bits]", xticks=elements.WIDTHS)
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, linewidth=0.3)
    panels[0].set_ylabel("shortest period [ps]")
    panels[0].legend(frameon=False)
    save(figure, path)


def gain_plot(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Gains of the four dense arrays over the better MAC, bare and whole, beside the paper's."""
    figure, panels = side_by_side(2, PANEL_INCHES)
    for axes, metric in zip(panels, ("area", "energy"), strict=True):
        bars = {"paper": [getattr(array, f"{metric}_gain") for array in ARRAYS.values()]}
        for technology in technologies:
            for view, label in zip(VIEWS[1:], ("bare", "engine"), strict=True):
                gains = [getattr(Gains(found, technology, name, view), metric) for name in ARRAYS]
                if any(gains):
                    bars[f"{technology}, {label}"] = [gain or nan for gain in gains]
        _bars(axes, [*ARRAYS], bars)
        axes.set_title(f"{metric} efficiency over the better MAC")
    entries = panels[0].get_legend_handles_labels()
    figure.legend(*entries, loc="outside lower center", ncols=4, frameon=False)
    save(figure, path)


def _bars(axes: Any, names: list[str], bars: Mapping[str, list[float]]) -> None:
    width = 0.8 / len(bars)
    colors = ["black", *(color for color, _ in STYLES for _ in range(2))]
    for place, ((label, values), color) in enumerate(zip(bars.items(), colors, strict=False)):
        at = [index + (place - (len(bars) - 1) / 2) * width for index in range(len(names))]
        is_engine = label.endswith("engine")
        axes.bar(at, values, width, label=label, color=color, alpha=0.45 if is_engine else 1.0)
    axes.axhline(1.0, color="black", linewidth=0.6)
    axes.set_xticks(range(len(names)), names)


def digit_plot(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Cycles of an int8 operand over sigma: digits, and groups of digits with empty ones."""
    figure, (left, right) = side_by_side(2, PANEL_INCHES)
    for encoding, (color, marker) in zip(Encoding, STYLES, strict=False):
        values = [digits.mean_digits(encoding, sigma) for sigma in SIGMAS]
        left.plot(SIGMAS, values, color=color, marker=marker, label=encoding.name.lower())
    left.set(title="nonzero digits", xlabel="sigma", ylabel="per operand")
    for (group, skips), (color, marker) in zip(
        ((2, 0), (4, 0), (8, 0), (4, 3)), STYLES, strict=False
    ):
        values = [digits.cycles_per_operand(Encoding.ENT, s, group, skips) for s in SIGMAS]
        label = f"groups of {group}" + (f", {skips} empty ones skipped" if skips else "")
        right.plot(SIGMAS, values, color=color, marker=marker, label=label)
    ideal = [digits.mean_digits(Encoding.ENT, sigma) for sigma in SIGMAS]
    right.plot(SIGMAS, ideal, color="black", linewidth=0.8, label="digits alone")
    right.set(title="cycles, ent", xlabel="sigma", ylabel="per operand")
    for axes in (left, right):
        axes.legend(frameon=False)
        axes.grid(visible=True, linewidth=0.3)
    save(figure, path)


def equal_area_plot(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Throughput of the same area over dense arrays, by sigma, a panel per network."""
    figure, panels = side_by_side(len(NETWORKS), PANEL_INCHES)
    for axes, network in zip(panels, NETWORKS, strict=True):
        for technology in technologies[:1]:
            for name, (color, marker) in zip(equal_area.SERIAL, STYLES, strict=False):
                for baseline, line in (("opt1", "-"), ("best dense", ":")):
                    gains = [
                        equal_area.gain(network, sigma, name, baseline, technology)
                        for sigma in SIGMAS
                    ]
                    axes.plot(SIGMAS, gains, line, color=color, marker=marker, markersize=4,
                              label=f"{name} over {baseline}")  # fmt: skip
            axes.set_title(f"{network}, {technology}")
        axes.axhline(1.0, color="black", linewidth=0.6)
        axes.set(xlabel="sigma of the weights")
        axes.grid(visible=True, linewidth=0.3)
    panels[0].set_ylabel("throughput per area, buffers left out")
    entries = panels[0].get_legend_handles_labels()
    figure.legend(*entries, loc="outside lower center", ncols=3, frameon=False)
    save(figure, path)


PLOTS: Mapping[str, Plot] = {
    "bitweight_delay.png": delay_plot,
    "bitweight_arrays.png": gain_plot,
    "bitweight_digits.png": digit_plot,
    "bitweight_equal_area.png": equal_area_plot,
}
"""File to picture."""
