"""What NeuPIMs is compared with: GPUs, the NPU alone, and an NPU on memory that blocks.

As published: what the authors' simulator does. Corrected: the same machine without what only their
program is slow at. Roofline: nothing but bandwidth and multipliers.
"""

from dataclasses import dataclass, replace

from archmodels.npu_pim.attention import Channels, limited_cycles
from archmodels.npu_pim.npu import (
    exposed_load_cycles,
    head_cycles,
)
from archmodels.npu_pim.prefill import Chunk, chunk_cycles
from archmodels.npu_pim.stages import Stages, in_turn, qkv_cycles, rest_cycles
from designs.npu_pim import Gpu, Linear, Llm, NpuPimDevice


def cache_bytes(device: NpuPimDevice, model: Llm, channels: Channels) -> int:
    """Keys and values of a batch, of one layer on one device."""
    tokens = sum(map(sum, channels))
    return 2 * model.shard.kv_width * tokens * device.element_bytes


def npu_only_published(device: NpuPimDevice, model: Llm, channels: Channels) -> Stages:
    """The NPU alone: one head after the other, each waiting for memory."""
    tokens, heads = sum(map(len, channels)), model.shard
    loads = [float(exposed_load_cycles(device, layer, tokens)) for layer in model.linears]
    return Stages(
        a=float(qkv_cycles(device, model, tokens)) + loads[0],
        b=sum(
            heads.heads * head_cycles(device, length, heads.head_dim)
            for lengths in channels
            for length in lengths
        ),
        e=float(rest_cycles(device, model, tokens)) + sum(loads[1:]),
    )


def npu_only_corrected(device: NpuPimDevice, model: Llm, channels: Channels) -> Stages:
    """The NPU alone, with heads that follow each other, as in chunks of one token each."""
    tokens = sum(map(len, channels))
    newest = [Chunk(start=length - 1, tokens=1) for lengths in channels for length in lengths]
    return Stages(
        a=float(qkv_cycles(device, model, tokens)),
        b=chunk_cycles(device, model, newest),
        e=float(rest_cycles(device, model, tokens)),
    )


def npu_only_roofline(device: NpuPimDevice, model: Llm, channels: Channels) -> Stages:
    """The NPU alone, if there were nothing but its bandwidth and its multipliers."""
    return _roofline(device, model, channels, device.peak_bytes_per_cycle)


def blocked_roofline(device: NpuPimDevice, model: Llm, channels: Channels) -> Stages:
    """An NPU on memory that blocks, if banks did nothing but steps of dot products."""
    channel = device.channel
    own = channel.banks * channel.step_bytes / channel.timing.column_l_cycles
    return _roofline(device, model, channels, device.channels * own)


def _roofline(
    device: NpuPimDevice, model: Llm, channels: Channels, cache_bytes_per_cycle: float
) -> Stages:
    tokens = sum(map(len, channels))

    def layer_cycles(layer: Linear) -> float:
        moved = (layer.weights + tokens * (layer.inputs + layer.outputs)) * device.element_bytes
        return max(moved / device.peak_bytes_per_cycle, layer.weights * tokens / device.peak_macs)

    first, *others = map(layer_cycles, model.linears)
    moved = cache_bytes(device, model, channels)
    return Stages(a=first, b=moved / cache_bytes_per_cycle, e=sum(others))


def blocked_published(device: NpuPimDevice, model: Llm, channels: Channels) -> Stages:
    """An NPU on memory that blocks, as the authors run it: one instruction a cycle for all."""
    stages = in_turn(device, model, channels)
    return replace(stages, b=float(limited_cycles(device, model.shard, channels)))


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuTime:
    """Seconds of one layer on one GPU."""

    linear_s: float
    attention_s: float

    @property
    def layer_s(self) -> float:
        return self.linear_s + self.attention_s


def gpu(one: Gpu, model: Llm, channels: Channels, element_bytes: int) -> GpuTime:
    """A GPU in the place of each device: multipliers or bandwidth, at the stated efficiencies."""
    tokens = sum(map(len, channels))
    linear = 0.0
    for layer in model.linears:
        moved = (layer.weights + tokens * (layer.inputs + layer.outputs)) * element_bytes
        work = layer.weights * tokens
        linear += max(
            moved / (one.bytes_per_s * one.stream_share),
            2 * work / (one.flops_per_s * one.compute_share),
        )
    cached = 2 * model.shard.kv_width * sum(map(sum, channels)) * element_bytes
    return GpuTime(
        linear_s=linear,
        attention_s=cached / (one.bytes_per_s * one.attention_share),
    )
