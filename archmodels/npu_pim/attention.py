"""Attention of a batch on the channels: each has its requests, the slowest decides.

All logits come first, then all sums of values: between the two a device waits. Where a channel
flows, it waits for its own logits alone, and for the softmax of the last of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain

from archmodels.npu_pim.npu import softmax_cycles
from archmodels.npu_pim.pace import ahead_period, beside_period, serve
from archmodels.npu_pim.setting import Setting
from archmodels.npu_pim.span import Served
from archmodels.npu_pim.states import States
from archmodels.npu_pim.tiles import instruction_count, tile_slots
from designs.npu_pim import Heads, Levers, NpuPimDevice
from designs.npu_pim.gemv import HeadsFit
from designs.npu_pim.layout import Work, attend_work, logit_work, vector_sets
from designs.rules import ceil_div, check_rules

Channels = Sequence[Sequence[int]]
"""Lengths of the requests of each channel."""

Make = Callable[[NpuPimDevice, Heads, int], tuple[Work, ...]]
"""Works of a request of some length."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """Logits, or sums of values, of a whole batch.

    cycles: of the channel that is last. mean_cycles: of all channels. slots: of the command bus of
    the last. bare_cycles: of its tiles, as if they followed each other without end. beside_cycles:
    the same while the host streams. tiles: that it opens.
    """

    cycles: int = 0
    mean_cycles: float = 0.0
    slots: int = 0
    bare_cycles: float = 0.0
    beside_cycles: float = 0.0
    tiles: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """Of a batch in one layer on one device.

    flow_cycles: of all, where it is not the sum of the two: where no channel waits for others
    between its phases, or where something follows.
    """

    logit: Phase
    attend: Phase
    flow_cycles: int | None = None

    @property
    def cycles(self) -> int:
        if self.flow_cycles is not None:
            return self.flow_cycles
        return self.logit.cycles + self.attend.cycles

    def later(self, cycles: int) -> "Attention":
        """That many cycles later, which follow the last channel's."""
        return replace(self, flow_cycles=self.cycles + cycles)

    @property
    def mean_cycles(self) -> float:
        """That a channel computes."""
        return self.logit.mean_cycles + self.attend.mean_cycles

    @property
    def bus_share(self) -> float:
        """Part of the command bus that it leaves to accesses of the host."""
        slots = self.logit.slots + self.attend.slots
        return 1 - slots / self.cycles if self.cycles else 1.0

    @property
    def pace(self) -> float:
        """Its speed beside accesses of the host, whose activations fill the window of four."""
        bare = self.logit.bare_cycles + self.attend.bare_cycles
        beside = self.logit.beside_cycles + self.attend.beside_cycles
        return bare / beside if beside else 1.0


def attention(device: NpuPimDevice, heads: Heads, channels: Channels) -> Attention:
    """What the requests of each channel take, from channels that are idle.

    Raises RuleError where heads do not fit in rows.
    """
    check_rules(HeadsFit.RULES, HeadsFit(channel=device.channel, heads=heads))
    first, second = _operations(_channel_only(device), heads)
    flow = _flow_cycles(device, heads, channels) if device.levers.flows else None
    return Attention(logit=first.phase(channels), attend=second.phase(channels), flow_cycles=flow)


def turn_cycles(device: NpuPimDevice, heads: Heads, length: int) -> int:
    """From the last logit of a channel until a vector of its weights may be copied.

    The softmax of a request's heads on vector units that all channels want at once, and the write
    of the weights to a row.
    """
    t, units = device.channel.timing, device.vector_units
    softmax = ceil_div(device.channels * heads.heads, units) * softmax_cycles(device, length)
    size = ceil_div(length * device.element_bytes, device.channel.access_bytes)
    written = heads.heads * size * t.column_l_cycles + t.write_cycles + t.wtr_l_cycles
    return softmax + written


def _flow_cycles(device: NpuPimDevice, heads: Heads, channels: Channels) -> int:
    """Of the channel that is last."""
    operations = _operations(_channel_only(device), heads)
    return max(
        (
            sum(one.served(own).end_cycle for one in operations)
            + turn_cycles(device, heads, own[-1])
            for own in channels
            if own
        ),
        default=0,
    )


