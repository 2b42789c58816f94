"""How many tiles a workload has on an engine: pairs of a query tile and a key tile that it sees."""

from dataclasses import dataclass

import numpy as np

from archmodels.attention.shape import Problem, Shape
from archmodels.attention.sums import floor_sum
from designs.attention import Pattern
from designs.rules import Int, ceil_div, maximum, minimum, where


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """What there is to do, in tiles of `side` keys for each group of columns, or of its columns of
    queries.

    queries: query tiles of all heads, each of a group of heads side by side. blocks: of query tiles
    that share each tile of keys and values. kept: lines of the tile table, an epoch each. loads:
    tiles of keys, and of values, that are brought in: once for each block that sees any of them.
    """

    queries: Int
    blocks: Int
    kept: Int
    loads: Int

    @classmethod
    def of(cls, params: Shape, workload: Problem) -> "Tiles":
        """The tiles of a workload on an engine, or of grids of both.

        A block may reach from one group of heads into the next: they share keys and values.
        """
        w = workload
        heads: Int = w.batch * w.kv_heads
        groups: Int = w.share // params.group
        span = Span.of(params, w)
        return cls(
            queries=heads * groups * span.tiles,
            blocks=heads * ceil_div(groups * span.tiles, params.query_tiles),
            kept=heads * groups * span.keys_of_runs(0, 1, span.tiles),
            loads=heads * _loads(span, groups, params.query_tiles),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which keys the query tiles of one group of heads see: from an oldest to a newest position.

    tiles: query tiles. side: keys of a tile. keys: all. oldest, newest: the span of the first query
    tile, the newest behind its end; it may begin before the first key, and end after the last.
    step: by which it is later for each query tile that follows. sinks: key tiles at the front that
    each sees beside its span, as far as they are before its end; oldest is counted from behind
    them. unit: keys by which spans begin later, a multiple of side.
    """

    tiles: Int
    side: Int
    keys: Int
    oldest: Int
    newest: Int
    step: Int
    sinks: Int
    unit: Int

    @classmethod
    def of(cls, params: Shape, workload: Problem) -> "Span":
        """What the query tiles of a workload see on an engine."""
        p, w = params, workload
        positions, offset = p.split_columns // p.group, w.keys - w.queries
        side = p.splits * p.side
        is_full, is_window = w.pattern == Pattern.FULL, w.pattern == Pattern.WINDOW
        is_blocks = w.pattern == Pattern.BLOCKS
        before_all = -w.keys - side
        older = where(is_blocks, offset - w.block * w.blocks_before, before_all)
        return cls(
            tiles=ceil_div(w.queries, positions),
            side=side,
            keys=w.keys,
            oldest=where(is_window, offset - w.window + 1, older),
            newest=where(is_full, w.keys, offset + positions),
            step=where(is_full, 0, positions),
            sinks=where(is_blocks, w.sink_blocks * w.block // side, 0),
            unit=where(is_blocks, w.block, side),
        )

    def hidden(self, tile: Int) -> Int:
        """Key tiles, after those at the front, that a query tile does not see any more."""
        return maximum(self.oldest + tile * self.step, 0) // self.unit * (self.unit // self.side)

    def last(self, tile: Int) -> Int:
        """The last key tile that a query tile sees."""
        return (minimum(self.newest + tile * self.step, self.keys) - 1) // self.side

    def runs(self, tile: int) -> tuple[range, ...]:
        """The key tiles that one query tile sees: those at the front, and those of its span."""
        end, sinks = int(self.last(tile)) + 1, int(self.sinks)
        both = range(min(sinks, end)), range(sinks + int(self.hidden(tile)), end)
        return tuple(run for run in both if run)

    def keys_of(self, first: Int, last: Int) -> Int:
        """Key tiles that any of the query tiles from `first` to `last` sees."""
        return self.last(last) + 1 - self.hidden(first)

    def keys_of_runs(self, start: Int, size: Int, count: Int) -> Int:
        """The sum of `keys_of` over `count` runs of `size` query tiles each, from `start` on."""
        step = size * self.step
        newest = self.newest + (start + size - 1) * self.step - 1
        # Only the last query tile's span may be cut off by the last key.
        inner = floor_sum(maximum(count - 1, 0), step, newest, self.side)
        final: Int = start + size * count - 1
        outer = self.last(final)
        oldest = self.oldest + start * self.step
        cut = minimum(ceil_div(maximum(-oldest, 0), maximum(step, 1)), count)
        units = floor_sum(count - cut, step, maximum(oldest + cut * step, 0), self.unit)
        hidden = units * (self.unit // self.side)
        return where(count > 0, inner + outer + count - hidden, 0)

    @property
    def least(self) -> Int:
        """No query tile sees fewer key tiles than this."""
        return self._fewest(0)

    def least_run(self, count: Int) -> Int:
        """No `count` query tiles that follow each other see fewer key tiles, in all, than this."""
        total: Int = 0
        for tile in range(int(np.max(count))):
            total = total + where(tile < count, self._fewest(tile % self.tiles), 0)
        return total

    def _fewest(self, tile: Int) -> Int:
        """No query tile from this one on sees fewer key tiles."""
        newest = minimum(self.newest + tile * self.step, self.keys)
        window = self.newest - self.oldest - self.step + 1
        return ceil_div(minimum(newest, window), self.side)


def _loads(span: Span, groups: Int, size: Int) -> Int:
    """Key tiles of all blocks of `size` query tiles, of one head of keys."""
    is_long = size >= span.tiles
    short = minimum(size, span.tiles)
    total: Int = 0
    # Where in a block a group begins is the same again after `short` groups.
    for group in range(int(np.max(minimum(short, groups - 1)))):
        again = where(group < short, maximum(ceil_div(groups - 1 - group, short), 0), 0)
        total = total + again * _group_loads(span, group, short, joined=True)
    total = total + _group_loads(span, groups - 1, short, joined=False)
    return where(is_long, _long_loads(span, groups, size), total)


def _group_loads(span: Span, group: Int, size: Int, *, joined: bool) -> Int:
    """Of blocks that begin in one group of heads; the last may end in the next, if `joined`."""
    start: Int = group * span.tiles
    first, end = ceil_div(start, size), (start + span.tiles) // size
    inside = span.keys_of_runs(first * size - start, size, maximum(end - first, 0))
    begin: Int = end * size - start
    across = span.keys_of(begin, span.tiles - 1)
    if joined:
        stop: Int = begin + size - span.tiles - 1
        # What the next group's first query tiles see, and `begin` has not left behind.
        end = span.last(stop) + 1
        both = minimum(end, span.sinks) + maximum(end - span.sinks - span.hidden(begin), 0)
        across = across + span.keys_of(0, stop) - both
    return inside + where(begin < span.tiles, across, 0)


def _long_loads(span: Span, groups: Int, size: Int) -> Int:
    """Of blocks that are no shorter than a group: all but the last of them see every tile."""
    whole = span.keys_of(0, span.tiles - 1)
    left: Int = groups * span.tiles % size
    rest = span.keys_of(maximum(span.tiles - left, 0), span.tiles - 1)
    return groups * span.tiles // size * whole + where(left > 0, rest, 0)
