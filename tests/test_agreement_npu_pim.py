"""RTL, golden and model of channels whose banks compute agree, bit by bit and cycle by cycle.

In every simulation the monitor watches the command bus.
"""

import pytest
from agreement import assert_agrees, assert_netlist_agrees
from npu_pim_grid import POINTS

import archmodels
import designs
from dse.engines import Run
from dse.verify import agree, count_design, simulate
from hwgen.emit import emit, write
from hwgen.netlist import flattened_count
from sim import bench_npu_pim
from sim.golden import GOLDENS
from sim.outputs import difference
from sim.runner import lint
from sim.streams import Pause

SHORT = {"two_banks", "bf16", "masks", "postponed_together", "strides"}
"""Simulated in Amaranth's simulator in the short tier."""


@pytest.mark.spread(SHORT)
@pytest.mark.parametrize("name", POINTS)
def test_simulation_in_amaranth(name):
    assert_agrees(agree("dut", *POINTS[name], Run(engine="amaranth")))


@pytest.mark.spread({"newton", "three_banks"})
@pytest.mark.parametrize("name", POINTS)
def test_simulation_in_verilator(name):
    assert_agrees(agree("dut", *POINTS[name]))


@pytest.mark.parametrize("workload", designs.load("pim8").workloads)
def test_shipped_preset_in_verilator(workload):
    design = designs.load("pim8")
    assert_agrees(agree("pim8", design.params, design.workloads[workload]))


@pytest.mark.spread({"newton", "fp16", "postponed_together"})
@pytest.mark.parametrize("name", POINTS)
def test_netlist(name):
    assert_netlist_agrees(*POINTS[name])


@pytest.mark.parametrize(("idle", "seed"), [(0.5, 2), (0.9, 3), (0.0, 5)])
@pytest.mark.parametrize("name", ["three_banks", pytest.param("fp16", marks=pytest.mark.full)])
def test_idle_streams_and_initial_values_change_no_output(name, idle, seed):
    """But cycles and commands: what comes later may find its row open, and end earlier."""
    params, workload = POINTS[name]
    inputs = bench_npu_pim.operands(params, workload, seed)
    pauses = {"host": Pause(probability=idle, seed=3), "pim": Pause(probability=idle, seed=4)}
    sent = bench_npu_pim.plan(params, *inputs, pauses=pauses)
    result = simulate("dut", params, sent, Run(seed=seed))
    found = bench_npu_pim.results(params, workload, result)
    assert difference(found, GOLDENS[type(params)](params, *inputs)) == ""
    if not idle:
        assert result.cycles == archmodels.counted(params, workload, inputs).cycles


@pytest.mark.full
@pytest.mark.parametrize("name", POINTS)
def test_no_register_is_idle(name):
    params, _ = POINTS[name]
    flat = flattened_count(emit("dut", params).files["dut.v"], "dut")
    assert flat.flip_flop_bits == count_design("dut", params).flip_flop_bits


@pytest.mark.spread({"three_banks"})
@pytest.mark.parametrize("name", POINTS)
def test_verilator_has_nothing_to_say(name, tmp_path):
    paths = write(emit("dut", POINTS[name][0]), tmp_path)
    assert lint([path for path in paths if path.suffix in (".v", ".vlt")], "dut") == []
