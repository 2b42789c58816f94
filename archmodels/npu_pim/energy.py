"""Energy of the memory: what its commands draw, and what it draws while rows are open or closed.

As the authors count: with two row buffers a bank idles twice. Energies of commands are in pJ, for
mA x V x ns is pJ. Interface, multipliers and NPU are not part of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

from archmodels.npu_pim.attention import Channels, attention
from archmodels.npu_pim.baselines import cache_bytes
from archmodels.npu_pim.npu import (
    NORM_CROSSINGS,
    RESIDUAL_CROSSINGS,
    linear_bytes,
    stream_cycles,
)
from archmodels.npu_pim.stages import Stages
from archmodels.technology.entries import root
from designs.npu_pim import Linear, Llm, NpuPimDevice, PimChannel, RowBuffers
from designs.npu_pim.layout import attend_work, logit_work
from designs.rules import ceil_div

FILE = "hbm2_pim.yaml"
NS_PER_S = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Currents:
    """What the file has: volts, milliamperes, reads that commands count as."""

    vdd_v: float
    idd0_ma: float
    idd2n_ma: float
    idd3n_ma: float
    idd4r_ma: float
    idd4w_ma: float
    idd5ab_ma: float
    comp_reads: int
    readres_reads: int


@cache
def currents() -> Currents:
    """Those that ship. Raises TechnologyError where the file is malformed."""
    return parse((files("archmodels") / FILE).read_text(encoding="utf-8"))


def parse(text: str) -> Currents:
    """The currents of a file like `hbm2_pim.yaml`. Raises TechnologyError."""
    whole = root(text, FILE)
    whole.allow("sources", "currents", "commands")
    counts = ("comp_reads", "readres_reads")
    names = [item.name for item in fields(Currents) if item.name not in counts]
    flows, commands = whole.child("currents"), whole.child("commands")
    for entry, own in ((flows, names), (commands, counts)):
        entry.allow("source", "derived", "note", *own)
        entry.choice("source", whole.child("sources").keys())
    return Currents(
        **{name: flows.number(name) for name in names},
        comp_reads=commands.integer("comp_reads"),
        readres_reads=commands.integer("readres_reads"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandEnergy:
    """Of one command each, in pJ; of a rank that idles, in pJ for a cycle."""

    act_pj: float
    rd_pj: float
    wr_pj: float
    ref_pj: float
    g_act_pj: float
    comp_pj: float
    readres_pj: float
    gwrite_pj: float
    open_pj: float
    closed_pj: float


def command_energy(channel: PimChannel, flow: Currents, cycle_ns: float) -> CommandEnergy:
    """What a channel's commands draw beyond its idling, and its idling."""
    t, unit = channel.timing, flow.vdd_v * cycle_ns
    act = flow.idd0_ma * t.rc_cycles - flow.idd3n_ma * t.ras_cycles
    act -= flow.idd2n_ma * (t.rc_cycles - t.ras_cycles)
    rd = (flow.idd4r_ma - flow.idd3n_ma) * t.burst_cycles
    accesses = channel.row_bytes // channel.access_bytes
    return CommandEnergy(
        act_pj=unit * act,
        rd_pj=unit * rd,
        wr_pj=unit * (flow.idd4w_ma - flow.idd3n_ma) * t.burst_cycles,
        ref_pj=unit * (flow.idd5ab_ma - flow.idd3n_ma) * t.rfc_cycles,
        g_act_pj=unit * act * channel.banks_per_group,
        comp_pj=unit * rd * flow.comp_reads,
        readres_pj=unit * rd * flow.readres_reads,
        gwrite_pj=unit * rd * accesses,
        open_pj=unit * flow.idd3n_ma,
        closed_pj=unit * flow.idd2n_ma,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """Bytes between memory and NPU."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(read=self.read + other.read, written=self.written + other.written)


@dataclass(frozen=True, kw_only=True, slots=True)
class Energy:
    """Of all channels of a device, in pJ, by where it is spent."""

    access_pj: float
    dot_product_pj: float
    refresh_pj: float
    idle_pj: float

    @property
    def total_pj(self) -> float:
        return self.access_pj + self.dot_product_pj + self.refresh_pj + self.idle_pj


def _linear_reads(device: NpuPimDevice, layers: Sequence[Linear], tokens: int) -> int:
    """Bytes that linear layers read; without tokens not even weights."""
    if not tokens:
        return 0
    return sum(int(linear_bytes(device, one, tokens)) for one in layers)


def qkv_traffic(device: NpuPimDevice, model: Llm, tokens: int) -> Traffic:
    """Of layer norm, queries, keys and values; as stage A."""
    size, wide = device.element_bytes, tokens * model.hidden
    reads = _linear_reads(device, [model.qkv], tokens) + (NORM_CROSSINGS - 1) * wide * size
    return Traffic(read=reads, written=(wide + tokens * model.qkv.outputs) * size)


def rest_traffic(device: NpuPimDevice, model: Llm, tokens: int) -> Traffic:
    """Of what follows attention; as stage E."""
    layers, size = [model.projection, model.up, model.down], device.element_bytes
    wide = tokens * model.hidden
    once = (2 * (RESIDUAL_CROSSINGS - 1) + NORM_CROSSINGS - 1) * wide
    reads = _linear_reads(device, layers, tokens) + (once + tokens * model.up.outputs) * size
    outputs = tokens * (model.down.inputs + sum(one.outputs for one in layers))
    return Traffic(read=reads, written=(3 * wide + outputs) * size)


@cache
def _of_length(
    device: NpuPimDevice, model: Llm, flow: Currents
) -> Callable[[int], tuple[float, int]]:
    """Energy and accesses of the attention of a request of so many tokens, each found once."""
    channel, heads = device.channel, model.shard
    one = command_energy(channel, flow, NS_PER_S / device.clock_hz)

    @cache
    def found(length: int) -> tuple[float, int]:
        energy, accesses = 0.0, 0
        for work in (*logit_work(device, heads, length), *attend_work(device, heads, length)):
            product = work.product
            steps = product.results * product.steps
            tile = channel.groups * one.g_act_pj + steps * one.comp_pj
            tile += product.results * one.readres_pj
            energy += work.copies * one.gwrite_pj + product.tiles * tile
            accesses += product.tiles * product.results
        written = heads.heads * ceil_div(length * device.element_bytes, channel.access_bytes)
        return energy + written * one.wr_pj, accesses + written

    return found


def attention_pj(device: NpuPimDevice, model: Llm, channels: Channels, flow: Currents) -> float:
    """Of all commands of attention, softmax's weights written by the host among them."""
    found = _of_length(device, model, flow)
    return sum(found(length)[0] for lengths in channels for length in lengths)


def attention_accesses(device: NpuPimDevice, model: Llm, channels: Channels) -> int:
    """Of the data bus: results of dot products, and softmax's weights."""
    found = _of_length(device, model, currents())
    return sum(found(length)[1] for lengths in channels for length in lengths)


def access_pj(device: NpuPimDevice, traffic: Traffic, flow: Currents) -> float:
    """Of streams that use every row that they open whole."""
    channel = device.channel
    one = command_energy(channel, flow, NS_PER_S / device.clock_hz)
    reads = ceil_div(traffic.read, channel.access_bytes)
    writes = ceil_div(traffic.written, channel.access_bytes)
    rows = ceil_div(traffic.read + traffic.written, channel.row_bytes)
    return reads * one.rd_pj + writes * one.wr_pj + rows * one.act_pj


def energy(
    device: NpuPimDevice, model: Llm, batches: Sequence[Channels], stages: Stages, layers: int
) -> Energy:
    """Of so many layers of all `batches`: one, or two sub-batches that are interleaved.

    Rows for accesses are open while the arrays work, rows for dot products while a channel
    computes; a bank with one row buffer idles once.
    """
    flow = currents()
    access = products = computing = 0.0
    for batch in batches:
        tokens, work = sum(map(len, batch)), attention(device, model.shard, batch)
        moved = qkv_traffic(device, model, tokens) + rest_traffic(device, model, tokens)
        access += access_pj(device, moved, flow)
        products += attention_pj(device, model, batch, flow)
        pace = work.pace if stages.is_interleaved else 1.0
        computing += work.mean_cycles / pace
    cycles = stages.iteration_cycles(layers)
    streaming = cycles if stages.is_interleaved else layers * (stages.a + stages.e)
    return Energy(
        access_pj=layers * access,
        dot_product_pj=layers * products,
        refresh_pj=refresh_pj(device, cycles, flow),
        idle_pj=idle_pj(device, cycles, streaming + layers * computing, flow),
    )


def npu_only_energy(
    device: NpuPimDevice, model: Llm, channels: Channels, stages: Stages, layers: int
) -> Energy:
    """Of the NPU alone, which reads keys and values; `device` has one row buffer in a bank."""
    flow, tokens = currents(), sum(map(len, channels))
    moved = qkv_traffic(device, model, tokens) + rest_traffic(device, model, tokens)
    cached = cache_bytes(device, model, channels)
    cycles = stages.iteration_cycles(layers)
    streaming = stages.a + stages.e + float(stream_cycles(device, cached))
    return Energy(
        access_pj=layers * access_pj(device, moved + Traffic(read=cached), flow),
        dot_product_pj=0.0,
        refresh_pj=refresh_pj(device, cycles, flow),
        idle_pj=idle_pj(device, cycles, layers * streaming, flow),
    )


def refresh_pj(device: NpuPimDevice, cycles: float, flow: Currents) -> float:
    """Of the refreshes of so many cycles."""
    channel = device.channel
    if not channel.refresh:
        return 0.0
    one = command_energy(channel, flow, NS_PER_S / device.clock_hz)
    refreshes = cycles / channel.refresh_cycles * channel.refreshed_ranks
    return device.channels * refreshes * one.ref_pj


def idle_pj(device: NpuPimDevice, cycles: float, opened: float, flow: Currents) -> float:
    """Of row buffers that are open for `opened` cycles, one kind after the other."""
    channel = device.channel
    one = command_energy(channel, flow, NS_PER_S / device.clock_hz)
    buffers = 2 if channel.row_buffers == RowBuffers.DUAL else 1
    closed = buffers * cycles - opened
    return device.channels * channel.ranks * (opened * one.open_pj + closed * one.closed_pj)