def limited_cycles(device: NpuPimDevice, heads: Heads, channels: Channels) -> int:
    """As the authors' baseline: one instruction a cycle for all channels, one channel's first.

    A channel begins when all instructions of those before it have been sent.
    """
    total = 0
    for operation in _operations(_channel_only(device), heads):
        sent = ends = 0
        for lengths in channels:
            ends = max(ends, sent + operation.served(lengths).end_cycle)
            sent += sum(
                instruction_count(device.channel, one.product) for one in operation.works(lengths)
            )
        total += ends
    return total


@dataclass(frozen=True, kw_only=True, slots=True)
class _Request:
    """The works of a request, their products by number, and what they are in sum, as in `Phase`.

    index: the same for the same works.
    """

    index: int
    works: tuple[Work, ...]
    numbers: tuple[int, ...]
    slots: int
    bare_cycles: float
    beside_cycles: float
    tiles: int


class _Operation:
    """Logits, or sums of values, of the requests of a channel, by their lengths.

    What was served is kept by works, which change with a length only every few tokens.
    """

    def __init__(self, device: NpuPimDevice, heads: Heads, make: Make) -> None:
        self._device, self._heads, self._make = device, heads, make
        self._setting = Setting(
            channel=device.channel,
            levers=device.levers.channel,
            vector_sets=vector_sets(device, heads),
        )
        self._states = States(device.channel)
        self._requests: dict[int, _Request] = {}
        self._alike: dict[tuple[Work, ...], _Request] = {}
        self._served: dict[tuple[int, ...], Served] = {}

    def served(self, lengths: Sequence[int]) -> Served:
        """Of these requests, one after the other."""
        own = [self._request(length) for length in lengths]
        key = tuple([one.index for one in own])
        if key not in self._served:
            if not self._setting.levers.is_ahead:
                numbers = [*chain.from_iterable(one.numbers for one in own)]
                self._served[key] = self._states.served(numbers)
            else:
                self._served[key] = serve(self._setting, self.works(lengths))
        return self._served[key]

    def works(self, lengths: Sequence[int]) -> list[Work]:
        """Of these requests."""
        return [*chain.from_iterable(self._request(length).works for length in lengths)]

    def phase(self, channels: Channels) -> Phase:
        """Of a batch: the slowest channel decides."""
        found = [self.served(lengths).end_cycle for lengths in channels]
        if not found:
            return Phase()
        cycles = max(found)
        last = max(place for place, one in enumerate(found) if one == cycles)
        own = [self._request(length) for length in channels[last]]
        return Phase(
            cycles=cycles,
            mean_cycles=sum(found) / len(found),
            slots=sum(one.slots for one in own),
            bare_cycles=sum(one.bare_cycles for one in own),
            beside_cycles=sum(one.beside_cycles for one in own),
            tiles=sum(one.tiles for one in own),
        )

    def _request(self, length: int) -> _Request:
        """Of so many tokens; the same object where works are the same."""
        if length not in self._requests:
            works = self._make(self._device, self._heads, length)
            if works not in self._alike:
                self._alike[works] = self._made(works)
            self._requests[length] = self._alike[works]
        return self._requests[length]

    def _made(self, works: tuple[Work, ...]) -> _Request:
        channel, setting = self._device.channel, self._setting
        products = [one.product for one in works]
        copies = sum(one.copies for one in works)
        return _Request(
            index=len(self._alike),
            works=works,
            numbers=self._states.numbers(products),
            slots=copies + sum(one.tiles * tile_slots(channel, one) for one in products),
            bare_cycles=sum(one.tiles * ahead_period(setting, one) for one in products),
            beside_cycles=sum(one.tiles * beside_period(setting, one) for one in products),
            tiles=sum(one.tiles for one in products),
        )


@cache
def _channel_only(device: NpuPimDevice) -> NpuPimDevice:
    """What a channel's time depends on, of a device."""
    own = Levers(channel=device.levers.channel, value_heads=device.levers.value_heads)
    return NpuPimDevice(channel=device.channel, levers=own)


@cache
def _operations(device: NpuPimDevice, heads: Heads) -> tuple[_Operation, _Operation]:
    """Logits, then sums of values."""
    return _Operation(device, heads, logit_work), _Operation(device, heads, attend_work)
