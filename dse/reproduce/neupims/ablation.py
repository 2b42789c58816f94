"""Step by step from the NPU on memory that blocks to NeuPIMs: GPT-3 7B on ShareGPT (figure 13)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from archmodels.npu_pim import Decoding, Stages, adaptive, decode, halves, in_turn
from archmodels.npu_pim.attention import Channels
from archmodels.npu_pim.baselines import blocked_published
from archmodels.npu_pim.decode import Splitter
from archmodels.npu_pim.packing import Placement
from designs.npu_pim import Llm, NpuPimDevice, corrected
from dse.reproduce.measurements import Measurements
from dse.reproduce.neupims.points import (
    BLOCKED,
    CORRECTED,
    PUBLISHED,
    mean,
    models,
    packed,
    rotated,
)
from dse.reproduce.neupims.published import BATCHES, DUAL_ROW_BUFFERS, PAPER
from dse.reproduce.neupims.simulator import figure
from dse.reproduce.row import Row, at_least

SECTION = "Ablation, GPT-3 7B on ShareGPT"
SHARES = "Ablation: what each step gains, mean of the batches"
MODEL, LENGTHS = "gpt3_7b", "ShareGPT"
NS_PER_S = 1e9

SEPARATE = replace(PUBLISHED, channel=replace(PUBLISHED.channel, composite=False))
"""Two row buffers, and a command for each step of a dot product."""

DRAWS = (
    "lengths of our draw, the simulator's of its own; corrected: rows closed after they are read, "
    "rows of dot products counted in the window of four"
)
GAINS = {
    "blocked": "",
    "free": "the limit of one instruction a cycle for all channels, which only the baseline has",
    "dual": "over the baseline without its limit: attention beside nothing else gains little, as "
    "accesses come between tiles only where sub-batches are interleaved",
    "composite": "fewer commands; as published the row is closed under the last steps, which is "
    "most of the gain",
    "packed": "requests in the channel with least to do, not in rotation",
    "mixed": "two sub-batches, always",
    "best": "two sub-batches where that is faster",
}
THEIR_STEP = (
    "with composite commands, over the baseline as published; without its limit on instructions "
    "see the next rows"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A machine. rate: tokens per second, as published or corrected, at a batch.

    run: of the simulator at a batch; empty where there is none.
    """

    key: str
    what: str
    rate: Callable[[bool, int], float]
    run: str = ""


def _channels(place: Callable[[Llm, str, int], Placement], batch: int) -> Placement:
    return place(models()[MODEL], LENGTHS, batch)


def _turned(
    device: NpuPimDevice,
    place: Callable[[Llm, str, int], Placement],
    stages: Callable[[NpuPimDevice, Llm, Channels], Stages] = in_turn,
) -> Callable[[bool, int], float]:
    def rate(is_corrected: bool, batch: int) -> float:
        model, own = models()[MODEL], corrected(device) if is_corrected else device
        cycles = stages(own, model, _channels(place, batch)).iteration_cycles(model.stage_layers)
        return batch * own.clock_hz / cycles

    return rate


def _whole(
    run: Callable[[NpuPimDevice, Llm, Placement, Splitter], Decoding],
) -> Callable[[bool, int], float]:
    def rate(is_corrected: bool, batch: int) -> float:
        device = CORRECTED if is_corrected else PUBLISHED
        return run(device, models()[MODEL], _channels(packed, batch), halves).tokens_per_s

    return rate


STEPS = (
    Step(key="blocked", what="NPU+PIM, as published", run="npupim_7B_sg_B{batch}",
         rate=_turned(BLOCKED, rotated, blocked_published)),
    Step(key="free", what="without its limit", run="npupim_wide_7B_sg_B{batch}",
         rate=_turned(BLOCKED, rotated)),
    Step(key="dual", what="+ dual row buffers", rate=_turned(SEPARATE, rotated)),
    Step(key="composite", what="+ composite GEMV", run="neupims_drb_rr_7B_sg_B{batch}",
         rate=_turned(PUBLISHED, rotated)),
    Step(key="packed", what="+ packing", run="neupims_nosbi_7B_sg_B{batch}",
         rate=_turned(PUBLISHED, packed)),
    Step(key="mixed", what="+ interleaving", run="neupims_sbi_7B_sg_B{batch}",
         rate=_whole(decode)),
    Step(key="best", what="interleaving where it pays", rate=_whole(adaptive)),
)  # fmt: skip
"""In the order in which they are added; the last two are alternatives."""


def rows(measurements: Measurements) -> list[Row]:
    """Batch by batch, then means."""
    return [*_batches(measurements), *_gains()]


def _batches(measurements: Measurements) -> list[Row]:
    return [
        Row(section=SECTION, what=f"{batch}: {step.what}", machine=kind, unit="tokens/s",
            ours=step.rate(is_corrected, batch), reason=DRAWS,
            simulator=_simulated(measurements, step, batch) if not is_corrected else None)
        for batch in BATCHES
        for step in STEPS
        for kind, is_corrected in (("as published", False), ("corrected", True))
    ]  # fmt: skip


def _simulated(measurements: Measurements, step: Step, batch: int) -> float | None:
    """Tokens per second that a run of the simulator comes to."""
    cycles = figure(measurements, step.run.format(batch=batch), "iteration")
    return None if cycles is None else batch * NS_PER_S / cycles


def _gains() -> list[Row]:
    found = {(step.key, kind, batch): step.rate(kind, batch)
             for step in STEPS for kind in (False, True) for batch in BATCHES}  # fmt: skip

    def gain(one: str, other: str, kind: bool) -> float:
        return mean([found[one, kind, batch] / found[other, kind, batch] for batch in BATCHES])

    first = Row(section=SHARES, what="dual row buffers over NPU+PIM as published",
                machine="as published", ours=gain("composite", "blocked", False),
                paper=DUAL_ROW_BUFFERS, source=PAPER, reason=THEIR_STEP)  # fmt: skip
    pairs = [
        ("without the limit", "free", "blocked"),
        ("dual row buffers", "dual", "free"),
        ("composite GEMV", "composite", "dual"),
        ("packing", "packed", "composite"),
        ("interleaving, always", "mixed", "packed"),
        ("interleaving where it pays", "best", "packed"),
    ]
    others = [
        Row(section=SHARES, what=what, machine=kind, ours=gain(one, other, is_corrected),
            reason=GAINS[one],
            limit=at_least(1) if one == "best" else None)
        for what, one, other in pairs
        for kind, is_corrected in (("as published", False), ("corrected", True))
    ]  # fmt: skip
    return [first, *others]
