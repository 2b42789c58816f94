"""The model of three-pass engines: by hand at a small point, and on grids as on single points."""

import numpy as np
import pytest
from grid_points import assert_a_grid_is_its_points, grid_of
from hypothesis import given, settings
from hypothesis import strategies as st

from archmodels import MODELS, PORT_BITS, price, transferred_bits
from archmodels.counts import (
    adder_count,
    flip_flop_bits,
    memory_bits,
    memory_read_register_bits,
    multiplier_count,
    subtractor_count,
)
from archmodels.technology import load, names
from designs.attention import Attention, AttentionParams, ExpMethod, Masking, Pattern
from designs.attention.unfused import UnfusedParams
from designs.families import check_fit
from designs.rules import properties

MODEL = MODELS[UnfusedParams]
SMALL = UnfusedParams(side=2, e=4, f=3, max_keys=64)
JOB = Attention(queries=4, keys=6, e=4, f=3)


def test_an_engine_by_hand():
    core = MODEL(SMALL, JOB)
    # Scores are sums of 4 products of 2**14, with two bits more: 19. Links hold 2 * 2**22 with a
    # sign: 25. 2 * 2 + 5 = 9 rows of results; bounds of -2 to 2 in 3 bits, as memory addresses.
    elements = 4 * (19 + 25) + 2 * (8 + 5)
    front, back = 4 + 1 + 3 + 1 + 5 + 1 + 1 + 4, 5 + 2 + 4
    lane = front + back + 19 + 22 + (16 + 5) + 25
    reciprocal = 1 + 1 + 22 + 16 + 17 + 5
    west = (2 + 3) * 8 + 3 * 5
    sequencer = 1 + 4 + 2 + 2 + 1 + 1 + 1 + 4 + 1
    reader = 2 * 4 + 1 + 4
    assert flip_flop_bits(core) == (
        elements + 2 * (lane + reciprocal) + west + front + 3 * back + sequencer + reader
    )
    # Of a lane: 4 values of Q, 2 rows that came back, 3 sums of 30 bits, 9 results.
    assert memory_bits(core) == 2 * (4 * 8 + 2 * 19 + 3 * 30 + 9 * 19)
    assert memory_read_register_bits(core) == 2 * (8 + 19 + 30 + 19)
    assert multiplier_count(core) == 4 + 2
    assert adder_count(core) == 4 + 2 * 6 + 3 + 3
    assert subtractor_count(core) == 2 * (1 + 2) + 2
    assert PORT_BITS[UnfusedParams](SMALL) == {
        "q": 16, "k": 16, "v": 16, "s": 38, "s_back": 38, "sn": 32, "sn_back": 32, "o": 32,
    }  # fmt: skip


def test_activity_by_hand():
    # 2 query tiles of 2, 3 key tiles, each read for each of the query tiles.
    found = {key: event.count for key, event in MODEL(SMALL, JOB).activity.items()}
    assert {key: count for key, count in found.items() if not key.endswith("uses")} == {
        "mac.slots": 6 * 4 * 7,
        "mac.useful": 4 * 6 * 7,
        "q.transfers": 2 * 4,
        "k.transfers": 6 * 4,
        "v.transfers": 6 * 3,
        **dict.fromkeys(("s.transfers", "s_back.transfers"), 6 * 2),
        **dict.fromkeys(("sn.transfers", "sn_back.transfers"), 6 * 2),
        "o.transfers": 2 * 3,
        "q_bank.reads": 6 * 4 * 2,
        "q_bank.writes": 2 * 4 * 2,
        **dict.fromkeys(("row_bank.reads", "row_bank.writes"), 6 * 4 * 2),
        "totals.reads": 4 * 3 * 2,
        "totals.writes": 6 * 3 * 2,
        **dict.fromkeys(("results.reads", "results.writes"), (6 * 4 + 2 * 3) * 2),
        # Slots of a tile: 4 + 1 + 2, then 3 a row, then 2 + 3; and the ends of three phases.
        "clock.cycles": 6 * (7 + 6 + 5) + 2 * (8 + 14 + 8),
    }


def test_scores_and_numerators_go_to_memory_and_back():
    """4 M P words, as FuseMax counts the traffic of an unfused cascade, beside the operands."""
    params = UnfusedParams(side=8, e=16, f=16)
    workload = Attention(heads=2, kv_heads=2, queries=64, keys=128, e=16, f=16)
    bits = transferred_bits(params, MODEL(params, workload))
    pairs = 2 * 64 * 128
    assert bits["s"] == bits["s_back"] == pairs * params.engine.score_bits
    assert bits["sn"] == bits["sn_back"] == pairs * 16


def spread(choose):
    """Some engine, and a workload that it can run."""
    side = choose(st.integers(1, 9))
    params = UnfusedParams(
        side=side,
        e=choose(st.integers(1, 20)),
        f=choose(st.integers(1, 20)),
        exp_method=choose(st.sampled_from(ExpMethod)),
        exp_segments=choose(st.sampled_from([2, 16, 32])),
        exp_degree=choose(st.integers(2, 5)),
        exp_stages=choose(st.integers(1, 3)),
        masking=choose(st.sampled_from(Masking)),
        max_keys=choose(st.sampled_from([64, 2**20])),
    )
    patterns = [pattern for pattern in Pattern if pattern <= params.masking]
    keys = side * choose(st.integers(1, 5))
    workload = Attention(
        heads=choose(st.sampled_from([2, 4])),
        kv_heads=2,
        queries=choose(st.integers(1, keys)),
        keys=keys,
        e=params.e,
        f=params.f,
        pattern=choose(st.sampled_from(patterns)),
        window=choose(st.integers(1, 9)),
    )
    return params, workload


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_grid_counts_what_its_points_count(data):
    pairs = [spread(data.draw) for _ in range(4)]
    assert_a_grid_is_its_points(MODEL, pairs)
    for params, workload in pairs:
        check_fit(params, workload)


def test_the_widths_of_a_grid_are_those_of_its_points():
    points = [SMALL, UnfusedParams(side=5, e=7, f=2, masking=Masking.NONE)]
    engine = grid_of(points).engine
    for name in properties(AttentionParams):
        found = np.broadcast_to(getattr(engine, name), len(points))
        assert found.tolist() == [getattr(point.engine, name) for point in points], name


@pytest.mark.parametrize("name", names())
def test_every_count_has_a_price(name):
    found = price(SMALL, JOB, MODEL(SMALL, JOB), load(name))
    assert found.energy_pj > 0 and found.area_um2 > 0
