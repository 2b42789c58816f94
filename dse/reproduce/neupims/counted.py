"""Small circuits that are simulated in Verilog: when each of their units works, and what it takes.

It is no part of the paper: here the model of `built` is held against what it is a model of.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from archmodels.npu_pim.core import run
from designs.npu_pim import Element, GptLayer, NpuPimParams, PimChannel, RowBuffers
from designs.systolic import Dataflow, SystolicParams
from dse.engines import DEFAULT_RUN
from dse.reproduce.measurements import RTL, Figures, Measurements
from dse.reproduce.row import Row, between
from dse.verify import simulate
from hwgen.emit import emit
from sim.bench_npu_pim_device import spans
from sim.benches import BENCHES
from sim.golden import GOLDENS
from sim.outputs import by_name, difference
from sim.streams import SimulationError

Interval: TypeAlias = tuple[int, int]
"""The first cycle and the last."""

CHANNEL = PimChannel(
    element=Element.INT8,
    mask=True,
    bank_groups=2,
    banks_per_group=2,
    rows=512,
    row_bytes=64,
    access_bytes=32,
    lanes=8,
    tag_bits=7,
)
BLOCKED = replace(CHANNEL, row_buffers=RowBuffers.SINGLE, composite=False)

DEVICE = NpuPimParams(
    channel=CHANNEL,
    array=SystolicParams(rows=8, cols=8, dataflow=Dataflow.WS, acc_rows=16, max_k=256),
    vector_lanes=8,
    max_hidden=32,
    max_kv_width=32,
    max_inner=64,
    max_heads=2,
    max_head_dim=16,
    max_keys=120,
    max_requests=16,
)
WORK = GptLayer(requests=16, keys=120, heads=2, kv_heads=2, head_dim=16, ffn=64)

MACHINES: Mapping[str, NpuPimParams] = {
    "blocked": replace(DEVICE, channel=BLOCKED, halves=1),
    "sub-batches": DEVICE,
}
"""One row buffer and one batch; two row buffers and two sub-batches."""

SECTION = (
    f"Small circuits: cycles of a layer of {WORK.requests} requests of {WORK.keys} tokens, "
    f"{WORK.heads} heads of {WORK.head_dim}"
)
REASON = "by the model; wanted: what Verilog counts"


def merged(instructions: Iterable[Interval]) -> list[Interval]:
    """When a unit works: instructions that follow each other at once are one interval."""
    found: list[Interval] = []
    for start, end in instructions:
        if found and start == found[-1][1] + 1:
            start = found.pop()[0]
        found.append((start, end))
    return found


def modelled(machine: str) -> dict[str, list[Interval]]:
    """Of each unit of a machine, by the model."""
    found = run(MACHINES[machine], WORK).spans
    return {unit: merged((one.start, one.end) for one in own) for unit, own in found.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulated:
    """One of `MACHINES` in Verilator."""

    machine: str

    @property
    def name(self) -> str:
        return f"device: {self.machine}"

    def verilog(self) -> str:
        """Its Verilog, and what it is asked for as a comment."""
        params = MACHINES[self.machine]
        return f"{emit('device', params).files['device.v']}// {params.order.name} {WORK}\n"

    def measured(self, verilog: str, library: object) -> Figures:
        """`cycles`, and `<unit>/<number>/start` and `/end` of the intervals in which it works.

        Raises SimulationError where an output is not the golden's.
        """
        params = MACHINES[self.machine]
        bench, golden = BENCHES[type(params)], GOLDENS[type(params)]
        inputs = bench.operands(params, WORK, DEFAULT_RUN.seed)
        result = simulate("device", params, bench.plan(params, *inputs))
        found = by_name(bench.results(params, WORK, result))
        differs = difference(found, by_name(golden(params, *inputs)))
        if differs:
            raise SimulationError(f"{self.name}: {differs}")
        own = spans(params, result)
        first = min(start for one in own.values() for start, _ in one)
        return {"cycles": float(result.cycles)} | {
            f"{unit}/{number}/{edge}": float(cycle - first)
            for unit, one in own.items()
            for number, interval in enumerate(merged(one))
            for edge, cycle in zip(EDGES, interval, strict=True)
        }


EDGES = ("start", "end")


def subjects() -> Sequence[Simulated]:
    """What is simulated."""
    return [Simulated(machine=machine) for machine in MACHINES]


def simulated(found: Measurements, machine: str) -> dict[str, list[Interval]]:
    """Of each unit of a machine, in Verilog; nothing where it was not simulated."""
    figures = found.figures(RTL, Simulated(machine=machine).name) or {}
    return {unit: list(_intervals(figures, unit)) for unit in modelled(machine)} if figures else {}


def _intervals(figures: Figures, unit: str) -> Iterator[Interval]:
    number = 0
    while f"{unit}/{number}/start" in figures:
        start, end = (int(figures[f"{unit}/{number}/{edge}"]) for edge in EDGES)
        yield start, end
        number += 1


def rows(found: Measurements) -> list[Row]:
    """Cycles of each machine."""
    return [_row(one.machine, found.figure(RTL, one.name, "cycles")) for one in subjects()]


def _row(machine: str, counted: float | None) -> Row:
    return Row(
        section=SECTION,
        what=machine,
        ours=float(run(MACHINES[machine], WORK).cycles),
        unit="cycles",
        limit=None if counted is None else between(counted, counted),
        reason=REASON,
    )
