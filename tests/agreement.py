"""What agreement is: outputs, cycles, activity and netlist, of any machine, stalls or not."""

import archmodels
from dse.verify import netlist_differences, simulate
from sim.benches import BENCHES
from sim.golden import GOLDENS
from sim.outputs import by_name, difference
from sim.streams import Pause


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
