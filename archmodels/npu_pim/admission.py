"""Requests that are served: who enters, into which channel, and what is left to do for each."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from archmodels.npu_pim.packing import (
    Placement,
    check_model,
    costs,
    estimate,
    free_tiles,
    lightest,
    longest,
    next_in_turn,
    request_tiles,
)
from archmodels.npu_pim.prefill import Chunk
from designs.npu_pim import Llm, NpuPimDevice, Packing, Request, ServingPolicy
from designs.npu_pim.gemv import key_rows
from designs.rules import ceil_div


def waiting_tiles(device: NpuPimDevice, model: Llm, policy: ServingPolicy) -> int:
    """Tiles of a request's channel for values that wait until enough tokens are there."""
    if policy.append_tokens < 2:
        return 0
    rows = key_rows(device.channel, model.shard)
    return model.stage_layers * rows * ceil_div(policy.append_tokens, device.channel.banks)


def longest_served(device: NpuPimDevice, model: Llm, policy: ServingPolicy) -> int:
    """Tokens of the longest request that is served. Raises ValueError where weights do not fit."""
    return longest(device, model, waiting_tiles(device, model, policy))


@dataclass(kw_only=True, slots=True, eq=False)
class Resident:
    """A request in the batch.

    index: its place in the trace. cached: tokens in its cache, the newest included. left: tokens
    that it is still to get. since: the time at which it entered, in cycles.
    """

    index: int
    request: Request
    channel: int
    cached: int
    left: int
    since: float

    @property
    def is_decoding(self) -> bool:
        """Whether its prompt is in its cache."""
        return self.cached >= self.request.length


class Residents:
    """The batch, channel by channel in the order of admission, and those that wait for room."""

    def __init__(self, device: NpuPimDevice, model: Llm, policy: ServingPolicy) -> None:
        check_model(device, model)
        self._device, self._model, self._policy = device, model, policy
        self._room = [free_tiles(device, model)] * device.channels
        self._beside = waiting_tiles(device, model, policy)
        self._cost = costs(device.channel, model.shard)
        self._estimates: dict[int, int] = {}
        self._turn, self._is_full = 0, False
        self.channels: list[list[Resident]] = [[] for _ in range(device.channels)]
        self.in_order: list[Resident] = []
        self.waiting: deque[tuple[int, Request]] = deque()

    def estimate(self, length: int) -> int:
        """Algorithm 1, with what follows from the timing."""
        if length not in self._estimates:
            channel, heads = self._device.channel, self._model.shard
            self._estimates[length] = int(estimate(channel, heads, length, self._cost))
        return self._estimates[length]

    def placement(self) -> Placement:
        """Cached tokens of those that decode."""
        return tuple(tuple(one.cached for one in own if one.is_decoding) for own in self.channels)

    def chunks(self, tokens: int) -> list[tuple[Resident, Chunk]]:
        """The next tokens of prompts, in the order of admission."""
        found = []
        for one in self.in_order:
            part = min(tokens, one.request.length - one.cached)
            if part > 0:
                chunk = Chunk(start=one.cached, tokens=part, channel=one.channel)
                found.append((one, chunk))
                tokens -= part
        return found

    def admit(self, now: float) -> None:
        """Let enter, in their order, as many as find a place; none passes another by.

        Once the first finds no room, none does until somebody leaves.
        """
        free = 0 if self._is_full else self._policy.batch - len(self.in_order)
        entering = [*islice(self.waiting, free)]
        while entering:
            places = self._places([request for _, request in entering])
            if None not in places:
                break
            entering = entering[: places.index(None)]
            self._is_full = not entering
        else:
            return
        for (index, request), channel in zip(entering, places, strict=True):
            self.waiting.popleft()
            if channel is not None:
                self._enter(index, request, channel, now)

    def leave(self, one: Resident) -> None:
        """Free the room of a request that has all its tokens."""
        self.channels[one.channel].remove(one)
        self.in_order.remove(one)
        self._room[one.channel] += self._tiles(one.request)
        self._is_full = False

    def _enter(self, index: int, request: Request, channel: int, now: float) -> None:
        one = Resident(
            index=index,
            request=request,
            channel=channel,
            cached=0 if self._policy.prefill_tokens else request.length,
            left=request.output,
            since=now,
        )
        self.channels[channel].append(one)
        self.in_order.append(one)
        self._room[channel] -= self._tiles(request)
        self._turn = (channel + 1) % len(self._room)

    def _tiles(self, request: Request) -> int:
        needed = request_tiles(self._device, self._model, request.most_tokens)
        return int(needed) + self._beside

    def _places(self, requests: Sequence[Request]) -> list[int | None]:
        """The channel of each, as if they entered together; None where there is no room."""
        is_greedy = self._policy.packing == Packing.LEAST_LOADED
        room, turn = [*self._room], self._turn
        load = [
            sum(self.estimate(max(one.cached, one.request.length)) for one in own)
            for own in self.channels
        ]
        order = [*range(len(requests))]
        if is_greedy:
            order.sort(key=lambda place: -requests[place].length)
        found: list[int | None] = [None] * len(requests)
        for place in order:
            request = requests[place]
            tiles = self._tiles(request)
            channel = request.channel
            if channel is not None:
                channel = channel if tiles <= room[channel] else None
            elif is_greedy:
                channel = lightest(load, room, tiles)
            else:
                channel = next_in_turn(turn, room, tiles)
            if channel is None:
                continue
            found[place] = channel
            room[channel] -= tiles
            load[channel] += self.estimate(request.length)
            turn = (channel + 1) % len(room)
        return found
