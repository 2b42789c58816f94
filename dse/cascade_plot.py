"""The picture of a cascade: which tensor is made of which, in bands of one pass each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from archmodels import cascade as model
from archmodels.cascade.passes import walks
from designs.cascade import At, Cascade, Einsum
from dse.cascade_text import folds, when

INPUT, MADE, HELD = "#ffffff", "#d9e8f5", "#f7d9b5"
BANDS = ("#f4f4f4", "#e6e6e6")
EDGE, AGAIN, CARRIED = "#555555", "#d55e00", "#0072b2"
"""The last two, vermilion and blue, are of Okabe and Ito's palette."""

LINE = 0.9  # points
BEND = 0.3  # of an arc, as a part of its chord
COLUMN_INCHES, ROW_INCHES, MARGIN_INCHES = 1.75, 0.85, 1.1
HALF_WIDTH, HALF_HEIGHT = 0.42, 0.3  # of a box, in columns and rows
DOTS_PER_INCH = 110
SWEEPS = 8  # of the ordering within columns, which settles earlier

Spot: TypeAlias = tuple[float, float]


@dataclass(slots=True)
class _Layout:
    """Columns of names: tensors, and (tensor, reader, column) where an edge passes by."""

    columns: list[list[object]] = field(default_factory=list)
    column_of: dict[object, int] = field(default_factory=dict)
    rows: dict[object, float] = field(default_factory=dict)
    bands: list[tuple[str, int, int]] = field(default_factory=list)

    def spot(self, name: object) -> Spot:
        return self.column_of[name], self.rows[name]


