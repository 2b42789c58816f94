"""The reproduction of the paper on table-based cores: its subjects, its rows, its command."""

import json
from pathlib import Path

import pytest

from designs.lut_ternary import Activation, Build
from designs.ternary import WeightFormat
from dse.reproduce.lut_ternary import (
    LUT_TERNARY,
    accelerators,
    builders,
    sizes,
    structures,
)
from dse.reproduce.lut_ternary.areas import Areas
from dse.reproduce.lut_ternary.cores import core, modelled_um2
from dse.reproduce.measurements import Measurements, digest, load
from dse.reproduce.row import Row, sections

INT8, FP16 = Activation.INT8, Activation.FP16


def measured(areas: dict[str, float], technology: str = "asap7") -> Measurements:
    """Areas of cores in a technology, by name."""
    subjects = {name: {"figures": {"area_um2": area}} for name, area in areas.items()}
    return Measurements({technology: {"subjects": subjects}})


def squares(kind: Activation, size: int, *per_lane: float) -> dict[str, float]:
    """Areas of square cores of so much per lane, by group."""
    own = sizes.SQUARES[kind][size]
    return {own[mu].name: own[mu].lanes * area for mu, area in zip(own, per_lane, strict=True)}


def row(rows: list[Row], what: str) -> Row:
    (found,) = [one for one in rows if one.what == what]
    return found


def test_subjects_have_names_of_their_own() -> None:
    names = [subject.name for subject in LUT_TERNARY.subjects()]
    assert len({*names}) == len(names) > 60
    assert {"tint16", "tenet_like", "tellme_like", "lut_tensor_core_like"} < {*names}


def test_a_core_has_about_as_many_activations_as_asked_for() -> None:
    made = core(INT8, 32, 16, 3)
    assert (made.name, made.params.tables, made.lanes) == ("int8_32x16_mu3", 11, 33 * 16)
    assert made.params.weight_format == WeightFormat.KEY
    offset = core(INT8, 8, 8, 1, build=Build.OFFSET)
    assert (offset.name, offset.params.weight_format) == ("int8_8x8_mu1_offset", WeightFormat.CODE2)
    assert core(INT8, 8, 8, 2, rows=4).name == "int8_8x8_mu2_rows4"


def test_the_verilog_is_that_of_the_core() -> None:
    text = core(INT8, 2, 1, 1).verilog()
    assert "module int8_2x1_mu1 (" in text


def test_best_groups_are_those_of_least_area_per_lane() -> None:
    # Groups of 3 have 9 activations in a step of 8, so that more area is less per lane.
    own = sizes.SQUARES[INT8][8]
    areas = Areas(measured(squares(INT8, 8, 12.0, 10.0, 9.9)), "asap7")
    assert areas.measured_um2(own[3]) > areas.measured_um2(own[2])
    assert areas.best(own) == 3
    assert areas.over(own[1], own[2]) == pytest.approx(1.2)
    assert Areas(measured({own[1].name: 1.0}), "asap7").best(own) is None


def test_the_model_ranks_what_was_measured() -> None:
    own = sizes.SQUARES[INT8][16]
    known = {one.name: modelled_um2(one.params, "asap7") for one in own.values()}
    areas = Areas(measured(known), "asap7")
    assert areas.best(own) == areas.modelled_best(own)
    assert areas.agreements([own, own]) == 2 and areas.regret([own, own]) == 1
    reverse = {one.name: one.lanes / known[one.name] for one in own.values()}
    wrong = Areas(measured(reverse), "asap7")
    assert wrong.agreements([own]) == 0
    picked = own[wrong.modelled_best(own) or 0].name
    assert wrong.regret([own]) == pytest.approx(max(known.values()) / known[picked])
    assert Areas(Measurements(), "asap7").agreements([own]) is None
    assert Areas(Measurements(), "asap7").regret([own]) is None


def test_rows_of_groups() -> None:
    found = measured(
        squares(INT8, 32, 12.0, 10.0, 11.0) | squares(FP16, 32, 18.0, 12.0, 10.0, 11.0)
    )
    rows = [*sizes.rows(found, ["asap7"])]
    best = row(rows, "best group, int8, 32x32")
    assert best.ours == 2 and best.is_met
    ahead = row(rows, "no tables over groups of 2, int8, 32x32")
    assert ahead.ours == pytest.approx(1.2) and ahead.is_met
    assert row(rows, "best group, fp16, 32x32").ours == 3
    assert row(rows, "best group, int8, 8x8").ours is None

    flip = row([*structures.rows(found, ["asap7"])], "sign flip over tables, fp16, 32x32")
    assert flip.ours == pytest.approx(1.8) and flip.is_met
    assert flip.paper == pytest.approx(1.64, abs=0.01)


