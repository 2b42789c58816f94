"""Energy of a token and power of the memory: NeuPIMs over the NPU alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from archmodels import dram
from archmodels.npu_pim import Energy, Stages, energy, halves, in_turn, interleaved
from archmodels.npu_pim import baselines as other
from archmodels.npu_pim.area import BITS, area_prices
from archmodels.npu_pim.attention import Channels
from archmodels.npu_pim.energy import npu_only_energy, qkv_traffic, rest_traffic
from designs.npu_pim import Llm, NpuPimDevice
from dse.reproduce.measurements import Measurements
from dse.reproduce.neupims.points import (
    BLOCKED,
    CORRECTED,
    PUBLISHED,
    Point,
    count,
    mean,
    micro_batches,
    models,
    packed,
    points,
    rotated,
)
from dse.reproduce.neupims.published import ENERGY_OVER_NPU, PAPER, POWER_OVER_NPU
from dse.reproduce.neupims.simulator import figure
from dse.reproduce.row import Row

SECTION = "Energy and power of the memory, over the NPU alone"
WHOLE = "Energy of a token with interface and multipliers, over the NPU alone"
AT = Point(model="gpt3_7b", lengths="ShareGPT", batch=256)
NPU_RUN, MIXED_RUN = "npuonly_7B_sg_B256", "neupims_sbi_7B_sg_B256"

MEMORY = (
    "currents of the authors: commands, refresh and idling of both row buffers; interface, "
    "multipliers and NPU left out"
)
SLOW = (
    "their public NPU alone takes ten times as long as NeuPIMs, and idles meanwhile: less power, "
    "more energy; the paper's numbers fit one that takes 2.4 times as long"
)
FAIR = (
    "against an NPU whose heads follow each other and which takes no longer; always interleaved, "
    "NeuPIMs reads every weight twice and idles two row buffers"
)
ADDED = (
    "with 0.8 pJ for a bit over the interposer (O'Connor et al.) and 0.93 pJ for a multiply-"
    "accumulate in arrays and banks alike (attacc-rtl); scratchpads and vector units left out"
)


class Kind(StrEnum):
    """What is compared."""

    NPU_PUBLISHED = "NPU, as published"
    NPU = "NPU, corrected"
    BLOCKED = "NPU+PIM, as published"
    MIXED = "NeuPIMs, as published, always interleaved"
    TURNED = "NeuPIMs, as published, not interleaved"
    CORRECTED = "NeuPIMs, corrected, always interleaved"


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """Of a token of every request, on one device: pJ and seconds."""

    memory_pj: float
    interface_pj: float
    products_pj: float
    time_s: float

    @property
    def total_pj(self) -> float:
        return self.memory_pj + self.interface_pj + self.products_pj

    @property
    def power_w(self) -> float:
        """Of the memory."""
        return self.memory_pj * 1e-12 / self.time_s


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A micro-batch: its batches, its stages, and what the memory draws in so many layers."""

    batches: Sequence[Channels]
    stages: Stages
    memory: Energy
    cached: int = 0


def _npu_only(
    stages: Callable[[NpuPimDevice, Llm, Channels], Stages],
) -> Callable[[Llm, Channels], _Part]:
    def part(model: Llm, channels: Channels) -> _Part:
        found = stages(BLOCKED, model, channels)
        memory = npu_only_energy(BLOCKED, model, channels, found, model.stage_layers)
        cached = other.cache_bytes(BLOCKED, model, channels)
        return _Part(batches=(channels,), stages=found, memory=memory, cached=cached)

    return part


def _with_pim(
    device: NpuPimDevice, stages: Callable[[NpuPimDevice, Llm, Channels], Stages]
) -> Callable[[Llm, Channels], _Part]:
    def part(model: Llm, channels: Channels) -> _Part:
        found = stages(device, model, channels)
        batches = halves(tuple(map(tuple, channels))) if found.is_interleaved else (channels,)
        memory = energy(device, model, batches, found, model.stage_layers)
        return _Part(batches=batches, stages=found, memory=memory)

    return part


def _mixed(device: NpuPimDevice, model: Llm, channels: Channels) -> Stages:
    first, second = halves(tuple(map(tuple, channels)))
    return interleaved(device, model, first, second)


