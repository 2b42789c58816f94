"""The models at the paper's points: four language models, two data sets, five batches."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from archmodels.npu_pim import Stages, adaptive, decode, halves, in_rotation, in_turn, least_loaded
from archmodels.npu_pim import baselines as other
from archmodels.npu_pim.attention import Channels
from archmodels.npu_pim.decode import dealt
from archmodels.npu_pim.packing import PUBLISHED_COSTS, Packed, Placement, estimate
from designs.npu_pim import (
    Gpu,
    Llm,
    NpuPimDevice,
    Request,
    blocked,
    corrected,
    llms,
    published,
)
from designs.npu_pim.lengths import DATASETS
from dse.reproduce.neupims.published import BATCHES, TITLES

SEED = 1
"""Of the lengths: one draw for each data set and batch."""

SETS = {title: DATASETS[title.lower()] for title in ("ShareGPT", "Alpaca")}
"""Title to data set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A batch of a data set on a model."""

    model: str
    lengths: str
    batch: int

    @property
    def title(self) -> str:
        return f"{TITLES[self.model]}, {self.lengths}"


@cache
def points() -> tuple[Point, ...]:
    """All of them."""
    return tuple(
        Point(model=model, lengths=lengths, batch=batch)
        for model in TITLES
        for lengths in SETS
        for batch in BATCHES
    )


class Machine(StrEnum):
    """What is compared: three baselines of up to three kinds, and NeuPIMs with its choices.

    Of NeuPIMs, `mixed` is always interleaved and `best` where that is faster.
    """

    GPU = "GPU"
    GPU_ROOFLINE = "GPU, roofline"
    NPU_PUBLISHED = "NPU, as published"
    NPU = "NPU, corrected"
    NPU_ROOFLINE = "NPU, roofline"
    BLOCKED_PUBLISHED = "NPU+PIM, as published"
    BLOCKED = "NPU+PIM, corrected"
    BLOCKED_ROOFLINE = "NPU+PIM, roofline"
    MIXED_PUBLISHED = "NeuPIMs, as published, always interleaved"
    BEST_PUBLISHED = "NeuPIMs, as published"
    MIXED = "NeuPIMs, corrected, always interleaved"
    BEST = "NeuPIMs, corrected"


PUBLISHED, BLOCKED = published(), blocked()
CORRECTED = corrected(PUBLISHED)


@cache
def models() -> dict[str, Llm]:
    """Those that ship, read once."""
    return llms()


@cache
def requests(lengths: str, batch: int) -> tuple[Request, ...]:
    """Those of a draw."""
    return SETS[lengths]().snapshot(batch, SEED)


@cache
def packed(model: Llm, lengths: str, batch: int) -> Placement:
    """Each request in the channel with least to do, by the authors' estimate."""
    return _packed(model, _resident(model, lengths, batch)).channels


@cache
def rotated(model: Llm, lengths: str, batch: int) -> Placement:
    """Requests in the channels in turn, as the baselines have them."""
    return in_rotation(PUBLISHED, model, _resident(model, lengths, batch)).channels


def waiting(point: Point) -> int:
    """Requests that find no room."""
    return point.batch - len(_resident(models()[point.model], point.lengths, point.batch))


@cache
def _resident(model: Llm, lengths: str, batch: int) -> tuple[Request, ...]:
    """As many of a draw, from its first on, as find room in either way; the same for all."""
    drawn = requests(lengths, batch)

    def is_over(size: int) -> bool:
        own = drawn[:size]
        return any(one.waiting for one in (_packed(model, own), in_rotation(PUBLISHED, model, own)))

    return drawn[: bisect_left(range(batch + 1), True, key=is_over) - 1]


def _packed(model: Llm, own: tuple[Request, ...]) -> Packed:
    heads = model.shard

    def cost(length: int) -> int:
        return int(estimate(PUBLISHED.channel, heads, length, PUBLISHED_COSTS))

    return least_loaded(PUBLISHED, model, own, cost)


def count(channels: Channels) -> int:
    """Requests of all channels."""
    return sum(map(len, channels))


def micro_batches(model: Llm, channels: Channels) -> Iterator[Placement]:
    """Of a pipeline, those that have requests."""
    return (part for part in dealt(channels, model.pipeline_parallel) if any(part))


Baseline = Callable[[NpuPimDevice, Llm, Channels], Stages]

BASELINES: Mapping[Machine, tuple[NpuPimDevice, Baseline]] = {
    Machine.NPU_PUBLISHED: (PUBLISHED, other.npu_only_published),
    Machine.NPU: (PUBLISHED, other.npu_only_corrected),
    Machine.NPU_ROOFLINE: (PUBLISHED, other.npu_only_roofline),
    Machine.BLOCKED_PUBLISHED: (BLOCKED, other.blocked_published),
    Machine.BLOCKED: (BLOCKED, in_turn),
    Machine.BLOCKED_ROOFLINE: (BLOCKED, other.blocked_roofline),
}
"""Machine to its device and its stages."""

GPUS: Mapping[Machine, Gpu] = {
    Machine.GPU: Gpu(),
    Machine.GPU_ROOFLINE: Gpu(compute_share=1, stream_share=1, attention_share=1),
}

DEVICES: Mapping[Machine, NpuPimDevice] = {
    Machine.MIXED_PUBLISHED: PUBLISHED,
    Machine.BEST_PUBLISHED: PUBLISHED,
    Machine.MIXED: CORRECTED,
    Machine.BEST: CORRECTED,
}


@cache
def rate(machine: Machine, point: Point) -> float:
    """Tokens per second of all devices of the model; all machines have as many devices."""
    return rate_of(machine, models()[point.model], point.lengths, point.batch)


def rate_of(machine: Machine, model: Llm, lengths: str, batch: int) -> float:
    """As `rate`, of a model whose devices may be others."""
    if machine in DEVICES:
        channels = packed(model, lengths, batch)
        is_free = machine in (Machine.BEST, Machine.BEST_PUBLISHED)
        return (adaptive if is_free else decode)(
            DEVICES[machine], model, channels, halves
        ).tokens_per_s
    parts = [*micro_batches(model, rotated(model, lengths, batch))]
    tokens = sum(map(count, parts))
    if machine in GPUS:
        size = PUBLISHED.element_bytes
        times = [other.gpu(GPUS[machine], model, part, size).layer_s for part in parts]
        return tokens / (model.stage_layers * sum(times))
    device, stages = BASELINES[machine]
    return tokens / seconds(device, model, [stages(device, model, part) for part in parts])


def seconds(device: NpuPimDevice, model: Llm, stages: list[Stages]) -> float:
    """Of one token of every request of the micro-batches."""
    cycles = sum(one.iteration_cycles(model.stage_layers) for one in stages)
    return cycles / device.clock_hz


def ratios(machine: Machine, baseline: Machine) -> list[float]:
    """Throughput over a baseline's, at every point."""
    return [rate(machine, point) / rate(baseline, point) for point in points()]


def mean(values: list[float]) -> float:
    """Arithmetic, as averages of speed-ups mostly are."""
    return sum(values) / len(values)
