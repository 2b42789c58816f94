"""Simulation of netlists: every function, the order of gates, hierarchy, state, and the bench."""

from dataclasses import replace

import numpy as np
import pytest
from gate_netlists import DESIGNS, changed, counter, design, module, of, real_library
from tiny_library import tiny

import designs
from archmodels import MODELS
from hwgen.synth import synthesise
from hwgen.synth.netlist import Instance, Mapped
from sim import gates, runner
from sim.benches import BENCHES
from sim.flat import GateError, flatten
from sim.gate_program import LANES, ONES
from sim.gates import GateSimulator
from sim.golden import GOLDENS
from sim.lane_memory import LaneMemory
from sim.measure import measure, operands, play, toggle_energy
from sim.netlist_verilog import netlist_verilog
from sim.streams import Pause, SimulationError

REAL = ("asap7", "sky130hd", "sg13g2")

MULTIPLIER = """
module multiplier(input signed [3:0] a, input signed [3:0] b, output signed [7:0] y);
  assign y = a * b;
endmodule
"""


def random_words(rng, *shape):
    return rng.integers(0, ONES, shape, dtype=np.uint64, endpoint=True)


def lane_values(words):
    """The unsigned number that each lane has in the words of a port."""
    bits = words[:, None] >> np.arange(LANES, dtype=np.uint64) & np.uint64(1)
    return (bits.astype(np.int64) << np.arange(len(words))[:, None]).sum(axis=0)


def test_a_multiplier_is_numpys_on_all_operands():
    mapped = synthesise(MULTIPLIER, "multiplier", tiny()).mapped
    simulator = GateSimulator(mapped, tiny())
    pairs = np.arange(256).reshape(-1, LANES)
    for block in pairs:
        a, b = block & 15, block >> 4
        for port, values in (("a", a), ("b", b)):
            bits = (values >> np.arange(4)[:, None] & 1).astype(np.uint64)
            simulator.drive(port, (bits << np.arange(LANES, dtype=np.uint64)).sum(axis=1))
        simulator.settle()
        signed = [np.where(value < 8, value, value - 16) for value in (a, b)]
        assert np.array_equal(lane_values(simulator.read("y")), signed[0] * signed[1] % 256)


def test_every_cell_of_the_library_is_its_function():
    """Against Python's operators on the pins, in all lanes."""
    expected = {
        "inv_1": lambda v: ~v["A"],
        "inv_4": lambda v: ~v["A"],
        "buf_2": lambda v: v["A"],
        "buf_8": lambda v: v["A"],
        "nand2_1": lambda v: ~(v["A"] & v["B"]),
        "nor2_1": lambda v: ~(v["A"] | v["B"]),
        "and2_1": lambda v: v["A"] & v["B"],
        "or2_1": lambda v: v["A"] | v["B"],
        "xor2_1": lambda v: v["A"] ^ v["B"],
        "xnor2_1": lambda v: ~(v["A"] ^ v["B"]),
        "mux2_1": lambda v: v["A"] & ~v["S"] | v["B"] & v["S"],
    }
    cells = {kind: cell for kind, cell in tiny().cells.items() if not cell.register}
    assert set(cells) == set(expected)
    pins = sorted({pin.name for cell in cells.values() for pin in cell.inputs})
    nets = {pin: (place,) for place, pin in enumerate(pins, 10)}
    outputs = {kind: (place,) for place, kind in enumerate(expected, 100)}
    mapped = of(
        module(
            "top",
            nets,
            outputs,
            *(
                (k, {p.name: nets[p.name] for p in c.inputs} | {"Y": outputs[k]})
                for k, c in cells.items()
            ),
        )
    )
    simulator = GateSimulator(mapped, tiny())
    rng = np.random.default_rng(0)
    values = {pin: random_words(rng, 1) for pin in pins}
    for pin, words in values.items():
        simulator.drive(pin, words)
    simulator.settle()
    for kind, meant in expected.items():
        assert np.array_equal(simulator.read(kind), meant(values)), kind


@pytest.mark.parametrize("seed", [0, 7])
def test_toggles_of_a_counter(seed):
    """Bit 0 toggles every cycle, bit 1 every other; all in every lane, whatever was there first."""
    simulator = GateSimulator(counter(), tiny(), seed)
    for clear in (ONES, np.uint64(0)):
        simulator.drive("clear", clear)
        simulator.settle()
        simulator.tick()
    for cycle in range(7):
        simulator.settle()
        simulator.count()
        assert set(lane_values(simulator.read("count"))) == {(cycle + 1) % 4}
        simulator.tick()
    bits = simulator.flat.outputs["count"]
    activity = simulator.activity
    assert activity.cycles == 7  # 1 2 3 0 1 2 3
    assert activity.toggles[bits].tolist() == [7 * LANES, 3 * LANES]
    assert activity.ones[bits].tolist() == [4 * LANES, 4 * LANES]
    simulator.clear()
    assert simulator.activity.cycles == 0 and not simulator.activity.toggles.any()


