"""A channel that works ahead, command by command: the reference of `archmodels.npu_pim.pace`.

Only tests step it, to hold `pace` against it.

Three parts issue commands, each its own in order: one copies vectors, one opens tiles, one
multiplies. In each cycle the command that may come first comes; of two in the same cycle the one
that multiplies, then the one that copies. What each waits for, beside the distances:

- a vector is copied when the products are done that had its rows of the buffer before;
- a tile's rows are opened (those of the latch closed first, then a cycle for the header) when the
  tile is done that had the latch before, and the copy of its vectors has begun;
- neither begins when the time to the next refresh is not enough; what has begun goes on. When
  nothing is left to do, the refresh is done.

The host's vectors are where `archmodels.npu_pim.channel` has them, in rows that are open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archmodels.npu_pim.setting import Setting
from archmodels.npu_pim.slack import copy_needs, tile_needs
from archmodels.npu_pim.timetable import Issue, Step, Timetable
from designs.npu_pim import PimChannel
from designs.npu_pim.distances import Command, Distance
from designs.npu_pim.layout import Work
from designs.npu_pim.order import closing_order

_C = Command

LATCH_ROWS = frozenset(
    [
        *[(_C.G_ACT, one) for one in (_C.PIM_PRE, _C.GEMV)],
        (_C.GEMV, _C.PIM_PRE),
        (_C.PIM_PRE, _C.G_ACT),
    ]
)
"""Pairs of commands whose distances say something only where both are for the same latch.

Opened rows are opened rc_cycles and faw_cycles apart whatever their latch, and one set of
multipliers has one GEMV at a time: these rows hold for all.
"""

VECTOR_ROWS = frozenset([(_C.GWRITE, _C.GEMV), (_C.GEMV, _C.GWRITE)])
"""Likewise, of the same rows of the vector buffer; vectors are copied one after the other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """The latch and the rows of the vector buffer that a command is for, where it is for any."""

    latch: int = -1
    vector: int = -1


class _PlacedTimetable(Timetable):
    """A timetable that knows of latches and of rows of the vector buffer."""

    def __init__(self, channel: PimChannel) -> None:
        super().__init__(channel)
        own = [row for row in self._rows if (row.before, row.after) in LATCH_ROWS | VECTOR_ROWS]
        self._rows = tuple(row for row in self._rows if row not in own)
        self._placed: dict[Command, list[Distance]] = {one: [] for one in Command}
        for row in own:
            self._placed[row.before].append(row)
        self._own: dict[tuple[Command, Place], list[int]] = {}
        self._reached: dict[tuple[Distance, int], tuple[int, ...]] = {}

    def earliest_at(self, step: Step, place: Place, now: int) -> int:
        """First cycle from `now` on at which the command may be issued for a place."""
        index = step.bank // self._sizes[step.command]
        halves = (Place(latch=place.latch), Place(vector=place.vector))
        found = [self._own.get((step.command, one)) for one in halves]
        ready = max((one[index] for one in found if one is not None), default=0)
        return self.earliest(step, max(now, ready))

    def issue_at(self, step: Step, place: Place, cycle: int) -> Issue:
        """Take note of a command."""
        for row in self._placed[step.command]:
            is_latch = (row.before, row.after) in LATCH_ROWS
            own = Place(latch=place.latch) if is_latch else Place(vector=place.vector)
            count = self._channel.banks // self._sizes[row.after]
            ready = self._own.setdefault((row.after, own), [0] * count)
            key = (row, step.bank)
            if key not in self._reached:
                self._reached[key] = self._reach(row, step)
            for index in self._reached[key]:
                ready[index] = max(ready[index], cycle + row.least(step.steps))
        return self.issue(step, cycle)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    """The next command of a part; `order` decides in the same cycle."""

    cycle: int
    order: int
    step: Step | None
    place: Place = Place()


