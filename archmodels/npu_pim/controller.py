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

Both streams are valid whenever they have something left, one transfer a cycle each; what comes in
cycle t is in its queue from t + 1 on. Cycle 0 is that of the first transfer. With one row buffer
the host is not ready while there is work for the engine, and a unit begins when no access waits.
"""

from collections import deque
from collections.abc import Sequence
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


class Controller:
    """Serves the accesses and the units of a program."""

    def __init__(
        self, channel: PimChannel, pim: Sequence[PimTransaction], host: Sequence[HostAccess]
    ) -> None:
        self._channel = channel
        self._coming_units, self._coming = deque(pim), deque(host)
        self._units: deque[PimTransaction] = deque()
        self._table = Timetable(channel)
        self._rows = Rows(channel)
        self._engine = Engine(channel, self._rows)
        self._host = Host(channel, self._rows)
        self._is_single = channel.row_buffers == RowBuffers.SINGLE
        self._now = self._rank = self._end = 0
        self._due = channel.refresh_cycles
        self._issues: list[Issue] = []

    def run(self) -> tuple[Issue, ...]:
        """All commands until everything is done."""
        while self._is_busy or self._now < self._end:
            self._engine.leave(self._now)
            unit, access = self._offered_unit(), self._offered_access()
            next_cycle = self._decide()
            if unit is not None:
                self._units.append(self._coming_units.popleft())
            if access is not None:
                self._host.put(self._coming.popleft())
            is_idle = unit is None and access is None
            self._now = next_cycle if is_idle else self._now + 1
        return tuple(self._issues)

    @property
    def _is_busy(self) -> bool:
        waiting = self._coming_units or self._coming or self._units or self._host.waiting_count
        return bool(waiting) or self._engine.unit is not None

    def _offered_unit(self) -> PimTransaction | None:
        """What the stream of units transfers in this cycle."""
        held = len(self._units) + (self._engine.unit is not None)
        has_room = held < self._channel.pim_queue
        return self._coming_units[0] if self._coming_units and has_room else None

    def _offered_access(self) -> HostAccess | None:
        """What the stream of the host transfers in this cycle."""
        if not self._coming or (self._is_single and (self._units or self._engine.unit)):
            return None
        access = self._coming[0]
        return access if self._host.has_room(access.bank) else None

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
            self._issues.append(self._table.issue(step, cycle))
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


def run(channel: PimChannel, pim: Sequence[PimTransaction], host: Sequence[HostAccess] = ()) -> Run:
    """What a channel does with these transactions, from idle, rows closed."""
    issues = Controller(channel, pim, host).run()
    leaving = (
        issue.cycle + data_span(channel, issue.command, issue.steps)[1]
        for issue in issues
        if issue.command in LEAVING
    )
    return Run(issues=issues, cycles=max(leaving, default=0))
