"""SRAM macros: read from Liberty text, and priced in words and bits."""

import hashlib

import pytest

from archmodels.technology import Term
from dse.calibrate import sram
from dse.calibrate.sram import MacroError

T = Term
MACRO = """\
library (ram_{words}x{bits}) {{
  time_unit : "1ns";
  leakage_power_unit : "1uW";
  capacitive_load_unit (1, pf);
  nom_voltage : {supply};
  cell (ram_{words}x{bits}) {{
    area : {area};
    memory () {{ type : ram; address_width : {address}; word_width : {bits}; }}
    pin (clk) {{
      direction : input;
      clock : true;
{powers}    }}
    bus (q) {{
      direction : output;
      timing () {{
        related_pin : "clk";
        timing_type : rising_edge;
        cell_rise (t) {{ values ("0.1, 0.2", "0.3, 0.4"); }}
        cell_fall (t) {{ values ("0.1, 0.3, 0.5"); }}
      }}
    }}
    cell_leakage_power : {leakage};
  }}
}}
"""
POWER = """\
      internal_power () {{ when : "{when}";
        rise_power (p) {{ values ("{rise}"); }}
        fall_power (p) {{ values ("{fall}"); }}
      }}
"""
STATES = (("!en & !we & !re", 0, 0), ("en & we & !re", 3.0, 0.5), ("en & !we & re", 2.0, 0.5),
          ("en & we & re", 3.9, 0.5), ("!en & we & !re", 0.2, 0))  # fmt: skip


def macro(folder, words, bits, *, supply=1.2, states=STATES, drop="", area=None):
    powers = "".join(POWER.format(when=when, rise=rise, fall=fall) for when, rise, fall in states)
    text = MACRO.format(
        words=words, bits=bits, address=words.bit_length() - 1, supply=supply, powers=powers,
        area=100 + 2 * bits + 0.5 * words * bits if area is None else area,
        leakage=0.001 * words * bits,
    )  # fmt: skip
    kept = "\n".join(line for line in text.splitlines() if not drop or drop not in line)
    path = folder / f"ram_{words}x{bits}.lib"
    path.write_text(kept)
    return path


def test_what_a_macro_says(tmp_path):
    path = macro(tmp_path, 256, 32)
    (found,) = sram.read(tmp_path)
    assert (found.words, found.bits, found.supply_v, found.area_um2) == (256, 32, 1.2, 4260)
    # pJ to fJ; of states that access the one that reads alone and the one that writes alone.
    assert (found.read_fj, found.write_fj) == pytest.approx((2500, 3500))
    assert found.leakage_nw == pytest.approx(8192)
    assert found.access_ps == pytest.approx(300)
    assert found.source.file == path.name
    assert found.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_table_that_does_not_tell_read_from_write(tmp_path):
    macro(tmp_path, 256, 32, states=(("1", 1.0, 1.0),))
    (found,) = sram.read(tmp_path)
    assert found.read_fj == found.write_fj == pytest.approx(2000)


def test_prices_are_laws_in_words_and_bits(tmp_path):
    for words, bits in ((64, 8), (64, 32), (256, 16), (1024, 8), (1024, 64)):
        macro(tmp_path, words, bits)
    found = sram.prices(sram.read(tmp_path), 1.2)
    assert found.area_um2.at(48, 512) == pytest.approx(100 + 2 * 48 + 0.5 * 48 * 512, rel=0.02)
    assert found.area_um2.range.bits == (8, 64)
    assert found.area_um2.range.other_bits == (64, 1024)
    assert found.leakage_nw.law == (T.PRODUCT,)
    assert found.energy_pj.law == (T.ONE,) and found.energy_pj.at(8, 64) == pytest.approx(3.0)
    assert "placeholder" in found.energy_pj.note and "placeholder" not in found.area_um2.note
    assert not found.area_um2.derived
    register = sram.read_register(found.area_um2)
    assert register.at(32) == 0


def test_macros_of_another_supply_are_of_another_process(tmp_path):
    for words, bits in ((64, 8), (64, 32), (256, 16)):
        macro(tmp_path, words, bits)
    found = sram.prices(sram.read(tmp_path), 1.8)
    assert found.area_um2.derived and found.energy_pj.derived
    assert found.energy_pj.at(8, 64) == pytest.approx(3.0 * 1.5**2)
    assert "another process, 1.2 V" in found.area_um2.note
    assert "square of the supply" in found.energy_pj.note


def test_the_pattern_chooses(tmp_path):
    macro(tmp_path, 64, 8)
    macro(tmp_path, 256, 16, supply=0.7)
    assert len(sram.read(tmp_path, "ram_64*")) == 1
    with pytest.raises(MacroError, match="must be of one supply, not 0.7 V, 1.2 V; choose with"):
        sram.read(tmp_path)


@pytest.mark.parametrize(
    ("drop", "sentence"),
    [
        ("memory ()", "file must hold a memory cell, and it does not"),
        ("area :", "macro must say area, and it does not"),
        ("nom_voltage", "macro must say nom_voltage, and it does not"),
        ("clock : true", "macro must have a clock pin, and it has none"),
        ("timing_type", "macro must have a delay from its clock, and it has none"),
        ("internal_power", "must"),
    ],
)
def test_a_macro_that_lacks_something(tmp_path, drop, sentence):
    path = macro(tmp_path, 64, 8, drop=drop)
    with pytest.raises(MacroError) as raised:
        sram.read(tmp_path)
    assert str(raised.value).startswith(str(path))
    assert sentence in str(raised.value)


def test_units_that_are_not_known(tmp_path):
    path = macro(tmp_path, 64, 8)
    path.write_text(path.read_text().replace('"1ns"', '"1s"'))
    with pytest.raises(MacroError, match="time_unit must be one of 1ps, 10ps, 100ps, 1ns, not 1s"):
        sram.read(tmp_path)


def test_a_folder_without_macros(tmp_path):
    with pytest.raises(MacroError, match=r"folder must have files \*.lib, and it has none"):
        sram.read(tmp_path)
    with pytest.raises(MacroError, match="folder must exist, and it does not"):
        sram.read(tmp_path / "none")
