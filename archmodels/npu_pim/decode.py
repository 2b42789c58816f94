"""Decoding a batch: throughput, the choice between the two schedules, and how busy all are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archmodels.npu_pim.attention import Channels, attention
from archmodels.npu_pim.npu import drain_cycles, pass_cycles
from archmodels.npu_pim.packing import Placement
from archmodels.npu_pim.stages import Stages, in_turn, interleaved
from designs.npu_pim import Llm, NpuPimDevice
from designs.rules import ceil_div

Split = Callable[[Placement], tuple[Placement, Placement]]
"""Two sub-batches of a batch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoding:
    """One token of every request, on all devices.

    micro_batches: of the pipeline, each with its stages. cycles: of a stage of the pipeline, for
    all micro-batches, after which every request has its next token.
    """

    requests: int
    cycles: float
    tokens_per_s: float
    micro_batches: tuple[Stages, ...]


def dealt(channels: Channels, parts: int) -> tuple[Placement, ...]:
    """Micro-batches: each channel's requests in turn, so that none has more than one over."""
    found: list[list[tuple[int, ...]]] = [[] for _ in range(parts)]
    first = 0
    for lengths in channels:
        for part in range(parts):
            found[part].append(tuple(lengths[(part - first) % parts :: parts]))
        first = (first + len(lengths)) % parts
    return tuple(map(tuple, found))


def decode(device: NpuPimDevice, model: Llm, channels: Channels, split: Split | None) -> Decoding:
    """With two sub-batches of each micro-batch where there is a `split`, without else."""
    parts = [part for part in dealt(channels, model.pipeline_parallel) if any(part)]
    stages = tuple(_stages(device, model, part, split) for part in parts)
    return _decoding(device, model, channels, stages)


def adaptive(device: NpuPimDevice, model: Llm, channels: Channels, split: Split) -> Decoding:
    """As `decode`, with what is faster of the two for each micro-batch."""
    parts = [part for part in dealt(channels, model.pipeline_parallel) if any(part)]
    stages = tuple(
        min(
            (_stages(device, model, part, one) for one in (None, split)),
            key=lambda one: one.iteration_cycles(model.stage_layers),
        )
        for part in parts
    )
    return _decoding(device, model, channels, stages)


def _stages(device: NpuPimDevice, model: Llm, part: Placement, split: Split | None) -> Stages:
    if split is None:
        return in_turn(device, model, part)
    first, second = split(part)
    if not any(first) or not any(second):
        return in_turn(device, model, part)
    return interleaved(device, model, first, second)


def _decoding(
    device: NpuPimDevice, model: Llm, channels: Channels, stages: tuple[Stages, ...]
) -> Decoding:
    requests = sum(map(len, channels))
    cycles = sum(one.iteration_cycles(model.stage_layers) for one in stages)
    return Decoding(
        requests=requests,
        cycles=cycles,
        tokens_per_s=requests * device.clock_hz / cycles if cycles else 0.0,
        micro_batches=stages,
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


def utilisation(
    device: NpuPimDevice, model: Llm, batches: Sequence[Channels], stages: Stages
) -> Utilisation:
    """Of one layer of all `batches`: one, or two sub-batches that are interleaved."""
    cycles, channel, heads = stages.layer_cycles, device.channel, model.shard
    busy = products = computing = dot_products = 0.0
    for batch in batches:
        tokens = sum(map(len, batch))
        blocks = ceil_div(tokens, device.side)
        for layer in model.linears:
            busy += float(blocks * pass_cycles(device, layer)) + drain_cycles(device)
            products += layer.weights * tokens
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
