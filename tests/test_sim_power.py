"""Energy of netlists: by hand, by share, and against OpenSTA."""

import shutil

import numpy as np
import pytest
from gate_netlists import DESIGNS, changed, counter, design, module, of, real_library
from opensta_power import described, difference, report
from tiny_library import tiny

from designs.systolic import SystolicParams
from hwgen.emit import emit
from hwgen.synth import synthesise
from hwgen.synth.netlist import Mapped
from sim.benches import BENCHES
from sim.gate_program import LANES, ONES
from sim.gates import GateSimulator
from sim.measure import measure, operands, play, toggle_energy
from sim.power import energy
from sim.slews import conditions
from sim.states import States

REAL = ("asap7", "sky130hd", "sg13g2")
V2 = 1.2**2
"""Of the tiny library's supply."""


def square_wave(half_period, cycles=64):
    """A bit of every lane that toggles each `half_period` cycles."""
    high = np.arange(cycles) // half_period % 2 == 1
    return np.where(high, ONES, np.uint64(0))[:, None]


def two_cells():
    """y = a and b, in a nand and an inverter."""
    return of(
        module(
            "two",
            {"a": (2,), "b": (3,)},
            {"y": (5,)},
            ("nand2_1", {"A": 2, "B": 3, "Y": 4}),
            ("inv_1", {"A": 4, "Y": 5}),
        )
    )


def test_energy_of_two_cells_is_what_the_tables_say():
    """`a` toggles every cycle, and so do all nets but `b`, which is high.

    Tables of tiny.lib, s in ns and L in fF: nand2_1 0.7 + 0.07 s + 0.0007 L for a rise and 0.8 of
    that for a fall; its slews, those of the slower arc, from B, 0.0065 + 0.05 s + 0.006 L and
    0.0065 + 0.05 s + 0.0056 L; inv_1 0.5 + 0.05 s + 0.0005 L and 0.8 of that. Pins are 1 fF; the
    inverter has no load.
    """
    inputs = {"a": square_wave(1), "b": np.full((64, 1), ONES)}
    found = toggle_energy(two_cells(), tiny(), inputs)
    nand = (1 + 0.8) / 2 * (0.7 + 0.0007 * 1)
    rise_ns, fall_ns = 0.0065 + 0.006 * 1, 0.0065 + 0.0056 * 1
    inverter = ((0.5 + 0.05 * fall_ns) + 0.8 * (0.5 + 0.05 * rise_ns)) / 2
    assert found.internal_fj == pytest.approx(nand + inverter, rel=1e-9)
    assert found.switching_fj == pytest.approx(2 * 1 * V2 / 2)
    assert found.input_fj == pytest.approx(1 * V2 / 2)
    assert found.clock_fj == 0
    assert found.leakage_nw == pytest.approx(2 + (1.5 + 0.5) / 2)
    assert found.dynamic_pj == pytest.approx(found.dynamic_fj / 1000)


def test_a_load_at_the_ports_counts():
    simulator = GateSimulator(two_cells(), tiny())
    simulator.drive("b", ONES)
    for word in square_wave(1, 10):
        simulator.drive("a", word)
        simulator.settle()
        simulator.count()
        simulator.tick()
    none, some = (energy(simulator, tiny(), load_ff).per(10) for load_ff in (0, 10))
    toggles = simulator.activity.toggles[simulator.flat.outputs["y"]][0] / LANES / 10
    assert some.switching_fj - none.switching_fj == pytest.approx(toggles * 10 * V2 / 2)
    assert some.internal_fj - none.internal_fj == pytest.approx(toggles * 10 * 0.0005 * 0.9)


def test_inputs_share_the_toggles_of_an_output(tmp_path):
    """By their toggles, times how often the other is high: 1 * 3/4 for `a`, 1/2 * 1/2 for `b`.

    The nand toggles in every cycle. 90 fJ more at slew 0.01 and none at 0.1 are 100 at slew 0.
    """
    dear = 'related_pin : "B";\n    rise_power (energy) {\n     values ( \\\n      "0.7014, 0.7063,'
    library = changed(tmp_path, (dear, dear.replace("0.7014, 0.7063", "90.7014, 90.7063")))
    inputs = {"a": square_wave(1), "b": square_wave(1) | square_wave(2)}
    plain = toggle_energy(two_cells(), tiny(), inputs).internal_fj
    found = toggle_energy(two_cells(), library, inputs).internal_fj
    assert found - plain == pytest.approx(100 / 2 / 4)


