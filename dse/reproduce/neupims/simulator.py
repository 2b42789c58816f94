"""The authors' simulator, run by run: stages, layers, power, on the requests that it was given.

`measurements.json` has what it said, `requests.csv` the lengths of the requests of each channel:
snapshots of the authors' generator (seed 1, 4100 iterations of warm-up), in channels as packed by
their estimate, or in rotation. All runs are of GPT-3 7B on four devices.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from archmodels.npu_pim import Stages, energy, halves, in_turn, interleaved
from archmodels.npu_pim.attention import Channels
from archmodels.npu_pim.baselines import blocked_published, npu_only_published
from archmodels.npu_pim.energy import npu_only_energy
from archmodels.npu_pim.packing import Placement
from designs.npu_pim import Llm, NpuPimDevice, Precharge
from dse.reproduce.measurements import Measurements
from dse.reproduce.neupims.points import BLOCKED, CORRECTED, PUBLISHED, models
from dse.reproduce.row import Row, at_most

WORST = "The authors' simulator: largest relative difference"
LAYERS = "The authors' simulator: cycles of a layer"
STAGES = "The authors' simulator: cycles of each stage"
POWER = "The authors' simulator: power of a channel's memory"

TECHNOLOGY = "simulator"
"""Of its runs in the file of measurements."""

MODEL = "gpt3_7b"
LAYER, STAGE, MILLIWATT = 0.03, 0.08, 0.05
"""How far we may be off."""

ALL_AT_ONCE = replace(CORRECTED, channel=replace(CORRECTED.channel, precharge=Precharge.CHANNEL))

SEEN = (
    "the largest difference of all runs; only the start of a layer's weights was calibrated, on "
    "stages without attention, but all runs were seen while the model's policies were chosen"
)
ONE_BY_ONE = "one stage after the other: A, B and E"
TWICE = "two sub-batches: a layer is C and D"
PATCHED = "their simulator with our change"
DRAWN = "currents of the authors; results of linear layers, which they clip, are written here"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A run: the machine, the snapshot, and whether two sub-batches are interleaved."""

    name: str
    what: str
    device: NpuPimDevice
    snapshot: str
    is_mixed: bool = False
    stages: Callable[[NpuPimDevice, Llm, Channels], Stages] = in_turn
    is_patched: bool = False


def _runs() -> tuple[Run, ...]:
    found = [
        Run(name=f"npuonly_7B_sg_B{batch}", what=f"NPU-only, {batch}", device=BLOCKED,
            snapshot=f"rotated_{batch}", stages=npu_only_published)
        for batch in (128, 256, 512)
    ]  # fmt: skip
    found += [
        Run(name=f"npupim_7B_sg_B{batch}", what=f"NPU+PIM, {batch}", device=BLOCKED,
            snapshot=f"rotated_{batch}", stages=blocked_published)
        for batch in (128, 256, 512)
    ]  # fmt: skip
    found += [
        Run(name="npupim_wide_7B_sg_B256", what="NPU+PIM without limit, 256", device=BLOCKED,
            snapshot="rotated_256", is_patched=True),
        Run(name="neupims_drb_rr_7B_sg_B256", what="dual row buffers, 256", device=PUBLISHED,
            snapshot="rotated_256"),
    ]  # fmt: skip
    for name, what, is_mixed in (("nosbi", "packed", False), ("sbi", "interleaved", True)):
        found += [
            Run(name=f"neupims_{name}_7B_sg_B{batch}", what=f"{what}, {batch}", device=PUBLISHED,
                snapshot=f"packed_{batch}", is_mixed=is_mixed)
            for batch in (64, 128, 256, 512)
        ]  # fmt: skip
    for name, what, device in (
        ("nsfix1", "interleaved, corrected", CORRECTED),
        ("nsfix2", "interleaved, corrected, rows closed at once", ALL_AT_ONCE),
    ):
        found.append(
            Run(name=f"{name}_sbi_7B_sg_B256", what=f"{what}, 256", device=device,
                snapshot="packed_256", is_mixed=True, is_patched=True)
        )  # fmt: skip
    return tuple(found)


RUNS = _runs()


@cache
def snapshots() -> Mapping[str, Placement]:
    """Lengths of the requests of each channel, by name."""
    found: dict[str, list[tuple[int, ...]]] = {}
    with Path(__file__).with_name("requests.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["snapshot"], []).append(tuple(map(int, row["lengths"].split())))
    return {name: tuple(channels) for name, channels in found.items()}


def batches(run: Run) -> Sequence[Channels]:
    """The batch of a run, or its two sub-batches."""
    channels = snapshots()[run.snapshot]
    return halves(channels) if run.is_mixed else (channels,)


@cache
def stages(run: Run) -> Stages:
    """Ours, of a run."""
    model, parts = models()[MODEL], batches(run)
    if run.is_mixed:
        return interleaved(run.device, model, parts[0], parts[1])
    return run.stages(run.device, model, parts[0])


def milliwatts(run: Run) -> float:
    """Mean power of a channel: over two layers where sub-batches are interleaved, one where not."""
    model, found, layers = models()[MODEL], stages(run), 2 if run.is_mixed else 1
    if run.stages is npu_only_published:
        spent = npu_only_energy(run.device, model, batches(run)[0], found, layers)
    else:
        spent = energy(run.device, model, batches(run), found, layers)
    return spent.total_pj / found.iteration_cycles(layers) / run.device.channels


def rows(measurements: Measurements) -> list[Row]:
    """The largest differences, then run by run."""
    parts = {
        LAYERS: (LAYER, _rows(LAYERS, measurements, ("layer",))),
        STAGES: (STAGE, _rows(STAGES, measurements, "abcdef")),
        POWER: (MILLIWATT, _rows(POWER, measurements, ("channel_power_mw",))),
    }
    worst = [
        Row(section=WORST, what=section.partition(": ")[2], limit=at_most(limit), reason=SEEN,
            ours=max(abs((row.simulator_ratio or 0) - 1) for row in own))
        for section, (limit, own) in parts.items()
        if own
    ]  # fmt: skip
    return [*worst, *(row for _, own in parts.values() for row in own)]


def figure(measurements: Measurements, name: str, key: str) -> float | None:
    """What a run said."""
    return measurements.figure(TECHNOLOGY, name, key)


def _rows(section: str, measurements: Measurements, keys: Sequence[str]) -> list[Row]:
    unit, reason = ("mW", DRAWN) if section == POWER else ("cycles", "")
    return [
        Row(section=section, what=run.what if len(keys) == 1 else f"{run.what}, {key.upper()}",
            ours=_ours(run, key), simulator=theirs, unit=unit, reason=reason or _why(run))
        for run in RUNS
        for key in keys
        if (theirs := figure(measurements, run.name, key)) is not None
    ]  # fmt: skip


def _ours(run: Run, key: str) -> float:
    if key == "channel_power_mw":
        return milliwatts(run)
    return stages(run).layer_cycles if key == "layer" else float(getattr(stages(run), key))


def _why(run: Run) -> str:
    found = TWICE if run.is_mixed else ONE_BY_ONE
    return f"{found}; {PATCHED}" if run.is_patched else found
