"""The Liberty reader: units, tables, cells, what is left out, and files that cannot be used."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
import tiny_library
from tiny_library import changed, tiny, without_cells

from hwgen.synth import fan_out, liberty
from hwgen.synth.cells import Table
from hwgen.synth.liberty import LibertyError

SMALLEST = """
library (small) {
 time_unit : "10ps"; capacitive_load_unit (0.1, pf); leakage_power_unit : "1uW";
 voltage_unit : "100mV"; nom_voltage : 7.5;
 lu_table_template (of_load) { variable_1 : total_output_net_capacitance; index_1 ("1, 3"); }
 cell (inv) { area : 1; leakage_power () { value : 2; }
  pin (A) { direction : input; capacitance : 0.5; }
  pin (Y) { direction : output; function : "A'";
   timing () { related_pin : "A"; timing_sense : negative_unate;
    cell_rise (of_load) { values ("2, 6"); } cell_fall (scalar) { values ("5"); } }
   internal_power () { related_pin : "A"; power (scalar) { values ("3"); } } } }
 cell (buf) { area : 2; pin (A) { direction : input; }
  pin (Y) { direction : output; function : "A"; } }
 cell (dff) { area : 9; ff (IQ, IQN) { clocked_on : "!CK"; next_state : "!D"; }
  pin (CK) { direction : input; clock : true; } pin (D) { direction : input; }
  pin (QN) { direction : output; function : "IQ"; } }
}
"""


def written(folder: Path, text: str, name: str = "small.lib") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_units_are_ours(tmp_path: Path) -> None:
    library = liberty.read([written(tmp_path, SMALLEST)])
    inverter = library.cells["inv"]
    assert inverter.pins["A"].capacitance_ff == pytest.approx(50)  # 0.5 x 0.1 pF
    assert inverter.leakage_nw == pytest.approx(2000)  # 2 x 1 uW
    (arc,) = inverter.pins["Y"].arcs
    assert arc.rise.at(0, 200) == pytest.approx(40)  # halfway from 2 to 6, x 10 ps
    assert arc.fall.at(7, 7) == pytest.approx(50)
    (power,) = inverter.pins["Y"].powers
    assert power.rise.at(0, 0) == pytest.approx(3 * 100 * 0.01)  # 3 x 100 fF x (0.1 V)**2
    assert (library.supply_v, library.temperature_c) == (7.5, 25.0)


def test_a_table_is_linear_between_its_points_and_beyond() -> None:
    slews, loads = np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0])
    table = Table(slews, loads, 3 * slews[:, None] + 0.5 * loads[None, :])
    for slew, load in ((1, 10), (1.5, 12), (3, 20), (0, 5), (9, 40)):
        assert table.at(slew, load) == pytest.approx(3 * slew + 0.5 * load)
    np.testing.assert_allclose(table.at([1, 9], [10, 40]), [8, 47])
    assert table.at(np.ones((2, 3)), 10).shape == (2, 3)
    bent = Table(slews, None, np.array([[0.0], [1.0], [5.0]]))
    np.testing.assert_allclose(bent.at([1.5, 3, 6], 99), [0.5, 3, 9])


def test_axes_may_come_in_either_order() -> None:
    cells = tiny().cells
    swapped = cells["mux2_1"].pins["Y"].powers[0].rise
    assert swapped.values.shape == (3, 3)
    # 1.2 fJ x (1 + 0.1 x slew in ns + 0.001 x load in fF)
    assert swapped.at(1000, 8) == pytest.approx(1.2 * (1 + 0.1 + 0.008))
    plain = cells["nand2_1"].pins["Y"].powers[0].rise
    assert plain.at(1000, 8) == pytest.approx(0.7 * (1 + 0.1 + 0.008))
    # setup 0.02 + 0.01 for a slow data pin, + 0.02 for a slow clock
    setup = next(arc for arc in cells["dff_1"].pins["D"].arcs if arc.kind == "setup")
    assert setup.rise.at(1000, 10) == pytest.approx(30)
    assert setup.rise.at(10, 1000) == pytest.approx(40)


def test_cells_say_what_they_are() -> None:
    cells = tiny().cells
    assert {name for name, cell in cells.items() if cell.is_buffer} == {"buf_2", "buf_8"}
    assert {name for name, cell in cells.items() if cell.is_inverter} == {"inv_1", "inv_4"}
    assert {name for name, cell in cells.items() if cell.computes((1, 1, 1, 0))} == {"nand2_1"}
    assert {name for name, cell in cells.items() if cell.register} == {"dff_1", "dffe_1"}
    assert cells["inv_1"].leakage_nw == 1.0  # the mean of its states
    assert cells["dff_1"].register.outputs == {"Q": False}
    assert cells["dff_1"].pins["CK"].is_clock and not cells["dff_1"].pins["D"].is_clock
    assert cells["dff_1"].register.is_plain and not cells["dffe_1"].register.is_plain
    clock_power = cells["dff_1"].pins["CK"].powers[0]
    assert (clock_power.related_pin, clock_power.rise.at(10, 0)) == (None, 2.0)
    assert cells["nor2_1"].pins["Y"].arcs[1].related_pin == "B"


def test_a_register_that_shows_its_inverse(tmp_path: Path) -> None:
    library = liberty.read([written(tmp_path, SMALLEST)])
    register = library.cells["dff"].register
    assert not register.shows_data and not register.is_plain  # of the falling edge
    rising = SMALLEST.replace('"!CK"', '"CK"')
    plain = liberty.read([written(tmp_path, rising)]).cells["dff"].register
    assert plain.is_plain and plain.clock_pins == {"CK"}


@pytest.mark.parametrize(("area", "chosen"), [(9.5, "dff2"), (10.5, "dff")])
def test_an_inverter_counts_in_the_choice_of_the_flip_flop(
    area: float, chosen: str, tmp_path: Path
) -> None:
    text = SMALLEST.replace('"!CK"', '"CK"')
    cell = text[text.index(" cell (dff)") : text.rindex("}")]
    other = (
        cell.replace("(dff)", "(dff2)").replace('"!D"', '"D"').replace("area : 9", f"area : {area}")
    )
    library = liberty.read([written(tmp_path, text.rstrip().removesuffix("}") + other + "}")])
    names = {
        part.name for part in library.group.of("cell") if f'"{part.name}"' in library.flip_flops
    }
    assert names == {chosen}


def test_what_synthesis_must_not_use_is_left_out() -> None:
    library = tiny()
    for name in ("tribuf_1", "latch_1", "huge_buf"):
        assert name not in library.cells and name not in library.prepared
    assert "wire_load" not in library.prepared and "fanout_length" not in library.prepared
    assert "internal_power" in library.prepared and "internal_power" not in library.mapping


def test_what_is_prepared_says_the_same(tmp_path: Path) -> None:
    library = tiny()
    again = liberty.read([written(tmp_path, library.prepared)])
    assert again.cells.keys() == library.cells.keys()
    assert again.prepared == library.prepared
    for name, cell in library.cells.items():
        other = again.cells[name]
        assert (cell.area_um2, cell.leakage_nw) == (other.area_um2, other.leakage_nw)
        for pin in cell.pins:
            assert cell.pins[pin].function == other.pins[pin].function
            for arc, its in zip(cell.pins[pin].arcs, other.pins[pin].arcs, strict=True):
                assert (arc.kind, arc.rise.at(33, 5)) == (its.kind, its.rise.at(33, 5))


def test_gzip_and_several_files(tmp_path: Path) -> None:
    whole = tiny()
    packed = tmp_path / "tiny.lib.gz"
    packed.write_bytes(gzip.compress(tiny_library.PATH.read_bytes()))
    assert liberty.read([packed]).prepared == whole.prepared
    assert liberty.read([packed]).files[0] == ("tiny.lib.gz", whole.files[0][1])
    names = ("dff_1", "dffe_1")
    gates = changed(tmp_path, lambda text: without_cells(text, *names), "gates.lib")
    others = {*whole.cells} - {*names} | {"tribuf_1", "latch_1", "huge_buf"}
    # a template of the same name with other points
    flip_flops = changed(
        tmp_path,
        lambda text: without_cells(text, *others).replace('"1, 8, 64"', '"2, 16, 128"'),
        "flip_flops.lib",
    )
    library = liberty.read([gates, flip_flops])
    assert library.cells.keys() == whole.cells.keys() and len(library.files) == 2
    again = liberty.read([written(tmp_path, library.prepared)]).cells
    assert again["inv_1"].pins["Y"].arcs[0].rise.loads_ff[0] == 1
    assert again["dff_1"].pins["Q"].arcs[0].rise.loads_ff[0] == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text[: len(text) // 2], "must be a whole Liberty file, and it ends inside"),
        (lambda text: "module a; endmodule\n", "must be a Liberty file, and it has no library"),
        (lambda text: "", "must be a Liberty file, and it has no library group"),
        (lambda text: "library (a) { ) }", r"must be a Liberty file, and it has '\) }'"),
        (lambda text: text + "}", "must have a { for each }, and it has a } too many"),
        (lambda text: without_cells(text, "dff_1", "dffe_1"), "must have a flip-flop, and it has"),
        (lambda text: without_cells(text, "buf_2", "buf_8"), "must have a buffer, and it has none"),
        (lambda text: without_cells(text, "inv_1", "inv_4"), "must have an inverter, and it has"),
        (lambda text: text.replace("  area : 2;\n", "", 1), "cell inv_1 must have an area, and it"),
        (lambda text: text.replace("area : 2;", "area : abc;", 1), "area of inv_1 must be a num"),
        (
            lambda text: re.sub(r"nom_voltage : [\d.]+", "nom_voltage : high", text),
            "nom_voltage of tiny must be a number, not 'high'",
        ),
        (
            lambda text: re.sub(r"area : \d+", "area : 0", text),
            "cells must have an area above 0, and none has",
        ),
        (lambda text: text.replace('"1ns"', '"1 hour"'), "units must be a number and a unit"),
        (lambda text: text.replace("(1, ff)", "(1, gallon)"), "units must be a number and a unit"),
        (lambda text: text.replace('"0.0', '"o.0', 1), "values must be numbers, not"),
        (lambda text: text.replace(' : "!A";', ' : "!A +";'), "function must be whole, not '!A +'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(change, sentence: str, tmp_path: Path) -> None:
    path = changed(tmp_path, change)
    with pytest.raises(LibertyError, match=rf"^{path}: .*{sentence}".replace("+", r"\+")):
        liberty.read([path])


def test_a_table_without_a_value_per_point(tmp_path: Path) -> None:
    path = written(tmp_path, SMALLEST.replace('"2, 6"', '"2, 6, 7"'))
    with pytest.raises(LibertyError, match="table of template 'of_load' must have a value per po"):
        liberty.read([path])


def test_gzip_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "tiny.lib.gz"
    path.write_bytes(tiny_library.PATH.read_bytes())
    with pytest.raises(LibertyError, match=rf"^{path}: file must be gzip, as its name says, and"):
        liberty.read([path])
    path.write_bytes(gzip.compress(tiny_library.PATH.read_bytes())[:-400])
    with pytest.raises(LibertyError, match=rf"^{path}: gzip file must be whole, and it is not: "):
        liberty.read([path])
    with pytest.raises(LibertyError, match=r"none.lib: file must be readable, and it is not \(No"):
        liberty.read([tmp_path / "none.lib"])
    path.write_bytes(gzip.compress(b"\x00\xff binary"))
    with pytest.raises(LibertyError, match=rf"^{path}: must be a Liberty file"):
        liberty.read([path])


def test_files_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(LibertyError, match="cell inv_1 must be in one file, and it is in two$"):
        liberty.read([tiny_library.PATH, tiny_library.PATH])
    with pytest.raises(LibertyError, match="units of file 2 must be those of the first, and they"):
        liberty.read([tiny_library.PATH, written(tmp_path, SMALLEST)])


@pytest.mark.parametrize("name", tiny_library.REAL)
def test_real_libraries(name: str) -> None:
    library = liberty.read([tiny_library.real(name)])
    assert len(library.cells) > 50 and 0.5 < library.supply_v < 2
    for cell in library.cells.values():
        assert cell.area_um2 > 0
        assert all(0 < pin.capacitance_ff < 100 for pin in cell.inputs)
        for pin in cell.outputs:
            delays = [edge.at(50, 5) for arc in pin.arcs for edge in (arc.rise, arc.fall) if edge]
            assert all(0 < delay < 5000 for delay in delays)


def test_a_library_without_delays_has_no_buffer_to_choose(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda text: text.replace("timing () {", "unknown () {"))
    with pytest.raises(LibertyError, match=r"^tiny: a buffer must have delays, and none has$"):
        fan_out.chosen_buffer(liberty.read([path]))
