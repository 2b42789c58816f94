"""Configurations for OpenROAD-flow-scripts and LibreLane, against what these flows know."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import tcl

from designs import Dataflow, SystolicParams, load
from hwgen.emit import emit, write
from hwgen.flows import FlowOptions
from hwgen.flows.orfs import FLIP_FLOP_BITS, SYNTHESISED_BITS

OPTIONS = FlowOptions(flows=("orfs", "librelane"), clock_ps=416.67)
WS = {"dataflow": Dataflow.WS}


def variables(flow):
    """The names that a flow's documentation or package has."""
    sections = (Path(__file__).parent / "data" / "flow_variables.txt").read_text().split("# ")
    (section,) = (text for text in sections if text.startswith(f"{flow}\n"))
    return set(section.split()[1:])


def emitted(params, wrap=None):
    return emit("tile", params, wrap=wrap, options=OPTIONS)


def made(folder, *settings):
    """Every variable that the folder's config.mk exports, as make has it."""
    names = exported((folder / "config.mk").read_text())
    show = "".join(f"\t@echo '{name}=$({name})'\n" for name in names)
    makefile = f"include $(DESIGN_CONFIG)\nall:\n{show}"
    done = subprocess.run(
        ["make", "-s", "-f", "-", f"DESIGN_CONFIG={folder}/config.mk", *settings],
        input=makefile, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def exported(text):
    return [line.split()[1] for line in text.splitlines() if line.startswith("export ")]


@pytest.fixture
def folder(tmp_path):
    write(emitted(SystolicParams(rows=3, cols=5, **WS), wrap="axis"), tmp_path)
    return tmp_path


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
class TestMake:
    def test_variables_are_those_of_the_design(self, folder):
        assert made(folder) == {
            "PLATFORM": "asap7",
            "DESIGN_NAME": "tile_axis",
            "DESIGN_NICKNAME": "tile_axis",
            "VERILOG_FILES": f"{folder}/tile.v",
            "SDC_FILE": f"{folder}/tile.orfs.sdc",
            "ABC_CLOCK_PERIOD_IN_PS": "416.67",
            "CORE_UTILIZATION": "40",
            "PLACE_DENSITY_LB_ADDON": "0.20",
        }

    def test_the_command_line_has_the_last_word(self, folder):
        found = made(folder, "PLATFORM=nangate45", "CORE_UTILIZATION=55")
        assert (found["PLATFORM"], found["CORE_UTILIZATION"]) == ("nangate45", "55")


def test_every_variable_is_documented():
    for params in (
        SystolicParams(rows=3, cols=5, acc_rows=64, **WS),
        load("prefill32_ws").params,
        SystolicParams(rows=1, cols=1),
    ):
        assert set(exported(emitted(params).files["config.mk"])) < variables(
            "OpenROAD-flow-scripts"
        )


@pytest.mark.parametrize(
    ("acc_rows", "line"),
    [
        (8, None),
        (64, "export SYNTH_MEMORY_MAX_BITS ?= 10240"),
        (1024, "# The flow stops at the memory unless SYNTH_MEMORY_MAX_BITS = 163840."),
    ],
)
def test_memories_become_flip_flops_up_to_a_size(acc_rows, line):
    params = SystolicParams(rows=3, cols=5, acc_rows=acc_rows, **WS)
    bits = acc_rows * 5 * params.acc_bits
    assert params.acc_bits == 32
    lines = emitted(params).files["config.mk"].splitlines()
    (first,) = (text for text in lines if "becomes" in text)
    module = f"tile_scratchpad_{acc_rows}x160"
    assert first == f"# {acc_rows:,} words of 160 bits in {module}: becomes {bits:,} flip-flops."
    assert f"# To look at the rest alone: SYNTH_BLACKBOXES = {module}" in lines
    assert [text for text in lines if "MAX_BITS" in text] == [text for text in [line] if text]
    assert (line is None) == (bits <= SYNTHESISED_BITS)
    assert (line or "").startswith("#") == (bits > FLIP_FLOP_BITS)


def test_large_arrays_are_synthesised_module_by_module():
    for name, is_large in (("prefill32_ws", True), ("edge16", False)):
        files = emitted(load(name).params).files
        assert ("export SYNTH_HIERARCHICAL ?= 1\n" in files["config.mk"]) is is_large
        mode = json.loads(files["config.json"]).get("SYNTH_HIERARCHY_MODE")
        assert mode == ("deferred_flatten" if is_large else None)


@pytest.mark.parametrize(("platform", "scale"), [("asap7", 1.0), ("sky130hd", 0.001)])
def test_constraints_are_in_the_unit_of_the_platform(folder, platform, scale):
    """Up to that unit and to `set_units`, ORFS reads the same constraints as everybody else."""
    for_orfs = tcl.calls(folder / "tile.orfs.sdc", env={"PLATFORM": platform})
    units, *for_all = tcl.calls(folder / "tile.sdc")
    assert units == ["set_units", "-time", "ns"]
    clock = for_orfs[1]
    assert clock[:4] == ["create_clock", "-name", "aclk", "-period"] and clock[5] == "aclk"
    assert float(clock[4]) == pytest.approx(416.67 * scale)
    delays = [call for call in for_orfs if call[0] in ("set_input_delay", "set_output_delay")]
    assert len(delays) == 2
    for call in delays:
        assert float(call[1]) == pytest.approx(0.2 * 416.67 * scale)
    for one, other in zip(for_orfs, for_all, strict=True):
        assert [word for word in one if not word[0].isdigit()] == [
            word for word in other if not word[0].isdigit()
        ]


def test_librelane_is_told_what_it_needs(folder):
    content = json.loads((folder / "config.json").read_text())
    assert content.pop("meta") == {"version": 2, "flow": "Classic"}
    comments = {key: content.pop(key) for key in [*content] if key.startswith("//")}
    assert content == {
        "DESIGN_NAME": "tile_axis",
        "VERILOG_FILES": ["dir::tile.v"],
        "CLOCK_PORT": "aclk",
        "CLOCK_PERIOD": 0.41667,
        "PNR_SDC_FILE": "dir::tile.sdc",
        "SIGNOFF_SDC_FILE": "dir::tile.sdc",
        "FP_CORE_UTIL": 40,
    }
    memory, macro = comments["// memories"]
    assert memory.endswith(f"scratchpad_1024x160: becomes {1024 * 160:,} flip-flops")
    assert "MACROS" in macro
    known = variables("LibreLane")
    assert set(content) < known and {"MACROS", "SYNTH_HIERARCHY_MODE"} < known
    for value in (*content["VERILOG_FILES"], content["PNR_SDC_FILE"]):
        assert (folder / value.removeprefix("dir::")).is_file()
