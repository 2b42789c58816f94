"""Mapped netlists: order and counts, fan-out trees, and their Verilog."""

import json

import pytest
from tiny_library import tiny

from hwgen import yosys
from hwgen.synth import fan_out, verilog
from hwgen.synth.netlist import Bits, Instance, Mapped, Module


def cell(kind: str, **pins: Bits) -> Instance:
    return Instance(kind, pins)


def inverters(count: int, *, first: int = 2) -> dict[str, Instance]:
    """Inverters of net `first`, each with a net of its own."""
    return {f"i{n}": cell("inv_1", A=(first,), Y=(first + 1 + n,)) for n in range(count)}


def module(name: str, cells: dict[str, Instance], outputs: Bits = ()) -> Module:
    return Module(name, {"a": (2,)}, {"y": outputs} if outputs else {}, cells)


def mapped(*modules: Module) -> Mapped:
    return Mapped(modules[0].name, {module.name: module for module in modules})


def loads(module: Module, weights: dict[str, int]) -> dict[int | str, int]:
    """Net to its sinks; `weights` are those of the port `a` of other modules."""
    found: dict[int | str, int] = {}
    for instance in module.cells.values():
        for pin in ("A", "a"):
            for bit in instance.pins.get(pin, ()):
                found[bit] = found.get(bit, 0) + weights.get(instance.kind, 1)
    return found


def test_order_and_counts() -> None:
    leaf = module("leaf", inverters(1))
    row = module("row", {f"l{n}": cell("leaf", a=(2,)) for n in range(3)})
    top = module("top", {"r0": cell("row", a=(2,)), "r1": cell("row", a=(2,)), "l": cell("leaf")})
    design = mapped(top, leaf, row)
    assert design.order == ("top", "row", "leaf")
    assert design.instance_counts == {"top": 1, "row": 2, "leaf": 7}


@pytest.mark.parametrize(
    ("sinks", "buffers"), [(1, 0), (16, 0), (17, 2), (32, 2), (33, 3), (256, 16), (257, 17 + 2)]
)
def test_a_net_of_many_sinks_gets_a_tree(sinks: int, buffers: int) -> None:
    design = fan_out.with_trees(mapped(module("top", inverters(sinks))), tiny())
    top = design.modules["top"]
    trees = {name for name, instance in top.cells.items() if instance.kind == "buf_2"}
    assert len(trees) == buffers and all(name.startswith(fan_out.PREFIX) for name in trees)
    assert max(loads(top, {}).values()) <= fan_out.LIMIT
    assert sum(instance.kind == "inv_1" for instance in top.cells.values()) == sinks
    driven = [instance.pins["Y"][0] for instance in top.cells.values()]
    assert len({*driven}) == len(driven)  # each net has one driver


def test_a_port_counts_as_the_sinks_inside_after_their_tree() -> None:
    library = tiny()
    leaf = module("leaf", inverters(40))  # three buffers inside
    top = module("top", {f"l{n}": cell("leaf", a=(2,)) for n in range(11)})  # 33 sinks
    design = fan_out.with_trees(mapped(top, leaf), library)
    assert loads(design.modules["leaf"], {})[2] == 3
    own = design.modules["top"]
    trees = [instance for instance in own.cells.values() if instance.kind == "buf_2"]
    assert len(trees) == 3
    assert all(loads(own, {"leaf": 3})[tree.pins["Y"][0]] <= 16 for tree in trees)
    assert loads(own, {"leaf": 3})[2] == 3


@pytest.mark.parametrize(("ports", "buffers"), [(1, 0), (3, 0), (4, 4), (16, 16), (17, 17 + 2)])
def test_a_net_of_several_ports_counts_what_is_behind_all_of_them(ports: int, buffers: int) -> None:
    source = Module("source", {"a": (2,)}, {"y": (3,) * ports}, {
        "i": cell("inv_1", A=(2,), Y=(3,))})  # fmt: skip
    leaf = module("leaf", inverters(5))
    nets = tuple(range(3, 3 + ports))
    cells = {f"l{n}": cell("leaf", a=(net,)) for n, net in enumerate(nets)}
    top = module("top", {"s": cell("source", a=(2,), y=nets)} | cells)
    found = fan_out.with_trees(mapped(top, source, leaf), tiny()).modules["source"]
    trees = {name for name, instance in found.cells.items() if instance.kind == "buf_2"}
    assert len(trees) == buffers and all(name.startswith(fan_out.PREFIX) for name in trees)
    assert max(loads(found, {}).values()) <= fan_out.LIMIT
    assert len({*found.outputs["y"]}) == (ports if buffers else 1)


