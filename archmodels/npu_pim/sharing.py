"""Requests over micro-batches, sub-batches and channels, with levers.

Longest first, each request goes to the micro-batch and sub-batch that has fewest of those that it
is to have, or else least to do, so that all are alike in number and in length. Each sub-batch is
spread on its own: a request, or each stripe of it, goes to the channel where its sub-batch has
least to do, of those with room for it; of equal ones to the one where all have least.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archmodels.npu_pim.decode import dealt
from archmodels.npu_pim.pace import ahead_period
from archmodels.npu_pim.packing import (
    Placement,
    check_model,
    costs,
    estimate,
    free_tiles,
    halves,
    least_loaded,
    request_tiles,
)
from archmodels.npu_pim.setting import Setting
from designs.npu_pim import Heads, Llm, NpuPimDevice, Request, Sharing
from designs.npu_pim.layout import attend_work, logit_work, stripes, vector_sets
from designs.rules import ceil_div

SUB_BATCHES = (1, 2)
"""That a micro-batch may be: whole, or interleaved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Requests that are decoded together: of each channel the lengths of its stripes."""

    channels: Placement
    requests: int

    @property
    def extra(self) -> int:
        """Stripes beyond the first of each request, whose sums are added to the first's."""
        return sum(map(len, self.channels)) - self.requests

    def __or__(self, other: "Batch") -> "Batch":
        """Both together."""
        channels = tuple(one + two for one, two in zip(self.channels, other.channels, strict=True))
        return Batch(channels=channels, requests=self.requests + other.requests)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """Micro-batches, each of one or two sub-batches; lengths that wait for room."""

    micro_batches: tuple[tuple[Batch, ...], ...]
    waiting: tuple[int, ...]


def work_cycles(device: NpuPimDevice, heads: Heads, length: int) -> float:
    """What a request is taken to need in its channel, without refreshes."""
    setting = Setting(
        channel=device.channel,
        levers=device.levers.channel,
        vector_sets=vector_sets(device, heads),
    )
    total = 0.0
    for work in (*logit_work(device, heads, length), *attend_work(device, heads, length)):
        copied = 0 if setting.vector_sets > 1 else work.copies * device.channel.gwrite_cycles
        total += copied + work.product.tiles * ahead_period(setting, work.product)
    return total


def shared(
    device: NpuPimDevice, model: Llm, requests: Sequence[Request], sub_batches: int
) -> Shared:
    """Requests that no channel has yet. Raises ValueError where the model does not fit."""
    if device.levers.sharing == Sharing.PUBLISHED:
        return _published(device, model, requests, sub_batches)
    check_model(device, model)
    sizes = _sizes(device, ceil_div(len(requests), model.pipeline_parallel), sub_batches)
    goals = [size for size in sizes for _ in range(model.pipeline_parallel)]
    parts = [_Part([[] for _ in range(device.channels)], goal) for goal in goals]
    total = [0.0] * device.channels
    room = [free_tiles(device, model)] * device.channels
    waiting, known = [], dict[int, float]()
    for length in sorted((one.length for one in requests), reverse=True):
        part = min(parts, key=lambda one: (one.count / one.goal, sum(one.loads) / one.goal))
        order = sorted(range(device.channels), key=lambda one: (part.loads[one], total[one], one))
        chosen = _channels(device, model, length, order, room)
        if chosen is None:
            waiting.append(length)
            continue
        part.count += 1
        for channel, tokens in chosen:
            if tokens not in known:
                known[tokens] = work_cycles(device, model.shard, tokens)
            part.lengths[channel].append(tokens)
            part.loads[channel] += known[tokens]
            total[channel] += known[tokens]
            room[channel] -= int(request_tiles(device, model, tokens))
    batches = [Batch(channels=tuple(map(tuple, one.lengths)), requests=one.count) for one in parts]
    micro = [batches[first :: model.pipeline_parallel] for first in range(model.pipeline_parallel)]
    return Shared(
        micro_batches=tuple(
            tuple(one for one in each if one.requests) for each in micro if each[0].requests
        ),
        waiting=tuple(waiting),
    )


class _Part:
    """A sub-batch that fills up: lengths and load of each channel, requests, and their goal."""

    def __init__(self, lengths: list[list[int]], goal: int) -> None:
        self.lengths, self.goal, self.count = lengths, goal, 0
        self.loads = [0.0] * len(lengths)


def _sizes(device: NpuPimDevice, requests: int, sub_batches: int) -> list[int]:
    """Of the sub-batches of a micro-batch: halves, or multiples of `side` if these are fewer.

    The arrays take as long for `side` tokens as for any part of them.
    """
    half, side = ceil_div(requests, sub_batches), device.side
    blocks = ceil_div(requests, side)
    if sub_batches == 1 or sub_batches * ceil_div(half, side) <= max(blocks, sub_batches):
        return [max(half, 1)] * sub_batches
    first = ceil_div(half, side) * side
    return [first, requests - first]


def _channels(
    device: NpuPimDevice, model: Llm, length: int, order: Sequence[int], room: Sequence[int]
) -> list[tuple[int, int]] | None:
    """A channel for each stripe of a request, the first of `order` that have room; or none."""
    found: list[tuple[int, int]] = []
    left = list(order)
    for tokens in stripes(device, length):
        needed = int(request_tiles(device, model, tokens))
        channel = next((one for one in left if room[one] >= needed), None)
        if channel is None:
            return None
        left.remove(channel)
        found.append((channel, tokens))
    return found


def _published(
    device: NpuPimDevice, model: Llm, requests: Sequence[Request], sub_batches: int
) -> Shared:
    """As the authors: channels first, then micro-batches and halves."""
    cost = costs(device.channel, model.shard)
    packed = least_loaded(
        device,
        model,
        requests,
        lambda length: int(estimate(device.channel, model.shard, length, cost)),
    )
    parts = [one for one in dealt(packed.channels, model.pipeline_parallel) if any(one)]
    own = [halves(one) if sub_batches > 1 else (one,) for one in parts]
    return Shared(
        micro_batches=tuple(
            tuple(Batch(channels=one, requests=sum(map(len, one))) for one in each if any(one))
            for each in own
        ),
        waiting=packed.waiting,
    )
