"""Pictures of the reproduction."""

from collections.abc import Mapping
from math import nan
from pathlib import Path

from designs.lut_ternary import Activation
from dse.plot import STYLES
from dse.reproduce.lut_ternary import accelerators
from dse.reproduce.lut_ternary.areas import Areas
from dse.reproduce.lut_ternary.sizes import SIZES, SQUARES
from dse.reproduce.measurements import Measurements
from dse.reproduce.panels import save, side_by_side
from dse.reproduce.paper import Plot, Technologies

PANEL_INCHES = (4.4, 3.9)
GB_PER_S = (1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)


def size_plot(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Area of a lane over the size of the core, by group, in the first technology."""
    kinds = (Activation.INT8, Activation.FP16)
    figure, panels = side_by_side(len(kinds), PANEL_INCHES)
    areas = Areas(found, technologies[0])
    for axes, kind in zip(panels, kinds, strict=True):
        for mu, (color, marker) in zip((1, 2, 3, 4), STYLES, strict=False):
            own = [SQUARES[kind][size][mu] for size in SIZES if mu in SQUARES[kind][size]]
            if not own:
                continue
            measured = [areas.per_mac_um2(core) or nan for core in own]
            modelled = [(areas.modelled_um2(core) or nan) / core.lanes for core in own]
            label = f"groups of {mu}" if mu > 1 else "no tables"
            axes.plot(SIZES, measured, color=color, marker=marker, label=label)
            axes.plot(SIZES, modelled, color=color, marker=marker, linestyle=":", fillstyle="none")
        axes.plot([], [], color="black", linestyle=":", label="model")
        axes.set_xscale("log", base=2)
        axes.set_xticks(SIZES, [f"{size}x{size}" for size in SIZES])
        axes.set(title=f"{kind.name.lower()}, {areas.technology}", xlabel="activations x columns")
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, linewidth=0.3)
    panels[0].set_ylabel("area per lane [um2]")
    panels[-1].legend(frameon=False)
    save(figure, path)


def bandwidth_plot(found: Measurements, technologies: Technologies, path: Path) -> None:
    """Tokens per second over bandwidth, and per area, in the first technology."""
    figure, (left, right) = side_by_side(2, PANEL_INCHES)
    technology = technologies[0]
    for place, name in enumerate(accelerators.NAMES):
        color, marker = STYLES[place % len(STYLES)]
        area = found.figure(technology, name, "area_um2")
        delay = found.figure(technology, name, "delay_ps")
        if delay is None:
            continue
        clock = accelerators.clock_mhz(delay)
        rates = [1 / accelerators.decoding(name, technology, clock, at).seconds for at in GB_PER_S]
        densities = [rate / (area * 1e-6) if area else nan for rate in rates]
        line = "-" if place < len(STYLES) else "--"
        for axes, values in ((left, rates), (right, densities)):
            axes.loglog(
                GB_PER_S, values, line, color=color, marker=marker, markersize=4, label=name
            )
    for axes, what in ((left, "tokens per second"), (right, "tokens per second and mm2 of core")):
        axes.set(title=f"{what}, {technology}", xlabel="bandwidth [GB/s]")
        axes.grid(visible=True, which="both", linewidth=0.3)
    left.legend(frameon=False, fontsize="small")
    save(figure, path)


PLOTS: Mapping[str, Plot] = {
    "lut_ternary_sizes.png": size_plot,
    "lut_ternary_bandwidth.png": bandwidth_plot,
}
"""File to picture."""
