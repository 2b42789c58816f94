"""A channel that three units share: LOAD reads it, STORE writes it, PIM has it multiply."""

from collections import deque
from dataclasses import replace
from typing import TypeAlias

from archmodels.npu_pim.controller import Controller
from archmodels.npu_pim.timetable import Issue
from archmodels.npu_pim.units import accesses, transactions
from designs.npu_pim.channel import PimChannel
from designs.npu_pim.distances import Command, data_span
from designs.npu_pim.instructions import Feed, Load, Store
from designs.npu_pim.program import HostAccess, PimTransaction

Transfers: TypeAlias = Load | Store | Feed
"""Instructions of the units of a channel."""

UNITS: dict[type[Transfers], str] = {Load: "load", Store: "store", Feed: "pim"}
"""Their names, before the number of the channel."""

LAST: dict[Command, type[Transfers]] = {
    Command.RD: Load,
    Command.WR: Store,
    Command.GEMV: Feed,
    Command.READRES: Feed,
}
"""Whose instruction is done with so many of these commands."""


class SharedChannel:
    """At most one instruction of each unit is under way; each offers its transfers in order.

    next: the cycle in which it has to be looked at; None: before the first instruction.
    """

    def __init__(self, channel: PimChannel) -> None:
        self._channel = channel
        self._controller = Controller(channel)
        self._first: int | None = None
        self._accesses: dict[type[Transfers], deque[HostAccess]] = {Store: deque(), Load: deque()}
        self._units: deque[PimTransaction] = deque()
        self._left: dict[type[Transfers], int] = {}
        self.issues: list[Issue] = []
        self.next: int | None = None

    def start(self, now: int, operation: Transfers) -> None:
        """An instruction starts, and offers its transfers from the next cycle on."""
        if isinstance(operation, Feed):
            self._units.extend(transactions(operation))
            self._left[Feed] = operation.tiles * operation.results
        else:
            self._accesses[type(operation)].extend(accesses(self._channel, operation))
            self._left[type(operation)] = operation.count
        self.next = now + 1 if self.next is None else min(self.next, now + 1)

    def step(self, now: int) -> tuple[type[Transfers], int] | None:
        """One cycle; an instruction of which it is now known when it ends, and that cycle."""
        first = self._first = now if self._first is None else self._first
        waiting = next((one for one in self._accesses.values() if one), None)
        unit = self._units[0] if self._units else None
        done = self._controller.step(now - first, unit, waiting[0] if waiting else None)
        if done.takes_unit:
            self._units.popleft()
        if waiting and done.takes_access:
            waiting.popleft()
        self.next = first + done.next
        return self._note(done.issue, first) if done.issue else None

    def _note(self, issue: Issue, first: int) -> tuple[type[Transfers], int] | None:
        """Keep a command; the end of the instruction whose last it is."""
        cycle, command = first + issue.cycle, issue.command
        self.issues.append(replace(issue, cycle=cycle))
        kind = LAST.get(command)
        if kind is None:
            return None
        self._left[kind] -= 1
        if self._left[kind]:
            return None
        if kind is Store:
            return kind, cycle
        return kind, cycle + data_span(self._channel, command, issue.steps)[1] - 1
