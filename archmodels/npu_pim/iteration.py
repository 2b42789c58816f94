"""A decode iteration where weights come ahead of their use: its layers as segments of a `Flow`.

A piece of weights is those of `side` inputs of a layer.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from archmodels.npu_pim.flow import Flow, Hidden, Segment
from archmodels.npu_pim.npu import (
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
    besides = [Hidden(cycles=one.cycles / one.pace, memory=one.bus_share) for one in works]
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
