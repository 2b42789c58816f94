"""Where requests go: their estimated latency, the channel of each, the sub-batch of each.

Algorithms 1 to 3 of the NeuPIMs paper, with the test of capacity that it leaves out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from archmodels.npu_pim.tiles import period
from designs.npu_pim import Heads, Llm, NpuPimDevice, PimChannel, Request
from designs.npu_pim.gemv import (
    attend,
    attend_tiles,
    key_vectors,
    logit,
    logit_tiles,
    vector_cycles,
)
from designs.npu_pim.layout import cache_rows
from designs.rules import Int, ceil_div

Placement = tuple[tuple[int, ...], ...]
"""Lengths of the requests of each channel, in the order of admission."""

Estimate = Callable[[int], int]
"""Cycles that a request of so many tokens is taken to need in its channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """Cycles of a vector, and of a tile of keys and of values."""

    vector: int
    key_tile: int
    value_tile: int


PUBLISHED_COSTS = Costs(vector=100, key_tile=184, value_tile=184)
"""The constants of the authors' code."""


def costs(channel: PimChannel, heads: Heads) -> Costs:
    """Those that follow from the timing, for a full row of values."""
    keys, values = logit(channel, heads, 1)[0], attend(channel, heads, channel.row_elements)[0]
    return Costs(
        vector=vector_cycles(channel),
        key_tile=period(channel, keys),
        value_tile=period(channel, values),
    )


def estimate(channel: PimChannel, heads: Heads, length: Int, cost: Costs) -> Int:
    """Algorithm 1: of a request, without refreshes."""
    vectors = key_vectors(channel, heads) + heads.heads * ceil_div(length, channel.row_elements)
    keys = logit_tiles(channel, heads, length) * cost.key_tile
    return vectors * cost.vector + keys + attend_tiles(channel, heads, length) * cost.value_tile


def free_tiles(device: NpuPimDevice, model: Llm) -> int:
    """Rows of all banks of a channel that weights leave to caches."""
    weights = ceil_div(model.device_weights * device.element_bytes, device.channels)
    return device.channel.tiles - ceil_div(weights, device.channel.tile_bytes)


def request_tiles(device: NpuPimDevice, model: Llm, length: Int) -> Int:
    """Rows of all banks of its channel that a request's cache takes."""
    return model.stage_layers * cache_rows(device, model.shard, length)


def check_model(device: NpuPimDevice, model: Llm) -> None:
    """Raises ValueError, which says how many devices it takes, where the weights do not fit."""
    if free_tiles(device, model) <= 0:
        weights = model.layers * sum(one.weights for one in model.linears) * model.tensor_parallel
        least = ceil_div(weights * device.element_bytes + 1, device.capacity_bytes)
        least = max(least, model.devices + 1)  # layers of a stage and rows are whole
        raise ValueError(
            f"devices must be at least {least}, for weights alone are "
            f"{weights * device.element_bytes} bytes, not {model.devices}"
        )


def longest(device: NpuPimDevice, model: Llm, beside: int = 0) -> int:
    """Tokens of the longest request that a channel holds, with so many tiles besides its cache.

    Raises ValueError as check_model.
    """
    check_model(device, model)
    free = free_tiles(device, model) - beside
    low, high = 0, 1
    while request_tiles(device, model, high) <= free:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if request_tiles(device, model, middle) <= free:
            low = middle
        else:
            high = middle
    return low


def lightest(load: Sequence[float], room: Sequence[int], tiles: int) -> int | None:
    """The channel with least load of those that have room; the first of equal ones."""
    places = [one for one, free in enumerate(room) if tiles <= free]
    return min(places, key=load.__getitem__, default=None)


