"""Time of works on a channel that works ahead, tile by tile.

The same as the last command of `archmodels.npu_pim.ahead`, without the table: what each command
waits for is a handful of numbers. A channel of one latch and one vector is a `Span`.
"""

from collections.abc import Sequence

from archmodels.npu_pim.setting import Setting
from archmodels.npu_pim.slack import copy_needs, tile_needs
from archmodels.npu_pim.span import LONG_AGO, Served, served
from archmodels.npu_pim.tiles import (
    data_cycles,
    hold_cycles,
    opening_cycles,
    period,
    result_cycles,
    work_cycles,
)
from designs.npu_pim.distances import ACTIVATIONS_MAX
from designs.npu_pim.gemv import Product
from designs.npu_pim.layout import Work

NEVER = 2**60
"""When a part has nothing to issue."""


class _Tiles:
    """The tiles of works in order: work, steps, results, and what each has to have."""

    def __init__(self, setting: Setting, works: Sequence[Work]) -> None:
        channel = setting.channel
        self.work, self.busy, self.hold, self.results = [], [], [], []
        self.needs_first, self.needs = [], []
        for index, one in enumerate(works):
            product = one.product
            for _ in range(product.tiles):
                self.work.append(index)
                self.busy.append(result_cycles(channel, product.steps))
                self.hold.append(hold_cycles(channel, product))
                self.results.append(product.results)
                needs, row_needs = tile_needs(channel, product)
                self.needs_first.append(needs)
                self.needs.append(needs + row_needs * channel.banks)


class _Ahead:
    """Three parts that issue commands: one copies, one opens, one multiplies."""

    def __init__(self, setting: Setting, works: Sequence[Work], until_refresh: int) -> None:
        self.setting, self.channel, self.works = setting, setting.channel, works
        channel, latches = setting.channel, setting.levers.latches
        self.t, self.ranks, self.tiles = channel.timing, channel.ranks, _Tiles(setting, works)
        self.count = len(self.tiles.work)
        self.now, self.due, self.rank, self.refreshes = 0, until_refresh, 0, 0
        self.refreshed = [LONG_AGO] * channel.ranks
        self.open_again = [LONG_AGO] * channel.ranks
        self.latest = [LONG_AGO] * channel.ranks  # a group opened
        self.acts = [LONG_AGO] * channel.groups
        self.latched = [False] * latches
        self.opened_at = [LONG_AGO] * latches  # the last group
        self.first_at = [LONG_AGO] * latches
        self.closed = [LONG_AGO] * latches
        self.close_after = [LONG_AGO] * latches
        self.vector_ready = [LONG_AGO] * setting.vector_sets
        self.vector_free = [LONG_AGO] * setting.vector_sets
        self.work_after = self.copy_after = self.last = LONG_AGO
        self.copied = self.rows_copied = self.vectors = 0
        self.is_copying = self.is_opening = False
        self.opened = self.done = self.results = 0
        self.step = 0  # of an opening: -2 closes, -1 is the header, others are groups

    def run(self) -> int:
        """First cycle after the data of the last result."""
        while self.done < self.count:
            self.begin()
            multiply, copy, opening = self.multiply(), self.copy(), self.open()
            if multiply <= copy and multiply <= opening:
                if multiply == NEVER:
                    self.refresh()
                else:
                    self.multiplied(multiply)
            elif copy <= opening:
                self.was_copied(copy)
            else:
                self.was_opened(opening)
        last = self.works[-1].product
        return self.last + data_cycles(self.channel, last)

    def has_time(self, needed: int) -> bool:
        return not self.channel.refresh or self.due - self.now > needed

    def begin(self) -> None:
        """A vector and a tile, where nothing is in their way."""
        if not self.is_copying:
            most = self.tiles.work[self.done] + self.setting.vector_sets
            if self.copied < min(most, len(self.works)) and self.has_time(copy_needs(self.channel)):
                self.is_copying, self.rows_copied = True, 0
        if self.is_opening or self.opened == self.count:
            return
        work = self.tiles.work[self.opened]
        if self.opened - self.done >= len(self.latched) or not (
            work < self.copied or (self.is_copying and self.rows_copied > 0)
        ):
            return
        has_rows = self.latched[self.opened % len(self.latched)]
        needs = self.tiles.needs if has_rows else self.tiles.needs_first
        if self.has_time(needs[self.opened]):
            self.is_opening, self.step = True, -2 if has_rows else -1

    def multiply(self) -> int:
        """The next GEMV."""
        done = self.done
        if done == self.opened or self.tiles.work[done] >= self.copied:
            return NEVER
        return max(
            self.now,
            self.opened_at[done % len(self.latched)] + self.t.rcd_rd_cycles,
            self.vector_ready[self.tiles.work[done] % self.setting.vector_sets],
            self.work_after,
        )

    def copy(self) -> int:
        """The next GWRITE."""
        if not self.is_copying:
            return NEVER
        rank = self.vectors % self.channel.banks // self.channel.banks_per_rank
        free = self.vector_free[self.copied % self.setting.vector_sets]
        return max(self.now, self.open_again[rank], free, self.copy_after)

    def open(self) -> int:
        """The next PIM_PRE, header or G_ACT."""
        if not self.is_opening:
            return NEVER
        latch, t = self.opened % len(self.latched), self.t
        if self.step == -1:
            return self.now
        if self.step == -2:
            held = self.opened_at[latch] + t.ras_cycles
            return max(self.now, held, self.close_after[latch])
        rank = self.step % self.ranks
        return max(
            self.now,
            self.closed[latch] + t.rp_cycles,
            self.acts[self.step] + t.rc_cycles,
            self.latest[rank] + t.faw_cycles,
            self.refreshed[rank],
        )

    def multiplied(self, cycle: int) -> None:
        done = self.done
        self.now, self.last = cycle + 1, cycle
        self.work_after = cycle + self.tiles.busy[done]
        self.vector_free[self.tiles.work[done] % self.setting.vector_sets] = self.work_after
        self.close_after[done % len(self.latched)] = cycle + self.tiles.hold[done]
        self.results += 1
        if self.results == self.tiles.results[done]:
            self.results, self.done = 0, done + 1

    def was_copied(self, cycle: int) -> None:
        self.now = cycle + 1
        self.copy_after = cycle + self.channel.gwrite_cycles
        self.vector_ready[self.copied % self.setting.vector_sets] = self.copy_after
        self.vectors += 1
        self.rows_copied += 1
        if self.rows_copied == self.works[self.copied].copies:
            self.copied, self.is_copying = self.copied + 1, False

    def was_opened(self, cycle: int) -> None:
        self.now, latch = cycle + 1, self.opened % len(self.latched)
        if self.step == -2:
            self.closed[latch], self.latched[latch] = cycle, False
        elif self.step >= 0:
            self.acts[self.step] = self.latest[self.step % self.ranks] = cycle
            self.opened_at[latch], self.latched[latch] = cycle, True
        self.step += 1
        if self.step == len(self.acts):
            self.is_opening, self.opened = False, self.opened + 1

    def refresh(self) -> None:
        t = self.t
        self.now = max(self.now, self.due, self.copy_after)
        for latch, is_open in enumerate(self.latched):
            if is_open:
                held = max(self.close_after[latch], self.opened_at[latch] + t.ras_cycles)
                self.closed[latch], self.latched[latch] = max(self.now, held), False
                self.now = self.closed[latch] + 1
        closed = max(self.closed) + t.rp_cycles
        for _ in range(self.channel.refreshed_ranks):
            rank = self.rank
            ready = max(self.now, closed, self.refreshed[rank])
            self.refreshed[rank] = ready + t.rfc_cycles
            opened = max(self.refreshed[rank], self.latest[rank] + t.faw_cycles)
            self.open_again[rank] = opened + t.rcd_rd_cycles
            self.now, self.rank = ready + 1, (rank + 1) % self.ranks
            self.refreshes += 1
        self.due += self.channel.refresh_cycles


