"""The picture of an attention engine's schedule: what runs when, tile by tile."""

from pathlib import Path
from typing import Any

from designs.attention import AttentionParams
from designs.attention.schedule import Age, LaneOp, PeOp, Schedule

TILES = 4
"""Tiles that the picture shows: enough to see how they overlap."""

COLOURS = {
    "scores": "#0072b2",
    "masks": "#999999",
    "maximum": "#009e73",
    "weights": "#cc79a7",
    "sum": "#f0e442",
    "numerator": "#d55e00",
}
"""What a slot is for, to its colour; the palette is Okabe and Ito's, for every colour vision."""

PURPOSES = {
    "SCORE": "scores",
    "UPPER": "masks",
    "LOWER": "masks",
    "MAXIMUM": "maximum",
    "SUM": "sum",
    "SCALE_SUM": "sum",
    "SCALE": "numerator",
    "WEIGH": "numerator",
}
"""What an op is for, by its name; what is not here is a step of an exponential."""


def schedule_plot(params: AttentionParams, path: Path) -> None:
    """A picture, PNG or SVG by the ending of `path`: the first element and the first lane at work.

    A row for each of some tiles; above its slots in the element, below those in the lane, which
    come `side` cycles later; an arrow for the maximum on its way back to the top.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    schedule = Schedule.of(params)
    figure = Figure(figsize=(11, 1.5 + 0.75 * TILES), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for tile in range(TILES):
        _tile(axes, params, schedule, tile)
    # The lanes are `side` cycles behind, and a margin of half as many behind the last of them.
    end = (TILES + schedule.delay(Age.WEIGHED)) * params.epoch + params.side * 3 // 2
    for start in range(0, end, params.epoch):
        axes.axvline(start, color="0.8", linewidth=0.8, zorder=0)
    axes.set_yticks(range(TILES), [f"tile {tile}" for tile in range(TILES)])
    axes.set_ylim(TILES - 0.5, -0.5)
    axes.set_xlim(0, end)
    axes.set_xlabel(f"cycle of the first element; an epoch is {params.epoch} cycles")
    axes.set_title(
        f"{params.side}x{params.side} elements above, lanes below; E = {params.e}, F = {params.f}, "
        f"{params.exp_slots} slots to a weight"
    )
    shown = {_purpose(op) for slot in schedule.slots for op in (slot.pe, slot.lane) if op}
    patches = [Patch(color=colour, label=name) for name, colour in COLOURS.items() if name in shown]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    figure.savefig(path, dpi=120, metadata={"Software": None} if path.suffix == ".png" else None)


def _purpose(op: PeOp | LaneOp) -> str:
    """What a slot with an op is for."""
    return PURPOSES.get(op.name, "weights")


def _tile(axes: Any, params: AttentionParams, schedule: Schedule, tile: int) -> None:
    """The slots of one tile, and the way of its maximum."""
    elements: list[tuple[PeOp | LaneOp, int]] = []
    lanes: list[tuple[PeOp | LaneOp, int]] = []
    for at, slot in enumerate(schedule.slots):
        start = tile * params.epoch + at
        elements.append((slot.pe, start + schedule.delay(slot.pe_age) * params.epoch))
        late = start + params.side + schedule.delay(slot.lane_age) * params.epoch
        lanes.append((slot.lane, late))
    for ops, bottom in ((elements, tile - 0.4), (lanes, tile + 0.02)):
        for op, start in ops:
            if op:
                axes.broken_barh([(start, 1)], (bottom, 0.36), color=COLOURS[_purpose(op)])
    left = next(start for op, start in lanes if op == LaneOp.MAXIMUM)
    back = next(start for op, start in elements if op == PeOp.SUBTRACT)
    axes.annotate(
        "",
        (back + 0.5, tile - 0.05),
        (left + 0.5, tile + 0.05),
        arrowprops={"arrowstyle": "->", "color": COLOURS["maximum"]},
    )
