"""RTL, golden and model of devices agree: bit by bit, cycle by cycle, command by command.

In every simulation the monitor watches the command bus of every channel.
"""

import pytest
from agreement import assert_netlist_agrees, grouped
from npu_pim_device_faults import FAULTS
from npu_pim_device_grid import POINTS
from npu_pim_device_runs import (
    assert_activity,
    assert_commands,
    assert_cycles,
    assert_outputs,
    simulated,
)

import designs
from designs.npu_pim.device_program import device_program
from dse.engines import Run
from sim import bench_npu_pim_device
from sim.streams import Pause

VIEWS = (assert_outputs, assert_cycles, assert_commands, assert_activity)
"""What agrees; cycles are those of every instruction of every unit."""


HIDDEN = "the array does not wait for its weights"
"""A fault of a program that no point shows whose vector unit is slower than its channels."""


def assert_all_agree(point, run):
    """In one simulation."""
    found = simulated(point, run)
    for check in VIEWS:
        check(found)


@pytest.mark.parametrize("name", ["least", "least_blocked", "least_array"])
def test_simulation_in_amaranth(name):
    assert_all_agree(POINTS[name], Run(engine="amaranth"))


@pytest.mark.spread({"four_banks"})
@pytest.mark.parametrize("name", grouped(POINTS))
def test_simulation_in_verilator(name):
    assert_all_agree(POINTS[name], Run())


@pytest.mark.full
@pytest.mark.parametrize("workload", designs.load("npu_pim8").workloads)
def test_shipped_preset_in_verilator(workload):
    design = designs.load("npu_pim8")
    assert_all_agree((design.params, design.workloads[workload]), Run())


@pytest.mark.spread({"least", "least_array"})
@pytest.mark.parametrize("name", POINTS)
def test_netlist(name):
    assert_netlist_agrees(*POINTS[name])


@pytest.mark.parametrize(("idle", "refuse", "seed"), [(0.5, 0.3, 2), (0.9, 0.0, 3), (0.0, 0.0, 5)])
@pytest.mark.parametrize("name", grouped(["four_banks"]))
def test_stalls_and_initial_values_change_no_output(name, idle, refuse, seed):
    """Programs, tokens and constants come late, outputs are refused: orders of commands differ."""
    params, workload = POINTS[name]
    pauses = {
        port.name: Pause(probability=idle if port.is_input else refuse, seed=seed)
        for port in bench_npu_pim_device.interface(params).ports
        if not port.name.startswith("rows_")
    }
    found = simulated((params, workload), Run(seed=seed), pauses=pauses)
    assert_outputs(found)
    if not idle:
        assert_cycles(found)


@pytest.mark.spread({"a value goes to the byte beside"})
@pytest.mark.parametrize("name", grouped(["four_banks"]))
@pytest.mark.parametrize(
    "fault",
    [fault for fault, (point, _) in FAULTS.items() if point == "neupims" and fault != HIDDEN],
)
def test_a_planted_fault_changes_outputs(fault, name):
    """In the circuit too: programs that do not wait, or say where wrongly."""
    params, workload = POINTS[name]
    _, mutate = FAULTS[fault]
    program = mutate(params, device_program(params, workload))
    found = simulated((params, workload), Run(), program=program)
    with pytest.raises(AssertionError):
        assert_outputs(found)
