"""The tile table of a workload as a program of steps, what repeats written once."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from archmodels.attention.tiles import Span
from archmodels.attention.waits import Program, Repeat, Step
from designs.rules import Int, ceil_div

Runs: TypeAlias = tuple[range, ...]
"""Key tiles that a query tile sees, in ascending order."""

Inside: TypeAlias = Callable[[int, int], Iterator[Step | Repeat]]
"""The blocks from one on to before another, all of them inside a stretch."""


def program(span: Span, groups: int, block: int, heads: int) -> Program:
    """All tiles of `heads` heads of keys, each for so many groups of heads of queries.

    `span` is that of one group, `block` the query tiles that share tiles of keys and values.
    """
    tiles = int(span.tiles)
    if span.step == 0:
        # Query tiles that all see the same are as good as groups.
        groups, tiles = groups * tiles, 1
    # After so many groups a block ends with a group.
    joint = block // math.gcd(block, tiles)
    whole = tuple(_Blocks(span, tiles, joint, block).all()) if groups >= joint else ()
    rest = tuple(_Blocks(span, tiles, groups % joint, block).all())
    return (Repeat((Repeat(whole, groups // joint), *rest), heads),)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Blocks of `size` query tiles, of so many groups of `tiles` query tiles each.

    In a stretch of query tiles, ends of what they see stay where they are or move all alike: block
    by block, or some blocks later, tiles with the same users are only more, or as many.
    """

    span: Span
    tiles: int
    groups: int
    size: int

    def all(self) -> Iterator[Step | Repeat]:
        """All blocks."""
        s, end = self.span, self.tiles - 1
        # The first query tile that does not see all keys before it, and the last one, whose own end
        # may be cut off.
        later = min(int(ceil_div(max(-s.oldest, 0), max(s.step, 1))), end)
        stretches: list[tuple[int, Inside]] = []
        for start in range(0, self.groups * self.tiles, self.tiles):
            stretches += [
                (start, self._growing),
                (start + later, self._moving),
                (start + end, self._each),
            ]
        return self._cut(0, ceil_div(self.groups * self.tiles, self.size), stretches)

    def _each(self, first: int, end: int) -> Iterator[Step | Repeat]:
        """Blocks one by one."""
        query_tiles = self.groups * self.tiles
        for start in range(first * self.size, end * self.size, self.size):
            block = range(start, min(start + self.size, query_tiles))
            yield from _block([self.span.runs(tile % self.tiles) for tile in block])

    def _growing(self, first: int, end: int) -> Iterator[Step | Repeat]:
        """Blocks that do not leave behind what they see."""
        return self._alike(first, end, self._tiles(self.span.side), self._each)

    def _moving(self, first: int, end: int) -> Iterator[Step | Repeat]:
        """Blocks that leave behind a unit of keys after another."""
        return self._alike(first, end, self._tiles(self.span.unit), self._units)

    def _tiles(self, keys: Int) -> int:
        """Query tiles after which ends of what they see are so many keys later."""
        return int(keys // max(self.span.step, 1))

    def _units(self, first: int, end: int) -> Iterator[Step | Repeat]:
        """The same, cut where a unit is left behind."""
        s, start = self.span, first * self.size // self.tiles * self.tiles
        oldest, newest = (s.oldest + (at * self.size - start) * s.step for at in (first, end))
        units = range(oldest // s.unit * s.unit, newest, s.unit)
        cuts = (start + int(ceil_div(unit - s.oldest, s.step)) for unit in units)
        return self._cut(first, end, ((cut, self._growing) for cut in cuts))

    def _cut(
        self, first: int, end: int, stretches: Iterable[tuple[int, Inside]]
    ) -> Iterator[Step | Repeat]:
        """Blocks, of which stretches from these query tiles on have their own way."""
        for (start, inside), (stop, _) in pairwise([*stretches, (end * self.size, self._each)]):
            begin, behind = max(ceil_div(start, self.size), first), stop // self.size
            if begin < behind:
                yield from self._each(first, begin)
                yield from inside(begin, behind)
                first = behind
        yield from self._each(first, end)

    def _alike(self, first: int, end: int, period: int, inside: Inside) -> Iterator[Step | Repeat]:
        """Blocks of a stretch in which all is alike, but for growth, after `period` query tiles."""
        apart = math.lcm(period, self.size) // self.size
        while first + 2 * apart <= end:
            body = tuple(inside(first, first + apart))
            grown = _grown(body, tuple(inside(first + apart, first + 2 * apart)))
            # Runs of a tile or two are of another form than those that they grow to.
            times = 1 if grown is None else (end - first) // apart
            yield from body if grown is None else (Repeat(grown, times),)
            first += times * apart
        yield from inside(first, end)


def _grown(body: Program, following: Program) -> Program | None:
    """A body that grows on as it does to the following one; None where that is another."""
    if len(body) != len(following):
        return None
    parts: list[Step | Repeat] = []
    for part, other in zip(body, following, strict=True):
        if isinstance(part, Repeat) and isinstance(other, Repeat) and part.body == other.body:
            parts.append(replace(part, more=other.times - part.times))
        elif part == other:
            parts.append(part)
        else:
            return None
    return tuple(parts)


def _block(spans: list[Runs]) -> Iterator[Step | Repeat]:
    """A block of query tiles that see these key tiles, those with the same users only once."""
    marks = sorted({key for runs in spans for run in runs for key in (run[0], run[-1])})
    for key, following in zip(marks, [*marks[1:], None], strict=False):
        yield from _steps(spans, key, is_end=following is None)
        if following is not None and following > key + 1:
            between = tuple(_steps(spans, key + 1, is_end=False))
            if between:
                yield Repeat(between, following - key - 1)


def _steps(spans: list[Runs], key: int, *, is_end: bool) -> Iterator[Step]:
    """The tiles of a block with one tile of keys."""
    users = [runs for runs in spans if any(run[0] <= key <= run[-1] for run in runs)]
    for place, runs in enumerate(users):
        is_done = place == len(users) - 1
        yield Step(
            first=key == runs[0][0],
            last=key == runs[-1][-1],
            keys_begin=place == 0,
            keys_end=is_done,
            leaving=len(spans) if is_done and is_end else 0,
        )