def test_clocks_are_left_alone() -> None:
    registers = {
        f"r{n}": cell("dff_1", CK=(2,), D=(3,), Q=(10 + n,)) for n in range(16)
    } | {"driver": cell("inv_1", A=(4,), Y=(3,))}  # fmt: skip
    top = Module("top", {"clk": (2,), "a": (4,)}, {}, registers)
    outer = Module("outer", {"clk": (2,), "a": (3,)}, {}, {
        f"t{n}": cell("top", clk=(2,), a=(3,)) for n in range(16)})  # fmt: skip
    design = fan_out.with_trees(mapped(outer, top), tiny())
    kinds = {i.kind for module in design.modules.values() for i in module.cells.values()}
    assert "buf_2" not in kinds


def test_the_buffer_is_the_best_product_of_area_and_delay() -> None:
    library = tiny()
    prices = {
        cell.name: cell.area_um2 * fan_out.buffer_delay_ps(cell)
        for cell in library.cells.values()
        if cell.is_buffer
    }
    assert fan_out.chosen_buffer(library).name == min(prices, key=prices.__getitem__) == "buf_2"
    # it drives 16 x 1 fF from a slew that it makes itself: 0.01 + 0.05 s + 0.003 x 16 = s in ns
    slew = (0.01 + 0.003 * 16) / 0.95
    delay = fan_out.buffer_delay_ps(library.cells["buf_2"])
    assert delay == pytest.approx(1000 * (0.02 + 0.1 * slew + 0.002 * 16), rel=1e-3)


def test_nets_have_names_of_their_own() -> None:
    design = mapped(Module("top", {"n2": (2,)}, {"n_3": (3,)}, {"n3": cell("i", A=(2,), Y=(3,))}))
    assert "wire n__2;" in verilog.text(design)


def test_the_verilog_is_the_netlist() -> None:
    memory = Instance(
        "$mem_v2",
        {"RD_ADDR": (2, 3), "RD_DATA": (9, 10), "RD_CLK": ("x",), "WR_EN": ("0", "1")},
        {"SIZE": "100", "WIDTH": "10", "RD_PORTS": "1", "WR_PORTS": "0"},
    )
    leaf = Module(
        "leaf", {"a": (2, 3)}, {"y": (4, 3)}, {"g[0]": cell("nand2_1", A=(2,), B=(3,), Y=(4,))}
    )
    top = Module(
        "top",
        {"a": (2, 3)},
        {"y": (5, 2), "z": ("1",), "m": (9, 10)},
        {"l": Instance("leaf", {"a": (2, 3), "y": (5, 6)}), "store": memory},
    )  # fmt: skip
    text = verilog.text(mapped(top, leaf))
    assert text == verilog.text(mapped(top, leaf))
    boxes = "(* blackbox *) module nand2_1(input A, input B, output Y); endmodule\n"
    script = f"{yosys.read_verilog(boxes + text)}hierarchy -check -top top\nwrite_json\n"
    modules = json.loads(yosys.run(script))["modules"]
    read = modules["leaf"]["cells"]
    assert [*read] == ["g[0]"] and read["g[0]"]["type"] == "nand2_1"
    ports = modules["leaf"]["ports"]
    assert ports["y"]["bits"] == [read["g[0]"]["connections"]["Y"][0], ports["a"]["bits"][1]]
    assert read["g[0]"]["connections"]["A"] == ports["a"]["bits"][:1]
    inside = modules["top"]
    assert inside["ports"]["z"]["bits"] == ["1"]
    assert inside["ports"]["y"]["bits"][1] == inside["ports"]["a"]["bits"][0]
    assert inside["cells"]["store"]["type"] == "memory_4x2_1r0w"
    assert inside["cells"]["store"]["connections"]["RD_DATA"] == inside["ports"]["m"]["bits"]
    assert inside["cells"]["store"]["connections"]["WR_EN"] == ["0", "1"]
