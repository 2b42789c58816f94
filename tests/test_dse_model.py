"""`hwgen` commands on machines whose cycles depend on data: expectations are called so."""

import csv
import json
import re

import pytest

import designs
from dse.cli import main

DESIGN = """\
family: systolic
machine: digit_serial
params: {rows: 2, cols: 3, lanes: 2, group: 2, max_k: 32}
workloads:
  - gemm: {m: 5, k: 20, n: 4, operands: {a: {distribution: file, values: a.csv}}}
"""
SPACE = """\
family: systolic
machine: digit_serial
params: {rows: [1, 2, 4], lanes: [1, 4], encoding: [booth, naf], encoded: [a, w], max_k: 256}
workloads:
  - gemm: {m: 5, k: 100, n: 40, operands: {a: {zeros: 0.9}}}
"""


@pytest.fixture
def design(tmp_path):
    path = tmp_path / "serial.yaml"
    path.write_text(DESIGN)
    (tmp_path / "a.csv").write_text("value,count\n0,3\n-1,1\n")
    return str(path)


def told(capsys, *arguments):
    status = main(list(arguments))
    captured = capsys.readouterr()
    assert (status, captured.err) == (0, "")
    return captured.out


def test_model_says_what_is_expected(capsys, design):
    content = json.loads(told(capsys, "model", design, "--json"))
    assert content["is_expected"] is True and content["workloads"][0]["is_expected"] is True
    # a quarter of 100 values has the one digit -1, for each of two tiles of columns
    assert content["activity"]["digits.issued"] == 50
    text = told(capsys, "model", design)
    assert "expected cycles" in text and "expected activity" in text
    content = json.loads(told(capsys, "model", "tile4", "--json"))
    assert content["is_expected"] is False and "expected" not in told(capsys, "model", "tile4")


def test_other_commands_take_the_machine(capsys, design):
    shown = json.loads(told(capsys, "show", design, "--json"))
    assert shown["machine"] == "digit_serial" and shown["inventory"]["pe.digit"] == 6 * 6
    explained = json.loads(told(capsys, "explain", design, "pe.tree", "--json"))
    assert {line["kind"] for line in explained["lines"]} == {"compressor_3_2"}
    assert designs.load(design).machine == "digit_serial"


def test_params_of_a_part_are_named_as_they_are_set(capsys):
    changed = ("show", "vitallm_tiny", "--set", "tint.tables=8")
    content = json.loads(told(capsys, *changed, "--json"))
    params = {row["name"]: row["value"] for row in content["params"]}
    derived = {row["name"]: row["value"] for row in content["derived"]}
    assert derived["tint.mac_slots_per_cycle"] == 8 * 4  # tables times ports
    assert derived["mac_slots_per_cycle"] == 8 * 4 + derived["booth.mac_slots_per_cycle"]
    assert params["tint.tables"] == 8 and params["tint.weight_format"] == "code2"
    assert params["vector_lanes"] == 2 and "tint" not in params
    assert re.search(r"tint\.tables +8 +tables +1\.\.256 +groups of a step", told(capsys, *changed))


def test_what_does_not_happen_is_not_told_of(capsys):
    counted = json.loads(told(capsys, "model", "tint16", "--json"))["activity"]
    assert counted["builder.adder_1.uses"] == 0 < counted["read.table.uses"]
    text = told(capsys, "model", "tint16")
    assert "builder.adder_1.uses" not in text and "read.table.uses" in text


def test_simulation_agrees_on_drawn_operands(capsys, design):
    status = main(["sim", design, "--engine", "amaranth", "--json"])
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    assert status == 0 and content["outputs_equal"] and content["activity_equal"]
    # of what was drawn: the model is asked for those operands, not for its expectation
    assert content["cycles_equal"] and content["rtl_cycles"] == content["model_cycles"]
    expected = json.loads(told(capsys, "model", design, "--json"))["cycles"]
    assert f"about {expected:,} cycles" in captured.err


def test_a_sweep_expects_in_every_point(capsys, tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text(SPACE)
    status = main(["sweep", str(path), "-o", str(tmp_path / "out"), "--json"])
    assert status == 0 and json.loads(capsys.readouterr().out)["valid_points"] == 24
    with (tmp_path / "out" / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    cycles = {(row["rows"], row["lanes"], row["encoding"], row["encoded"]): int(row["cycles"])
              for row in rows}  # fmt: skip
    # sparse activations in digits take fewer cycles than weights; more lanes take fewer as well
    assert cycles["2", "1", "booth", "a"] < cycles["2", "1", "booth", "w"]
    assert cycles["1", "4", "naf", "a"] < cycles["1", "1", "naf", "a"]
    best = designs.load(str(tmp_path / "out" / "best.yaml"))
    assert best.machine == "digit_serial"
