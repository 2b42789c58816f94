"""The front of attention engines: what is compared, and that its short cuts are none."""

import math
from dataclasses import replace

import numpy as np
import pytest

from archmodels import technology
from benchmarks import attention_front_systems as systems
from benchmarks.attention_front import (
    BANDWIDTHS,
    LENGTHS,
    PAGE,
    SCENARIOS,
    choices,
    merged,
    summary,
    sweeps,
    winner,
    winners,
)
from benchmarks.attention_front_picture import picture
from benchmarks.attention_front_systems import engines, swept
from benchmarks.tables import RESULTS

PREFILL, DECODE, BERT = SCENARIOS
PRICES = technology.load("asap7")


KEPT = {
    "N": ("8", "32"),
    "format": ("int8", "bf16"),
    "exponential": ("2 slots", "degree 5"),
    "P1": ("1", "4"),
    "rooms": ("2 tiles",),
}


@pytest.fixture(autouse=True)
def few(monkeypatch) -> None:
    """A small space."""
    for axis, names in KEPT.items():
        kept = tuple(choice for choice in systems.AXES[axis] if choice.name in names)
        monkeypatch.setitem(systems.AXES, axis, kept)


def test_engines_share_area_heads_and_memory() -> None:
    some = swept(DECODE, 1024, 0.2, BANDWIDTHS, PRICES)
    alone = systems.area_um2(DECODE, PRICES) * 1e-6
    slow, fast, unlimited = some.found
    assert math.isinf(BANDWIDTHS[-1]) and not unlimited.waiting.any()
    fits = alone <= 0.2
    assert fits.any() and not fits.all()
    assert np.array_equal(np.isfinite(slow.time_ms), fits)
    assert (unlimited.area_mm2[fits] <= 0.2).all()
    assert (slow.time_ms >= fast.time_ms).all() and (fast.time_ms >= unlimited.time_ms).all()
    words = DECODE.batch * DECODE.kv_heads * 1024 * 2 * DECODE.width
    assert (slow.time_ms >= 1e3 * words / 256e9)[fits].all()
    doubled = swept(DECODE, 1024, 0.4, BANDWIDTHS, PRICES).found[-1]
    assert (doubled.time_ms[fits] < 0.7 * unlimited.time_ms[fits]).all()


def test_all_that_engines_move_takes_its_time() -> None:
    """Keys and values once, queries and results of each head: all behind one memory."""
    some = swept(DECODE, 1024, 8.0, (64.0,), PRICES)
    found, tried = some.found[0], some.engines
    bytes_each = np.where(tried.names["format"] == "int8", 1, 2)
    moved = bytes_each * DECODE.jobs * 1024 * 2 * DECODE.width
    bound = (found.waiting > 0.1) & (tried.grid.group == DECODE.heads // DECODE.kv_heads)
    assert {*tried.names["format"][bound]} == {"int8", "bf16"}
    assert np.allclose(found.time_ms[bound], 1e3 * moved[bound] / 64e9, rtol=0.1)


def test_energy_is_that_of_the_work_however_it_is_shared_out() -> None:
    alone = systems.area_um2(DECODE, PRICES).max() * 1e-6
    one, three = (swept(DECODE, 1024, count * alone, BANDWIDTHS, PRICES) for count in (1.01, 3.01))
    assert DECODE.jobs % 3 != 0 and (three.found[-1].count == 3).any()
    both = (one.found[-1].count == 1) & (three.found[-1].count == 3)
    ratio = three.found[-1].energy_mj[both] / one.found[-1].energy_mj[both]
    assert np.allclose(ratio, 1, rtol=2e-3)


def test_products_used_are_useful_ones() -> None:
    some = swept(BERT, 1024, 2.0, BANDWIDTHS, PRICES)
    found = some.found[-1]
    macs = BERT.batch * BERT.heads * 1024 * 1024 * 2 * BERT.width
    slots = found.time_ms * 1e3 * found.clock_mhz * found.count * some.engines.grid.side**2
    fits = found.count > 0
    assert (found.used[fits] <= 1).all() and fits.any()
    jobs = BERT.jobs / found.count
    even = fits & (jobs == np.floor(jobs))
    assert even.any() and np.allclose(found.used[even], macs / slots[even], rtol=1e-9)


def test_the_winner_is_fast_and_frugal() -> None:
    some = swept(BERT, 1024, 2.0, BANDWIDTHS, PRICES)
    found = some.found[1]
    best = winner(some, 1)
    assert found.time_ms[best] <= 1.01 * found.time_ms.min()
    faster = found.time_ms <= found.time_ms[best]
    assert found.energy_mj[best] == found.energy_mj[faster].min()


def test_tables_and_picture_of_a_small_space(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("benchmarks.attention_front.LENGTHS", (1024, 2048, 8192))
    found = [sweeps(scenario) for scenario in SCENARIOS]
    whole = winners("BERT", found[-1])
    assert {row["tokens"] for row in whole.rows} == {"1K", "2K", "8K"}
    assert {row["mm2"] for row in whole.rows} == {2.0, 8.0, 32.0}
    assert {row["attention"] for row in summary(found).rows} == {one.name for one in SCENARIOS}
    assert all("1.00" in str(row["N"]) for row in choices(found).rows)
    picture([some[1] for some in found], ["256", "1024", "unlimited"], "t", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_rows_that_differ_in_bandwidth_alone_are_one() -> None:
    rows = [
        {"GB/s": "256", "ms": 2.0},
        {"GB/s": "1024", "ms": 1.0},
        {"GB/s": "unlimited", "ms": 1.0},
    ]
    assert merged(rows) == [rows[0], {"GB/s": "1024, unlimited", "ms": 1.0}]
    same = [{**row, "ms": 1.0} for row in rows]
    assert merged(same) == [{"GB/s": "any", "ms": 1.0}]


def test_the_page_has_the_tables_of_the_results() -> None:
    text = (RESULTS / "attention_front.md").read_text()
    tables = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    assert len(tables) > 20 and {*tables} <= {*text.splitlines()}
    assert LENGTHS[0] == 1024 and LENGTHS[-1] == 2**20


def test_a_scenario_without_a_legal_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="some engine must be legal"):
        engines(replace(PREFILL, groups=(3,)))
