"""Attention of a batch on the channels: each has its requests, the slowest decides.

All logits come first, then all sums of values: between the two a device waits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from archmodels.npu_pim.span import Served
from archmodels.npu_pim.states import States
from archmodels.npu_pim.tiles import instruction_count, period, tile_slots
from designs.npu_pim import Heads, NpuPimDevice, PimChannel, Product
from designs.npu_pim.gemv import HeadsFit, attend, logit
from designs.rules import check_rules

Channels = Sequence[Sequence[int]]
"""Lengths of the requests of each channel."""

Make = Callable[[PimChannel, Heads, int], tuple[Product, ...]]
"""Products of a request of some length."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """Logits, or sums of values, of a whole batch.

    cycles: of the channel that is last. mean_cycles: of all channels. slots: of the command bus of
    the last. bare_cycles: of its tiles, as if they followed each other without end. tiles: that it
    opens.
    """

    cycles: int
    mean_cycles: float
    slots: int
    bare_cycles: int
    tiles: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """Of a batch in one layer on one device."""

    logit: Phase
    attend: Phase

    @property
    def cycles(self) -> int:
        return self.logit.cycles + self.attend.cycles

    @property
    def mean_cycles(self) -> float:
        """That a channel computes."""
        return self.logit.mean_cycles + self.attend.mean_cycles

    @property
    def bus_share(self) -> float:
        """Part of the command bus that it leaves to accesses of the host."""
        slots = self.logit.slots + self.attend.slots
        return 1 - slots / self.cycles if self.cycles else 1.0

    def pace(self, channel: PimChannel) -> float:
        """Its speed beside accesses of the host, whose activations fill the window of four.

        Each tile's first activation finds a window that is full and waits half of it.
        """
        bare = self.logit.bare_cycles + self.attend.bare_cycles
        tiles = self.logit.tiles + self.attend.tiles
        return 2 * bare / (2 * bare + channel.timing.faw_cycles * tiles) if tiles else 1.0


def attention(device: NpuPimDevice, heads: Heads, channels: Channels) -> Attention:
    """What the requests of each channel take, from channels that are idle.

    Raises RuleError where heads do not fit in rows.
    """
    check_rules(HeadsFit.RULES, HeadsFit(channel=device.channel, heads=heads))
    first, second = _operations(device.channel, heads)
    return Attention(logit=first.phase(channels), attend=second.phase(channels))


def limited_cycles(device: NpuPimDevice, heads: Heads, channels: Channels) -> int:
    """As the authors' baseline: one instruction a cycle for all channels, one channel's first.

    A channel begins when all instructions of those before it have been sent.
    """
    total = 0
    for operation in _operations(device.channel, heads):
        sent = ends = 0
        for lengths in channels:
            ends = max(ends, sent + operation.served(lengths).end_cycle)
            sent += sum(
                instruction_count(device.channel, one) for one in operation.products(lengths)
            )
        total += ends
    return total


class _Operation:
    """Logits, or sums of values, of the requests of a channel, by their lengths.

    What was served is kept by products, which change with a length only every few tokens.
    """

    def __init__(self, channel: PimChannel, heads: Heads, make: Make) -> None:
        self._channel, self._heads, self._make = channel, heads, make
        self._states = States(channel)
        self._alike: dict[int, int] = {}
        self._first: dict[tuple[Product, ...], int] = {}
        self._products: dict[int, tuple[Product, ...]] = {}
        self._served: dict[tuple[int, ...], Served] = {}

    def served(self, lengths: Sequence[int]) -> Served:
        """Of these requests, one after the other."""
        key = tuple(map(self._alike_length, lengths))
        if key not in self._served:
            self._served[key] = self._states.served(self.products(lengths))
        return self._served[key]

    def products(self, lengths: Sequence[int]) -> list[Product]:
        """Of these requests."""
        own = map(self._alike_length, lengths)
        return [*chain.from_iterable(self._products[one] for one in own)]

    def phase(self, channels: Channels) -> Phase:
        """Of a batch: the slowest channel decides."""
        found = [self.served(lengths).end_cycle for lengths in channels]
        if not found:
            return Phase(cycles=0, mean_cycles=0.0, slots=0, bare_cycles=0, tiles=0)
        cycles = max(found)
        last = max(place for place, one in enumerate(found) if one == cycles)
        own = self.products(channels[last])
        return Phase(
            cycles=cycles,
            mean_cycles=sum(found) / len(found),
            slots=sum(1 + one.tiles * tile_slots(self._channel, one) for one in own),
            bare_cycles=sum(one.tiles * period(self._channel, one) for one in own),
            tiles=sum(one.tiles for one in own),
        )

    def _alike_length(self, length: int) -> int:
        """The first length met that has the same products."""
        if length not in self._alike:
            made = self._make(self._channel, self._heads, length)
            first = self._first.setdefault(made, length)
            self._alike[length] = first
            self._products[first] = made
        return self._alike[length]


@cache
def _operations(channel: PimChannel, heads: Heads) -> tuple[_Operation, _Operation]:
    """Logits, then sums of values."""
    return _Operation(channel, heads, logit), _Operation(channel, heads, attend)
