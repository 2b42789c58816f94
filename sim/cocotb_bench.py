"""The cocotb test that every simulation runs: a plan in one file, its outcome in another."""

import os
import pickle
import time
import traceback
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import RisingEdge

from sim.streams import RESET_CYCLES, Bench, Plan, SimResult, SimulationError

PLAN_VARIABLE = "HWGEN_SIM_PLAN"
OUTCOME_VARIABLE = "HWGEN_SIM_OUTCOME"
CLOCK_PERIOD_NS = 10


async def play(harness: HierarchyObject, plan: Plan) -> SimResult:
    """Resets the core and plays the plan; raises SimulationError.

    A rising edge is seen before the core reacts to it: reads give what the edge samples, and
    writes take effect after it.
    """
    bench = Bench(plan)
    inputs = {
        port.name: getattr(harness, f"{port.name}__{'drive' if port.is_input else 'ready'}")
        for port in plan.interface.ports
        if not port.always_ready
    }
    payloads = {
        port.name: getattr(harness, f"{port.name}__payload")
        for port in plan.interface.ports
        if not port.is_input
    }
    for handle in inputs.values():
        handle.value = 0
    harness.rst.value = 1
    Clock(harness.clk, CLOCK_PERIOD_NS, "ns", impl="gpi").start(start_high=False)
    edge = RisingEdge(harness.clk)
    for _ in range(RESET_CYCLES):
        await edge
    harness.rst.value = 0
    drives = bench.start()
    status = harness.status
    started = time.perf_counter()
    while True:
        for name, word in drives.items():
            inputs[name].value = word
        if bench.finished:
            return bench.result(time.perf_counter() - started)
        await edge
        drives = bench.step(int(status.value), lambda name: int(payloads[name].value))


@cocotb.test()
async def run_plan(harness: HierarchyObject) -> None:
    plan = pickle.loads(Path(os.environ[PLAN_VARIABLE]).read_bytes())
    outcome: SimResult | Exception
    try:
        outcome = await play(harness, plan)
    except SimulationError as failure:
        outcome = failure
    except Exception as error:
        error.add_note(traceback.format_exc())  # a traceback does not pass through pickle
        outcome = error
    path = Path(os.environ[OUTCOME_VARIABLE])
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(outcome))
    partial.replace(path)