class AheadController:
    """Issues the commands of works; `activations` of the host in each rank go behind each tile."""

    def __init__(
        self, setting: Setting, works: Sequence[Work], until_refresh: int, activations: int = 0
    ) -> None:
        self._setting, self._channel, self._works = setting, setting.channel, works
        self._table = _PlacedTimetable(setting.channel)
        self._now, self._due, self._rank = 0, until_refresh, 0
        self._tiles = [
            (index, tile) for index, work in enumerate(works) for tile in range(work.product.tiles)
        ]
        self._latched = [False] * setting.levers.latches
        self._open_again = [0] * setting.channel.ranks
        self._copied = self._rows_copied = self._vectors = 0
        self._is_copying = self._is_opening = False
        self._copy_ends = 0
        self._to_open: list[Step | None] = []
        self._opened = self._done = self._results = 0
        self._activations, self._host_bank = activations, 0
        self.issues: list[Issue] = []

    def run(self) -> None:
        """All commands."""
        while self._done < len(self._tiles):
            self._begin()
            heads = [
                one for one in (self._multiply(), self._copy(), self._open()) if one is not None
            ]
            if heads:
                self._put(min(heads, key=lambda one: (one.cycle, one.order)))
            else:
                self._refresh()

    def _has_time(self, needed: int) -> bool:
        return not self._channel.refresh or self._due - self._now > needed

    def _begin(self) -> None:
        """A vector and a tile, where nothing is in their way."""
        done = self._tiles[self._done][0]
        can_copy = self._copied < min(done + self._setting.vector_sets, len(self._works))
        if not self._is_copying and can_copy and self._has_time(copy_needs(self._channel)):
            self._is_copying, self._rows_copied = True, 0
        if self._is_opening or self._opened == len(self._tiles):
            return
        work = self._tiles[self._opened][0]
        is_copied = work < self._copied or (self._is_copying and self._rows_copied > 0)
        if self._opened - self._done >= len(self._latched) or not is_copied:
            return
        latch = self._opened % len(self._latched)
        rows = self._channel.banks if self._latched[latch] else 0
        needs, row_needs = tile_needs(self._channel, self._works[work].product)
        if self._has_time(needs + row_needs * rows):
            self._is_opening = True
            closing = [Step(command=_C.PIM_PRE, bank=0)] if rows else []
            self._to_open = [*closing, None, *self._openings()]

    def _openings(self) -> list[Step]:
        """Of all groups; then the host's rows."""
        channel = self._channel
        found = [
            Step(command=_C.G_ACT, bank=bank)
            for bank in closing_order(channel)
            if bank % channel.banks_per_group == 0
        ]
        for _ in range(self._activations):
            for rank in range(channel.ranks):
                bank = rank * channel.banks_per_rank + self._host_bank
                found.append(Step(command=_C.ACT, bank=bank))
            self._host_bank = self._next_bank()
        return found

    def _next_bank(self) -> int:
        """Of the host's in a rank: of another group, and after all groups the group's next."""
        group, place = divmod(self._host_bank, self._channel.banks_per_group)
        place = (place + (group + 1 == self._channel.bank_groups)) % self._channel.banks_per_group
        group = (group + 1) % self._channel.bank_groups
        return group * self._channel.banks_per_group + place

    def _copy(self) -> _Head | None:
        if not self._is_copying:
            return None
        bank = self._vectors % self._channel.banks
        step = Step(command=_C.GWRITE, bank=bank)
        place = Place(vector=self._copied % self._setting.vector_sets)
        now = max(self._now, self._open_again[bank // self._channel.banks_per_rank])
        return self._head(1, step, place, now)

    def _open(self) -> _Head | None:
        if not self._is_opening:
            return None
        step = self._to_open[0]
        if step is None:
            return _Head(cycle=self._now, order=2, step=None)
        return self._head(2, step, Place(latch=self._opened % len(self._latched)), self._now)

    def _multiply(self) -> _Head | None:
        """Of a tile whose rows are open and whose vectors' copy has been sent whole."""
        work = self._tiles[self._done][0]
        if self._done == self._opened or work >= self._copied:
            return None
        latch, vector = self._done % len(self._latched), work % self._setting.vector_sets
        step = Step(command=_C.GEMV, bank=0, steps=self._works[work].product.steps)
        return self._head(0, step, Place(latch=latch, vector=vector), self._now)

    def _head(self, order: int, step: Step, place: Place, now: int) -> _Head:
        cycle = self._table.earliest_at(step, place, now)
        return _Head(cycle=cycle, order=order, step=step, place=place)

    def _take(self, head: _Head) -> None:
        self._now = head.cycle + 1
        if head.step is not None:
            self.issues.append(self._table.issue_at(head.step, head.place, head.cycle))

    def _put(self, head: _Head) -> None:
        self._take(head)
        if head.order == 0:
            self._multiplied()
        elif head.order == 1:
            self._was_copied(head.cycle)
        else:
            self._was_opened(head)

    def _multiplied(self) -> None:
        self._results += 1
        if self._results == self._works[self._tiles[self._done][0]].product.results:
            self._results, self._done = 0, self._done + 1

    def _was_copied(self, cycle: int) -> None:
        self._vectors += 1
        self._rows_copied += 1
        self._copy_ends = cycle + self._channel.gwrite_cycles
        if self._rows_copied == self._works[self._copied].copies:
            self._copied, self._is_copying = self._copied + 1, False

    def _was_opened(self, head: _Head) -> None:
        if head.step is not None and head.step.command in (_C.PIM_PRE, _C.G_ACT):
            self._latched[head.place.latch] = head.step.command == _C.G_ACT
        self._to_open.pop(0)
        if not self._to_open:
            self._is_opening, self._opened = False, self._opened + 1

    def _refresh(self) -> None:
        """When nothing is left to do: close what is open, refresh, open the host's rows again."""
        channel = self._channel
        self._now = max(self._now, self._due, self._copy_ends)
        for latch, is_open in enumerate(self._latched):
            if is_open:
                step = Step(command=_C.PIM_PRE, bank=0)
                self._take(self._head(2, step, Place(latch=latch), self._now))
                self._latched[latch] = False
        for _ in range(channel.refreshed_ranks):
            first = self._rank * channel.banks_per_rank
            self._take(self._head(2, Step(command=_C.REF, bank=first), Place(), self._now))
            opened = self._table.earliest(Step(command=_C.ACT, bank=first))
            self._open_again[self._rank] = opened + channel.timing.rcd_rd_cycles
            self._rank = (self._rank + 1) % channel.ranks
        self._due += channel.refresh_cycles


def issues(
    setting: Setting, works: Sequence[Work], until_refresh: int | None = None, activations: int = 0
) -> list[Issue]:
    """Every command of these works, from an idle channel; `until_refresh` cycles to the first.

    Without it, a whole interval.
    """
    first = setting.channel.refresh_cycles if until_refresh is None else until_refresh
    controller = AheadController(setting, works, first, activations)
    controller.run()
    return controller.issues
