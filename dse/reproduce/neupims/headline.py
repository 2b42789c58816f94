"""The averages of the abstract, and what they come to against fair baselines; every throughput."""

from dse.reproduce.neupims.points import Machine, Point, mean, points, rate, ratios, waiting
from dse.reproduce.neupims.published import (
    BLOCKED_OVER_NPU,
    OVER_BLOCKED,
    OVER_BLOCKED_GREATEST,
    OVER_BLOCKED_LEAST,
    OVER_GPU,
    OVER_NPU,
    PAPER,
)
from dse.reproduce.row import Row, at_least

SECTION = "The headline numbers of NeuPIMs"
FAIR = "What a fair baseline makes of them"
CAPACITY = "Requests that find no room"
THROUGHPUT = "Throughput"

GPU_SHARES = (
    "an A100 that gets 60 % of its multipliers, 80 % of its bandwidth in linear layers and half of "
    "it in attention; the paper's ran PyTorch, and 3.0 means that it got a third of ours"
)
LATENCY_BOUND = (
    "the public baseline does one head of one request at a time, each waiting for memory: 14 % of "
    "the bandwidth; the paper's was another"
)
LIMITED = (
    "the public baseline sends one instruction a cycle for all 32 channels, the public NeuPIMs as "
    "many as it likes; mean of 40 points, of which pipelines of 30B and 175B have small batches"
)
SPREAD = (
    "least and greatest of 40 points; the paper's range grows with batch and length, and so it is"
)
CORRECTED_NPU = "heads follow each other: arrays, vector units or bandwidth decide"
ROOFLINE = "nothing but the bandwidth of the memory and the multipliers"
UNLIMITED = "without the limit on instructions; it closes rows after they are read anyway"
PIM_ROOFLINE = "banks that do nothing but steps of dot products: no rows are opened or refreshed"
CHOSEN = "NeuPIMs interleaved where that is faster, with corrected distances, mean of 40 points"
ALWAYS = "interleaved at every point, which is slower below some 200 requests; as published"
NO_ROOM = (
    "rows of a channel that weights leave do not hold the caches; the paper leaves the test out, "
    "and the requests wait in all machines here"
)
RATES = (
    "tokens of all devices in a second; a GPU at the efficiencies above; NeuPIMs interleaved where "
    "that is faster"
)

SHOWN = (
    Machine.GPU,
    Machine.GPU_ROOFLINE,
    Machine.NPU_PUBLISHED,
    Machine.NPU,
    Machine.NPU_ROOFLINE,
    Machine.BLOCKED_PUBLISHED,
    Machine.BLOCKED,
    Machine.BLOCKED_ROOFLINE,
    Machine.MIXED,
    Machine.BEST_PUBLISHED,
    Machine.BEST,
)
"""Machines of the tables of throughput."""


def rows() -> list[Row]:
    """Averages, then every point."""
    return [*_averages(), *_fair(), *_throughput(), *_capacity()]


def _averages() -> list[Row]:
    best, blocked = Machine.BEST_PUBLISHED, Machine.BLOCKED_PUBLISHED
    found = [
        Row(section=SECTION, what=what, ours=mean(ratios(one, over)), paper=paper, source=PAPER,
            reason=reason)
        for what, one, over, paper, reason in (
            ("over GPU-only", best, Machine.GPU, OVER_GPU, GPU_SHARES),
            ("over NPU-only", best, Machine.NPU_PUBLISHED, OVER_NPU, LATENCY_BOUND),
            ("over NPU+PIM", best, blocked, OVER_BLOCKED, LIMITED),
            ("NPU+PIM over NPU-only", blocked, Machine.NPU_PUBLISHED, BLOCKED_OVER_NPU,
             LATENCY_BOUND),
        )
    ]  # fmt: skip
    spread = ratios(best, blocked)
    for kind, ours, paper in (
        ("least", min(spread), OVER_BLOCKED_LEAST),
        ("greatest", max(spread), OVER_BLOCKED_GREATEST),
    ):
        found.append(
            Row(section=SECTION, what=f"over NPU+PIM, {kind}", ours=ours, paper=paper, source=PAPER,
                reason=SPREAD)
        )  # fmt: skip
    return found


def _fair() -> list[Row]:
    pairs = (
        ("over GPU-only", Machine.GPU, GPU_SHARES),
        ("over GPU-only, roofline", Machine.GPU_ROOFLINE, ROOFLINE),
        ("over NPU-only, corrected", Machine.NPU, CORRECTED_NPU),
        ("over NPU-only, roofline", Machine.NPU_ROOFLINE, ROOFLINE),
        ("over NPU+PIM, corrected", Machine.BLOCKED, UNLIMITED),
        ("over NPU+PIM, roofline", Machine.BLOCKED_ROOFLINE, PIM_ROOFLINE),
    )
    found = [
        Row(section=FAIR, what=f"{what}, {kind}", ours=value, reason=f"{reason}; {CHOSEN}")
        for what, over, reason in pairs
        for spread in (ratios(Machine.BEST, over),)
        for kind, value in (
            ("mean", mean(spread)), ("least", min(spread)), ("greatest", max(spread))
        )
    ]  # fmt: skip
    turned = ratios(Machine.MIXED_PUBLISHED, Machine.BLOCKED_PUBLISHED)
    found.append(Row(section=FAIR, what="over NPU+PIM as published, always interleaved, mean",
                     ours=mean(turned), reason=ALWAYS))  # fmt: skip
    chosen = [
        one / two
        for one, two in zip(
            ratios(Machine.BEST, Machine.GPU), ratios(Machine.MIXED, Machine.GPU), strict=True
        )
    ]
    found.append(Row(section=FAIR, what="choosing over always interleaving, least",
                     ours=min(chosen), reason=CHOSEN, limit=at_least(1)))  # fmt: skip
    return found


def _throughput() -> list[Row]:
    return [
        Row(section=f"{THROUGHPUT}: {point.title}", what=f"batch {point.batch}", machine=machine,
            ours=rate(machine, point), unit="tokens/s", reason=RATES)
        for point in points()
        for machine in SHOWN
    ]  # fmt: skip


def _capacity() -> list[Row]:
    return [
        Row(section=CAPACITY, what=_named(point), ours=float(left), unit="requests", reason=NO_ROOM)
        for point in points()
        if (left := waiting(point))
    ]


def _named(point: Point) -> str:
    return f"{point.title}, batch {point.batch}"
