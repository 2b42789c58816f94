"""A decode layer and a decode iteration: stages of the arrays and of the channels.

One after the other: QKV, attention, the rest. Interleaved: the batch is two sub-batches, and while
the arrays have one, the channels have the other. A stage ends when both are done.
"""

from dataclasses import dataclass

from archmodels.npu_pim.attention import Attention, Channels, attention
from archmodels.npu_pim.npu import (
    NORM_CROSSINGS,
    RESIDUAL_CROSSINGS,
    linear_cycles,
    vector_cycles,
)
from designs.npu_pim import Llm, NpuPimDevice
from designs.rules import Real


@dataclass(frozen=True, kw_only=True, slots=True)
class Stages:
    """Cycles of the stages A to F; C and D are repeated for every layer but one.

    Without interleaving there are A, B and E, and all of them are repeated.
    """

    a: float
    b: float
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    @property
    def is_interleaved(self) -> bool:
        return self.c > 0

    @property
    def layer_cycles(self) -> float:
        """Of one layer of the whole batch, in the steady state."""
        return self.c + self.d if self.is_interleaved else self.a + self.b + self.e

    def iteration_cycles(self, layers: int) -> float:
        """Of one token of every request, through so many layers."""
        if not self.is_interleaved:
            return layers * self.layer_cycles
        return self.a + self.b + self.e + self.f + (layers - 1) * self.layer_cycles


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Speeds of two that share the command bus, while both go on: 1 is that of each alone."""

    arrays: float
    channels: float


def qkv_cycles(device: NpuPimDevice, model: Llm, tokens: int) -> Real:
    """Of layer norm, queries, keys and values."""
    norm = vector_cycles(device, tokens * model.hidden, NORM_CROSSINGS)
    return norm + linear_cycles(device, model.qkv, tokens)


def rest_cycles(device: NpuPimDevice, model: Llm, tokens: int) -> Real:
    """Of what follows attention: projection, feed-forward, two residual sums, layer norm.

    With the sums over devices behind projection and feed-forward, where links are given.
    """
    wide, inner = tokens * model.hidden, tokens * (model.up.outputs + model.down.inputs)
    linear: Real = 0.0
    for layer in (model.projection, model.up, model.down):
        linear = linear + linear_cycles(device, layer, tokens)
    sums = 2 * vector_cycles(device, wide, RESIDUAL_CROSSINGS)
    norm = vector_cycles(device, wide, NORM_CROSSINGS)
    shared = 2 * reduction_cycles(device, model, tokens)
    return linear + sums + norm + shared + vector_cycles(device, inner, 1)


def reduction_cycles(device: NpuPimDevice, model: Llm, tokens: int) -> float:
    """Of a sum over the devices of a block, in a ring: each sends nearly all of it twice."""
    others = model.tensor_parallel - 1
    if not device.link_bytes_per_s or not others:
        return 0.0
    sent = 2 * others * tokens * model.hidden * device.element_bytes / model.tensor_parallel
    return sent * device.clock_hz / device.link_bytes_per_s


def rates(device: NpuPimDevice, work: Attention) -> Rates:
    """Of arrays that stream weights beside channels that compute."""
    return Rates(arrays=work.bus_share, channels=work.pace)


def overlap(arrays: float, channels: float, speed: Rates) -> float:
    """Cycles until both are done, of which each takes so many alone."""
    together = channels / speed.channels
    if arrays <= speed.arrays * together:
        return arrays / speed.arrays + channels - speed.channels * arrays / speed.arrays
    return together + arrays - speed.arrays * together


def in_turn(device: NpuPimDevice, model: Llm, channels: Channels) -> Stages:
    """Stages of a batch without interleaving."""
    tokens = sum(map(len, channels))
    work = attention(device, model.shard, channels)
    return Stages(
        a=float(qkv_cycles(device, model, tokens)),
        b=float(work.cycles),
        e=float(rest_cycles(device, model, tokens)),
    )


def interleaved(device: NpuPimDevice, model: Llm, first: Channels, second: Channels) -> Stages:
    """Stages of two sub-batches."""
    counts = [sum(map(len, one)) for one in (first, second)]
    works = [attention(device, model.shard, one) for one in (first, second)]
    qkv = [float(qkv_cycles(device, model, count)) for count in counts]
    rest = [float(rest_cycles(device, model, count)) for count in counts]

    def both(arrays: float, work: Attention) -> float:
        return overlap(arrays, work.cycles, rates(device, work))

    return Stages(
        a=qkv[0],
        b=both(qkv[1], works[0]),
        c=both(rest[0] + qkv[0], works[1]),
        d=both(rest[1] + qkv[1], works[0]),
        e=both(rest[0], works[1]),
        f=rest[1],
    )
