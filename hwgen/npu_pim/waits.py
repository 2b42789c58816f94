"""What each counter of `Timers` is loaded with, and when: the table of distances, place by place.

A place of a command is what one of them concerns: a bank, a bank group, a rank or the channel.
"""

import functools
from collections import defaultdict
from dataclasses import dataclass
from typing import TypeAlias

from designs.npu_pim import PimChannel
from designs.npu_pim.distances import (
    Command,
    Distance,
    Nearness,
    commands,
    distances,
    nearness,
    places,
)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Load:
    """Cycles between two commands: `cycles`, and `per_step` for each step above `least_steps`."""

    cycles: int
    per_step: int = 0
    least_steps: int = 0

    def most(self, steps: int) -> int:
        """Behind a command that has at most so many steps."""
        return self.cycles + self.per_step * max(steps - self.least_steps, 0)


Wait: TypeAlias = tuple[tuple[Load, tuple[tuple[Command, int], ...]], ...]
"""What a place waits for: each load, and the commands and their places behind which it applies."""


def ready_bits(channel: PimChannel, command: Command) -> int:
    """Bits that say where a command may come: one for each of its places, in their order.

    Of PIM_PRE that concerns a bank one for each group, for its banks wait alike.
    """
    count = len(places(channel, command))
    return min(count, channel.groups) if command == Command.PIM_PRE else count


def waits(channel: PimChannel) -> dict[Command, list[Wait]]:
    """Of each command and place, behind the latest of others; the next cycle is no wait."""
    return _waits(channel, [row for row in distances(channel) if not row.from_oldest])


def first_waits(channel: PimChannel) -> dict[Command, list[Wait]]:
    """The same behind the first of others since the one that waits."""
    return _waits(channel, [row for row in distances(channel) if row.from_oldest])


def load(channel: PimChannel, row: Distance) -> Load:
    """What a row of the table says of commands of at least one step."""
    if not row.per_step or row.least_steps >= channel.row_steps:
        return Load(cycles=row.least(1) - 1)
    return Load(cycles=row.least(1) - 1, per_step=row.per_step, least_steps=row.least_steps)


def _waits(channel: PimChannel, rows: list[Distance]) -> dict[Command, list[Wait]]:
    behind = {
        command: [row for row in rows if row.after == command] for command in commands(channel)
    }
    return {
        command: [_wait(channel, own, banks) for banks in places(channel, command)]
        for command, own in behind.items()
    }


def _wait(channel: PimChannel, rows: list[Distance], banks: range) -> Wait:
    loads = defaultdict(list)
    for before in commands(channel):
        behind = [row for row in rows if row.before == before]
        for place, others in enumerate(places(channel, before) if behind else ()):
            near = _nearness(channel, others, banks)
            found = [load(channel, row) for row in behind if not near.isdisjoint(row.nearness)]
            longest = max(found, key=lambda one: one.most(channel.row_steps), default=None)
            if longest and longest.most(channel.row_steps) > 0:
                loads[longest].append((before, place))
    return tuple((one, tuple(events)) for one, events in loads.items())


@functools.cache
def _nearness(channel: PimChannel, banks: range, others: range) -> frozenset[Nearness]:
    """How near a bank of the one and a bank of the other can be."""
    return frozenset(nearness(channel, bank, other) for bank in banks for other in others)
