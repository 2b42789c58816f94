"""When each epoch starts: the waits of the sequencer, stepped through, repetitions in one stride.

An epoch starts when the one before it is over and what it needs is there: tiles of keys, values and
queries, which arrive as fast as there is room for them, and a part of the output buffer. All times
follow from earlier ones by sums and maxima: where a part of a program begins as it began before, it
goes on as it went then. Where it differs in nothing but how often parts of it are repeated, and
these go on in periods, it takes so many of their periods more, and ends as it did.
"""

from collections import deque
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from designs.rules import Int

N = TypeVar("N", bound=Int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine(Generic[N]):
    """Times of an engine, in cycles; what happens in an epoch is counted from its first cycle.

    epoch: its length; tail: what it has more where a query tile's last products are made. lag:
    epochs from a new tile to its weights; weighed: to its products with values. kv_tiles,
    query_tiles: room for tiles. result_tiles: the same for their results. keys, values: transfers
    that bring a tile of keys, or of queries, and one of values; f: cycles that a query tile's
    results take. keys_free, values_free: when a place in a ring can be written again, of queries as
    of keys. results: when the first result of a query tile can leave, in the epoch of its last
    products; quotient: the same in that of its last weights; turn: the same after the last result
    of the query tile before it, where something can be in its way.
    """

    epoch: N
    tail: N
    lag: N
    weighed: N
    kv_tiles: N
    query_tiles: N
    result_tiles: N
    keys: N
    values: N
    f: N
    keys_free: N
    values_free: N
    results: N
    quotient: N
    turn: N


class Step(NamedTuple):
    """One tile, and whether a query tile begins or ends with it, and the use of a key tile.

    leaving: query tiles that are not needed any more.
    """

    first: bool
    last: bool
    keys_begin: bool
    keys_end: bool
    leaving: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part of a program, so many times.

    more: by how many times it grows from each round of the repetition around it to the next.
    """

    body: "Program"
    times: int
    more: int = 0


Program: TypeAlias = tuple[Step | Repeat, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """So many rounds of a repetition after which it is where it was, and their cycles."""

    rounds: int
    cycles: int


@dataclass(frozen=True, slots=True)
class Round:
    """When a round of a repetition began, and how the parts that grow from round to round went on.

    growths: how much each of them grows, and in which periods; None where one showed no period.
    """

    start: int
    growths: tuple[tuple[int, Period], ...] | None


class Ring:
    """Room for `tiles` tiles of so many transfers, which come in order as soon as there is room."""

    def __init__(self, tiles: int, transfers: int) -> None:
        self.transfers = transfers
        self.room = deque([0] * tiles)
        self.end = 0

    def arrival(self) -> int:
        """The first cycle after the last transfer of the next tile."""
        self.end = max(self.end, self.room.popleft()) + self.transfers
        return self.end

    def free(self, cycle: int) -> None:
        """Room for one tile more, from a cycle on."""
        self.room.append(cycle)

    def state(self, now: int) -> tuple[int, ...]:
        """What later arrivals depend on, relative to now: all that is long past is one."""
        past = -self.transfers * (len(self.room) + 1)
        return (max(self.end - now, past), *(max(room - now, past) for room in self.room))

    def shift(self, cycles: int) -> None:
        """Everything so much later."""
        self.end += cycles
        self.room = deque(room + cycles for room in self.room)


class Clock:
    """Where an engine is: its next epoch starts in cycle `now`, if it need not wait.

    `end`: the first cycle after the last result.
    """

    def __init__(self, machine: Machine[int]) -> None:
        self.machine = machine
        self.now = 0
        self.end = 0
        self.rings = {
            "keys": Ring(machine.kv_tiles, machine.keys),
            "values": Ring(machine.kv_tiles, machine.values),
            "queries": Ring(machine.query_tiles, machine.keys),
        }
        self.halves = deque([0] * machine.result_tiles)
        self.tiles: deque[Step | None] = deque([None] * machine.weighed)

    def run(self, program: Program) -> None:
        """Take all tiles of a program."""
        self._round(program, 0)

    def flush(self) -> None:
        """Epochs without a new tile, until the last one is through."""
        for _ in range(self.machine.weighed):
            self.step(None)

    def step(self, new: Step | None) -> None:
        """One epoch."""
        m, rings = self.machine, self.rings
        self.tiles.appendleft(new)
        scored, weighed = self.tiles[m.lag], self.tiles[m.weighed]
        self.tiles.pop()
        needs = [self.now]
        if new and new.keys_begin:
            needs.append(rings["keys"].arrival())
        if new and new.first:
            needs.append(rings["queries"].arrival())
        if weighed and weighed.keys_begin:
            needs.append(rings["values"].arrival())
        if scored and scored.last:
            needs.append(self.halves.popleft())
        start = max(needs)
        scored_in = start if m.lag == m.weighed else self.now - m.epoch
        self.now = start + m.epoch
        if new and new.keys_end:
            rings["keys"].free(start + m.keys_free)
        for _ in range(new.leaving if new else 0):
            rings["queries"].free(start + m.keys_free)
        if weighed and weighed.keys_end:
            rings["values"].free(start + m.values_free)
        if weighed and weighed.last:
            self.now += m.tail
            there = max(start + m.results, scored_in + m.quotient)
            self.end = max(self.end + m.turn, there) + m.f
            self.halves.append(self.end)

    def _round(self, program: Program, number: int) -> Round:
        """A program, as it is in a round of the repetition around it."""
        start = self.now
        growths: list[tuple[int, Period]] | None = []
        for part in program:
            if isinstance(part, Step):
                self.step(part)
                continue
            period = self._repeat(part.body, part.times + number * part.more)
            if part.more and growths is not None:
                growths = [*growths, (part.more, period)] if period else None
        return Round(start, None if growths is None else tuple(growths))

    def _repeat(self, body: Program, times: int) -> Period | None:
        """A body again and again; from a state that was there before, whole periods at once."""
        seen: dict[object, list[int]] = {}
        rounds: list[Round] = []
        while len(rounds) < times:
            alike = seen.setdefault(self._state(), [])
            for before in reversed(alike):
                found = self._stride(rounds[before:], times - len(rounds))
                if found is None:
                    continue
                period, skipped, cycles = found
                self._shift(cycles)
                for number in range(len(rounds) + skipped, times):
                    self._round(body, number)
                return period
            alike.append(len(rounds))
            rounds.append(self._round(body, len(rounds)))
        return None

    def _stride(self, rounds: list[Round], left: int) -> tuple[Period, int, int] | None:
        """Of rounds that end as they began: their period, and whole ones in those that are left.

        None, where they may not go on like that. Parts that grow must have gone on in periods, and
        grow by whole ones.
        """
        count, longer = len(rounds), 0
        for each in rounds:
            if each.growths is None:
                return None
            for more, period in each.growths:
                if more * count % period.rounds:
                    return None
                longer += more * count // period.rounds * period.cycles
        taken, periods = self.now - rounds[0].start, left // count
        cycles = periods * taken + periods * (periods + 1) // 2 * longer
        return Period(count, taken), periods * count, cycles

    def _state(self) -> object:
        """What everything later depends on, relative to now."""
        return (
            *(ring.state(self.now) for ring in self.rings.values()),
            tuple(max(half - self.now, 0) for half in self.halves),
            max(self.end - self.now, -self.machine.turn),
            tuple(self.tiles),
        )

    def _shift(self, cycles: int) -> None:
        """Everything so much later."""
        for ring in self.rings.values():
            ring.shift(cycles)
        self.halves = deque(half + cycles for half in self.halves)
        self.now += cycles
        self.end += cycles