def serve(setting: Setting, works: Sequence[Work], until_refresh: int | None = None) -> Served:
    """What these works take, from an idle channel; `until_refresh` cycles to the first refresh.

    Without it, a whole interval.
    """
    first = setting.channel.refresh_cycles if until_refresh is None else until_refresh
    if not works:
        return Served(end_cycle=0, refreshes=0)
    if setting.levers.is_ahead:
        ahead = _Ahead(setting, works, first)
        return Served(end_cycle=ahead.run(), refreshes=ahead.refreshes)
    return served(setting.channel, [work.product for work in works], first)


def ahead_period(setting: Setting, product: Product) -> float:
    """Cycles from a tile to the next where the same follow each other, and nothing else.

    With two latches a tile's rows are opened while those of the tile before are multiplied: the
    loop from a latch to itself is of two tiles.
    """
    if setting.levers.latches == 1:
        return period(setting.channel, product)
    return float(max(_window_cycles(setting, 0), _other_cycles(setting, product)))


def beside_period(setting: Setting, product: Product) -> float:
    """Likewise, while the host streams rows from all banks, as fast as the data bus goes.

    With one latch, a tile's first activation finds a window that is full and waits half of it, as
    in the authors' simulator. With two there is no time in which a tile leaves the window to the
    host: a rank's activations of the host that fall in a tile go one behind the other once a tile.
    """
    t, channel = setting.channel.timing, setting.channel
    if setting.levers.latches == 1:
        return ahead_period(setting, product) + t.faw_cycles / 2
    every = channel.accesses * t.burst_cycles * channel.ranks
    found = float(_other_cycles(setting, product))
    most = 1
    while most < ACTIVATIONS_MAX and _window_cycles(setting, most) > most * every:
        most += 1
    return max(found, float(_window_cycles(setting, most)))


def _window_cycles(setting: Setting, activations: int) -> int:
    """Of a tile, by the window of four; with so many activations of the host in each rank."""
    t = setting.channel.timing
    host = t.faw_cycles + (activations - 1) * t.rrd_s_cycles if activations else 0
    return setting.channel.bank_groups * t.faw_cycles + host


def _other_cycles(setting: Setting, product: Product) -> float:
    """Of a tile, by all else."""
    channel, latches, t = setting.channel, setting.levers.latches, setting.channel.timing
    opening, reopened = opening_cycles(channel), max(t.rp_cycles, 2)
    worked = work_cycles(channel, product) + hold_cycles(channel, product)
    return max(
        t.rc_cycles,
        product.results * result_cycles(channel, product.steps),
        (worked + reopened + opening + t.rcd_rd_cycles) / latches,
        (t.ras_cycles + reopened + opening) / latches,
    )
