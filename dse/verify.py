"""The agreement: does the RTL do what golden and model say?

Outputs, cycles and activity come from one simulation, registers and operators from the emitted
Verilog.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import archmodels
from archmodels import counts
from archmodels.counts import Counts
from designs import Params, Workload
from dse.engines import DEFAULT_RUN, ENGINES, Run
from hwgen.emit import emit
from hwgen.netlist import Netlist, count
from sim.benches import BENCHES
from sim.golden import GOLDENS
from sim.streams import Plan, SimResult

NETLIST_TOTALS = {
    "flip_flop_bits": counts.flip_flop_bits,
    "memory_bits": counts.memory_bits,
    "memory_read_register_bits": counts.memory_read_register_bits,
    "adder_count": counts.adder_count,
    "subtractor_count": counts.subtractor_count,
    "multiplier_count": counts.multiplier_count,
}
"""What is counted in a netlist, to the same total of an inventory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One number on which RTL and model do not agree."""

    key: str
    rtl: int
    model: int

    def __str__(self) -> str:
        return f"{self.key}: {self.rtl} in the RTL, {self.model} in the model"


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """What was compared for one workload; None where it was not.

    `seconds` is the time that the simulated clock ran, for `simulated_cycles` cycles.
    """

    outputs_equal: bool
    cycles_equal: bool
    activity_equal: bool
    netlist_equal: bool | None
    rtl_cycles: int
    model_cycles: int
    differences: tuple[Difference, ...]
    simulated_cycles: int
    seconds: float

    @property
    def details(self) -> str:
        """One line for each number that differs."""
        return "\n".join(map(str, self.differences))


def agree(
    design_name: str, params: Params, workload: Workload, run: Run = DEFAULT_RUN
) -> Agreement:
    """Simulate one workload on operands drawn from the run's seed; compare with golden and model.

    Raises SimulationError where the core hangs, breaks a stream rule or marks its results wrongly,
    and ToolError where a tool is missing.
    """
    inputs = BENCHES[type(params)].operands(params, workload, run.seed)
    return compare(design_name, params, workload, inputs, run)


def compare(
    design_name: str,
    params: Params,
    workload: Workload,
    inputs: tuple[Any, ...],
    run: Run = DEFAULT_RUN,
) -> Agreement:
    """As `agree`, on given inputs of the golden."""
    bench, model = BENCHES[type(params)], archmodels.counted(params, workload, inputs)
    plan = bench.plan(params, *inputs)
    result = simulate(design_name, params, plan, run)
    output = bench.results(params, workload, result)
    active = [
        Difference(key=key, rtl=counted, model=int(model.activity[key].count))
        for key, counted in bench.activity(params, result, plan).items()
    ]
    built = netlist_differences(design_name, params, model) if run.netlist else None
    cycles = Difference(key="cycles", rtl=result.cycles, model=int(model.cycles))
    differing = tuple(one for one in [cycles, *active, *(built or ())] if one.rtl != one.model)
    return Agreement(
        outputs_equal=_equal(output, GOLDENS[type(params)](params, *inputs)),
        cycles_equal=cycles not in differing,
        activity_equal=not any(one in differing for one in active),
        netlist_equal=None if built is None else not any(one in differing for one in built),
        rtl_cycles=cycles.rtl,
        model_cycles=cycles.model,
        differences=differing,
        simulated_cycles=result.simulated_cycles,
        seconds=result.seconds,
    )


def _equal(output: Any, golden: Any) -> bool:
    """Whether two outputs, tensors or tensors by name, are the same."""
    if not isinstance(golden, Mapping):
        return np.array_equal(output, golden)
    return output.keys() == golden.keys() and all(
        np.array_equal(output[name], golden[name]) for name in golden
    )


def simulate(design_name: str, params: Params, plan: Plan, run: Run = DEFAULT_RUN) -> SimResult:
    """Play a plan against the design in the engine of the run."""
    return ENGINES[run.engine].simulate(design_name, params, plan, run)


def netlist_differences(design_name: str, params: Params, model: Counts) -> list[Difference]:
    """Each total that the netlist of the design and the model's inventory have, equal or not."""
    found = count_design(design_name, params)
    return [
        Difference(key=key, rtl=getattr(found, key), model=int(total(model)))
        for key, total in NETLIST_TOTALS.items()
    ]


@functools.lru_cache(maxsize=64)
def count_design(design_name: str, params: Params) -> Netlist:
    """What Yosys counts in the design's Verilog."""
    return count(emit(design_name, params).files[f"{design_name}.v"], design_name)
