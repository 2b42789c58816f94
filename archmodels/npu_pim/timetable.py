"""When each command of a channel may come next, as the table of distances says."""

from collections import deque
from dataclasses import dataclass

from designs.npu_pim.channel import PimChannel
from designs.npu_pim.distances import (
    Command,
    Distance,
    data_span,
    distances,
    nearness,
    places,
    window,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A command and what it concerns.

    bank: the first of those concerned. row: of ACT and G_ACT. column: of RD and WR, in accesses; of
    GEMV and COMP, where the first step begins, in steps. steps: of GEMV.
    """

    command: Command
    bank: int
    row: int = 0
    column: int = 0
    steps: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """A step on the command bus."""

    cycle: int
    step: Step

    @property
    def command(self) -> Command:
        return self.step.command

    @property
    def bank(self) -> int:
        return self.step.bank

    @property
    def row(self) -> int:
        return self.step.row

    @property
    def steps(self) -> int:
        return self.step.steps


@dataclass(frozen=True, slots=True)
class _Follower:
    """A row of the table behind one command: what it delays, at which places, by how much."""

    row: Distance
    ready: list[int]
    places: tuple[int, ...]


class Timetable:
    """The commands so far, and the first cycle of any other.

    A place is what a command covers: a bank, a group, a rank, or the channel.
    """

    def __init__(self, channel: PimChannel) -> None:
        self._channel = channel
        self._window = window(channel)
        every = {command: places(channel, command) for command in Command}
        self._sizes = {command: len(own[0]) for command, own in every.items()}
        self._ready = {command: [0] * len(own) for command, own in every.items()}
        self._behind: dict[tuple[Command, int], list[_Follower]] = {}
        self._oldest: dict[Distance, int] = {}
        self._opened: list[deque[tuple[int, int]]] = [deque() for _ in range(channel.ranks)]
        self._spans: dict[tuple[Command, int], tuple[int, int]] = {}
        self._reserved: list[tuple[int, int]] = []
        self._rows = distances(channel)
        self._from_oldest = {row.after for row in self._rows if row.from_oldest}

    def banks(self, command: Command, bank: int) -> range:
        """Those that a command on `bank` concerns."""
        size = self._sizes[command]
        first = bank // size * size
        return range(first, first + size)

    def earliest(self, step: Step, now: int = 0) -> int:
        """First cycle from `now` on at which a command may be issued."""
        command = step.command
        cycle = max(now, self._ready[command][step.bank // self._sizes[command]])
        if command in self._from_oldest:
            for row, first in self._oldest.items():
                if row.after == command:
                    cycle = max(cycle, first + row.least(0))
        if command in self._window.needs:
            free = self._window.most - self._window.needs[command]
            for opened, count in reversed(self._opened[step.bank // self._channel.banks_per_rank]):
                free -= count
                if free < 0:
                    cycle = max(cycle, opened + self._window.cycles)
                    break
        return self._when_bus_is_free(step, cycle)

    def _when_bus_is_free(self, step: Step, cycle: int) -> int:
        """First cycle from `cycle` on at which the data of a command meet no others."""
        begin, end = self.span(step)
        if begin < end:
            for first, behind in self._reserved:
                if cycle + end <= first:
                    break
                cycle = max(cycle, behind - begin)
        return cycle

    def span(self, step: Step) -> tuple[int, int]:
        """Cycles behind a command at which it has the data bus: the first, and behind the last."""
        key = (step.command, step.steps)
        if key not in self._spans:
            self._spans[key] = data_span(self._channel, *key)
        return self._spans[key]

    def issue(self, step: Step, cycle: int) -> Issue:
        """Take note of a command, and forget data that have passed."""
        if self._oldest:
            self._oldest = {
                row: first for row, first in self._oldest.items() if row.after != step.command
            }
        for one in self._followers(step):
            if one.row.from_oldest:
                self._oldest.setdefault(one.row, cycle)
                continue
            row = one.row
            least = cycle + (row.least(step.steps) if row.per_step else row.cycles)
            for place in one.places:
                if one.ready[place] < least:
                    one.ready[place] = least
        count = self._window.enters.get(step.command, 0)
        if count:
            opened = self._opened[step.bank // self._channel.banks_per_rank]
            opened.append((cycle, count))
            while opened[0][0] <= cycle - self._window.cycles:
                opened.popleft()
        begin, end = self.span(step)
        if begin < end:
            held = [one for one in self._reserved if one[1] > cycle]
            self._reserved = sorted((*held, (cycle + begin, cycle + end)))
        return Issue(cycle=cycle, step=step)

    def _followers(self, step: Step) -> list[_Follower]:
        key = (step.command, step.bank // self._sizes[step.command])
        if key not in self._behind:
            self._behind[key] = [
                _Follower(row, self._ready[row.after], self._reach(row, step))
                for row in self._rows
                if row.before == step.command
            ]
        return self._behind[key]

    def _reach(self, row: Distance, step: Step) -> tuple[int, ...]:
        """Places with a bank that is as near to one of the command's as the row says."""
        size = self._sizes[row.after]
        return tuple(
            sorted(
                {
                    other // size
                    for other in range(self._channel.banks)
                    for bank in self.banks(step.command, step.bank)
                    if nearness(self._channel, bank, other) in row.nearness
                }
            )
        )