def next_in_turn(start: int, room: Sequence[int], tiles: int) -> int | None:
    """The first channel from `start` on that has room, in a ring."""
    turn = ((start + step) % len(room) for step in range(len(room)))
    return next((one for one in turn if tiles <= room[one]), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """Requests in their channels, and those that find no room, which wait."""

    channels: Placement
    waiting: tuple[int, ...]


class _Channels:
    """Channels that fill up: requests, load and room of each."""

    def __init__(self, device: NpuPimDevice, model: Llm, resident: Sequence[Request]) -> None:
        check_model(device, model)
        self._tiles = cache(partial(request_tiles, device, model))
        self.lengths: list[list[int]] = [[] for _ in range(device.channels)]
        self.room = [free_tiles(device, model)] * device.channels
        for request in resident:
            tiles = self.tiles(request.length)
            if request.channel is None or tiles > self.room[request.channel]:
                raise ValueError(
                    f"channel of a resident request of {request.length} tokens must be one with "
                    f"room for it, not {request.channel}"
                )
            self.add(request.channel, request.length)

    def tiles(self, length: int) -> int:
        """That a request takes of its channel's room."""
        return int(self._tiles(length))

    def add(self, channel: int, length: int) -> None:
        self.lengths[channel].append(length)
        self.room[channel] -= self.tiles(length)

    def packed(self, waiting: Sequence[int]) -> Packed:
        return Packed(channels=tuple(map(tuple, self.lengths)), waiting=tuple(waiting))


def least_loaded(
    device: NpuPimDevice, model: Llm, requests: Sequence[Request], cost: Estimate
) -> Packed:
    """Algorithm 2: requests without a channel, longest first, each where the load is least.

    Of the channels that have room; equal loads go to the first.
    """
    channels = _Channels(device, model, [one for one in requests if one.channel is not None])
    load = [sum(map(cost, lengths)) for lengths in channels.lengths]
    waiting = []
    for length in sorted((one.length for one in requests if one.channel is None), reverse=True):
        place = lightest(load, channels.room, channels.tiles(length))
        if place is None:
            waiting.append(length)
            continue
        channels.add(place, length)
        load[place] += cost(length)
    return channels.packed(waiting)


def in_rotation(device: NpuPimDevice, model: Llm, requests: Sequence[Request]) -> Packed:
    """The baseline: each request without a channel goes to the next that has room."""
    channels = _Channels(device, model, [one for one in requests if one.channel is not None])
    start, waiting = 0, []
    for request in requests:
        if request.channel is not None:
            continue
        place = next_in_turn(start, channels.room, channels.tiles(request.length))
        if place is None:
            waiting.append(request.length)
            continue
        channels.add(place, request.length)
        start = (place + 1) % device.channels
    return channels.packed(waiting)


def halves(channels: Placement) -> tuple[Placement, Placement]:
    """Algorithm 3: of each channel's requests the first half; odd ones go to either in turn."""
    first, second, takes_odd = [], [], True
    for lengths in channels:
        middle = len(lengths) // 2
        if len(lengths) % 2:
            middle += takes_odd
            takes_odd = not takes_odd
        first.append(lengths[:middle])
        second.append(lengths[middle:])
    return tuple(first), tuple(second)


def balanced(channels: Placement, cost: Estimate) -> tuple[Placement, Placement]:
    """Of each channel's requests, longest first, one of two to either sub-batch.

    The longer of two goes to the sub-batch with less to do in that channel, and one that is left
    to the sub-batch that has fewer requests, or else less to do there.
    """
    parts: tuple[list[tuple[int, ...]], list[tuple[int, ...]]] = ([], [])
    counts = [0, 0]
    for lengths in channels:
        own: tuple[list[int], list[int]] = ([], [])
        load = [0, 0]
        ordered = sorted(lengths, reverse=True)
        for first in range(0, len(ordered), 2):
            pair = ordered[first : first + 2]
            lighter = int(load[1] < load[0])
            if len(pair) == 1 and counts[0] != counts[1]:
                lighter = int(counts[1] < counts[0])
            for place, length in zip((lighter, 1 - lighter), pair, strict=False):
                own[place].append(length)
                load[place] += cost(length)
                counts[place] += 1
        for part, mine in zip(parts, own, strict=True):
            part.append(tuple(mine))
    return tuple(parts[0]), tuple(parts[1])
