"""The Vivado script against the command reference, and the core file against FuseSoC itself."""

import os
import subprocess
import sys

import pytest
import tcl
import yaml

from designs import Dataflow, SystolicParams
from hwgen.emit import emit, write
from hwgen.flows import FlowOptions
from hwgen.flows.vivado import PART

PARAMS = SystolicParams(rows=3, cols=5, dataflow=Dataflow.WS, acc_rows=8)
OPTIONS = FlowOptions(flows=("fusesoc", "vivado"), clock_ps=5000.0)

COMMANDS = {  # of UG835, 2025.2: the options that take no value, and those that take one
    "read_verilog": ({"-sv"}, {"-library"}),
    "read_xdc": (
        {"-quiet_diff_pairs", "-unmanaged", "-no_add"}, {"-cells", "-ref", "-mode"},
    ),
    "synth_design": (
        {"-rtl", "-lint", "-no_lc", "-assert", "-sfcu"},
        {"-name", "-part", "-top", "-generic", "-flatten_hierarchy", "-directive", "-mode"},
    ),
    "report_utilization": ({"-hierarchical", "-append"}, {"-file", "-cells", "-name"}),
    "report_timing_summary": ({"-append"}, {"-file", "-cells", "-name", "-max_paths"}),
    "write_checkpoint": ({"-force"}, {"-cell"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def emission():
    return emit("tile", PARAMS, options=OPTIONS)


@pytest.fixture
def folder(emission, tmp_path):
    write(emission, tmp_path)
    return tmp_path


def parsed(call):
    """Options with their values, and the rest, by what the reference says of the command."""
    command, *words = call
    flags, valued = COMMANDS[command]
    options, rest = {}, []
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            assert word in flags | valued, f"{command} has no {word}"
            options[word] = words.pop(0) if word in valued else True
        else:
            rest.append(word)
    return command, options, rest


@pytest.mark.parametrize("part", [PART, "xcku5p-ffvb676-2-e"])
def test_vivado_script_calls_what_vivado_has(folder, part):
    found = tcl.calls(folder / "tile_vivado.tcl", argv="" if part == PART else part)
    assert [parsed(call) for call in found] == [
        ("read_verilog", {}, [f"{folder}/tile.v"]),
        ("read_xdc", {"-mode": "out_of_context"}, [f"{folder}/tile.xdc"]),
        ("synth_design", {"-top": "tile", "-part": part, "-mode": "out_of_context"}, []),
        ("report_utilization", {"-hierarchical": True, "-file": "tile_utilization.rpt"}, []),
        ("report_timing_summary", {"-file": "tile_timing.rpt"}, []),
        ("write_checkpoint", {"-force": True}, ["tile_synth.dcp"]),
    ]


def test_vivado_is_told_of_the_memory(emission):
    words, bits = 8, 5 * PARAMS.acc_bits
    assert (
        f"# {words} words of {bits} bits in tile_scratchpad_{words}x{bits}: block RAM or "
        "distributed RAM, as Vivado finds it cheaper.\n"
    ) in emission.files["tile_vivado.tcl"]


def test_xdc_has_the_constraints_of_the_sdc(folder):
    units, *sdc = tcl.calls(folder / "tile.sdc")
    assert units[0] == "set_units"  # which cannot change Vivado's unit, ns (UG903)
    assert tcl.calls(folder / "tile.xdc") == sdc
    assert ["create_clock", "-name", "clk", "-period", "5.0", "clk"] in sdc


def fusesoc(folder, *arguments):
    """FuseSoC's answer, with its caches in the folder."""
    homes = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
    env = os.environ | {home: str(folder / "home" / home) for home in homes}
    done = subprocess.run(
        [sys.executable, "-c", "from fusesoc.main import main; main()", *arguments],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_fusesoc_finds_the_core(folder):
    name = yaml.safe_load((folder / "tile.core").read_text().partition("\n")[2])["name"]
    done = fusesoc(folder, "core", "list")
    assert name in done.stdout and "rror" not in done.stderr


@pytest.mark.parametrize(
    ("target", "files"),
    [
        ("lint", {"tile.v": "verilogSource-2005", "tile.vlt": "vlt"}),
        ("sim", {"tile.v": "verilogSource-2005", "tile.vlt": "vlt"}),
        ("synth", {"tile.v": "verilogSource-2005", "tile.sdc": "SDC"}),
        ("fpga", {"tile.v": "verilogSource-2005", "tile.xdc": "xdc"}),
    ],
)
def test_fusesoc_sets_every_target_up(folder, target, files):
    options = ["--arch", "xilinx"] if target == "synth" else []
    name = f"hwgen:designs:tile:{emission_version(folder)}"
    done = fusesoc(folder, "run", "--setup", "--target", target, name, *options)
    assert "rror" not in done.stderr
    (description,) = folder.glob(f"build/*/{target}/*.eda.yml")
    content = yaml.safe_load(description.read_text())
    assert content["toplevel"] == "tile"
    assert {
        item["name"].rpartition("/")[2]: item["file_type"] for item in content["files"]
    } == files
    if target == "fpga":
        script = next(description.parent.glob("*.tcl"), None)
        assert script and content["flow_options"] == {"part": PART, "pnr": "none"}


def emission_version(folder):
    core = yaml.safe_load((folder / "tile.core").read_text().partition("\n")[2])
    return core["name"].rpartition(":")[2]


def test_the_fpga_target_says_what_becomes_of_the_memory(emission):
    core = yaml.safe_load(emission.files["tile.core"].partition("\n")[2])
    bits = 5 * PARAMS.acc_bits
    assert core["targets"]["fpga"]["description"] == (
        "synthesis by Vivado (memories become block or distributed RAM: "
        f"8 words of {bits} bits in tile_scratchpad_8x{bits})"
    )