def test_first_values_are_random_by_lane_and_seed():
    first = [GateSimulator(counter(), tiny(), seed).read("count") for seed in (1, 1, 2)]
    assert np.array_equal(first[0], first[1]) and not np.array_equal(first[0], first[2])
    assert len(set(lane_values(first[0]))) == 4


@pytest.mark.parametrize("is_inverted", [False, True])
def test_flip_flops_with_enable_and_inverted_output(tmp_path, is_inverted):
    library = changed(tmp_path, ("function : IQ;", "function : IQN;")) if is_inverted else tiny()
    pins = {"clk": (2,), "d": (3,), "e": (4,)}
    mapped = of(module("top", pins, {"q": (5,)}, ("dffe_1", {"CK": 2, "D": 3, "E": 4, "Q": 5})))
    simulator = GateSimulator(mapped, library)
    rng = np.random.default_rng(3)
    held = simulator.read("q")
    for _ in range(9):
        d, e = random_words(rng, 2, 1)
        simulator.drive("d", d)
        simulator.drive("e", e)
        simulator.settle()
        assert np.array_equal(simulator.read("q"), held)
        simulator.tick()
        held = (~d if is_inverted else d) & e | held & ~e


def test_hierarchy_is_wires():
    """Feed-through, a constant out of a module and into one, and one module used twice."""
    child = module(
        "child",
        {"i": (2,), "j": (3,)},
        {"through": (2,), "one": ("1",), "both": (4,)},
        ("and2_1", {"A": 2, "B": 3, "Y": 4}),
    )
    top = module(
        "top",
        {"a": (2,), "b": (3,)},
        {"y": (8, 9, 10)},
        ("child", {"i": 2, "j": "1", "through": 5, "one": 6, "both": 8}),
        ("child", {"i": 5, "j": 3, "both": 9}),
        ("nand2_1", {"A": 6, "B": 5, "Y": 10}),
    )
    simulator = GateSimulator(of(top, child), tiny())
    rng = np.random.default_rng(1)
    a, b = random_words(rng, 2, 1)
    simulator.drive("a", a)
    simulator.drive("b", b)
    simulator.settle()
    assert np.array_equal(simulator.read("y"), np.concatenate([a, a & b, ~a]))
    owners = [simulator.flat.modules[i] for i in simulator.flat.cells["and2_1"].modules]
    assert owners == ["child", "child"]


def test_what_nothing_drives_is_random():
    """An open pin, an undefined constant, an undriven net: any value, but not always the same."""
    top = module(
        "top",
        {"a": (2,)},
        {"y": (5, 6, 7)},
        ("and2_1", {"A": 2, "Y": 5}),
        ("and2_1", {"A": 2, "B": "x", "Y": 6}),
        ("and2_1", {"A": 2, "B": 9, "Y": 7}),
    )
    simulator = GateSimulator(of(top), tiny())
    simulator.drive("a", ONES)
    simulator.settle()
    for word in simulator.read("y"):
        assert word not in (0, ONES)


def test_gates_settle_in_any_order():
    """A chain of inverters, written from its end."""
    chain = [("inv_1", {"A": place, "Y": place + 1}) for place in range(2, 42)]
    simulator = GateSimulator(of(module("top", {"a": (2,)}, {"y": (42,)}, *chain[::-1])), tiny())
    simulator.drive("a", np.uint64(5))
    simulator.settle()
    assert simulator.read("y") == [5]
    assert simulator.level[simulator.flat.outputs["y"]] == [40]


FLOP = ("dff_1", {"CK": 2, "D": 3, "Q": 4})


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ([("inv_1", {"A": 4, "Y": 4})], "gates must not form a loop, and 1 do or hang on one"),
        (
            [("inv_1", {"A": 3, "Y": 4}), ("inv_1", {"A": 2, "Y": 4})],
            "a net must have one driver, and one has more",
        ),
        (
            [("inv_1", {"A": 2, "Y": 5}), ("dff_1", {"CK": 5, "D": 3, "Q": 4})],
            "the clock must be an input, and it is not",
        ),
        (
            [FLOP, ("inv_1", {"A": 2, "Y": 5})],
            "a netlist must have one clock, straight from an input",
        ),
        (
            [FLOP, ("dff_1", {"CK": 3, "D": 2, "Q": 5})],
            "a netlist must have one clock, straight from an input",
        ),
        ([("ghost", {})], "top.u0 must be a cell of the library or a module, not ghost"),
    ],
)
def test_what_cannot_be_simulated_says_why(cells, sentence):
    mapped = of(module("top", {"clk": (2,), "d": (3,)}, {"q": (4,)}, *cells))
    with pytest.raises(GateError) as raised:
        GateSimulator(mapped, tiny())
    assert str(raised.value) == sentence


