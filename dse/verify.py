"""The agreement: does the RTL do what golden and model say?

Outputs, cycles and activity come from one simulation, registers and operators from the emitted
Verilog.
"""

import functools
from dataclasses import dataclass
from typing import Any

import archmodels
from archmodels import counts
from archmodels.counts import Counts
from designs import Params, Workload
from dse.engines import DEFAULT_RUN, ENGINES, Run
from hwgen.emit import emit
from hwgen.netlist import Netlist, count
from sim.benches import BENCHES
from sim.golden import GOLDENS
from sim.outputs import by_name, difference
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

    `output_difference` says where an output is not the golden's, and is empty where all are;
    `output_count` is the number of values that the golden gives.
    `seconds` is the time that the simulated clock ran, for `simulated_cycles` cycles.
    """

    output_difference: str
    output_count: int
    cycles_equal: bool
    activity_equal: bool
    netlist_equal: bool | None
    rtl_cycles: int
    model_cycles: int
    differences: tuple[Difference, ...]
    simulated_cycles: int
    seconds: float

    @property
    def outputs_equal(self) -> bool:
        """Whether the RTL's outputs are the golden's, in every bit."""
        return not self.output_difference

    @property
    def details(self) -> str:
        """A line for the outputs, if they differ, and one for each number that does."""
        return "\n".join(filter(None, [self.output_difference, *map(str, self.differences)]))


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
    output = by_name(bench.results(params, workload, result))
    golden = by_name(GOLDENS[type(params)](params, *inputs))
    active = [
        Difference(key=key, rtl=counted, model=int(model.activity[key].count))
        for key, counted in bench.activity(params, result, plan).items()
    ]
    built = netlist_differences(design_name, params, model) if run.netlist else None
    cycles = Difference(key="cycles", rtl=result.cycles, model=int(model.cycles))
    differing = tuple(one for one in [cycles, *active, *(built or ())] if one.rtl != one.model)
    return Agreement(
        output_difference=difference(output, golden),
        output_count=sum(tensor.size for tensor in golden.values()),
        cycles_equal=cycles not in differing,
        activity_equal=not any(one in differing for one in active),
        netlist_equal=None if built is None else not any(one in differing for one in built),
        rtl_cycles=cycles.rtl,
        model_cycles=cycles.model,
        differences=differing,
        simulated_cycles=result.simulated_cycles,
        seconds=result.seconds,
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
