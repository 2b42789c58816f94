"""A device simulated, and its model: what the tests of their agreement compare."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import archmodels
from archmodels.npu_pim import core
from designs.npu_pim import GptLayer, NpuPimParams
from dse.engines import Run
from dse.verify import simulate
from hwgen.npu_pim.device_encoding import program_words
from sim import bench_npu_pim_device as bench
from sim.golden.npu_pim.device import device
from sim.streams import Pause, Plan, SimResult

OPENING = ("act", "g_act")
"""Commands that have a row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulated:
    """One simulation: what went in, what came out, and what the golden says."""

    params: NpuPimParams
    workload: GptLayer
    sent: Plan
    result: SimResult
    golden: np.ndarray

    @property
    def spans(self) -> Mapping[str, list[tuple[int, int]]]:
        """Of the instructions of each unit; cycle 0 is that in which the first one starts."""
        return {
            unit: [(start - self.first, end - self.first) for start, end in spans]
            for unit, spans in bench.spans(self.params, self.result).items()
        }

    @property
    def first(self) -> int:
        """The edge of cycle 0."""
        every = bench.spans(self.params, self.result).values()
        return min(start for spans in every for start, _ in spans)

    def commands(self, channel: int) -> list[tuple[Any, ...]]:
        """Those on the bus of a channel, up to the last output."""
        seen = bench.watched(self.params, self.result, channel)
        last = self.result.transfer_cycles["o"][-1]
        return [
            _fields(one.cycle - self.first, one.command, one) for one in seen if one.cycle <= last
        ]


def simulated(
    point: tuple[NpuPimParams, GptLayer],
    run: Run,
    *,
    inputs: Any = None,
    pauses: Mapping[str, Pause] | None = None,
    program: Any = None,
) -> Simulated:
    """A workload, on inputs of the run's seed if none are given, with another program if one is."""
    params, workload = point
    if inputs is None:
        _, inputs = bench.operands(params, workload, run.seed)
    sent = bench.plan(params, workload, inputs, pauses=pauses)
    if program is not None:
        sent = replace(sent, transfers={**sent.transfers, **program_words(params, program)})
    return Simulated(
        params=params,
        workload=workload,
        sent=sent,
        result=simulate("dut", params, sent, run),
        golden=device(params, workload, inputs)["o"],
    )


def assert_outputs(found: Simulated) -> None:
    """Every bit of the outputs is the golden's, and the monitors are silent."""
    o = bench.results(found.params, found.workload, found.result)["o"]
    assert o.view(np.uint32).tolist() == found.golden.view(np.uint32).tolist()


def assert_cycles(found: Simulated) -> None:
    """Every instruction of every unit starts and ends in the cycle in which the model's does."""
    model = core.run(found.params, found.workload)
    for unit, spans in found.spans.items():
        assert spans == [(span.start, span.end) for span in model.spans[unit]], unit
    assert found.result.cycles == model.cycles


def assert_commands(found: Simulated) -> None:
    """Every command of every channel is the model's, in its cycle."""
    model = core.run(found.params, found.workload)
    last = found.result.transfer_cycles["o"][-1] - found.first
    for number, issues in enumerate(model.issues):
        told = [
            _fields(one.cycle, one.command.name.lower(), one) for one in issues if one.cycle <= last
        ]
        assert found.commands(number) == told, f"channel {number}"


def assert_activity(found: Simulated) -> None:
    """What is counted in the simulation is what the model counts."""
    model = archmodels.MODELS[type(found.params)](found.params, found.workload).activity
    counted = bench.activity(found.params, found.result, found.sent)
    assert counted == {key: model[key].count for key in counted}


def _fields(cycle: int, name: str, one: Any) -> tuple[Any, ...]:
    """Those that a command has."""
    return (
        cycle,
        name,
        one.bank,
        one.row if name in OPENING else None,
        one.steps if name == "gemv" else None,
    )
