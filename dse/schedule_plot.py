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
    epochs = TILES + schedule.delay(Age.WEIGHED) + 1
    for epoch in range(epochs + 1):
        axes.axvline(epoch * params.epoch, color="0.8", linewidth=0.8, zorder=0)
    axes.set_yticks(range(TILES), [f"tile {tile}" for tile in range(TILES)])
    axes.set_ylim(TILES - 0.5, -0.5)
    axes.set_xlim(0, epochs * params.epoch)
    axes.set_xlabel(f"cycle of the first element; an epoch is {params.epoch} cycles")
    axes.set_title(
        f"{params.side}x{params.side} elements above, lanes below; E = {params.e}, F = {params.f}, "
        f"{params.exp_slots} slots to a weight"
    )
    patches = [Patch(color=colour, label=name) for name, colour in COLOURS.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    figure.savefig(path, dpi=120, metadata={"Software": None} if path.suffix == ".png" else None)


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
                colour = COLOURS[PURPOSES.get(op.name, "weights")]
                axes.broken_barh([(start, 1)], (bottom, 0.36), color=colour)
    left = next(start for op, start in lanes if op == LaneOp.MAXIMUM)
    back = next(start for op, start in elements if op == PeOp.SUBTRACT)
    axes.annotate(
        "",
        (back + 0.5, tile - 0.05),
        (left + 0.5, tile + 0.05),
        arrowprops={"arrowstyle": "->", "color": COLOURS["maximum"]},
    )
