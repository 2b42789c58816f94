"""Decoding a batch: throughput, the choice between the two schedules, and how busy all are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from archmodels.npu_pim.attention import Channels, attention
from archmodels.npu_pim.npu import drain_cycles, pass_cycles
from archmodels.npu_pim.packing import Placement
from archmodels.npu_pim.stages import NOTHING, Beside, Stages, in_turn, interleaved
from designs.npu_pim import Llm, NpuPimDevice
from designs.rules import ceil_div

Splitter = Callable[[Placement], tuple[Placement, Placement]]
"""Two sub-batches of a batch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MicroBatch:
    """A part of a batch in the pipeline: whole, or as two sub-batches, and what it does beside."""

    stages: Stages
    batches: tuple[Placement, ...]
    beside: Beside


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoding:
    """One token of every request, on all devices.

    parts: micro-batches of the pipeline. cycles: of a stage of the pipeline, for all of them, after
    which every request has its next token.
    """

    requests: int
    cycles: float
    tokens_per_s: float
    parts: tuple[MicroBatch, ...]

    @property
    def micro_batches(self) -> tuple[Stages, ...]:
        """The stages of each."""
        return tuple(one.stages for one in self.parts)


def dealt(channels: Channels, parts: int) -> tuple[Placement, ...]:
    """Micro-batches: each channel's requests in turn, so that none has more than one over."""
    found: list[list[tuple[int, ...]]] = [[] for _ in range(parts)]
    first = 0
    for lengths in channels:
        for part in range(parts):
            found[part].append(tuple(lengths[(part - first) % parts :: parts]))
        first = (first + len(lengths)) % parts
    return tuple(map(tuple, found))


def decode(
    device: NpuPimDevice,
    model: Llm,
    channels: Channels,
    split: Splitter | None,
    beside: Beside = NOTHING,
) -> Decoding:
    """With two sub-batches of each micro-batch where there is a `split`, without else."""
    parts = [
        _micro_batch(device, model, part, split, own)
        for part, own in _parts(model, channels, beside)
    ]
    return _decoding(device, model, channels, parts)


def adaptive(
    device: NpuPimDevice, model: Llm, channels: Channels, split: Splitter, beside: Beside = NOTHING
) -> Decoding:
    """As `decode`, with what is faster of the two for each micro-batch."""
    parts = [
        min(
            (_micro_batch(device, model, part, one, own) for one in (None, split)),
            key=lambda one: one.stages.iteration_cycles(model.stage_layers),
        )
        for part, own in _parts(model, channels, beside)
    ]
    return _decoding(device, model, channels, parts)


def _parts(model: Llm, channels: Channels, beside: Beside) -> list[tuple[Placement, Beside]]:
    """Micro-batches that have something to do; the first has all prompts."""
    found = dealt(channels, model.pipeline_parallel)
    given = (beside, *[replace(beside, chunks=())] * (len(found) - 1))
    return [(part, own) for part, own in zip(found, given, strict=True) if any(part) or own.chunks]


def _micro_batch(
    device: NpuPimDevice, model: Llm, part: Placement, split: Splitter | None, beside: Beside
) -> MicroBatch:
    if split is not None:
        first, second = split(part)
        if any(first) and any(second):
            stages = interleaved(device, model, first, second, beside)
            return MicroBatch(stages=stages, batches=(first, second), beside=beside)
    stages = in_turn(device, model, part, beside)
    return MicroBatch(stages=stages, batches=(part,), beside=beside)


def _decoding(
    device: NpuPimDevice, model: Llm, channels: Channels, parts: Sequence[MicroBatch]
) -> Decoding:
    requests = sum(map(len, channels))
    cycles = sum(one.stages.iteration_cycles(model.stage_layers) for one in parts)
    return Decoding(
        requests=requests,
        cycles=cycles,
        tokens_per_s=requests * device.clock_hz / cycles if cycles else 0.0,
        parts=tuple(parts),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Utilisation:
    """Parts of a layer's time, or of its multiply-accumulates.

    array_busy, channel_busy: in which arrays, or a channel on average, have work at all; this is
    what the authors report. array_macs, channel_macs: of all products that could have been done,
    those that were.
    """

    array_busy: float
    array_macs: float
    channel_busy: float
    channel_macs: float


def linear_busy_cycles(device: NpuPimDevice, model: Llm, tokens: int) -> float:
    """In which the arrays have linear layers to do, of one layer."""
    blocks = ceil_div(tokens, device.side)
    return sum(
        float(blocks * pass_cycles(device, layer)) + drain_cycles(device) for layer in model.linears
    )


def utilisation(
    device: NpuPimDevice, model: Llm, batches: Sequence[Channels], stages: Stages
) -> Utilisation:
    """Of one layer of all `batches`: one, or two sub-batches that are interleaved."""
    cycles, channel, heads = stages.layer_cycles, device.channel, model.shard
    busy = products = computing = dot_products = 0.0
    for batch in batches:
        tokens = sum(map(len, batch))
        busy += linear_busy_cycles(device, model, tokens)
        products += sum(layer.weights for layer in model.linears) * tokens
        computing += attention(device, heads, batch).mean_cycles
        dot_products += 2 * heads.heads * heads.head_dim * sum(map(sum, batch))
    step = channel.timing.column_l_cycles
    most = device.channels * channel.macs_per_step / step
    return Utilisation(
        array_busy=busy / cycles,
        array_macs=products / (device.peak_macs * cycles),
        channel_busy=computing / cycles,
        channel_macs=dot_products / (most * cycles),
    )