def test_asynchronous_resets_must_be_tied_off(tmp_path):
    library = changed(tmp_path, ('next_state : "D";', 'next_state : "D";\n   clear : "D";'))
    ports = {"clk": (2,), "d": (3,)}, {"q": (4,)}
    with pytest.raises(GateError, match=r"^dff_1 must have its asynchronous clear tied off$"):
        GateSimulator(of(module("top", *ports, FLOP)), library)
    tied = ("dff_1", {"CK": 2, "D": "0", "Q": 4})
    GateSimulator(of(module("top", *ports, tied)), library)


def test_a_memory_has_its_own_words_and_addresses_in_each_lane():
    """Against a Python list per lane; the word before the edge is read, and held without enable."""
    widths = {"RD_ADDR": 2, "RD_EN": 1, "WR_ADDR": 2, "WR_DATA": 3, "WR_EN": 3, "RD_DATA": 3}
    nets, first = {"RD_CLK": np.array([3])}, 4
    for pin, width in widths.items():
        nets[pin], first = np.arange(first, first + width), first + width
    rng = np.random.default_rng(5)
    memory = LaneMemory(nets, rng)
    values = random_words(rng, first)
    words = [dict.fromkeys(range(4)) for _ in range(LANES)]
    shown = [None] * LANES
    for _ in range(60):
        values[: nets["RD_DATA"][0]] = random_words(rng, nets["RD_DATA"][0])
        values[nets["WR_EN"]] = values[nets["WR_EN"][0]]
        seen = {pin: lane_values(values[net]) for pin, net in nets.items()}
        memory.sample(values)
        memory.update(values)
        after = lane_values(values[nets["RD_DATA"]])
        for lane in range(LANES):
            if seen["RD_EN"][lane]:
                shown[lane] = words[lane][seen["RD_ADDR"][lane]]
            if seen["WR_EN"][lane]:
                words[lane][seen["WR_ADDR"][lane]] = seen["WR_DATA"][lane]
            assert shown[lane] is None or after[lane] == shown[lane]
    assert None not in shown


def test_a_memory_without_read_register_is_refused():
    nets = {pin: np.array([5]) for pin in ("RD_DATA", "RD_ADDR", "RD_EN", "WR_ADDR", "WR_EN")}
    nets |= {"WR_DATA": np.array([6]), "RD_CLK": np.array([2])}
    with pytest.raises(GateError, match="must have one write port and one registered read port"):
        LaneMemory(nets, np.random.default_rng(0))


def test_bits_are_counted_without_numpys_help():
    words = random_words(np.random.default_rng(2), 50)
    words[:2] = 0, ONES
    expected = [int(word).bit_count() for word in words]
    assert gates._counted(words).tolist() == gates.popcount(words).tolist() == expected


@pytest.mark.parametrize("name", DESIGNS)
def test_a_netlist_does_what_golden_and_model_say(name):
    params, workload = DESIGNS[name]
    result = measure(design(name, tiny()), tiny(), params, workload, operands(params, workload))
    assert result.outputs_equal
    assert result.cycles == MODELS[type(params)](params, workload).cycles
    assert 0 < result.energy.clock_fj < result.energy.dynamic_fj
    assert sum(result.energy.modules_fj.values()) == pytest.approx(result.energy.dynamic_fj)


def test_what_is_counted_is_the_cycles_of_the_result():
    """Cycles after the last result are not counted, and an idle source keeps its payload."""
    params, workload = DESIGNS["small_os"]
    simulator = GateSimulator(design("small_os", tiny()), tiny())
    bench = BENCHES[type(params)]
    plans = [bench.plan(params, *inputs) for inputs in operands(params, workload)]
    results = play(simulator, plans)
    assert len(results) == LANES
    assert simulator.activity.cycles == results[0].cycles < results[0].simulated_cycles
    for port in ("a", "w"):
        shown = lane_values(simulator.values[simulator.flat.inputs[f"{port}__payload"]])
        assert shown.tolist() == [plan.transfers[port][-1] for plan in plans]


