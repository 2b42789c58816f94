"""One channel with its controller, cycle by cycle: what it does for the host and for dot products.

In each cycle there is at most one decision, the first that applies; its command is on the bus in
that cycle, where the table of `designs.npu_pim.distances` allows it. State changes in the next.

1. A refresh that is due, while no unit is inside: rows of its rank are closed, then REF. Until then
   nothing else goes.
2. The engine (`archmodels.npu_pim.engine`): a unit, of a vector or of a tile, begins when there is
   time for it before the next refresh, and goes on until its last dot product is on the bus, or its
   vector is copied.
3. The host: of the banks, taking turns, the first whose access may go on. It neither touches rows
   that a unit has, nor puts off what a unit waits for.

Each stream brings one transfer a cycle; what comes in cycle t is in its queue from t + 1 on. Cycle
0 is that of the first transfer. With one row buffer the host is not ready while there is work for
the engine, and a unit begins when no access waits.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archmodels.npu_pim.engine import Engine
from archmodels.npu_pim.host import Host
from archmodels.npu_pim.rows import Rows
from archmodels.npu_pim.timetable import Issue, Step, Timetable
from designs.npu_pim.channel import PimChannel, RowBuffers
from designs.npu_pim.distances import Command, data_span
from designs.npu_pim.program import HostAccess, PimTransaction

LEAVING = frozenset({Command.RD, Command.READRES, Command.GEMV})
"""Commands whose data leave the channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What a channel did.

    issues: every command, until the last data were on the bus. cycles: from the first transfer to
    the last one of a read or a result, both included; a write sends nothing back.
    """

    issues: tuple[Issue, ...]
    cycles: int

    @property
    def counted(self) -> tuple[Issue, ...]:
        """Commands in these cycles: none that comes later, as a write behind the last read may."""
        return tuple(issue for issue in self.issues if issue.cycle < self.cycles)


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a controller did in one cycle.

    takes_unit, takes_access: whether it took what was offered. issue: the command on its bus.
    next: the next cycle in which anything may happen, if nothing else is offered.
    """

    takes_unit: bool
    takes_access: bool
    issue: Issue | None
    next: int


class Controller:
    """Serves the accesses and the units that it is offered, in cycles that grow from 0 on."""

    def __init__(self, channel: PimChannel) -> None:
        self._channel = channel
        self._units: deque[PimTransaction] = deque()
        self._table = Timetable(channel)
        self._rows = Rows(channel)
        self._engine = Engine(channel, self._rows)
        self._host = Host(channel, self._rows)
        self._is_single = channel.row_buffers == RowBuffers.SINGLE
        self._now = self._rank = self._end = 0
        self._due = channel.refresh_cycles
        self._issue: Issue | None = None

    def step(self, now: int, unit: PimTransaction | None, access: HostAccess | None) -> Cycle:
        """One cycle, with what the streams offer, which they offer again until it is taken.

        `now`: any cycle behind the last, but none beyond its `next`.
        """
        self._now, self._issue = now, None
        self._engine.leave(now)
        takes_unit = unit is not None and self._has_room
        takes_access = access is not None and self._accepts(access)
        next_cycle = self._decide()
        if unit is not None and takes_unit:
            self._units.append(unit)
        if access is not None and takes_access:
            self._host.put(access)
        if takes_unit or takes_access:
            next_cycle = now + 1
        return Cycle(takes_unit, takes_access, self._issue, next_cycle)

    @property
    def is_busy(self) -> bool:
        """Whether anything is left of what was taken; data may travel when it is not."""
        waiting = self._units or self._host.waiting_count
        return bool(waiting) or self._engine.unit is not None

    @property
    def end(self) -> int:
        """The first cycle behind all data so far."""
        return self._end

    @property
    def _has_room(self) -> bool:
        """Whether a unit is taken in this cycle."""
        held = len(self._units) + (self._engine.unit is not None)
        return held < self._channel.pim_queue

    def _accepts(self, access: HostAccess) -> bool:
        """Whether an access is taken in this cycle."""
        if self._is_single and (self._units or self._engine.unit):
            return False
        return self._host.has_room(access.bank)

    def _decide(self) -> int:
        """One cycle; the next in which anything may happen, if nothing comes in."""
        engine = self._engine
        if self._is_due and engine.unit is None:
            return self._refresh()
        self._begin()
        step = engine.step
        if step is None and engine.put_header():
            return self._now + 1
        wakes = [one for one in (self._due, self._end, engine.free_cycle) if one is not None]
        if step is not None:
            wakes.append(cycle := self._try(step))
            if cycle == self._now:
                engine.take(step, cycle)
                return cycle + 1
        for access, wanted in self._host.candidates():
            if engine.excludes(access, wanted.command) or (
                step is not None and engine.puts_off(step, access, wanted.command)
            ):
                continue
            wakes.append(cycle := self._try(wanted))
            if cycle == self._now:
                self._host.take(access, wanted)
                return cycle + 1
        return min((wake for wake in wakes if wake > self._now), default=self._now + 1)

    @property
    def _is_due(self) -> bool:
        return self._channel.refresh and self._due <= self._now

    def _try(self, step: Step) -> int:
        """Put a command on the bus in this cycle if it may be; the first cycle in which it may."""
        cycle = self._table.earliest(step, self._now)
        if cycle == self._now:
            self._issue = self._table.issue(step, cycle)
            self._rows.take(step)
            self._end = max(self._end, cycle + self._table.span(step)[1])
        return cycle

    def _refresh(self) -> int:
        step = self._rows.for_refresh(self._rank)
        cycle = self._try(step)
        if cycle > self._now:
            return cycle
        if step.command == Command.REF:
            self._rank = (self._rank + 1) % self._channel.ranks
            if self._rank % self._channel.refreshed_ranks == 0:
                self._due += self._channel.refresh_cycles
        return cycle + 1

    def _begin(self) -> None:
        """Take the oldest unit inside if it may begin."""
        if not self._units or self._engine.unit is not None:
            return
        if self._is_single and self._host.waiting_count:
            return
        left = self._due - self._now
        if not self._channel.refresh or left > self._engine.needs(self._units[0]):
            self._engine.begin(self._units.popleft())


def serve(
    controller: Controller, pim: Sequence[PimTransaction], host: Sequence[HostAccess]
) -> Iterator[Issue]:
    """Every command until everything is done, the streams offering whatever is left."""
    units, accesses, now = deque(pim), deque(host), 0
    while units or accesses or controller.is_busy or now < controller.end:
        done = controller.step(now, units[0] if units else None, accesses[0] if accesses else None)
        if done.issue is not None:
            yield done.issue
        if done.takes_unit:
            units.popleft()
        if done.takes_access:
            accesses.popleft()
        now = done.next


def run(channel: PimChannel, pim: Sequence[PimTransaction], host: Sequence[HostAccess] = ()) -> Run:
    """What a channel does with these transactions, from idle, rows closed."""
    issues = tuple(serve(Controller(channel), pim, host))
    leaving = (
        issue.cycle + data_span(channel, issue.command, issue.steps)[1]
        for issue in issues
        if issue.command in LEAVING
    )
    return Run(issues=issues, cycles=max(leaving, default=0))