def test_a_slew_is_that_of_the_edge_that_causes_it():
    """The inverter's output rises as the nand's falls: 0.005 + 0.05 s + 0.006 L, and 0.0056 L."""
    simulator = GateSimulator(two_cells(), tiny())
    found = conditions(simulator.flat, simulator.level, tiny())
    y = simulator.flat.outputs["y"]
    assert found.rise_ps[y] == pytest.approx([5 + 0.05 * 12.1])
    assert found.fall_ps[y] == pytest.approx([5 + 0.05 * 12.5])
    found = conditions(simulator.flat, simulator.level, tiny(), port_load_ff=2)
    assert found.rise_ps[y] == pytest.approx([5 + 0.05 * 12.1 + 6 * 2])


def test_states_of_a_cell():
    """A mux follows its select where its data differ, and an input where the select is there."""
    cell = tiny().cells["mux2_1"]
    high = {"A": np.array([0.5, 1.0]), "B": np.array([0.5, 0.25]), "S": np.array([0.125, 0.5])}
    states = States(cell, high)
    for pin, expected in (("S", [0.5, 0.75]), ("A", [0.875, 0.5]), ("B", [0.125, 0.5])):
        assert states.probability(states.follows("Y", pin)).tolist() == expected
    assert states.probability(states.where("A B' + A' B")).tolist() == [0.5, 0.75]
    assert states.probability(states.where(None)).tolist() == [1, 1]
    assert states.probability(states.where("Y")).tolist() == [0.5, 0.625]


PASSIVE_2_NS = 2 - 0.2 * 0.01 / 0.99
PASSIVE_1_NS = 1 - 0.1 * 0.01 / 0.99
"""Energy of the edges at CK of dff_1 at slew 0."""


def counted(library):
    zero = np.zeros((48, 1), dtype=np.uint64)
    zero[0] = ONES
    return toggle_energy(counter(), library, {"clear": zero})


def test_clock_pins_cost_both_edges_every_cycle():
    found = counted(tiny())
    assert found.clock_fj == pytest.approx(2 * (PASSIVE_2_NS + PASSIVE_1_NS + 1 * V2))
    assert found.modules_fj == {"counter": pytest.approx(found.dynamic_fj)}
    kinds = ["dff_1", "dff_1", "nor2_1", "xor2_1", "inv_1", "and2_1"]
    assert found.leakage_nw == pytest.approx(sum(tiny().cells[k].leakage_nw for k in kinds))


def test_conditions_of_a_clock_edge_are_counted(tmp_path):
    """Bit 0 always takes new data, bit 1 every other cycle: an edge that changes nothing is dear.

    A table without condition is for the other states.
    """
    old = "  clock : true;\n   internal_power () {\n"
    idle = old + (
        "    when : \"D Q + D' Q'\";\n    power (scalar) {\n"
        '     values ("40");\n    }\n   }\n   internal_power () {\n'
    )
    found = counted(changed(tmp_path, (old, idle)))
    edges = 1.5 * (PASSIVE_2_NS + PASSIVE_1_NS) + 0.5 * 2 * 40
    assert found.clock_fj == pytest.approx(edges + 2 * 1 * V2)


@pytest.mark.parametrize("other", ['    when : "!CK";\n', ""])
def test_data_of_a_flip_flop_changes_while_the_clock_is_high(tmp_path, other):
    """Neither the table for a low clock counts, nor one that has no condition."""
    old = '   internal_power () {\n    power (scalar) {\n     values ("0.3");\n    }\n   }\n'
    by_clock = "".join(
        f"   internal_power () {{\n{when}    power (scalar) {{\n"
        f'     values ("{value}");\n    }}\n   }}\n'
        for when, value in ((other, 70), ('    when : "CK";\n', 5))
    )
    found = counted(changed(tmp_path, (old, by_clock))).internal_fj
    toggles = 1.0 + 0.5  # of the data of both bits
    assert found - counted(tiny()).internal_fj == pytest.approx(toggles * (5 - 0.3))


