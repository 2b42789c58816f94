"""What a device does in an iteration: how long each part is busy, and what its memory draws."""

from dataclasses import dataclass, fields

from archmodels.npu_pim.append import Writes, prompt_writes, token_writes
from archmodels.npu_pim.attention import Channels, attention
from archmodels.npu_pim.decode import Decoding, MicroBatch, linear_busy_cycles
from archmodels.npu_pim.energy import (
    NS_PER_S,
    Traffic,
    access_pj,
    attention_accesses,
    command_energy,
    currents,
    energy,
    idle_pj,
    qkv_traffic,
    refresh_pj,
    rest_traffic,
)
from archmodels.npu_pim.prefill import chunk_bytes, chunk_macs
from archmodels.npu_pim.stages import Beside
from designs.npu_pim import Llm, NpuPimDevice
from designs.rules import ceil_div


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Of one device; amounts of different times add up.

    array_busy_cycles: in which the arrays have linear layers to do. array_macs, bank_macs: products
    of arrays and of banks, padding left out. channel_cycles: in which a channel computes, their
    mean. accesses: of all data buses. The rest is the energy of its memory, in pJ.
    """

    cycles: float = 0.0
    array_busy_cycles: float = 0.0
    array_macs: int = 0
    channel_cycles: float = 0.0
    bank_macs: int = 0
    accesses: float = 0.0
    access_pj: float = 0.0
    dot_product_pj: float = 0.0
    refresh_pj: float = 0.0
    idle_pj: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        )

    @property
    def memory_pj(self) -> float:
        return self.access_pj + self.dot_product_pj + self.refresh_pj + self.idle_pj


def waited(device: NpuPimDevice, cycles: float) -> Work:
    """Of a device that has no requests."""
    flow = currents()
    return Work(
        cycles=cycles,
        refresh_pj=refresh_pj(device, cycles, flow),
        idle_pj=idle_pj(device, cycles, 0.0, flow),
    )


def done(device: NpuPimDevice, model: Llm, iteration: Decoding) -> Work:
    """Of a token of every request; each device has a part of every layer of its stage."""
    total = Work()
    for part in iteration.parts:
        total = total + _done(device, model, part)
    return total


def _done(device: NpuPimDevice, model: Llm, part: MicroBatch) -> Work:
    layers = model.stage_layers
    drawn = energy(device, model, part.batches, part.stages, layers)
    busy = computing = accesses = more_pj = 0.0
    macs = chunk_macs(model, part.beside.chunks)
    bank_macs = 0
    for number, batch in enumerate(part.batches):
        requests = sum(map(len, batch))
        tokens = requests + (0 if number else part.beside.rows)  # prompts ride in the first
        moved = _traffic(device, model, tokens)
        more_pj += access_pj(device, moved, currents())
        more_pj -= access_pj(device, _traffic(device, model, requests), currents())
        accesses += ceil_div(moved.read + moved.written, device.channel.access_bytes)
        accesses += attention_accesses(device, model, batch)
        busy += linear_busy_cycles(device, model, tokens)
        macs += tokens * sum(layer.weights for layer in model.linears)
        computing += attention(device, model.shard, batch).mean_cycles
        bank_macs += 2 * model.shard.heads * model.shard.head_dim * sum(map(sum, batch))
    besides = _beside(device, model, part.batches, part.beside)
    return Work(
        cycles=part.stages.iteration_cycles(layers),
        array_busy_cycles=layers * busy,
        array_macs=layers * macs,
        channel_cycles=layers * computing,
        bank_macs=layers * bank_macs,
        accesses=layers * (accesses + besides.writes + besides.reads),
        access_pj=drawn.access_pj + layers * (more_pj + _writes_pj(device, besides)),
        dot_product_pj=drawn.dot_product_pj,
        refresh_pj=drawn.refresh_pj,
        idle_pj=drawn.idle_pj,
    )


def _traffic(device: NpuPimDevice, model: Llm, tokens: int) -> Traffic:
    return qkv_traffic(device, model, tokens) + rest_traffic(device, model, tokens)


def _beside(
    device: NpuPimDevice, model: Llm, batches: tuple[Channels, ...], beside: Beside
) -> Writes:
    """Keys and values that are written, and those that the NPU reads for prompts."""
    channel, heads = device.channel, model.shard
    read = chunk_bytes(device, model, beside.chunks)
    reads = float(ceil_div(read, channel.access_bytes))
    rows, writes = float(ceil_div(read, channel.row_bytes)), 0.0
    if beside.append_tokens:
        requests = sum(len(lengths) for batch in batches for lengths in batch)
        one = token_writes(channel, heads, beside.append_tokens)
        rows += requests * one.rows
        writes += requests * one.writes
        reads += requests * one.reads
        for chunk in beside.chunks:
            prompt = prompt_writes(channel, heads, chunk.tokens)
            rows += prompt.rows
            writes += prompt.writes
    return Writes(rows=rows, writes=writes, reads=reads)


def _writes_pj(device: NpuPimDevice, moved: Writes) -> float:
    one = command_energy(device.channel, currents(), NS_PER_S / device.clock_hz)
    return moved.rows * one.act_pj + moved.writes * one.wr_pj + moved.reads * one.rd_pj
