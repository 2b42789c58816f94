"""Operations of a cascade, by kind: exact, for sizes that are ints or arrays."""

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations, product
from typing import TypeAlias

from archmodels.cascade.filtered import Side, boxes, kept, spans
from archmodels.cascade.graph import ordered
from designs.cascade import At, Cascade, Einsum, Extents, Filter
from designs.rules import Int, RuleError

Kept: TypeAlias = tuple[tuple[Filter, ...], ...]
"""Points of any of these sets, each of the points that all of its filters keep."""

ALL: Kept = ((),)
"""All points."""


def operations(cascade: Cascade, extents: Extents) -> dict[str, dict[str, Int]]:
    """Tensor to operations by kind: map operators, functions, and one fold per point folded.

    Points that are filtered away are not counted, nor those of Einsums that read them, as long as
    both ranks of the filter are there. Moves without an operator count nothing. Raises RuleError
    for filters that cannot be counted: see `points`.
    """
    sets = _filters(cascade)
    return {
        one.output.tensor: _counts(cascade, extents, one, sets[one.output.tensor])
        for one in cascade.einsums
    }


def total_operations(cascade: Cascade, extents: Extents) -> dict[str, Int]:
    """Operations of the whole cascade by kind."""
    total: dict[str, Int] = {}
    for counts in operations(cascade, extents).values():
        for kind, count in counts.items():
            total[kind] = total.get(kind, 0) + count
    return total


def points(
    cascade: Cascade, extents: Extents, ranks: Sequence[str], filters: Iterable[Filter]
) -> Int:
    """Points over `ranks` that every filter keeps.

    Raises RuleError for filters of what is not walked, of a family and of its ranks at once, and
    for ranks that are compared in a ring.
    """
    bounds = spans(filters)
    names = sorted({name for compared in bounds for name in compared})
    parts = [_boxes(cascade, extents, axis, names) for axis in axes(cascade, ranks)]
    for name in names:
        if not any(name in part[0] for part in parts):
            rule = f"compare what is walked, to be counted, not {name}"
            beside = [one for one in names if name in cascade.families.get(one, ()) and name != one]
            if beside:
                rule = (
                    f"compare a family or its ranks, to be counted, not {beside[0]} beside {name}"
                )
            raise RuleError("where", f"where must {rule}")
    total: Int = 0
    for found in product(*parts):
        box = {name: side for part in found for name, side in part.items()}
        total = total + kept(box, bounds)
    return total


def _boxes(
    cascade: Cascade, extents: Extents, axis: str, names: Collection[str]
) -> list[dict[str, Side]]:
    """The coordinates of an axis; of a family by rank, where one of its ranks is named."""
    ranks = cascade.families.get(axis, (axis,))
    if axis in names or not {*ranks} & {*names}:
        return [{axis: Side(first=0, last=extents.of(axis) - 1)}]
    found = boxes(extents.of(axis), [extents.of(rank) for rank in ranks[1:]])
    return [dict(zip(ranks, sides, strict=True)) for sides in found]


def axes(cascade: Cascade, ranks: Sequence[str]) -> tuple[str, ...]:
    """`ranks`, those of a whole family as that family."""
    found: dict[str, None] = {}
    for rank in ranks:
        family = cascade.family_of(rank)
        is_whole = {*cascade.families[family]} <= {*ranks}
        found[family if is_whole and cascade.own(rank) == rank else rank] = None
    return tuple(found)


def _counts(cascade: Cascade, extents: Extents, one: Einsum, sets: Kept) -> dict[str, Int]:
    counts: dict[str, Int] = {}
    ranks = [*one.ranks]

    def add(kind: str) -> None:
        here = [tuple(i for i in every if _ranks(cascade, i) <= {*ranks}) for every in sets]
        counts[kind] = counts.get(kind, 0) + _any(cascade, extents, ranks, _least(here))

    for operator in one.operators:
        add(operator)
    if one.function:
        add(one.function)
    before = ""
    for item in reversed(one.reductions):
        if item.operator != before:  # ranks that are folded alike are folded as one
            add(item.operator)
        before = item.operator
        ranks.remove(item.rank)
    return counts


def _any(cascade: Cascade, extents: Extents, ranks: Sequence[str], sets: Kept) -> Int:
    """Points over `ranks` of any of some sets: of each, less those that two have, and so on."""
    total: Int = 0
    for count in range(1, len(sets) + 1):
        for chosen in combinations(sets, count):
            every = dict.fromkeys(item for one in chosen for item in one)
            both = points(cascade, extents, ranks, every)
            total = total + both if count % 2 else total - both
    return total


def _filters(cascade: Cascade) -> dict[str, Kept]:
    """Tensor to the points at which its Einsum has any, its operands' filters among the filters."""
    found: dict[str, Kept] = {}
    for one in ordered(cascade):
        read = [
            _least(
                tuple(
                    item
                    for item in every
                    if all(operand.position(rank) is At.HERE for rank in _ranks(cascade, item))
                )
                for every in found.get(operand.tensor, ALL)
            )
            for operand in one.operands
        ]
        sets, *others = read
        for merge, other in zip(one.merges, others, strict=True):
            match merge:
                case "intersection":
                    sets = _both(sets, other)
                case "union":
                    sets = _least([*sets, *other])
                case "right":
                    sets = other
        found[one.output.tensor] = _both(sets, (one.filters,))
    return found


def _both(sets: Kept, others: Kept) -> Kept:
    """The points that are in some of one and in some of the other."""
    pairs = product(sets, others)
    return _least(tuple(dict.fromkeys([*one, *other])) for one, other in pairs)


def _least(sets: Iterable[tuple[Filter, ...]]) -> Kept:
    """The same points without sets that another one holds."""
    found: list[tuple[Filter, ...]] = []
    for one in sorted(sets, key=len):
        if not any({*other} <= {*one} for other in found):
            found.append(one)
    return tuple(found)


def _ranks(cascade: Cascade, item: Filter) -> set[str]:
    return {rank for name in item.names for rank in cascade.families.get(name, (name,))}
