"""What group, what size and what shape a core wants, by the type of its activations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from designs.lut_ternary import Activation
from dse.reproduce.figures import ratio
from dse.reproduce.lut_ternary.areas import Areas
from dse.reproduce.lut_ternary.cores import Core, core
from dse.reproduce.lut_ternary.published import TEXT
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Limit, Row, at_least, at_most, between

GROUPS = "Best group, by type of activation and size of the core"
SIZE = "Area per lane, by size of the core"
SHAPE = "Best shape of a core"

SIZES = (8, 16, 32, 64)
"""Activations of a step, and columns."""
INTEGERS = (1, 2, 3)
FLOATS = (1, 2, 3, 4)
SQUARES: Mapping[Activation, Mapping[int, Mapping[int, Core]]] = {
    activation: {size: {mu: core(activation, size, size, mu) for mu in groups} for size in sizes}
    for activation, sizes, groups in (
        (Activation.INT4, (16, 32), INTEGERS),
        (Activation.INT8, SIZES, INTEGERS),
        (Activation.INT16, (16, 32), INTEGERS),
        (Activation.BF16, (32,), FLOATS),
        (Activation.FP16, SIZES, FLOATS),
    )
}
"""Type to size to group to the core of these."""

DEPTHS: Mapping[int, tuple[int, ...]] = {64: (4, 8, 16, 32), 256: (8, 16, 32, 64)}
"""Lanes to the activations of a step that are tried; columns are what is left."""
SHAPES: Mapping[tuple[Activation, int], Mapping[tuple[int, int], Core]] = {
    (activation, lanes): {
        (depth, mu): core(activation, depth, lanes // depth, mu)
        for depth in depths
        for mu in (1, 2)
    }
    for activation in (Activation.INT8, Activation.FP16)
    for lanes, depths in DEPTHS.items()
}
"""Type and lanes to (activations of a step, group) to the core of these."""

EXACT = (
    "pairs pay for integers because widths are exact and negation is free: half of the tree is "
    "saved for reads of four words instead of one, three activations need 13; how much that is, "
    "the library says: sky130hd has gates that join three gated words, sg13g2 two"
)
DEAR = "an adder of fp16 costs ten reads of a pair, so that tables are larger than for integers"
BY_SIZE = "what a builder and the control cost is shared by more lanes; not given in numbers"
WIDE = "columns over activations of a step, of the best of four shapes and of groups of 1 and 2"
REGRET = "area per lane, by synthesis, of what the model would choose, at worst of the rankings"
WINNERS = "rankings in which the model of today and synthesis have the same winner"

BEST: Mapping[Activation, tuple[Limit, str]] = {
    Activation.INT4: (between(1, 2), EXACT),
    Activation.INT8: (between(1, 2), EXACT),
    Activation.INT16: (between(1, 2), EXACT),
    Activation.BF16: (between(2, 3), DEAR),
    Activation.FP16: (between(2, 3), DEAR),
}


def cores() -> list[Core]:
    """All of them, each once."""
    squares = [one for sizes in SQUARES.values() for own in sizes.values() for one in own.values()]
    shapes = [one for own in SHAPES.values() for one in own.values()]
    return [*{one.name: one for one in (*squares, *shapes)}.values()]


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """Groups, sizes, shapes."""
    for own in (_group_rows, _size_rows, _shape_rows):
        for technology in technologies:
            yield from own(Areas(measurements, technology))


def _group_rows(areas: Areas) -> Iterator[Row]:
    for activation, sizes in SQUARES.items():
        kind = activation.name.lower()
        limit, reason = BEST[activation]
        for size, groups in sizes.items():
            yield Row(
                section=GROUPS,
                what=f"best group, {kind}, {size}x{size}",
                technology=areas.technology,
                ours=areas.best(groups),
                limit=limit,
                reason=reason,
            )
        for size, groups in sizes.items():
            wanted = between(1.03, 1.4) if (kind, size) == ("int8", 32) else None
            yield Row(
                section=GROUPS,
                what=f"no tables over groups of 2, {kind}, {size}x{size}",
                technology=areas.technology,
                ours=areas.over(groups[1], groups[2]),
                limit=wanted,
                reason=reason,
            )
        yield from _winners(areas, GROUPS, f"best group, {kind}", [*sizes.values()])


def _size_rows(areas: Areas) -> Iterator[Row]:
    for kind in (Activation.INT8, Activation.FP16):
        per_mac = {size: _least_per_mac(areas, SQUARES[kind][size]) for size in SIZES}
        for small, large in zip(SIZES, SIZES[1:], strict=False):
            yield Row(
                section=SIZE,
                what=f"{large}x{large} over {small}x{small}, {kind.name.lower()}, best groups",
                technology=areas.technology,
                ours=ratio(per_mac[large], per_mac[small]),
                limit=at_most(0.999),
                source=TEXT,
                reason=BY_SIZE,
            )


def _least_per_mac(areas: Areas, groups: Mapping[int, Core]) -> float | None:
    best = areas.best(groups)
    return None if best is None else areas.per_mac_um2(groups[best])


def _shape_rows(areas: Areas) -> Iterator[Row]:
    wanted = {Activation.INT8: at_most(1), Activation.FP16: at_least(1.001)}
    for (kind, lanes), own in SHAPES.items():
        best = areas.best(own)
        yield Row(
            section=SHAPE,
            what=f"columns per activation, {kind.name.lower()}, {lanes} lanes",
            technology=areas.technology,
            ours=None if best is None else lanes / best[0] ** 2,
            limit=wanted[kind],
            source=TEXT,
            reason=WIDE,
        )
    yield from _winners(areas, SHAPE, "best shape and group", [*SHAPES.values()])


def _winners(
    areas: Areas, section: str, what: str, rankings: Sequence[Mapping[Any, Core]]
) -> Iterator[Row]:
    yield Row(
        section=section,
        what=f"rankings with the same {what}, of {len(rankings)}",
        technology=areas.technology,
        ours=areas.agreements(rankings),
        limit=at_least(len(rankings)),
        reason=WINNERS,
    )
    yield Row(
        section=section,
        what=f"the model's {what}, over the best",
        technology=areas.technology,
        ours=areas.regret(rankings),
        limit=at_most(1.03),
        reason=REGRET,
    )
