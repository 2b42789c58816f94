"""How busy arrays and channels are: GPT-3 30B on ShareGPT, 256 requests."""

from dataclasses import replace

from archmodels.npu_pim import Stages, halves, in_turn, interleaved
from archmodels.npu_pim.attention import Channels
from archmodels.npu_pim.baselines import blocked_published
from archmodels.npu_pim.decode import Utilisation, utilisation
from archmodels.npu_pim.stages import qkv_cycles, rest_cycles
from designs.npu_pim import Llm, NpuPimDevice
from dse.reproduce.neupims.points import (
    BLOCKED,
    CORRECTED,
    PUBLISHED,
    count,
    models,
    packed,
    rotated,
)
from dse.reproduce.neupims.published import (
    ARRAYS,
    ARRAYS_BLOCKED,
    CHANNELS,
    CHANNELS_BLOCKED,
    PAPER,
)
from dse.reproduce.row import Row

SECTION = "Utilisation, GPT-3 30B on ShareGPT, 256 requests"
TRUE = "Utilisation: products that were done of those that could have been"
MODEL, LENGTHS, BATCH = "gpt3_30b", "ShareGPT", 256

BUSY_ARRAYS = (
    "time in which arrays have work, waits for memory left out; the simulator counts a pipeline as "
    "busy until it is empty, and so while it waits for weights"
)
UNDER_WAY = (
    "time in which a linear layer or vector work is under way, waits for weights included: the "
    "paper's number of NeuPIMs lies between"
)
BUSY_CHANNELS = "time in which a channel has vectors or tiles, mean of all channels"
DONE = "multiply-accumulates of requests, no padding, over those of all units in all cycles"
NO_PIPELINE = "all 256 requests at once: a pipeline of two would give each half"

NAMES = {
    "NPU+PIM, as published": (ARRAYS_BLOCKED, CHANNELS_BLOCKED),
    "NPU+PIM, corrected": (None, None),
    "NeuPIMs, as published": (ARRAYS, CHANNELS),
    "NeuPIMs, corrected": (None, None),
}
"""Machine to what the paper says of arrays and channels."""


def found() -> dict[str, Utilisation]:
    """Of each machine."""
    model = models()[MODEL]
    whole = replace(model, pipeline_parallel=1)
    turned, placed = rotated(model, LENGTHS, BATCH), packed(model, LENGTHS, BATCH)
    first, second = halves(placed)

    def used(device: NpuPimDevice, stages: Stages, *batches: Channels) -> Utilisation:
        return utilisation(device, whole, batches, stages)

    def mixed(device: NpuPimDevice, one: Llm) -> Stages:
        return interleaved(device, one, first, second)

    cases = (
        used(BLOCKED, blocked_published(BLOCKED, whole, turned), turned),
        used(BLOCKED, in_turn(BLOCKED, whole, turned), turned),
        used(PUBLISHED, mixed(PUBLISHED, whole), first, second),
        used(CORRECTED, mixed(CORRECTED, whole), first, second),
    )
    return dict(zip(NAMES, cases, strict=True))


def rows() -> list[Row]:
    """Of arrays, then of channels; as the authors count, and of products alone."""
    shares = found()
    busy = [
        Row(section=SECTION, what=f"{unit}, {name}", ours=value, paper=paper, reason=reason,
            source=PAPER if paper else "")
        for unit, reason, place in (
            ("arrays", f"{BUSY_ARRAYS}; {NO_PIPELINE}", 0),
            ("channels", f"{BUSY_CHANNELS}; {NO_PIPELINE}", 1),
        )
        for name, own in shares.items()
        for value in ((own.array_busy, own.channel_busy)[place],)
        for paper in (NAMES[name][place],)
    ]  # fmt: skip
    true = [
        Row(section=TRUE, what=f"{unit}, {name}", ours=value, reason=DONE)
        for unit, key in (("arrays", "array_macs"), ("channels", "channel_macs"))
        for name, own in shares.items()
        for value in (float(getattr(own, key)),)
    ]
    return [*busy, *_under_way(), *true]


def _under_way() -> list[Row]:
    """Of the arrays, with the time that they wait for weights."""
    model = replace(models()[MODEL], pipeline_parallel=1)
    turned = blocked_published(BLOCKED, model, rotated(models()[MODEL], LENGTHS, BATCH))
    parts = halves(packed(models()[MODEL], LENGTHS, BATCH))
    linear = sum(
        float(cycles(PUBLISHED, model, count(part)))
        for part in parts
        for cycles in (qkv_cycles, rest_cycles)
    )
    shares = {
        "NPU+PIM, as published": (turned.a + turned.e) / turned.layer_cycles,
        "NeuPIMs, as published": linear / interleaved(PUBLISHED, model, *parts).layer_cycles,
    }
    return [
        Row(section=SECTION, what=f"arrays or their weights, {name}", ours=value, source=PAPER,
            paper=NAMES[name][0], reason=UNDER_WAY)
        for name, value in shares.items()
    ]  # fmt: skip
