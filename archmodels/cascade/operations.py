"""Operations of a cascade, by kind: exact, for sizes that are ints or arrays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archmodels.cascade.graph import ordered
from designs.cascade import At, Cascade, Einsum, Extents, Filter
from designs.rules import Int, RuleError, maximum, minimum


@dataclass(frozen=True, kw_only=True, slots=True)
class _Span:
    """Bounds, both included and None where there is none, of a coordinate or of a difference."""

    low: int | None = None
    high: int | None = None

    def within(self, other: "_Span") -> "_Span":
        lows = [one for one in (self.low, other.low) if one is not None]
        highs = [one for one in (self.high, other.high) if one is not None]
        return _Span(low=max(lows, default=None), high=min(highs, default=None))


def operations(cascade: Cascade, extents: Extents) -> dict[str, dict[str, Int]]:
    """Tensor to operations by kind: map operators, functions, and one fold per point folded.

    Points that are filtered away are not counted, nor those of Einsums that read them, as long as
    both ranks of the filter are there. Moves without an operator count nothing. Raises RuleError
    for filters that cannot be counted: see `points`, and unions of points of which neither holds
    the other.
    """
    kept = _filters(cascade)
    return {
        one.output.tensor: _counts(cascade, extents, one, kept[one.output.tensor])
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

    Raises RuleError for filters that do not compare separate pairs of what is walked.
    """
    sizes = {axis: extents.of(axis) for axis in axes(cascade, ranks)}
    total: Int = 1
    for names, span in _spans(filters).items():
        for name in names:
            if name not in sizes:
                rule = "compare what is walked, each rank in one pair of filters"
                raise RuleError("where", f"where must {rule}, to be counted, and {name} is not so")
        total = total * _kept([sizes.pop(name) for name in names], span)
    for size in sizes.values():
        total = total * size
    return total


def axes(cascade: Cascade, ranks: Sequence[str]) -> tuple[str, ...]:
    """`ranks`, those of a whole family as that family."""
    found: dict[str, None] = {}
    for rank in ranks:
        family = cascade.family_of(rank)
        is_whole = {*cascade.families[family]} <= {*ranks}
        found[family if is_whole and cascade.own(rank) == rank else rank] = None
    return tuple(found)


def _counts(
    cascade: Cascade, extents: Extents, one: Einsum, filters: Sequence[Filter]
) -> dict[str, Int]:
    counts: dict[str, Int] = {}
    ranks = [*one.ranks]

    def add(kind: str) -> None:
        kept = [item for item in filters if _ranks(cascade, item) <= {*ranks}]
        counts[kind] = counts.get(kind, 0) + points(cascade, extents, ranks, kept)

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


def _filters(cascade: Cascade) -> dict[str, tuple[Filter, ...]]:
    """Tensor to the filters that hold where its Einsum has points, its operands' among them."""
    found: dict[str, tuple[Filter, ...]] = {}
    for one in ordered(cascade):
        read = [
            [
                item
                for item in found.get(operand.tensor, ())
                if all(operand.position(rank) is At.HERE for rank in _ranks(cascade, item))
            ]
            for operand in one.operands
        ]
        kept, *others = read
        for merge, other in zip(one.merges, others, strict=True):
            match merge:
                case "intersection":
                    kept = [*kept, *other]
                case "union":
                    kept = _either(one, kept, other)
                case "right":
                    kept = other
        found[one.output.tensor] = tuple(dict.fromkeys([*kept, *one.filters]))
    return found


def _either(one: Einsum, left: Sequence[Filter], right: Sequence[Filter]) -> list[Filter]:
    """The filters of what is at the points of either operand. Raises RuleError for two sets."""
    both = [item for item in left if item in right]
    if len(both) < min(len({*left}), len({*right})):
        rule = "keep all the points of one operand for the other, to be counted"
        raise RuleError("where", f"where must {rule}, and in {one} it does not")
    return both


def _ranks(cascade: Cascade, item: Filter) -> set[str]:
    return {rank for name in item.names for rank in cascade.families.get(name, (name,))}


def _spans(filters: Iterable[Filter]) -> Mapping[tuple[str, ...], _Span]:
    """Pairs (or single ranks) that are compared, with the bounds of first less second."""
    found: dict[tuple[str, ...], _Span] = {}
    for item in filters:
        span = _span(item)
        names = item.names
        if names[::-1] in found and len(names) > 1:
            names = names[::-1]
            low, high = span.low, span.high
            span = _Span(low=None if high is None else -high, high=None if low is None else -low)
        found[names] = found.get(names, _Span()).within(span)
    return found


def _span(item: Filter) -> _Span:
    match item.relation:
        case "<=":
            return _Span(high=item.offset)
        case "<":
            return _Span(high=item.offset - 1)
        case ">=":
            return _Span(low=item.offset)
        case ">":
            return _Span(low=item.offset + 1)
        case _:
            return _Span(low=item.offset, high=item.offset)


def _kept(sizes: Sequence[Int], span: _Span) -> Int:
    """Points of one rank, or of two, within a span."""
    upto = _upto if len(sizes) == 1 else _pairs_upto
    most: Int = 1
    for size in sizes:
        most = most * size
    above = most if span.high is None else upto(sizes, span.high)
    below: Int = 0 if span.low is None else upto(sizes, span.low - 1)
    return maximum(above - below, 0)


def _upto(sizes: Sequence[Int], bound: int) -> Int:
    """Coordinates from 0 that are at most `bound`."""
    return minimum(maximum(bound + 1, 0), sizes[0])


def _pairs_upto(sizes: Sequence[Int], bound: int) -> Int:
    """Pairs (a, b) with a - b <= bound: the sum over b of how many a there are."""
    a, b = sizes
    return _staircase(b + bound, a) - _staircase(bound, a)


def _staircase(end: Int, size: Int) -> Int:
    """The sum over t <= end of t held between 0 and `size`."""
    inside = minimum(maximum(end, 0), size)
    return inside * (inside + 1) // 2 + maximum(end - size, 0) * size