PARTS: dict[Kind, Callable[[Llm, Channels], _Part]] = {
    Kind.NPU_PUBLISHED: _npu_only(other.npu_only_published),
    Kind.NPU: _npu_only(other.npu_only_corrected),
    Kind.BLOCKED: _with_pim(BLOCKED, other.blocked_published),
    Kind.MIXED: _with_pim(PUBLISHED, _mixed),
    Kind.TURNED: _with_pim(PUBLISHED, in_turn),
    Kind.CORRECTED: _with_pim(CORRECTED, _mixed),
}


@cache
def spent(kind: Kind, point: Point) -> Spent:
    """At a point."""
    model = models()[point.model]
    place = rotated if kind in (Kind.NPU_PUBLISHED, Kind.NPU, Kind.BLOCKED) else packed
    channels = place(model, point.lengths, point.batch)
    parts = [PARTS[kind](model, part) for part in micro_batches(model, channels)]
    moved = sum(_moved(model, part) for part in parts)
    cycles = sum(part.stages.iteration_cycles(model.stage_layers) for part in parts)
    return Spent(
        memory_pj=sum(part.memory.total_pj for part in parts),
        interface_pj=model.stage_layers * moved * BITS * _link().read_io_pj_per_bit.value,
        products_pj=_products(model, channels) * area_prices().mac_pj,
        time_s=cycles / PUBLISHED.clock_hz,
    )


@cache
def _link() -> dram.Dram:
    return dram.load("hbm2")


def _moved(model: Llm, part: _Part) -> int:
    """Bytes between memory and NPU in a layer."""
    found = part.cached
    for batch in part.batches:
        tokens = count(batch)
        own = qkv_traffic(PUBLISHED, model, tokens) + rest_traffic(PUBLISHED, model, tokens)
        found += own.read + own.written
    return found


def _products(model: Llm, channels: Channels) -> int:
    """Multiply-accumulates of a token of every request, on one device."""
    heads = model.shard
    attended = 2 * heads.heads * heads.head_dim * sum(map(sum, channels))
    linear = sum(one.weights for one in model.linears) * count(channels)
    return model.stage_layers * (attended + linear)


def rows(measurements: Measurements) -> list[Row]:
    """Memory alone at a point that was simulated, and on average; then with the rest."""
    return [*_simulated(measurements), *_mean(), *_whole()]


def _simulated(measurements: Measurements) -> list[Row]:
    mixed, alone = spent(Kind.MIXED, AT), spent(Kind.NPU_PUBLISHED, AT)
    powers, times = (
        [figure(measurements, run, key) for run in (MIXED_RUN, NPU_RUN)]
        for key in ("channel_power_mw", "layer")
    )
    power = powers[0] / powers[1] if powers[0] and powers[1] else None
    time = times[0] / times[1] if times[0] and times[1] else None
    return [
        Row(section=SECTION, what=f"power, {AT.title}, batch {AT.batch}",
            reason=f"{MEMORY}; {SLOW}", ours=mixed.power_w / alone.power_w,
            simulator=power),
        Row(section=SECTION, what=f"energy, {AT.title}, batch {AT.batch}",
            reason=f"{MEMORY}; {SLOW}", ours=mixed.memory_pj / alone.memory_pj,
            simulator=power * time if power and time else None),
    ]  # fmt: skip


def _ratios(kind: Kind, over: Kind, key: str) -> list[float]:
    return [
        float(getattr(spent(kind, point), key) / getattr(spent(over, point), key))
        for point in points()
    ]


def _mean() -> list[Row]:
    found = []
    for over, reason, papers in (
        (Kind.NPU_PUBLISHED, SLOW, (POWER_OVER_NPU, ENERGY_OVER_NPU)),
        (Kind.NPU, FAIR, (None, None)),
    ):
        for what, key, paper in zip(("power", "energy"), ("power_w", "memory_pj"), papers,
                                    strict=True):  # fmt: skip
            found.append(
                Row(section=SECTION, what=f"{what}, mean, over {over}", paper=paper, reason=reason,
                    source=PAPER if paper else "", ours=mean(_ratios(Kind.MIXED, over, key)))
            )  # fmt: skip
    return found


def _whole() -> list[Row]:
    return [
        Row(
            section=WHOLE,
            what=f"{kind}, mean",
            ours=mean(_ratios(kind, Kind.NPU, "total_pj")),
            reason=ADDED,
        )
        for kind in (Kind.BLOCKED, Kind.TURNED, Kind.MIXED, Kind.CORRECTED)
    ]
