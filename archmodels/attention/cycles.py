"""How long an engine takes for a workload, from its first operands to its last results.

Without waiting: its first tile arrives, tiles follow each other by the epoch, and what the last one
has brought about passes array, lanes and output. Where room for tiles or results can be short, the
waits are stepped through.
"""

from dataclasses import fields

from archmodels.attention.combiners import head_cycles, is_split
from archmodels.attention.program import program
from archmodels.attention.shape import Epoch, Problem, Shape, divides, products_kept
from archmodels.attention.tiles import Span, Tiles
from archmodels.attention.waits import Clock, Machine
from archmodels.distinct import distinct
from designs.rules import Flag, Int, anywhere, maximum, minimum, where

ISSUE_CYCLES = 2
"""From the first cycle of an epoch to that in which the first element executes its first slot."""

FREE_CYCLES = 2
"""From the cycle in which the last row can have read a word for the last time, to that in which
another one may be written there."""

RESULT_CYCLES = 4
"""From a lane's last product to the first result of a query tile: read, shift, scale, and out."""

DIVISION_CYCLES = 3
"""From a query tile's last division to its first result: shifted, multiplied, and out."""

RECIPROCAL_CYCLES = 4
"""The same from a lane's denominator, beside those of a division."""

COMBINE_CYCLES = 2
"""By which either is longer for the sum of groups, counted to the first cycle of those that their
first value takes."""


def cycles(params: Shape, workload: Problem, epoch: Epoch, tiles: Tiles) -> Int:
    """Cycles from the first operand transfer to the last result transfer."""
    m = machine(params, epoch)
    arrival = where(epoch.overlapped == 1, m.keys, maximum(m.keys, m.values))
    last_epoch: Int = arrival + (tiles.kept - 1) * m.epoch + (tiles.queries - 1) * m.tail
    without: Int = last_epoch + _passage(m) + m.f
    span = Span.of(params, workload)
    groups: Int = workload.share // params.group
    waits: Flag = may_wait(m, span, groups, params.query_tiles)
    if not anywhere(waits):
        return without
    heads = workload.batch * workload.kv_heads
    columns = [getattr(part, item.name) for part in (m, span) for item in fields(part)]
    columns += [groups, params.query_tiles, heads]
    # Points that cannot wait are all one, which costs next to nothing.
    (stepped,) = distinct(_stepped, *(where(waits, column, 1) for column in columns))
    return where(waits, stepped, without)


def machine(params: Shape, epoch: Epoch) -> Machine[Int]:
    """The times of an engine; arrays for a grid.

    A ring is written behind the wavefront that reads it for the last time, in the same order: the
    last row reads `side` - 1 cycles after the first one.
    """
    p, x = params, epoch
    # How much later than its number a word of a tile is read at most.
    scored = where(x.pitch == 1, p.f, minimum(p.e, p.f)) * x.overlapped
    weighed = x.weigh + (x.pitch - 1) * (p.f - 1)
    behind = p.side + FREE_CYCLES
    weighed_last: Int = x.weigh + x.pitch * p.f
    product: Int = weighed_last - x.columns
    denominator: Int = x.total + x.pitch - x.columns
    below: Int = ISSUE_CYCLES + 2 * p.side - 1
    late = p.lane_stages - 1
    split: Int = is_split(p)
    head: Int = head_cycles(p, x) * split
    extra: Int = COMBINE_CYCLES * split
    divided: Int = x.cycles + x.tail - 2 + products_kept(p) + DIVISION_CYCLES
    combined: Int = head + extra
    quotient: Int = denominator + below + late + p.divide_cycles + RECIPROCAL_CYCLES
    return Machine(
        epoch=x.cycles,
        tail=x.tail,
        lag=x.lag,
        weighed=x.lag + x.overlapped,
        kv_tiles=p.kv_tiles,
        query_tiles=2 * p.query_tiles,
        result_tiles=p.result_tiles,
        keys=p.e * p.port_beats,
        values=p.f * p.port_beats,
        f=p.f * p.splits,
        keys_free=maximum(scored - ISSUE_CYCLES, 0) + behind,
        values_free=maximum(weighed - ISSUE_CYCLES, 0) + behind,
        results=below + where(divides(p) == 1, divided, product + late + RESULT_CYCLES + extra),
        # Lanes have it before they divide.
        quotient=where(divides(p) == 1, 0, quotient + combined),
        turn=(head + p.divide_cycles + 1) * split,
    )


def may_wait(m: Machine[Int], span: Span, groups: Int, block: Int) -> Flag:
    """Whether an epoch may have to wait; where this is false, none does.

    A tile may be wanted in each epoch, and takes a port as long as its transfers. A place in a ring
    of keys or values is needed again `kv_tiles` epochs later at the earliest; of queries after a
    block in between; a part of the output, when `result_tiles` more query tiles are done, each an
    epoch later within a block, and else after all of its key tiles; what combines groups, when one
    more is done.
    """
    rest = groups * span.tiles % block
    shortest = where(rest == 0, block, rest) * span.least
    inside = minimum(m.result_tiles, block - 1)
    others = inside + span.least_run(m.result_tiles - inside)
    # Of those in between, but for the one that may be weighed as the place is needed.
    tails = m.result_tiles - (m.weighed - m.lag)
    nearest = where(block > 1, 1, span.least)
    behind = maximum(m.keys_free + m.keys, m.values_free + m.values)
    return (
        (m.epoch < maximum(m.keys, m.values))
        | (m.kv_tiles * m.epoch < behind)
        | ((shortest + 1) * m.epoch < m.keys_free + m.keys)
        | ((others + m.lag) * m.epoch + tails * m.tail < _passage(m) + m.f)
        | (nearest * m.epoch < m.turn + m.f)
    )


def _passage(m: Machine[Int]) -> Int:
    """From a tile's first epoch to its query tile's first result, if it is the last one."""
    return maximum(m.weighed * m.epoch + m.results, m.lag * m.epoch + m.quotient)


def _stepped(*point: int) -> tuple[int]:
    """`cycles` of one point: fields of its machine and span, groups, block and heads."""
    machine_count, span_count = len(fields(Machine)), len(fields(Span))
    m: Machine[int] = Machine(**_named(Machine, point[:machine_count]))
    span = Span(**_named(Span, point[machine_count : machine_count + span_count]))
    clock = Clock(m)
    clock.run(program(span, *point[machine_count + span_count :]))
    clock.flush()
    return (clock.end,)


def _named(kind: type[Machine[int]] | type[Span], values: tuple[int, ...]) -> dict[str, int]:
    return dict(zip((item.name for item in fields(kind)), values, strict=True))
