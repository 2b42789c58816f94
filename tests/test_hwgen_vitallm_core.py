# amaranth: UnusedElaboratable=no
"""The VitaLLM engine as hardware: no idle state, clean Verilog, and a reset at any time."""

import pytest
from amaranth.sim import Simulator
from reset_midway import results_after_reset
from vitallm_grid import POINTS

import designs
from hwgen.emit import emit, write
from hwgen.netlist import count, flattened_count
from hwgen.vitallm import VitaLlmCore
from sim.bench_vitallm import operands, plan
from sim.golden.vitallm import layer
from sim.runner import lint


@pytest.mark.spread(1)
@pytest.mark.parametrize("name", ["least", "one_lane_in_turn", "attends_to_all"])
def test_no_register_is_idle(name):
    text = emit("core", POINTS[name][0]).files["core.v"]
    assert flattened_count(text, "core").flip_flop_bits == count(text, "core").flip_flop_bits


@pytest.mark.spread(1)
@pytest.mark.parametrize("name", POINTS)
def test_verilog_is_clean(name, tmp_path):
    paths = write(emit("dut", POINTS[name][0]), tmp_path)
    assert lint([path for path in paths if path.suffix in (".v", ".vlt")], "dut") == []


def test_the_engine_of_the_paper_is_verilog_too(tmp_path):
    """At full scale, with all of its 120 KB."""
    paths = write(emit("vitallm_3b", designs.load("vitallm_3b").params), tmp_path)
    sources = [path for path in paths if path.suffix in (".v", ".vlt")]
    assert lint(sources, "vitallm_3b") == []


def test_a_reset_in_the_middle_of_a_block_leaves_nothing_behind():
    params, workload = POINTS["least"]
    workload, inputs = operands(params, workload, 3)
    sent = plan(params, workload, inputs)

    def run(core, testbench):
        simulator = Simulator(core)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        simulator.run()

    words = results_after_reset(VitaLlmCore(params), sent, 900, 2300, run)
    lanes = [word >> 32 * lane & 0xFFFF_FFFF for word in words for lane in range(2)]
    assert lanes == layer(params, workload, inputs)["o"].view("uint32").tolist()