def test_a_larger_core_must_have_less_area_per_lane() -> None:
    found = measured(squares(INT8, 8, 3.0, 2.0, 4.0) | squares(INT8, 16, 3.0, 2.0, 4.0))
    grown = row([*sizes.rows(found, ["asap7"])], "16x16 over 8x8, int8, best groups")
    assert grown.ours == 1 and grown.is_met is False


def test_the_shape_is_columns_over_activations() -> None:
    own = sizes.SHAPES[FP16, 64]
    areas = {one.name: 10.0 for one in own.values()} | {own[4, 2].name: 5.0}
    rows = [*sizes.rows(measured(areas), ["asap7"])]
    found = row(rows, "columns per activation, fp16, 64 lanes")
    assert found.ours == 4 and found.is_met  # 16 columns of 4 activations


@pytest.mark.parametrize(("mu", "ours", "published"), [(3, 10, 16), (4, 36, 50), (5, 116, 152)])
def test_adders_of_builders(mu: int, ours: int, published: int) -> None:
    assert builders.adder_count(mu, Build.MINIMAL) == ours == (3**mu - 1) // 2 - mu
    assert builders.adder_count(mu, Build.REFERENCE) == published


def test_a_decoder_is_what_a_core_with_it_has_more() -> None:
    key, byte = (builders.FORMATS[form] for form in (WeightFormat.KEY, WeightFormat.BYTE5))
    found = measured({key.name: 100.0, byte.name: 150.0})
    (share,) = [
        one
        for one in builders.rows(found, ["asap7"])
        if one.what.startswith("decoder per lane, 1.6 bits")
    ]
    assert share.ours == pytest.approx(0.5)


def test_a_core_waits_for_its_weights() -> None:
    free = accelerators.decoding("lut32_int8", "asap7", 500.0, accelerators.UNLIMITED)
    slow = accelerators.decoding("lut32_int8", "asap7", 500.0, 6.4)
    # 3.2 G weights of 2 bits at 6.4 GB/s; 1024 of them in a cycle at 500 MHz.
    assert slow.seconds == pytest.approx(3.2215e9 * 2 / 8 / 6.4e9, rel=0.01)
    assert free.seconds == pytest.approx(3.2215e9 / 1024 / 500e6, rel=0.03)
    assert slow.joules > free.joules
    half = accelerators.decoding("lut32_int8", "asap7", 250.0, accelerators.UNLIMITED)
    assert half.seconds == pytest.approx(2 * free.seconds)
    assert (accelerators.clock_mhz(1000.0), accelerators.clock_mhz(4000.0)) == (500.0, 250.0)


def test_presets_without_measurement_have_no_speed() -> None:
    rows = [*accelerators.rows(Measurements(), ["asap7"])]
    assert [one for one in rows if one.technology and one.ours is not None] == []
    wanted = row(rows, "lut32_int8: bandwidth wanted")
    assert wanted.ours == pytest.approx(1024 * 2 * 500e6 / 8e9)


def test_what_ships_is_of_the_generators_of_today() -> None:
    """A sample: the digest of the text that was measured."""
    kept = json.loads(LUT_TERNARY.measurements.read_text())
    known = {subject.name: subject for subject in LUT_TERNARY.subjects()}
    for name in ("int8_8x8_mu2", "int8_8x8_mu2_reference", "fp16_8x8_mu3", "tint16"):
        text = digest(known[name].verilog())
        for technology in LUT_TERNARY.technologies:
            assert kept[technology]["subjects"][name]["verilog"] == text, (technology, name)


def test_every_subject_was_measured() -> None:
    found = load(LUT_TERNARY.measurements)
    for technology in LUT_TERNARY.technologies:
        for subject in LUT_TERNARY.subjects():
            assert found.figure(technology, subject.name, "area_um2"), (technology, subject.name)


def test_sections_and_reasons() -> None:
    rows = LUT_TERNARY.rows(load(LUT_TERNARY.measurements), ["asap7"])
    assert len(sections(rows)) == 7
    assert all(one.reason and not one.reason.endswith(".") for one in rows)


@pytest.mark.parametrize("file", LUT_TERNARY.plots)
def test_plots_are_drawn(file: str, tmp_path: Path) -> None:
    LUT_TERNARY.plots[file](load(LUT_TERNARY.measurements), ["asap7"], tmp_path / file)
    assert (tmp_path / file).read_bytes().startswith(b"\x89PNG")
