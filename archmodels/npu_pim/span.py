"""Time of many products on one channel, tile by tile, with the refreshes between.

The same as the last command of `archmodels.npu_pim.channel`, without the commands: a tile is a
handful of maxima, and tiles that follow each other alike are taken at once. Closing, opening and
refreshing are each in the order of the controller, so that only the latest command of each kind and
group matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archmodels.npu_pim.slack import copy_needs, tile_needs
from archmodels.npu_pim.tiles import (
    data_cycles,
    hold_cycles,
    period,
    result_cycles,
    work_cycles,
)
from designs.npu_pim.channel import Fidelity, PimChannel, Precharge, RowBuffers
from designs.npu_pim.distances import Command, window
from designs.npu_pim.gemv import Product

LONG_AGO = -(2**40)
"""When what never was took place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """What products took of a channel.

    end_cycle: first after the data of the last result. refreshes: done until then.
    """

    end_cycle: int
    refreshes: int


class _Group:
    """The banks of a group: when their rows were opened and closed, and how many are open."""

    __slots__ = ("closed", "open", "opened", "rank")

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.opened = self.closed = LONG_AGO
        self.open = 0


class TileNumbers:
    """Numbers of a tile.

    needs, row_needs: what the controller takes it to need, and for each row to be closed. copy,
    next: from its last command until a vector may be copied, or the dot products of another tile
    may begin. shape: from the opening of each group to the last command, where such tiles repeat;
    once it is known.
    """

    __slots__ = ("copy", "data", "hold", "needs", "next", "period", "row_needs", "shape", "work")

    def __init__(self, channel: PimChannel, product: Product) -> None:
        self.needs, self.row_needs = tile_needs(channel, product)
        self.work = work_cycles(channel, product)
        self.hold = hold_cycles(channel, product)
        self.data = data_cycles(channel, product)
        self.period = period(channel, product)
        self.copy = self.next = 0
        self.shape: tuple[int, ...] = ()
        if channel.composite:
            is_whole = channel.fidelity == Fidelity.CORRECTED
            self.next = result_cycles(channel, product.steps)
            self.copy = self.next if is_whole else channel.timing.column_l_cycles


