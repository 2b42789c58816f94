"""RTL, golden and model of attention engines agree, bit by bit and cycle by cycle."""

from dataclasses import replace

import numpy as np
import pytest
from agreement import agreement_tests, assert_agrees
from attention_grid import POINTS

import archmodels
from designs.attention import Attention, AttentionParams
from designs.attention.tiles import tile_table
from dse.engines import Run
from dse.verify import compare, simulate
from sim import bench_attention
from sim.golden.attention import Case, attention, draw

LONG_PRESETS = [
    pytest.param(name, marks=pytest.mark.full) for name in ("fuse8_split", "fuse16_minilm")
]

TestAgreement = agreement_tests(
    POINTS,
    amaranth=[name for name, (params, _) in POINTS.items() if params.side <= 4],
    verilator=("published", "window_grouped", "eight", "eight_causal", "shared_by_all"),
    stalled=("window_grouped", "eight_causal"),
    presets=("fuse4", "fuse8_decode", "fuse8_sparse", *LONG_PRESETS),
)


@pytest.mark.parametrize("case", Case)
def test_corners(case):
    params, workload = POINTS["eight"]
    inputs = draw(params, workload, np.random.default_rng(7), case)
    assert_agrees(compare("dut", params, workload, (workload, inputs)))


@pytest.mark.parametrize("value", [-128, 127])
@pytest.mark.parametrize("keys", [1, 7, 8])
def test_states_are_as_wide_as_max_keys_makes_them(keys, value):
    """Equal scores and equal values: RD and RNV become as large as `keys` weights of 1 allow."""
    params = AttentionParams(side=2, e=2, f=2, max_keys=keys)
    workload = Attention(queries=2, keys=keys, e=2, f=2)
    drawn = draw(params, workload, np.random.default_rng(1))
    inputs = {**drawn, "q": np.zeros_like(drawn["q"]), "v": np.full_like(drawn["v"], value)}
    assert (attention(params, workload, inputs) == value * 256).all()
    assert_agrees(compare("dut", params, workload, (workload, inputs), Run(engine="amaranth")))


def test_jobs_follow_each_other():
    """A second job, whose tiles are there as the first ends, begins without an empty epoch."""
    params, workload = POINTS["eight"]
    drawn = [bench_attention.operands(params, workload, seed)[1] for seed in (1, 2)]
    plans = [bench_attention.plan(params, workload, inputs) for inputs in drawn]
    names = plans[0].transfers
    sent = replace(
        plans[0],
        transfers={
            name: [word for plan in plans for word in plan.transfers[name]] for name in names
        },
        expected={name: 2 * count for name, count in plans[0].expected.items()},
    )
    result = simulate("dut", params, sent, Run())
    half = len(result.payloads["o"]) // 2
    for index, inputs in enumerate(drawn):
        words = result.payloads["o"][index * half : (index + 1) * half]
        payloads = {**result.payloads, "o": words}
        found = bench_attention.results(params, workload, replace(result, payloads=payloads))
        assert np.array_equal(found, attention(params, workload, inputs)), index
    one = archmodels.MODELS[type(params)](params, workload).cycles
    tiles = sum(1 for _ in tile_table(params, workload))
    assert result.cycles == one + tiles * params.epoch


def test_what_hidden_keys_hold_does_not_matter():
    params = AttentionParams(side=4, e=3, f=3)
    workload = Attention(queries=5, keys=6, e=3, f=3)
    _, inputs = bench_attention.operands(params, workload, 3)
    sent = bench_attention.plan(params, workload, inputs)
    bits = params.element_bits
    garbage = int("01111111" * 2, 2) << 2 * bits  # keys 6 and 7 of the second tile
    tiles = list(tile_table(params, workload))
    words = {
        name: [
            word | garbage if tiles[number // width].place.key_tile == 1 else word
            for number, word in enumerate(sent.transfers[name])
        ]
        for name, width in (("k", params.e), ("v", params.f))
    }
    assert words["k"] != sent.transfers["k"]
    result = simulate("dut", params, replace(sent, transfers={**sent.transfers, **words}), Run())
    found = bench_attention.results(params, workload, result)
    assert np.array_equal(found, attention(params, workload, inputs))


@pytest.mark.spread(2)
@pytest.mark.parametrize("times", [1, 2, 4])
def test_buffers_fill_as_much_however_long_the_sequence(times):
    """High-water marks of the rings, and the words of keys and values: each read once a block."""
    params = AttentionParams(side=4, e=8, f=8, query_tiles=2)
    workload = Attention(queries=16 * times, keys=16 * times, e=8, f=8)
    _, inputs = bench_attention.operands(params, workload, 1)
    result = simulate("dut", params, bench_attention.plan(params, workload, inputs), Run())
    counted = bench_attention.counters(params, result)
    assert (counted["q_tiles"], counted["k_tiles"], counted["v_tiles"]) == (4, 2, 2)
    blocks, key_tiles = 2 * times, 4 * times
    assert counted["k"] == counted["v"] == blocks * key_tiles * 8
    assert counted["q"] == counted["o"] == 4 * times * 8
    tiles = 4 * times * key_tiles
    assert counted["epochs"] == tiles
    assert counted["cycles"] == result.cycles
    model = archmodels.MODELS[type(params)](params, workload)
    assert result.cycles == model.cycles
    busy = params.e + params.f + params.mask_slots + 1 + params.exp_slots + 1
    assert counted["array_busy"] == tiles * busy
    assert counted["lanes_busy"] == tiles * (params.f + 1 + params.exp_slots + 1)
