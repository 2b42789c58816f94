"""Attention of a batch on the channels: each has its requests, the slowest decides.

All logits come first, then all sums of values: between the two a device waits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from archmodels.npu_pim.span import Served, served
from archmodels.npu_pim.tiles import instruction_count, period, tile_slots
from designs.npu_pim import Heads, NpuPimDevice, PimChannel, Product
from designs.npu_pim.gemv import HeadsFit, attend, logit
from designs.rules import check_rules

Channels = Sequence[Sequence[int]]
"""Lengths of the requests of each channel."""

_OPERATIONS: tuple[Callable[[PimChannel, Heads, int], tuple[Product, ...]], ...] = (logit, attend)


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
    return Attention(
        logit=_phase(device, heads, channels, 0), attend=_phase(device, heads, channels, 1)
    )


def limited_cycles(device: NpuPimDevice, heads: Heads, channels: Channels) -> int:
    """As the authors' baseline: one instruction a cycle for all channels, one channel's first.

    A channel begins when all instructions of those before it have been sent.
    """
    total = 0
    for operation in range(len(_OPERATIONS)):
        sent = ends = 0
        for lengths in channels:
            done = _served(device.channel, heads, tuple(lengths), operation)
            ends = max(ends, sent + done.end_cycle)
            own = _products(device.channel, heads, tuple(lengths), operation)
            sent += sum(instruction_count(device.channel, one) for one in own)
        total += ends
    return total


def _phase(device: NpuPimDevice, heads: Heads, channels: Channels, operation: int) -> Phase:
    channel = device.channel
    found = [_served(channel, heads, tuple(lengths), operation) for lengths in channels]
    cycles, last = max(
        ((one.end_cycle, index) for index, one in enumerate(found)), default=(0, None)
    )
    if last is None:
        return Phase(cycles=0, mean_cycles=0.0, slots=0, bare_cycles=0, tiles=0)
    own = _products(channel, heads, tuple(channels[last]), operation)
    return Phase(
        cycles=cycles,
        mean_cycles=sum(one.end_cycle for one in found) / len(found),
        slots=sum(1 + one.tiles * tile_slots(channel, one) for one in own),
        bare_cycles=sum(one.tiles * period(channel, one) for one in own),
        tiles=sum(one.tiles for one in own),
    )


@cache
def _served(channel: PimChannel, heads: Heads, lengths: tuple[int, ...], operation: int) -> Served:
    return served(channel, _products(channel, heads, lengths, operation))


def _products(
    channel: PimChannel, heads: Heads, lengths: tuple[int, ...], operation: int
) -> list[Product]:
    make = _OPERATIONS[operation]
    return [*chain.from_iterable(make(channel, heads, length) for length in lengths)]