class Span:
    """A channel that does one product after the other, from idle."""

    def __init__(self, channel: PimChannel, until_refresh: int) -> None:
        self._channel, self._timing = channel, channel.timing
        self._groups = [_Group(one % channel.ranks) for one in range(channel.groups)]
        self._refreshed = [LONG_AGO] * channel.ranks
        self._latest = [LONG_AGO] * channel.ranks
        self._acts: dict[int, int] = {}
        self._open_again = [LONG_AGO] * channel.ranks
        self._vector_bank: int | None = None
        self._act = LONG_AGO
        self._act_group = self._groups[0]
        self._now = self._vectors = self._rank = 0
        self._due = until_refresh
        self._close_after = self._copy_after = self._work_after = LONG_AGO
        self._last = LONG_AGO
        self._is_single = channel.row_buffers == RowBuffers.SINGLE
        self._is_one = channel.precharge == Precharge.CHANNEL
        found = window(channel)
        is_full = found.needs[Command.G_ACT] + found.enters[Command.ACT] > found.most
        self._apart = found.cycles if is_full else channel.timing.rrd_s_cycles
        self._kinds: dict[tuple[int, int], TileNumbers] = {}
        self._copy_needs = copy_needs(channel)
        self.end_cycle = self.refreshes = 0

    def serve(self, product: Product) -> None:
        """Copy the vector, then do the tiles."""
        kind = self._kind(product)
        self._wait(self._copy_needs)
        self._copy()
        left = product.tiles
        before: tuple[int, ...] = ()
        while left:
            self._wait(kind.needs + kind.row_needs * self._rows())
            start = self._last
            self._tile(kind)
            left -= 1
            shape = tuple(self._last - group.opened for group in self._groups)
            if shape == kind.shape:
                left -= self._skip(left, kind)
            elif shape == before and self._last - start == kind.period:
                kind.shape = shape
            before = shape
        self.end_cycle = self._last + kind.data

    def _kind(self, product: Product) -> TileNumbers:
        key = (product.steps, product.results)
        if key not in self._kinds:
            self._kinds[key] = TileNumbers(self._channel, product)
        return self._kinds[key]

    def _skip(self, left: int, kind: TileNumbers) -> int:
        """Take as many tiles at once as go before the next refresh, a period each."""
        count = left
        if self._channel.refresh:
            needed = kind.needs + kind.row_needs * self._channel.banks
            count = min(left, max(0, -(-(self._due - self._now - needed) // kind.period)))
        if count:
            time = count * kind.period
            for group in self._groups:
                group.opened += time
                group.closed += time
            self._latest = [one + time for one in self._latest]
            self._now += time
            self._last += time
            self._close_after += time
            self._copy_after += time
            self._work_after += time
        return count

    def _wait(self, needed: int) -> None:
        while self._channel.refresh and self._due - self._now <= needed:
            self._refresh()

    def _refresh(self) -> None:
        self._now = max(self._now, self._due)
        for _ in range(self._channel.refreshed_ranks):
            self._refresh_rank()
        self._due += self._channel.refresh_cycles

    def _refresh_rank(self) -> None:
        t, rank = self._timing, self._rank
        own = [group for group in self._groups if group.rank == rank]
        self._close(own)
        ready = max(max(group.closed for group in own) + t.rp_cycles, self._refreshed[rank])
        self._refreshed[rank] = max(self._now, ready) + t.rfc_cycles
        opened = max(self._refreshed[rank], self._latest[rank] + t.faw_cycles)
        self._open_again[rank] = opened + t.rcd_rd_cycles
        self._now = max(self._now, ready) + 1
        self._rank = (rank + 1) % self._channel.ranks
        self.refreshes += 1

    def _close(self, groups: Sequence[_Group]) -> None:
        """Rows of dot products that are open, in order; with one row buffer, the vector's too."""
        if self._is_one and any(group.open for group in groups):
            opened = max(group.opened for group in self._groups)
            ready = max(self._now, self._close_after, opened + self._timing.ras_cycles)
            for group in self._groups:
                group.open, group.closed = 0, ready
            self._now = ready + 1
            return
        for group in groups:
            if self._vector_bank is not None and group is self._act_group:
                place = self._vector_bank % self._channel.banks_per_group
                self._close_rows(group, min(group.open, place))
                group.closed = max(self._now, self._act + self._timing.ras_cycles)
                self._now, self._vector_bank = group.closed + 1, None
            self._close_rows(group, group.open)

    def _close_rows(self, group: _Group, count: int) -> None:
        """The next of those that dot products have open in a group."""
        if count:
            held = max(self._close_after, group.opened + self._timing.ras_cycles)
            self._now = max(self._now, held) + count
            group.open, group.closed = group.open - count, self._now - 1

    def _group(self, bank: int) -> _Group:
        """That a bank is in."""
        rank, place = divmod(bank, self._channel.banks_per_rank)
        return self._groups[place // self._channel.banks_per_group * self._channel.ranks + rank]

    def _copy(self) -> None:
        t = self._timing
        bank = self._vectors % self._channel.banks
        group, closed = self._group(bank), LONG_AGO
        self._vectors += 1
        if self._is_single:
            self._vector_bank = bank
            if group.open:
                closed = max(self._now, self._close_after, group.opened + t.ras_cycles)
                self._now = closed + 1
                group.open -= 1
            self._act_group = group
            self._act = self._acts[bank] = max(
                self._now,
                closed + t.rp_cycles,
                self._acts.get(bank, LONG_AGO) + t.rc_cycles,
                self._latest[group.rank] + t.faw_cycles,
                self._refreshed[group.rank],
            )
            self._now = max(self._act + t.rcd_rd_cycles, self._act + 1)
        ready = max(self._copy_after, self._open_again[group.rank])
        self._now = max(self._now, ready) + self._channel.gwrite_cycles

    def _rows(self) -> int:
        """That are open for dot products."""
        return sum(group.open for group in self._groups)

    def _tile(self, kind: TileNumbers) -> None:
        t = self._timing
        self._close(self._groups)
        self._now += 1
        for group in self._groups:
            self._open(group)
        opened = max(group.opened for group in self._groups) + t.rcd_rd_cycles
        self._last = max(self._now, opened, self._work_after) + kind.work
        self._now = self._last + 1
        self._close_after = self._last + kind.hold
        self._copy_after = self._last + kind.copy
        self._work_after = self._last + kind.next

    def _open(self, group: _Group) -> None:
        t, own = self._timing, self._act_group
        act = LONG_AGO
        if group.rank == own.rank:
            act = self._act + self._apart
        if group is own:
            act = max(act, self._act + (t.rc_cycles if self._is_single else t.rrd_l_cycles))
        group.opened = max(
            self._now,
            group.closed + t.rp_cycles,
            group.opened + t.rc_cycles,
            self._latest[group.rank] + t.faw_cycles,
            self._refreshed[group.rank],
            act,
        )
        group.open = self._channel.banks_per_group
        self._latest[group.rank] = group.opened
        self._now = group.opened + 1


def served(
    channel: PimChannel, products: Sequence[Product], until_refresh: int | None = None
) -> Served:
    """What these products take, from an idle channel; `until_refresh` cycles to the first.

    Without it, a whole interval.
    """
    first = channel.refresh_cycles if until_refresh is None else until_refresh
    span = Span(channel, first)
    for product in products:
        span.serve(product)
    return Served(end_cycle=span.end_cycle, refreshes=span.refreshes)