def test_a_wrong_gate_is_found():
    """One exclusive or of an element, inverted."""
    params, workload = DESIGNS["small_os"]
    mapped = design("small_os", tiny())
    name = next(name for name in mapped.modules if "_pe_" in name)
    element = mapped.modules[name]
    instance = next(i for i, cell in element.cells.items() if cell.kind == "xor2_1")
    broken = Instance("xnor2_1", element.cells[instance].pins)
    modules = mapped.modules | {name: replace(element, cells=element.cells | {instance: broken})}
    wrong = Mapped(mapped.top, modules)
    try:
        result = measure(wrong, tiny(), params, workload, operands(params, workload))
    except SimulationError as error:
        assert "lanes past the edge must be zero" in str(error)
    else:
        assert not result.outputs_equal


def test_handshakes_must_not_depend_on_operands():
    params, workload = DESIGNS["small_os"]
    mapped = design("small_os", tiny())
    top = mapped.modules[mapped.top]
    outputs = top.outputs | {"o__valid": top.inputs["a__payload"][:1]}
    modules = mapped.modules | {mapped.top: replace(top, outputs=outputs)}
    with pytest.raises(SimulationError, match="o__valid must be the same whatever the operands"):
        measure(Mapped(mapped.top, modules), tiny(), params, workload, operands(params, workload))


def test_operands_are_drawn_for_each_stream_or_alike_in_all():
    params, workload = DESIGNS["small_os"]
    streams = operands(params, workload, alike=(1,))
    assert len(streams) == LANES
    first, *others = streams
    assert all((w == first[1]).all() and (a != first[0]).any() for a, w in others)
    block = designs.load("vitallm_tiny")
    ((asked, tensors), *rest) = operands(block.params, block.workloads["decode_5"])
    assert asked == block.workloads["decode_5"]
    assert all((tensors["x"] != inputs["x"]).any() for _, inputs in rest)


def test_operands_must_fill_the_lanes():
    params, workload = DESIGNS["small_os"]
    few = operands(params, workload)[:3]
    with pytest.raises(ValueError, match="operands must be of 64 streams, not 3"):
        measure(design("small_os", tiny()), tiny(), params, workload, few)


def test_inputs_of_toggle_energy_are_checked():
    words = np.zeros((20, 1), dtype=np.uint64)
    with pytest.raises(ValueError, match="inputs must be of clear, not reset"):
        toggle_energy(counter(), tiny(), {"reset": words})
    with pytest.raises(ValueError, match="inputs must be of more than 8 cycles, not 4"):
        toggle_energy(counter(), tiny(), {"clear": words[:4]})


def verilated(name, library, tmp_path):
    """Cycles of the netlist of a design on the bench of its RTL in Verilator; its outputs pass."""
    params, workload = DESIGNS[name]
    bench = BENCHES[type(params)]
    inputs = bench.operands(params, workload, 3)
    expected = GOLDENS[type(params)](params, *inputs)
    plan = bench.plan(params, *inputs)
    plan = replace(plan, interface=replace(plan.interface, events={}))
    path = tmp_path / f"{name}.v"
    path.write_text(netlist_verilog(design(name, library), library))
    built = runner.build([path], name, plan.interface)
    cycles = []
    for pauses in (
        {},
        {port.name: Pause(probability=0.3, seed=2) for port in plan.interface.ports},
    ):
        result = runner.run(built, replace(plan, pauses=pauses))
        assert np.array_equal(bench.results(params, workload, result), expected)
        cycles.append(result.cycles)
    assert cycles[0] < cycles[1]
    return cycles[0]


@pytest.mark.spread(1)
@pytest.mark.parametrize("name", DESIGNS)
def test_a_netlist_passes_the_bench_of_its_rtl(name, tmp_path):
    params, workload = DESIGNS[name]
    model = MODELS[type(params)](params, workload)
    assert verilated(name, tiny(), tmp_path) == model.cycles


@pytest.mark.spread(4)
@pytest.mark.parametrize("technology", REAL)
@pytest.mark.parametrize("name", DESIGNS)
def test_a_netlist_in_a_real_library_passes_the_bench_of_its_rtl(name, technology, tmp_path):
    library = real_library(technology)
    params, workload = DESIGNS[name]
    model = MODELS[type(params)](params, workload)
    assert verilated(name, library, tmp_path) == model.cycles
    result = measure(design(name, library), library, params, workload, operands(params, workload))
    assert (result.outputs_equal, result.cycles) == (True, model.cycles)


def test_an_instance_has_a_net_for_each_pin():
    flat = flatten(counter(), tiny())
    assert flat.cells["dff_1"].pins == tuple(tiny().cells["dff_1"].pins)
    assert flat.cells["dff_1"].nets.shape == (2, 3)
