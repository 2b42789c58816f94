"""Work of the arrays whose weights come ahead of their use, segment by segment.

Weights come in the order of their use, a piece after the other. The arrays take a piece when it has
come and they are done with the one before; its room in the scratchpad is free when they are done
with it, or, where it is kept, when the other sub-batch's are. A piece comes as soon as the one
before has and there is room. Attention goes on beside: while it does, weights come at the part of
the rate that it leaves, and it has the speed that it has beside them. Vector work moves its tensors
at the memory's rate, and no weights come meanwhile.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archmodels.npu_pim.npu import START_CYCLES


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """Work of the arrays, in pieces that are alike; vector work has none, and may move tensors.

    cycles: of a piece, or of the vector work. fetched: bytes that come for a piece; kept of these,
    and freed of those that were kept before, when it is done. drain: behind the last piece. waits:
    for an attention; begins: one that may begin behind it.
    """

    cycles: float
    pieces: int = 0
    fetched: float = 0.0
    kept: float = 0.0
    freed: float = 0.0
    drain: float = 0.0
    moves: bool = False
    waits: int | None = None
    begins: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hidden:
    """An attention: cycles beside weights that come, and the part of their rate that it leaves."""

    cycles: float
    memory: float


class _Memory:
    """When bytes come: at a rate that attentions slow, and not while vector work has the bus.

    What is asked for is asked for in the order of time.
    """

    def __init__(self, bytes_per_cycle: float) -> None:
        self._rate = bytes_per_cycle
        self._now = float(START_CYCLES)
        self._slow: deque[tuple[float, float, float]] = deque()
        self._stops: deque[tuple[float, float]] = deque()

    def attend(self, begin: float, end: float, share: float) -> None:
        """Leave this share of the rate from `begin` to `end`, behind all attentions before."""
        self._slow.append((begin, end, share))

    def vector(self, begin: float, cycles: float) -> float:
        """When vector work is done that takes so many cycles at the whole rate."""
        end = self._passed(begin, cycles, 1.0, ())
        self._stops.append((begin, end))
        return end

    def come(self, count: float, earliest: float) -> float:
        """When so many bytes have come, which are asked for at `earliest` or when others have."""
        now = max(self._now, earliest)
        while self._slow and self._slow[0][1] <= now:
            self._slow.popleft()
        while self._stops and self._stops[0][1] <= now:
            self._stops.popleft()
        self._now = self._passed(now, count, self._rate, self._stops)
        return self._now

    def _passed(
        self, now: float, count: float, rate: float, stops: Iterable[tuple[float, float]]
    ) -> float:
        """When a count is done that goes on at a rate from `now`."""
        for begin, end in stops:
            if end > now:
                done, reached = self._moved(now, count, rate, begin)
                if done:
                    return reached
                count, now = count - reached, max(now, end)
        return self._moved(now, count, rate, math.inf)[1]

    def _moved(self, now: float, count: float, rate: float, until: float) -> tuple[bool, float]:
        """Whether a count is done by `until`, and when; else how much of it."""
        moved = 0.0
        while now < until:
            share, change = self._share(now)
            part = min(change, until) - now
            whole = part * rate * share
            if moved + whole >= count:
                return True, now + (count - moved) / (rate * share)
            moved, now = moved + whole, now + part
        return False, moved

    def _share(self, now: float) -> tuple[float, float]:
        """Of the rate, and when it changes."""
        for begin, end, share in self._slow:
            if now < begin:
                return 1.0, begin
            if now < end:
                return share, end
        return 1.0, math.inf


class Flow:
    """Follows segments in their order."""

    def __init__(self, bytes_per_cycle: float, room: float, attentions: Sequence[Hidden]) -> None:
        self._room, self._attentions = room, attentions
        self._memory = _Memory(bytes_per_cycle)
        self._held = 0.0
        self._releases: deque[tuple[float, float]] = deque()
        self._arrays = self._channels = 0.0
        self._ends: dict[int, float] = {}

    def run(self, segments: Sequence[Segment]) -> float:
        """The cycle in which the arrays are done with these, too."""
        for segment in segments:
            if segment.waits is not None:
                self._arrays = max(self._arrays, self._ends[segment.waits])
            if segment.pieces:
                self._linear(segment)
            elif segment.moves:
                self._arrays = self._memory.vector(self._arrays, segment.cycles)
            else:
                self._arrays += segment.cycles
            if segment.begins is not None:
                self._attend(segment.begins)
        return self._arrays

    def _linear(self, segment: Segment) -> None:
        released = segment.fetched - segment.kept + segment.freed
        for _ in range(segment.pieces):
            asked = self._room_for(segment.fetched)
            come = self._memory.come(segment.fetched, asked)
            self._arrays = max(self._arrays, come) + segment.cycles
            self._releases.append((self._arrays, released))
        self._arrays += segment.drain

    def _room_for(self, count: float) -> float:
        """When there is room for so many bytes, which are then held."""
        now = 0.0
        while self._held + count > self._room and self._releases:
            now, released = self._releases.popleft()
            self._held -= released
        self._held += count
        return now

    def _attend(self, attention: int) -> None:
        work = self._attentions[attention % len(self._attentions)]
        begin = max(self._arrays, self._channels)
        self._channels = self._ends[attention] = begin + work.cycles
        self._memory.attend(begin, self._channels, work.memory)
