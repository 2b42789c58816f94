"""A decode iteration where weights come ahead of their use.

Weights come in the order of their use, a piece after the other: those of `side` inputs of a layer.
The arrays take a piece when it has come and they are done with the one before; its room in the
scratchpad is free when they are done with it, or, where it is kept, when the other sub-batch's are.
A piece comes as soon as the one before has and there is room. Attention goes on beside: while it
does, weights come at the part of the rate that it leaves, and it has the speed that it has beside
them. Vector work moves its tensors at the memory's rate, and no weights come meanwhile.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from archmodels.npu_pim.npu import (
    START_CYCLES,
    SUM_BYTES,
    block_cycles,
    drain_cycles,
    layer_parts,
    linear_bytes,
    stream_share,
)
from archmodels.npu_pim.stages import Load, reduction_cycles, vector_work
from designs.npu_pim import Linear, Llm, NpuPimDevice
from designs.rules import Real, ceil_div

KEPT_SHARES = (1.0, 0.5, 0.0)
"""Of the weights that there is room for: what is best of these is kept for the other sub-batch."""

STEADY_LAYERS = 8
"""Layers that are followed segment by segment."""


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
class Beside:
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

    def __init__(self, bytes_per_cycle: float, room: float, attentions: Sequence[Beside]) -> None:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A sub-batch: its tokens, and the share of weights that it keeps or has kept for it."""

    device: NpuPimDevice
    model: Llm
    tokens: int
    kept: float = 0.0
    freed: float = 0.0

    def linear(self, layer: Linear) -> Segment:
        """A linear layer: `side` inputs of a part of its outputs, with all tokens, are a piece."""
        device, blocks = self.device, ceil_div(self.tokens, self.device.side)
        parts = layer_parts(device, layer, self.tokens)
        pieces = int(parts.outputs) * ceil_div(layer.inputs, device.side)
        weights = layer.weights * device.element_bytes
        read = int(linear_bytes(device, layer, self.tokens))
        return Segment(
            cycles=blocks * int(block_cycles(device, layer, parts)) / pieces,
            pieces=pieces,
            fetched=(read - self.freed * weights) / pieces,
            kept=self.kept * weights / pieces,
            freed=self.freed * weights / pieces,
            drain=float(drain_cycles(device)),
        )

    def vector(self, cycles: Real) -> Segment:
        """Vector work."""
        moves = vector_work(self.device, self.model, self.tokens).moves
        return Segment(cycles=float(cycles), moves=moves)

    def qkv(self) -> list[Segment]:
        """Layer norm, queries, keys and values."""
        work = vector_work(self.device, self.model, self.tokens)
        return [self.vector(work.norm), self.linear(self.model.qkv)]

    def rest(self) -> list[Segment]:
        """What follows attention."""
        model, work = self.model, vector_work(self.device, self.model, self.tokens)
        total = work.residual + reduction_cycles(self.device, model, self.tokens)
        return [
            self.linear(model.projection),
            self.vector(total + work.norm),
            self.linear(model.up),
            self.vector(work.inner),
            self.linear(model.down),
            self.vector(total),
        ]


def weights_room(device: NpuPimDevice, model: Llm, tokens: int) -> float:
    """Bytes of the scratchpad for weights: what activations and sums of the widest layer leave."""
    size = device.element_bytes
    taken = 0
    for layer in model.linears:
        parts = layer_parts(device, layer, tokens)
        columns = ceil_div(layer.outputs, int(parts.outputs))
        stays = layer.outputs + max(layer.inputs, layer.outputs) if parts.is_resident else 0
        rows = ceil_div(tokens, int(parts.tokens))
        taken = max(taken, rows * ((layer.inputs + stays) * size + columns * SUM_BYTES))
    return float(device.spad_bytes - taken)


def _most_kept(device: NpuPimDevice, model: Llm, room: float) -> float:
    """Share of a block's weights that may stay while pieces, some used and some coming, pass."""
    size = device.element_bytes
    passing = 2 * device.side * max(layer.outputs for layer in model.linears) * size
    weights = sum(layer.weights for layer in model.linears) * size
    return min(1.0, max(0.0, (room - passing) / weights))


def _layers(parts: Sequence[_Part], count: int) -> Iterator[list[Segment]]:
    """Segments of a layer after the other: of each sub-batch its rest and the next layer's qkv."""

    def linked(segments: list[Segment], waits: int | None, begins: int | None) -> list[Segment]:
        first = replace(segments[0], waits=waits)
        *others, last = [first, *segments[1:]]
        return [*others, replace(last, begins=begins)]

    wide = len(parts)
    first = [one for place, part in enumerate(parts) for one in linked(part.qkv(), None, place)]
    for layer in range(count):
        found, first = first, []
        for place, part in enumerate(parts):
            own = layer * wide + place
            found += linked(part.rest(), own, None)
            if layer + 1 < count:
                found += linked(part.qkv(), None, own + wide)
        yield found


def _iteration(flow: Flow, parts: Sequence[_Part], layers: int) -> float:
    """Cycles of all layers; those beyond STEADY_LAYERS take what two before the last took."""
    followed = min(layers, STEADY_LAYERS)
    ends = [flow.run(one) for one in _layers(parts, followed)]
    if layers == followed:
        return ends[-1]
    return ends[-1] + (layers - followed) * (ends[-2] - ends[-4]) / 2


def flow_cycles(device: NpuPimDevice, model: Llm, loads: Sequence[Load]) -> float:
    """Of one token of every request through the layers of a stage.

    loads: one batch, or two sub-batches that are interleaved. Infinite where pieces of weights find
    no room.
    """
    counts, works = [one.tokens for one in loads], [one.work for one in loads]
    besides = [Beside(cycles=one.cycles / one.pace, memory=one.bus_share) for one in works]
    room = weights_room(device, model, max(counts))
    rate = device.peak_bytes_per_cycle * (
        stream_share(device.channel.timing) if device.channel.refresh else 1.0
    )
    most = _most_kept(device, model, room) if len(counts) > 1 else 0.0
    shares = KEPT_SHARES if device.levers.keep_weights and most > 0 else (0.0,)
    found = []
    for share in shares:
        kept = [share * most, 0.0][: len(counts)]
        freed = [0.0, share * most][: len(counts)]
        parts = [
            _Part(device=device, model=model, tokens=tokens, kept=own, freed=other)
            for tokens, own, other in zip(counts, kept, freed, strict=True)
        ]
        pieces = [one.fetched for part in parts for one in (*part.rest(), *part.qkv())]
        if 2 * max(pieces) > room:
            return math.inf
        found.append(_iteration(Flow(rate, room, besides), parts, model.stage_layers))
    return min(found)
