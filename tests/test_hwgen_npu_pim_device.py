# amaranth: UnusedElaboratable=no
"""The device as hardware: no idle state, clean Verilog, and a reset at any time."""

import pytest
from amaranth.sim import Simulator
from npu_pim_device_grid import POINTS
from reset_midway import results_after_resets

from hwgen.emit import emit, write
from hwgen.netlist import count, flattened_count
from hwgen.npu_pim import NpuPimCore
from sim.bench_npu_pim_device import operands, plan
from sim.golden.npu_pim.device import device
from sim.packing import word_floats
from sim.runner import lint

# Where the array attends, the banks' dot products are never asked for.
IN_BANKS = [name for name, (params, _) in POINTS.items() if not params.on_array]


@pytest.mark.full
@pytest.mark.parametrize("name", IN_BANKS)
def test_no_register_is_idle(name):
    text = emit("core", POINTS[name][0]).files["core.v"]
    assert flattened_count(text, "core").flip_flop_bits == count(text, "core").flip_flop_bits


@pytest.mark.spread({"least"})
@pytest.mark.parametrize("name", POINTS)
def test_verilog_is_clean(name, tmp_path):
    paths = write(emit("dut", POINTS[name][0]), tmp_path)
    assert lint([path for path in paths if path.suffix in (".v", ".vlt")], "dut") == []


def test_a_reset_in_the_middle_of_a_layer_leaves_nothing_behind():
    params, workload = POINTS["least"]
    workload, inputs = operands(params, workload, 3)
    sent = plan(params, workload, inputs)

    def run(core, testbench):
        simulator = Simulator(core)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        simulator.run()

    early = [700]  # banks attend
    for words in results_after_resets(NpuPimCore(params), sent, early, 1400, run):
        found = word_floats(words, params.vector_lanes)
        assert found.tobytes() == device(params, workload, inputs)["o"].tobytes()