def test_zeros_cost_little():
    """Half of the operands zero: less than random ones; all zero: the clock and nothing else."""
    params, workload = DESIGNS["small_os"]
    mapped = design("small_os", tiny())
    full = operands(params, workload)
    rng = np.random.default_rng(1)
    sparse = [(np.where(rng.random(a.shape) < 0.5, 0, a), w) for a, w in full]
    empty = [(0 * a, 0 * w) for a, w in full]
    runs = [measure(mapped, tiny(), params, workload, one) for one in (full, sparse, empty)]
    spent = [run.energy.dynamic_fj - run.energy.clock_fj for run in runs]
    assert spent[0] > spent[1] > spent[2]
    assert len({run.energy.clock_fj for run in runs}) == 1


def test_energy_is_by_module():
    params, workload = DESIGNS["small_os"]
    run = measure(design("small_os", tiny()), tiny(), params, workload, operands(params, workload))
    elements = [fj for name, fj in run.energy.modules_fj.items() if "_pe_" in name]
    assert all(fj > 0 for fj in elements)
    assert run.energy.per(10).modules_fj["small_os"] == run.energy.modules_fj["small_os"] / 10


def element(library):
    """An int8 processing element, alone."""
    params = SystolicParams(rows=2, cols=2, max_k=256)
    mapped = synthesise(emit("pair", params).files["pair.v"], "pair", library).mapped
    name = max(
        (n for n in mapped.modules if "_pe" in n), key=lambda n: len(mapped.modules[n].cells)
    )
    return Mapped(name, mapped.modules)


def simulated_element(library):
    """With random inputs, but for control that is nearly always high, as in work."""
    simulator = GateSimulator(element(library), library)
    rng = np.random.default_rng(4)
    for cycle in range(40):
        for port, nets in simulator.flat.inputs.items():
            if simulator.clock in nets:
                continue
            words = rng.integers(0, ONES, (4, len(nets)), dtype=np.uint64, endpoint=True)
            simulator.drive(port, words[0] if len(nets) > 1 else words[0] | words[1] | words[2])
        simulator.settle()
        if cycle >= 8:
            simulator.count()
        simulator.tick()
    return simulator


def simulated_design(library):
    params, workload = DESIGNS["small_os"]
    simulator = GateSimulator(design("small_os", library), library)
    plan = BENCHES[type(params)].plan
    play(simulator, [plan(params, *inputs) for inputs in operands(params, workload)])
    return simulator


def compare(simulator, library, folder):
    """Ours and OpenSTA's dynamic energy of all cells; what both say is printed."""
    if not shutil.which("sta"):
        pytest.skip("OpenSTA must be on PATH as sta")
    ours = energy(simulator, library).per(simulator.activity.cycles)
    theirs = report(simulator, library, folder)
    internal = ours.internal_fj + ours.clock_fj - _clock_net_fj(simulator, library)
    pairs = {
        "switching fJ": (ours.switching_fj - ours.input_fj, theirs.switching_fj),
        "internal fJ as it sums": (internal, theirs.said_internal_fj),
        "internal fJ": (internal, theirs.internal_fj),
        "leakage nW": (ours.leakage_nw, theirs.leakage_nw),
    }
    print("", *described(pairs), sep="\n")
    assert difference(*pairs["switching fJ"]) == pytest.approx(0, abs=0.05)
    assert difference(*pairs["internal fJ"]) == pytest.approx(0, abs=0.1)
    total = [sum(pairs[key][side] for key in ("switching fJ", "internal fJ")) for side in (0, 1)]
    assert difference(*total) == pytest.approx(0, abs=0.1)


def _clock_net_fj(simulator, library):
    """What OpenSTA leaves out: nothing but a port drives the clock."""
    pins = [
        (library.cells[kind].pins[library.cells[kind].register.clock], len(cells.nets))
        for kind, cells in simulator.flat.cells.items()
        if library.cells[kind].register
    ]
    return sum(pin.capacitance_ff * count for pin, count in pins) * library.supply_v**2


@pytest.mark.parametrize("simulated", [simulated_element, simulated_design])
def test_opensta_agrees(simulated, tmp_path):
    if not shutil.which("sta"):
        pytest.skip("OpenSTA must be on PATH as sta")
    compare(simulated(tiny()), tiny(), tmp_path)


@pytest.mark.spread(4)
@pytest.mark.parametrize("technology", REAL)
@pytest.mark.parametrize("simulated", [simulated_element, simulated_design])
def test_opensta_agrees_in_a_real_library(simulated, technology, tmp_path):
    library = real_library(technology)
    compare(simulated(library), library, tmp_path)
