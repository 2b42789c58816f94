"""Decoding with levers: each micro-batch whole or interleaved, whichever is faster.

Without levers it is `adaptive` of `archmodels.npu_pim.decode`, on requests that are packed as the
authors do. Capacity, bandwidth and peak rates of the memory are the same with all levers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from archmodels.npu_pim.attention import Attention, attention
from archmodels.npu_pim.iteration import flow_cycles
from archmodels.npu_pim.npu import element_cycles
from archmodels.npu_pim.sharing import SUB_BATCHES, Batch, Shared, shared
from archmodels.npu_pim.stages import Load, interleaved_stages, whole_stages
from designs.npu_pim import Llm, NpuPimDevice, Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """One token of every request that has room.

    cycles: of a stage of the pipeline, for all micro-batches. interleaved: how many of these are.
    """

    requests: int
    cycles: float
    tokens_per_s: float
    interleaved: int
    waiting: int


def batch_attention(device: NpuPimDevice, model: Llm, batch: Batch) -> Attention:
    """Of a batch, with the sums of stripes that are added on the vector units.

    Softmax of a request that is in several channels waits for all of them: none flows.
    """
    heads, own = model.shard, device
    if batch.extra:
        own = replace(device, levers=replace(device.levers, flows=False))
    work = attention(own, heads, batch.channels)
    merged = element_cycles(device, batch.extra * heads.heads * heads.head_dim)
    return work.later(merged) if merged else work


def iteration_cycles(device: NpuPimDevice, model: Llm, batches: Sequence[Batch]) -> float:
    """Of one micro-batch through the layers of a stage: whole, or as two sub-batches.

    Weights come ahead only where that is faster: beside them, attention is slower.
    """
    loads = [Load(tokens=one.requests, work=batch_attention(device, model, one)) for one in batches]
    if len(loads) == 1:
        stages = whole_stages(device, model, loads[0])
    else:
        stages = interleaved_stages(device, model, loads[0], loads[1])
    cycles = stages.iteration_cycles(model.stage_layers)
    if device.levers.prefetch:
        return min(cycles, flow_cycles(device, model, loads))
    return cycles


def decoded(device: NpuPimDevice, model: Llm, requests: Sequence[Request]) -> Decoded:
    """A batch. Raises ValueError where the model does not fit."""
    choices = [
        _decoded(device, model, shared(device, model, requests, count)) for count in SUB_BATCHES
    ]
    return max(choices, key=lambda one: one.tokens_per_s)


def _decoded(device: NpuPimDevice, model: Llm, own: Shared) -> Decoded:
    """Each micro-batch in the faster of two ways; one that has no sub-batches has but one."""
    cycles, count = 0.0, 0
    for batches in own.micro_batches:
        whole = iteration_cycles(device, model, [reduce(or_, batches)])
        parts = iteration_cycles(device, model, batches) if len(batches) > 1 else whole
        cycles += min(whole, parts)
        count += parts < whole
    requests = sum(one.requests for batches in own.micro_batches for one in batches)
    return Decoded(
        requests=requests,
        cycles=cycles,
        tokens_per_s=requests * device.clock_hz / cycles if cycles else 0.0,
        interleaved=count,
        waiting=len(own.waiting),
    )
