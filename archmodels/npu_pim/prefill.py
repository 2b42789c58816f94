"""Prompts in chunks: what the NPU takes for the attention of several tokens of a request at once.

Every array has a head of its own, and every head of a group the keys that came for it. Memory,
arrays or vector units decide. Of a chunk's own keys half are masked, which saves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from archmodels.npu_pim.npu import drain_cycles, pass_cycles, softmax_cycles, stream_cycles
from designs.npu_pim import Linear, Llm, NpuPimDevice
from designs.rules import ceil_div


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Tokens of a request that attend to all before them and to each other.

    start: tokens that are in the cache already. channel: that the cache is in.
    """

    start: int
    tokens: int
    channel: int = 0

    @property
    def keys(self) -> int:
        """That its last token attends to."""
        return self.start + self.tokens


def chunk_bytes(device: NpuPimDevice, model: Llm, chunks: Iterable[Chunk]) -> int:
    """Keys and values that are read, of one layer on one device."""
    return 2 * model.shard.kv_width * device.element_bytes * sum(one.keys for one in chunks)


def chunk_macs(model: Llm, chunks: Iterable[Chunk]) -> int:
    """Of logits and sums of values, of one layer on one device."""
    shard = model.shard
    return 2 * shard.heads * shard.head_dim * sum(one.tokens * one.keys for one in chunks)


def chunk_cycles(device: NpuPimDevice, model: Llm, chunks: Iterable[Chunk]) -> float:
    """Of all chunks, one after the other, in one layer; 0 where there is none."""
    own = tuple(chunks)
    if not own:
        return 0.0
    heads, one_array = model.shard, replace(device, arrays=1)
    arrays = vectors = 0
    for chunk in own:
        keys = Linear(inputs=heads.head_dim, outputs=chunk.keys)
        values = Linear(inputs=chunk.keys, outputs=heads.head_dim)
        once = pass_cycles(one_array, keys) + pass_cycles(one_array, values)
        arrays += ceil_div(chunk.tokens, device.side) * int(once)
        vectors += chunk.tokens * softmax_cycles(device, chunk.keys)
    return drain_cycles(device) + max(
        float(stream_cycles(device, chunk_bytes(device, model, own))),
        heads.heads * arrays / device.arrays,
        heads.heads * vectors / device.vector_units,
    )