def draw(cascade: Cascade, found: model.Passes, path: Path) -> None:
    """A PNG or SVG, by the end of its name, the same bytes on every run.

    Dashed arrows lead to the next step of an iteration, and are no needs within one. What must be
    live from one walk over the rank to another is orange.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    edges = model.edges(cascade)
    layout = _layout(cascade, found, edges)
    height = max(map(len, layout.columns))
    size = (COLUMN_INCHES * len(layout.columns), ROW_INCHES * height + MARGIN_INCHES)
    with rc_context({"svg.hashsalt": cascade.name}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.set_xlim(-0.55, len(layout.columns) - 0.45)
        axes.set_ylim(-height / 2 - 0.1, height / 2 + 0.5)
        _bands(axes, layout, height)
        held = {one.tensor for one in model.held(cascade, cascade.family_of(found.ranks[0]))}
        for edge in edges:
            _edge(axes, layout, edge, held)
        for tensor in (*dict(cascade.inputs), *cascade.outputs):
            _box(axes, layout.spot(tensor), cascade, tensor, held)
        axes.set_title(_title(cascade, found), fontsize=10)
        date = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata=date)


def _title(cascade: Cascade, found: model.Passes) -> str:
    plural = "pass" if found.count == 1 else "passes"
    over = f"{found.count} {plural} over {cascade.family_of(found.ranks[0])}"
    return f"{cascade.name}: {over} (orange: live after its pass; dashed: to the next step)"


def _layout(cascade: Cascade, found: model.Passes, edges: Sequence[model.Edge]) -> _Layout:
    layout = _Layout()
    start = 0
    for name, einsums in _groups(cascade, found).items():
        last = _place_band(layout, cascade, edges, einsums, start)
        layout.bands.append((name, start, last))
        start = last + 1
    layout.columns = [[] for _ in range(start)]
    for tensor, column in layout.column_of.items():
        layout.columns[column].append(tensor)
    for edge in edges:
        if not edge.is_carried:
            for column in range(layout.column_of[edge.tensor] + 1, layout.column_of[edge.reader]):
                passing = (edge.tensor, edge.reader, column)
                layout.columns[column].append(passing)
                layout.column_of[passing] = column
    _order(layout, edges)
    return layout


def _groups(cascade: Cascade, found: model.Passes) -> dict[str, list[Einsum]]:
    """The Einsums by the walk that they are in, or after; the name of each band says which."""
    groups: dict[tuple[int, bool], list[Einsum]] = {}
    for one in found.einsums:
        is_walk = walks(cascade, one, found.ranks[:1])
        groups.setdefault((found.levels[one.output.tensor], not is_walk), []).append(one)
    named = {}
    for _, einsums in sorted(groups.items()):
        names = [when(cascade, found, one) for one in einsums]
        whole = [name for name in names if name.isdigit()]
        name = whole[0] if whole else names[0]
        named[f"pass {name}" if whole else name.replace("after ", "after pass ")] = einsums
    return named


def _place_band(
    layout: _Layout,
    cascade: Cascade,
    edges: Sequence[model.Edge],
    einsums: Sequence[Einsum],
    start: int,
) -> int:
    """Columns for the Einsums of a band, and for inputs just before who reads them first.

    Returns the last column.
    """
    own = {one.output.tensor for one in einsums}
    fresh = {tensor for tensor, _ in cascade.inputs} - layout.column_of.keys()
    reads = {one: [e.tensor for e in edges if e.reader == one and not e.is_carried] for one in own}
    fresh &= {tensor for tensors in reads.values() for tensor in tensors}
    for one in einsums:
        tensor = one.output.tensor
        before = [layout.column_of[each] for each in reads[tensor] if each in own]
        before += [start for each in reads[tensor] if each in fresh]
        layout.column_of[tensor] = max(before, default=start - 1) + 1
    for tensor in (name for name, _ in cascade.inputs if name in fresh):
        readers = [layout.column_of[one] for one in own if tensor in reads[one]]
        layout.column_of[tensor] = min(readers) - 1
    return max(layout.column_of[tensor] for tensor in own)


def _order(layout: _Layout, edges: Sequence[model.Edge]) -> None:
    """Rows within the columns: each name near those it is tied to, first leftward, then right."""
    ties: dict[object, list[object]] = {name: [] for column in layout.columns for name in column}
    for edge in edges:
        if not edge.is_carried:
            chain = _chain(layout, edge)
            for left, right in zip(chain, chain[1:], strict=False):
                ties[left].append(right)
                ties[right].append(left)
    _spread(layout)
    for sweep in range(SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for column in layout.columns[::step]:
            means = {name: _mean(layout, name, ties[name], step) for name in column}
            column.sort(key=lambda name: means[name])
            _spread(layout)


def _mean(layout: _Layout, name: object, tied: Sequence[object], step: int) -> float:
    before = [
        layout.rows[other]
        for other in tied
        if (layout.column_of[other] - layout.column_of[name]) * step < 0
    ]
    return sum(before) / len(before) if before else layout.rows[name]


def _spread(layout: _Layout) -> None:
    for column in layout.columns:
        for place, name in enumerate(column):
            layout.rows[name] = place - (len(column) - 1) / 2


def _chain(layout: _Layout, edge: model.Edge) -> list[object]:
    """What an edge goes through, its ends included."""
    columns = range(layout.column_of[edge.tensor] + 1, layout.column_of[edge.reader])
    between = [(edge.tensor, edge.reader, column) for column in columns]
    return [edge.tensor, *between, edge.reader]


def _bands(axes: Any, layout: _Layout, height: int) -> None:
    for place, (name, first, last) in enumerate(layout.bands):
        axes.axvspan(first - 0.5, last + 0.5, color=BANDS[place % len(BANDS)], zorder=0)
        axes.text((first + last) / 2, height / 2 + 0.2, name, ha="center", va="center", fontsize=9)


def _edge(axes: Any, layout: _Layout, edge: model.Edge, held: set[str]) -> None:
    """An arrow that keeps between boxes, level where it passes a column."""
    if edge.is_carried:
        _carried(axes, layout.spot(edge.tensor), layout.spot(edge.reader))
        return
    band = {column: name for name, first, last in layout.bands for column in range(first, last + 1)}
    first, *between, last = (layout.spot(name) for name in _chain(layout, edge))
    is_again = edge.tensor in held and band[int(first[0])] != band[int(last[0])]
    color = AGAIN if is_again else EDGE
    line = [(first[0] + HALF_WIDTH, first[1])]
    for column, row in between:
        line += [(column - HALF_WIDTH, row), (column + HALF_WIDTH, row)]
    xs, ys = zip(*line, strict=True)
    axes.plot(xs, ys, color=color, linewidth=LINE, zorder=1)
    _arrow(axes, line[-1], (last[0] - HALF_WIDTH, last[1]), {"color": color})


def _carried(axes: Any, start: Spot, end: Spot) -> None:
    """A dashed arc below the boxes, to the side of one that is further down."""
    (x, y), (to_x, to_y) = start, end
    bend = BEND if to_x > x else -BEND
    begin = (x, y - HALF_HEIGHT)
    finish = (to_x, to_y - HALF_HEIGHT)
    if start == end:
        begin, finish = (x + HALF_WIDTH / 2, begin[1]), (x - HALF_WIDTH / 2, begin[1])
        bend = 3 * bend
    elif to_y < y:
        side = HALF_WIDTH if to_x < x else -HALF_WIDTH
        finish = (to_x + side, to_y - HALF_HEIGHT / 2)
    style = {"linestyle": (0, (4, 2)), "connectionstyle": f"arc3,rad={bend}", "color": CARRIED}
    _arrow(axes, begin, finish, style)


def _arrow(axes: Any, start: Spot, end: Spot, style: Mapping[str, object]) -> None:
    fixed = {"arrowstyle": "-|>", "linewidth": LINE, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops={**fixed, **style}, zorder=3)


def _box(axes: Any, spot: Spot, cascade: Cascade, tensor: str, held: set[str]) -> None:
    from matplotlib.patches import FancyBboxPatch

    made = cascade.outputs.get(tensor)
    color = HELD if tensor in held else INPUT if made is None else MADE
    column, row = spot
    corner = (column - HALF_WIDTH, row - HALF_HEIGHT)
    box = FancyBboxPatch(corner, 2 * HALF_WIDTH, 2 * HALF_HEIGHT, "round,pad=0,rounding_size=0.08")
    box.set(facecolor=color, edgecolor="black", linewidth=0.8, zorder=2)
    axes.add_patch(box)
    if made is None:
        text = f"{tensor}[{','.join(cascade.ranks_of(tensor))}]".removesuffix("[]")
    else:
        text = "\n".join(filter(None, [str(made.output), _short(made), folds(made)]))
    axes.text(column, row, text, ha="center", va="center", fontsize=7, zorder=4)


def _short(one: Einsum) -> str:
    """The right side without the coordinates that are no other than this one."""
    bare = (
        replace(operand, indices=tuple(i for i in operand.indices if i.at is not At.HERE))
        for operand in one.operands
    )
    return replace(one, operands=tuple(bare)).expression
