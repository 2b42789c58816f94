"""`hwgen emit`: its options for flows, and the files that it leaves."""

import json
import re

import pytest

from dse.commands.emit import CLOCK_PS, FLOWS
from hwgen import flows
from hwgen.flows.subject import CLOCK_PS as DEFAULT_CLOCK_PS

PERIOD_RULE = "--clock-ps must be a number of picoseconds above 0, with at most 3 decimals"
NO_PERIODS = ("0", "0.000", "-5", "1e3", "two", "", "0.0001", "nan", "9999999999")


def test_what_the_command_line_says_is_what_hwgen_knows():
    assert FLOWS == tuple(flows.FLOWS)
    assert CLOCK_PS == DEFAULT_CLOCK_PS == flows.FlowOptions().clock_ps


def test_flows_add_their_files(run, tmp_path):
    status, output, errors = run(
        "emit", "tile4", "-o", str(tmp_path), "--flow", "vivado", "--flow", "orfs",
        "--clock-ps", "800", "--json",
    )  # fmt: skip
    assert status == 0 and errors == ""
    names = [path.rpartition("/")[2] for path in json.loads(output)["files"]]
    assert names == [
        "tile4.v", "tile4.f", "tile4.core", "tile4.sdc", "tile4.vlt", "config.mk",
        "tile4.orfs.sdc", "tile4.xdc", "tile4_vivado.tcl", "manifest.json",
    ]  # fmt: skip
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    for name in ("tile4.sdc", "tile4.xdc", "tile4.orfs.sdc"):
        assert re.search(r"^ *set period 0.8$", (tmp_path / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        (
            "--flow",
            "abc",
            "argument --flow: invalid choice: abc (choose from orfs, librelane, fusesoc, vivado)",
        ),
        *(("--clock-ps", value, f"{PERIOD_RULE}, not {value}") for value in NO_PERIODS),
    ],
)
def test_wrong_options_are_one_sentence(run, tmp_path, option, value, sentence):
    status, output, errors = run("emit", "tile4", "-o", str(tmp_path / "out"), f"{option}={value}")
    assert (status, output) == (2, "")
    assert errors.replace("'", "") == f"hwgen emit: {sentence}\n"  # quoted by some Pythons only
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["emit", "show", "synth"])
def test_a_machine_of_which_there_is_no_circuit(run, tmp_path, command):
    out = () if command == "show" else ("-o", str(tmp_path / "out"))
    status, output, errors = run(command, "pim8", "--set", "slack=exact", *out)
    assert (status, output) == (2, "")
    assert errors == (
        "hwgen: pim8: slack must be published or postponed where a channel computes, for no "
        "controller knows exactly how long a tile takes, not exact\n"
    )
