"""Points of a box that filters leave, counted without walking them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from archmodels.distinct import distinct
from designs.cascade import Filter
from designs.rules import Int, Ints, RuleError, maximum, minimum

COUNT_MAX = 2**63
"""Of points, from which on arrays of int64 do not hold them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Bounds, both included and None where there is none, of a coordinate or of a difference."""

    low: int | None = None
    high: int | None = None

    @classmethod
    def of(cls, item: Filter) -> "Span":
        """Of what a filter compares: a coordinate, or its first less its second one."""
        match item.relation:
            case "<=":
                return cls(high=item.offset)
            case "<":
                return cls(high=item.offset - 1)
            case ">=":
                return cls(low=item.offset)
            case ">":
                return cls(low=item.offset + 1)
            case _:
                return cls(low=item.offset, high=item.offset)

    def within(self, other: "Span") -> "Span":
        """Both at once."""
        lows = [one for one in (self.low, other.low) if one is not None]
        highs = [one for one in (self.high, other.high) if one is not None]
        return Span(low=max(lows, default=None), high=min(highs, default=None))

    def turned(self) -> "Span":
        """Of the second less the first."""
        return Span(
            low=None if self.high is None else -self.high,
            high=None if self.low is None else -self.low,
        )


Spans: TypeAlias = Mapping[tuple[str, ...], Span]
"""What is bounded: coordinates, and of pairs the first less the second, each pair one way round."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """Coordinates of a box along an axis, both ends included; none where the last is less."""

    first: Int
    last: Int

    @property
    def count(self) -> Int:
        """How many they are."""
        return maximum(self.last - self.first + 1, 0)

    def within(self, span: Span) -> "Side":
        """Those within bounds."""
        return Side(
            first=self.first if span.low is None else maximum(self.first, span.low),
            last=self.last if span.high is None else minimum(self.last, span.high),
        )


def spans(filters: Iterable[Filter]) -> Spans:
    """The bounds that filters put."""
    found: dict[tuple[str, ...], Span] = {}
    for item in filters:
        names, span = item.names, Span.of(item)
        if names[1:] == names[:1]:  # a coordinate is its own neighbour always, or never
            holds = Side(first=0, last=0).within(span).count == 1
            names, span = names[:1], Span() if holds else Span(low=0, high=-1)
        elif names[::-1] in found:
            names, span = names[::-1], span.turned() if len(names) > 1 else span
        found[names] = found.get(names, Span()).within(span)
    return found


def kept(box: Mapping[str, Side], bounds: Spans) -> Int:
    """Points of a box within bounds. Raises RuleError for axes that are compared in a ring."""
    sides = {name: side.within(bounds.get((name,), Span())) for name, side in box.items()}
    links = {(one[0], one[1]): span for one, span in bounds.items() if len(one) > 1}
    total: Int = 1
    left = [*sides]
    while left:
        names = _linked(left[0], links)
        left = [name for name in left if name not in names]
        own = {pair: span for pair, span in links.items() if pair[0] in names}
        if len(own) >= len(names):
            rule = "not compare ranks in a ring, to be counted"
            raise RuleError("where", f"where must {rule}, as it does {', '.join(sorted(names))}")
        total = total * _component({name: sides[name] for name in names}, own)
    return total


def _linked(name: str, links: Mapping[tuple[str, str], Span]) -> list[str]:
    """Axes that are compared with one, with one of those, and so on."""
    found = [name]
    for one in found:
        ends = [end for pair in links if one in pair for end in pair]
        found += [end for end in dict.fromkeys(ends) if end not in found]
    return found


def _component(sides: Mapping[str, Side], links: Mapping[tuple[str, str], Span]) -> Int:
    """Points over axes that are compared with each other, along the branches of a tree."""
    if not links:
        return next(iter(sides.values())).count
    if len(links) == 1:
        (((one, other), span),) = links.items()
        return _pairs(sides[one], sides[other], span)

    def branched(*ends: int) -> tuple[int]:
        numbers = dict(zip(sides, zip(ends[::2], ends[1::2], strict=True), strict=True))
        return (_Tree(numbers, links).count(),)

    (found,) = distinct(
        branched, *(end for side in sides.values() for end in (side.first, side.last))
    )
    return found


def _pairs(one: Side, other: Side, span: Span) -> Int:
    """Pairs of coordinates, the first less the second within a span."""
    counts, apart = (one.count, other.count), other.first - one.first
    above = counts[0] * counts[1]
    if span.high is not None:
        above = _pairs_upto(*counts, span.high + apart)
    below: Int = 0 if span.low is None else _pairs_upto(*counts, span.low - 1 + apart)
    return maximum(above - below, 0)


def _pairs_upto(one: Int, other: Int, bound: Int) -> Int:
    """Pairs (a, b) from 0 on with a - b <= bound: the sum over b of how many a there are."""
    return _staircase(other + bound, one) - _staircase(bound, one)


def _staircase(end: Int, size: Int) -> Int:
    """The sum over t <= end of t held between 0 and `size`."""
    inside = minimum(maximum(end, 0), size)
    return inside * (inside + 1) // 2 + maximum(end - size, 0) * size


@dataclass(frozen=True, slots=True)
class _Tree:
    """First and last coordinate of axes, and the bounds along the branches between them."""

    sides: Mapping[str, tuple[int, int]]
    links: Mapping[tuple[str, str], Span]

    def count(self) -> int:
        """All points."""
        return int(self._points(next(iter(self.sides)), "").sum())

    def _points(self, name: str, parent: str) -> Ints:
        """For each coordinate of an axis, points over it and the branches away from `parent`."""
        first, last = self.sides[name]
        coordinates = np.arange(first, last + 1, dtype=np.int64)
        total: Ints = np.ones(len(coordinates), dtype=self._dtype())
        for pair, span in self.links.items():
            if name not in pair or parent in pair:
                continue
            child, bounds = (pair[1], span) if pair[0] == name else (pair[0], span.turned())
            below = self._points(child, name)
            upto = np.concatenate([np.zeros(1, below.dtype), np.cumsum(below)])
            start, size = self.sides[child][0], len(below)
            lows = 0 if bounds.high is None else coordinates - bounds.high - start
            highs = size if bounds.low is None else coordinates - bounds.low - start + 1
            lows, highs = np.clip(lows, 0, size), np.clip(highs, 0, size)
            total = total * (upto[np.maximum(highs, lows)] - upto[lows])
        return total

    def _dtype(self) -> type:
        """Of ints of any size, where some may be needed."""
        box = math.prod(max(last - first + 1, 1) for first, last in self.sides.values())
        return np.int64 if box < COUNT_MAX else object


def boxes(size: Int, counts: Sequence[Int]) -> list[list[Side]]:
    """The coordinates below `size`, written with digits, outermost first, as boxes of digits.

    counts: how many values a digit has, of all but the outermost one
    """
    strides: list[Int] = [1]
    for count in reversed(counts):
        strides.insert(0, strides[0] * count)
    digits = [size // strides[0]]
    digits += [size // stride % count for stride, count in zip(strides[1:], counts, strict=True)]
    found = []
    for place, digit in enumerate(digits):
        same = [Side(first=one, last=one) for one in digits[:place]]
        free = [Side(first=0, last=count - 1) for count in counts[place:]]
        found.append([*same, Side(first=0, last=digit - 1), *free])
    return found
