"""What agreement is: outputs, cycles, activity and netlist, of any machine, stalls or not."""

import pytest
from grid_points import each_value

import archmodels
import designs
from dse.engines import Run
from dse.verify import agree, netlist_differences, simulate
from sim.benches import BENCHES
from sim.golden import GOLDENS
from sim.outputs import by_name, difference
from sim.streams import Pause

STALLS = ((0.5, 0.0, 2), (0.0, 0.6, 3), (0.4, 0.4, 4), (0.0, 0.0, 5))
"""Chances that a source idles and that a sink refuses, and a seed."""


def grouped(names):
    """Test parameters whose tests are run by one worker: a point is built once, for all of them."""
    return [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in names]


def assert_agrees(found, *, netlist=False):
    """All that was compared is equal; the netlist was compared where it is asked for."""
    assert found.details == ""
    assert found.outputs_equal and found.cycles_equal and found.activity_equal
    assert found.netlist_equal is (True if netlist else None)


def assert_netlist_agrees(params, workload):
    """Every total that the netlist and the inventory have is the same integer."""
    model = archmodels.MODELS[type(params)](params, workload)
    found = netlist_differences("dut", params, model)
    assert [str(one) for one in found if one.rtl != one.model] == []


def assert_agrees_under_stalls(params, workload, idle, refuse, run):
    """Sources idle and sinks refuse, each by chance: outputs and activity stay the same.

    The seed of the run is also that of what registers and memories hold before the reset.
    """
    bench = BENCHES[type(params)]
    inputs = bench.operands(params, workload, run.seed)
    pauses = {
        port.name: Pause(probability=idle if port.is_input else refuse, seed=seed)
        for seed, port in enumerate(bench.interface(params).ports, start=3)
    }
    sent = bench.plan(params, *inputs, pauses=pauses)
    result = simulate("dut", params, sent, run)
    model = archmodels.counted(params, workload, inputs)
    output = by_name(bench.results(params, workload, result))
    assert difference(output, by_name(GOLDENS[type(params)](params, *inputs))) == ""
    stalls = idle > 0 or refuse > 0
    assert result.cycles >= model.cycles if stalls else result.cycles == model.cycles
    counted = bench.activity(params, result, sent)
    assert counted == {key: model.activity[key].count for key in counted}


def agreement_tests(points, *, amaranth, verilator, stalled, presets):
    """A class of tests: points of a grid by name, some of them under stalls, and shipped presets.

    `amaranth`: what is simulated in Amaranth's simulator; `verilator`: the spread that is simulated
    in Verilator in every test run; the long tier takes all.
    """

    class Agreement:
        @pytest.mark.spread(each_value({name: points[name] for name in amaranth}))
        @pytest.mark.parametrize("name", amaranth)
        def test_simulation_in_amaranth(self, name):
            assert_agrees(agree("dut", *points[name], Run(engine="amaranth")))

        @pytest.mark.parametrize("name", verilator)
        def test_simulation_in_verilator(self, name):
            assert_agrees(agree("dut", *points[name]))

        @pytest.mark.full
        @pytest.mark.parametrize("name", [name for name in points if name not in verilator])
        def test_every_point_in_verilator(self, name):
            assert_agrees(agree("dut", *points[name]))

        @pytest.mark.spread(8)
        @pytest.mark.parametrize("name", points)
        def test_netlist(self, name):
            assert_netlist_agrees(*points[name])

        @pytest.mark.parametrize("name", presets)
        def test_shipped_presets_in_verilator(self, name):
            design = designs.load(name)
            for workload in design.workloads.values():
                assert_agrees(agree(name, design.params, workload))

        @pytest.mark.parametrize(("idle", "refuse", "seed"), STALLS)
        @pytest.mark.parametrize("name", stalled)
        def test_stalls_and_initial_values_change_no_output(self, name, idle, refuse, seed):
            assert_agrees_under_stalls(*points[name], idle, refuse, Run(seed=seed))

    return Agreement
