"""A decode layer and a decode iteration: stages of the arrays and of the channels.

One after the other: QKV, attention, the rest. Interleaved: the batch is two sub-batches, and while
the arrays have one, the channels have the other. A stage ends when both are done.
"""

from dataclasses import dataclass, replace

from archmodels.npu_pim.append import append_cycles, prompt_cycles
from archmodels.npu_pim.attention import Attention, Channels, attention
from archmodels.npu_pim.npu import (
    NORM_CROSSINGS,
    RESIDUAL_CROSSINGS,
    element_cycles,
    layer_parts,
    linear_cycles,
    norm_cycles,
    vector_cycles,
)
from archmodels.npu_pim.prefill import Chunk, chunk_cycles
from designs.npu_pim import Llm, NpuPimDevice, RowBuffers
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


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorWork:
    """Cycles of a block's vector work; `moves` says whether it goes through the memory.

    norm: a layer norm. residual: a sum with it. inner: the function between up and down.
    """

    norm: Real
    residual: Real
    inner: Real
    moves: bool


def vector_work(device: NpuPimDevice, model: Llm, tokens: int) -> VectorWork:
    """As the authors have it, through the memory; or on what stays in the scratchpad."""
    wide, inner = tokens * model.hidden, tokens * (model.up.outputs + model.down.inputs)
    if device.levers.resident and all(
        layer_parts(device, layer, tokens).is_resident for layer in model.linears
    ):
        return VectorWork(
            norm=float(norm_cycles(device, tokens, model.hidden)),
            residual=float(element_cycles(device, wide)),
            inner=float(element_cycles(device, tokens * model.up.outputs)),
            moves=False,
        )
    return VectorWork(
        norm=vector_cycles(device, wide, NORM_CROSSINGS),
        residual=vector_cycles(device, wide, RESIDUAL_CROSSINGS),
        inner=vector_cycles(device, inner, 1),
        moves=True,
    )


def qkv_cycles(device: NpuPimDevice, model: Llm, tokens: int) -> Real:
    """Of layer norm, queries, keys and values."""
    norm = vector_work(device, model, tokens).norm
    return norm + linear_cycles(device, model.qkv, tokens)


def rest_cycles(device: NpuPimDevice, model: Llm, tokens: int) -> Real:
    """Of what follows attention: projection, feed-forward, two residual sums, layer norm.

    With the sums over devices behind projection and feed-forward, where links are given.
    """
    work = vector_work(device, model, tokens)
    linear: Real = 0.0
    for layer in (model.projection, model.up, model.down):
        linear = linear + linear_cycles(device, layer, tokens)
    shared = 2 * reduction_cycles(device, model, tokens)
    return linear + 2 * work.residual + work.norm + shared + work.inner


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """What a batch's iteration does besides its attention and its linear layers.

    append_tokens: whose values are written to their rows at once (`archmodels.npu_pim.append`),
    before the attention of the same token; at 0 new keys and values cost nothing, as published.
    chunks: of prompts; their tokens are further rows of the linear layers, and the NPU does their
    attention, while their keys and values are written, beside the attention of the others.
    """

    append_tokens: int = 0
    chunks: tuple[Chunk, ...] = ()

    @property
    def rows(self) -> int:
        """Tokens of prompts."""
        return sum(one.tokens for one in self.chunks)


NOTHING = Beside()


def written_cycles(device: NpuPimDevice, model: Llm, channels: Channels, beside: Beside) -> float:
    """Of the keys and values of new tokens, in the channel that has most."""
    if not beside.append_tokens:
        return 0.0
    return append_cycles(device.channel, model.shard, channels, beside.append_tokens)


def prompts_cycles(device: NpuPimDevice, model: Llm, beside: Beside) -> float:
    """Of the attention of chunks, or of writing their keys and values, if that takes longer."""
    taken = chunk_cycles(device, model, beside.chunks)
    if not beside.append_tokens:
        return taken
    of_channel: dict[int, int] = {}
    for one in beside.chunks:
        more = prompt_cycles(device.channel, model.shard, one.tokens)
        of_channel[one.channel] = of_channel.get(one.channel, 0) + more
    return max([taken, *of_channel.values()])


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """A batch or a sub-batch: its rows of the linear layers, and its attention.

    written: cycles of new keys and values before it. prompts: of the attention of chunks beside it.
    """

    tokens: int
    work: Attention
    written: float = 0.0
    prompts: float = 0.0


def _load(device: NpuPimDevice, model: Llm, channels: Channels, beside: Beside) -> Load:
    return Load(
        tokens=sum(map(len, channels)) + beside.rows,
        work=attention(device, model.shard, channels),
        written=written_cycles(device, model, channels, beside),
        prompts=prompts_cycles(device, model, beside),
    )


def in_turn(
    device: NpuPimDevice, model: Llm, channels: Channels, beside: Beside = NOTHING
) -> Stages:
    """Stages of a batch without interleaving."""
    return whole_stages(device, model, _load(device, model, channels, beside))


def whole_stages(device: NpuPimDevice, model: Llm, load: Load) -> Stages:
    """Of a batch without interleaving."""
    attended = float(load.work.cycles)
    if device.channel.row_buffers == RowBuffers.SINGLE:
        attended += load.prompts
    else:
        attended = overlap(load.prompts, attended, rates(device, load.work))
    return Stages(
        a=float(qkv_cycles(device, model, load.tokens)),
        b=load.written + attended,
        e=float(rest_cycles(device, model, load.tokens)),
    )


def interleaved(
    device: NpuPimDevice, model: Llm, first: Channels, second: Channels, beside: Beside = NOTHING
) -> Stages:
    """Stages of two sub-batches; chunks of prompts are rows of the first."""
    chunks = replace(beside, chunks=())
    loads = _load(device, model, first, beside), _load(device, model, second, chunks)
    return interleaved_stages(device, model, *loads)


def interleaved_stages(device: NpuPimDevice, model: Llm, first: Load, second: Load) -> Stages:
    """Of two sub-batches; attention of the first's chunks comes while arrays have the second."""
    loads = (first, second)
    qkv = [float(qkv_cycles(device, model, one.tokens)) for one in loads]
    rest = [float(rest_cycles(device, model, one.tokens)) for one in loads]

    def both(arrays: float, load: Load) -> float:
        return overlap(arrays, load.written + load.work.cycles, rates(device, load.work))

    return Stages(
        a=qkv[0],
        b=both(qkv[1] + first.prompts, first),
        c=both(rest[0] + qkv[0], second),
        d=both(rest[1] + qkv[1] + first.prompts, first),
        e=both(rest[0], second),
        f=rest[1],
    )
