"""The reproduction of the bit-weight paper: its subjects, its rows, its command."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_library

from designs.digits import Encoding
from dse.commands import reproduce as command
from dse.reproduce import PAPERS
from dse.reproduce.bitweight import (
    BITWEIGHT,
    arrays,
    bit_slice,
    digits,
    elements,
    equal_area,
    trees,
)
from dse.reproduce.figures import Figures, least, product, ratio
from dse.reproduce.measurements import Measurements, digest, load
from dse.reproduce.row import sections

ELEMENT = {"area_um2": 100.0, "delay_ps": 500.0, "flip_flop_count": 50.0, "flip_flop_um2": 25.0,
           "logic_ps": 400.0, "input_bits": 20.0, "energy_fj": 10.0}  # fmt: skip


def measured(**changes: dict[str, float]) -> Measurements:
    """The same figures for every circuit in one technology, but for the changes."""
    names = [circuit.name for circuit in (*elements.circuits(), *trees.circuits())]
    subjects = {name: {"figures": ELEMENT | changes.get(name, {})} for name in names}
    return Measurements({"any": {"subjects": subjects}})


def element_row(found: Measurements, what: str):
    (row,) = [row for row in elements.rows(found, ["any"]) if row.what == what]
    return row


def test_papers_have_their_names() -> None:
    assert command.PAPERS == tuple(PAPERS)


def test_subjects_have_names_of_their_own() -> None:
    names = [subject.name for subject in BITWEIGHT.subjects()]
    assert len({*names}) == len(names) > 40


def test_ratios_are_none_where_a_figure_is_missing() -> None:
    assert (ratio(3, 2), ratio(None, 2), ratio(3, None)) == (1.5, None, None)
    assert (least([3, 2]), least([3, None]), least([])) == (2, None, None)
    assert (product(3, 2), product(3, None)) == (6, None)
    assert Figures(Measurements(), "any").delay_ps("opt1_32", "fused_32") is None


def test_opt1_is_compared_with_the_fastest_mac() -> None:
    found = measured(plain_32={"delay_ps": 400.0}, opt1_32={"delay_ps": 100.0})
    row = element_row(found, "shortest period of opt1 over the best of three MACs")
    assert row.ours == 0.25 and row.paper == pytest.approx(0.47, abs=0.01)


def test_throughput_per_area_is_that_of_the_best_mac() -> None:
    found = measured(
        separate_32={"area_um2": 50.0}, fused_32={"delay_ps": 200.0}, opt1_32={"delay_ps": 100.0}
    )
    row = element_row(found, "throughput per area of opt1 over the best of three MACs")
    assert row.ours == 2.0 and row.is_met


def test_shared_registers_are_left_out_of_a_tree() -> None:
    found = Figures(measured(), "any")
    assert trees.area_um2(found, "dot16_mac") == 100 - 20 * 25 / 50
    assert trees.area_um2(found, "nothing") is None


def test_arrays_are_compared_with_the_better_mac_by_metric() -> None:
    def engine(area: float, delay: float, energy: float) -> dict[str, dict[str, float]]:
        own = {"area_um2": area, "delay_ps": delay, "energy_pj": energy, "leakage_nw": 0.0}
        whole = {key: 2 * value for key, value in own.items()} | {
            "delay_ps": 30.0,
            "area_um2": area + 5,
        }
        return {"figures": {"cycles": 10.0} | whole | {f"array_{k}": v for k, v in own.items()}}

    subjects = {
        "systolic_mac": engine(10, 10, 8), "systolic_fused": engine(9, 9, 12),
        "systolic_opt1": engine(10, 5, 10),
    }  # fmt: skip
    found = Measurements({"any": {"subjects": subjects}})
    rows = [row for row in arrays.rows(found, ["any"]) if row.what.startswith("systolic array")]
    assert [row.ours for row in rows] == pytest.approx([2, 0.8, 81 / 50, 0.8, 14 / 15, 0.8])
    assert [row.paper for row in rows] == [1.27, 1.04] * 3


@pytest.mark.parametrize(
    ("group", "cycles"), [(2, 2.774), (4, 2.413), (8, 2.294), (16, 2.249), (10**6, 2.235)]
)
def test_cycles_of_an_operand_by_group(group: int, cycles: float) -> None:
    """Of the specification, 2.7, at sigma 25."""
    assert digits.cycles_per_operand(Encoding.ENT, 25, group) == pytest.approx(cycles, abs=1e-3)


def test_skipped_groups_cost_nothing() -> None:
    ideal = digits.mean_digits(Encoding.ENT, 10)
    cycles = [digits.cycles_per_operand(Encoding.ENT, 10, 4, skips) for skips in range(4)]
    assert cycles == sorted(cycles, reverse=True) and cycles[-1] > ideal


def test_the_papers_mean_digits_are_found_again() -> None:
    for row in digits.rows():
        if row.what.startswith("nonzero digits") and row.paper:
            assert row.ratio == pytest.approx(1, abs=0.015)


def test_engines_of_the_bit_slice_comparison_have_as_many_lanes() -> None:
    slots = {one.params.mac_slots_per_cycle for one in bit_slice.ENGINES.values()}
    assert slots == {256}


def test_without_measurements_only_the_model_speaks(run, tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("{}")
    nothing = ("--measurements", str(tmp_path / "none.json"))
    status, out, err = run("reproduce", "bitweight", "--json", *nothing)
    assert status == 0, err
    content = json.loads(out)
    assert content["technologies"] == [*BITWEIGHT.technologies] and content["files"] == []
    assert {row["section"] for row in content["rows"] if row["ours"] is not None} == {
        digits.SECTION, bit_slice.SECTION, equal_area.SECTION
    }  # fmt: skip


def test_a_table_and_its_plots(run, tmp_path: Path) -> None:
    status, out, err = run("reproduce", "bitweight", "--tech", "asap7", "-o", str(tmp_path))
    assert status == 0, err
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {"bitweight.md", *BITWEIGHT.plots}
    page = (tmp_path / "bitweight.md").read_text()
    rows = BITWEIGHT.rows(load(BITWEIGHT.measurements), ["asap7"])
    for section in sections(rows):
        assert f"## {section}\n" in page and f"\n{section}\n" in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--tech", "asap8"),
            "--tech must be one of asap7, sky130hd, sg13g2, not 'asap8' (did you mean asap7?)",
        ),
        (("--liberty-dir", "nowhere"), "--liberty-dir nowhere: folder must hold asap7.lib.gz"),
        (
            ("--measurements", "nowhere.json"),
            "--measurements nowhere.json: file must exist, or --liberty-dir be given to make it",
        ),
    ],
)
def test_wrong_options(run, options: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    is_measured = "--liberty-dir" in options
    more = ("--measurements", str(tmp_path / "new.json")) if is_measured else ()
    status, out, err = run("reproduce", "bitweight", *options, *more)
    assert (status, out) == (2, "")
    assert err.startswith(f"hwgen: {sentence}") and err.count("\n") == 1


def test_another_library_is_measured_into_a_file_of_its_own(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.lib").write_text(tiny_library.PATH.read_text())
    path = tmp_path / "mine.json"
    few = replace(
        BITWEIGHT,
        subjects=lambda: [elements.circuit("opt1_16", 16, element=elements.Element.OPT1)],
        rows=lambda found, technologies: [*elements.rows(found, technologies)],
    )
    monkeypatch.setitem(PAPERS, "bitweight", few)
    arguments = ("reproduce", "bitweight", "--liberty-dir", str(tmp_path), "--tech", "tiny",
                 "--measurements", str(path), "--json")  # fmt: skip
    status, out, err = run(*arguments)
    assert status == 0 and err == "tiny: opt1_16\n"
    assert json.loads(out)["technologies"] == ["tiny"]
    assert load(path).figure("tiny", "opt1_16", "area_um2") > 0
    assert run(*arguments)[2] == ""


@pytest.mark.full
def test_what_was_measured_is_what_is_emitted() -> None:
    """Every subject that ships with figures has today's Verilog."""
    kept = load(BITWEIGHT.measurements).technologies
    for subject in BITWEIGHT.subjects():
        key = digest(subject.verilog())
        for technology in BITWEIGHT.technologies:
            assert kept[technology]["subjects"][subject.name]["verilog"] == key, subject.name


def test_sections_differ_in_their_names() -> None:
    modules = (elements, trees, arrays, bit_slice, digits, equal_area)
    assert len({module.SECTION for module in modules}) == len(modules)
