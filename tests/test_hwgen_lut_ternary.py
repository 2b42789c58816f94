"""Ternary cores beyond one GEMM: jobs that follow each other, stalls, resets, special floats."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from consecutive_jobs import outcome, outcomes
from hypothesis import given, settings
from hypothesis import strategies as st
from reset_midway import results_after_resets

from designs import Gemm
from designs.lut_ternary import FLOAT_FORMATS, Build, LutTernaryParams, Stationary
from designs.rules import ceil_div
from designs.ternary import WeightFormat
from hwgen.emit import emit
from hwgen.lut_ternary import LutTernaryCore
from hwgen.netlist import count, flattened_count
from sim.bench_lut_ternary import operands, plan, results
from sim.golden.lut_ternary import gemm
from sim.pysim import simulate
from sim.streams import Plan

JOBS = (Gemm(m=3, k=5, n=4), Gemm(m=1, k=1, n=1), Gemm(m=4, k=2, n=3), Gemm(m=2, k=9, n=7))
TABLE = {"stationary": Stationary.TABLE, "acc_blocks": 2}
OFFSET = {"build": Build.OFFSET, "weight_format": WeightFormat.CODE2, "mu": 1}
VARIANTS = {
    "output": {},
    "levels": {"mu": 3, "adder_levels": 1},
    "offset": OFFSET,
    "table": TABLE,
    "table_shared": {"tables": 2, "build_share": 2, "adder_levels": 1} | TABLE,
}


def small(**params):
    return LutTernaryParams(**({"mu": 2, "tables": 2, "ports": 3, "rows": 2, "max_k": 12} | params))


def run(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("stalled", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_jobs_follow_each_other(variant, stalled):
    params = small(**VARIANTS[variant])
    pairs = [operands(params, job, seed) for seed, job in enumerate(JOBS)]
    plans = [plan(params, *pair) for pair in pairs]
    found = outcomes(LutTernaryCore(params), plans, stalled)
    for job, (a, w), result in zip(JOBS, pairs, found, strict=True):
        assert np.array_equal(results(params, job, result), a @ w)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_last_results_do_not_wait_for_the_activations_of_the_next_job(variant):
    """They may depend on these very results."""
    params, job = small(**VARIANTS[variant]), Gemm(m=2, k=7, n=4)
    a, w = operands(params, job, 3)
    sent = plan(params, a, w)
    transfers = dict(sent.transfers) | {"job": sent.transfers["job"] * 2}
    alone = Plan(interface=sent.interface, transfers=transfers, expected=sent.expected)
    words = simulate(LutTernaryCore(params), alone).payloads["o"]
    assert np.array_equal(results(params, job, outcome(words)), a @ w)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_reset_in_mid_job_leaves_nothing_behind(variant):
    params = small(**VARIANTS[variant])
    sent = plan(params, *operands(params, Gemm(m=4, k=9, n=8), seed=3))
    undisturbed = simulate(LutTernaryCore(params), sent).payloads["o"]
    early = range(1, 40, 9)
    received = results_after_resets(LutTernaryCore(params), sent, early, 120, run)
    assert received == [undisturbed] * len(early)


@settings(max_examples=12, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)),
    st.tuples(*[st.integers(1, 12)] * 3),
    st.sampled_from(WeightFormat),
    st.integers(0, 2),
    st.integers(0, 2**31),
)
def test_any_shape_and_values_with_stationary_results(size, shape, weight_format, levels, seed):
    mu, tables, ports, rows = size
    params = LutTernaryParams(
        mu=mu,
        tables=tables,
        ports=ports,
        rows=rows,
        weight_format=weight_format,
        adder_levels=levels,
        max_k=16,
    )
    job = Gemm(**dict(zip("mkn", shape, strict=True)))
    a, w = operands(params, job, seed)
    core = LutTernaryCore(params)
    result = simulate(core, plan(params, a, w))
    assert np.array_equal(results(params, job, result), a @ w)
    steps = ceil_div(job.m, rows) * ceil_div(job.n, ports) * ceil_div(job.k, mu * tables)
    assert result.cycles == steps + sum(core.latencies.values())


@settings(max_examples=12, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.sampled_from([(1, 1), (2, 1), (2, 2), (3, 3), (4, 2)])),
    st.integers(2, 4),
    st.tuples(*[st.integers(1, 12)] * 3),
    st.integers(0, 1),
    st.integers(0, 2**31),
)
def test_any_shape_and_values_with_stationary_tables(size, blocks, shape, levels, seed):
    mu, (tables, share) = size
    params = LutTernaryParams(
        mu=mu,
        tables=tables,
        ports=2,
        rows=2,
        stationary=Stationary.TABLE,
        build_share=share,
        acc_blocks=blocks,
        adder_levels=levels,
        max_k=16,
    )
    job = Gemm(**dict(zip("mkn", shape, strict=True)))
    a, w = operands(params, job, seed)
    core = LutTernaryCore(params)
    result = simulate(core, plan(params, a, w))
    assert np.array_equal(results(params, job, result), a @ w)
    k_steps, n_tiles = ceil_div(job.k, mu * tables), ceil_div(job.n, 2)
    row_steps = 0
    for start in range(0, n_tiles, blocks):
        tiles = min(blocks, n_tiles - start)
        gaps = k_steps - 1 if share == tiles == 1 else 0
        row_steps += k_steps * (share - 1 + tiles) + gaps
    assert result.cycles == ceil_div(job.m, 2) * row_steps + sum(core.latencies.values())


@pytest.mark.spread(4)
@pytest.mark.parametrize("activation", FLOAT_FORMATS)
@pytest.mark.parametrize(
    "variant",
    [
        {"mu": 1},
        {"mu": 3},
        {"mu": 3, "build": Build.REFERENCE},
        {"mu": 1, "build": Build.MULTIPLY, "weight_format": WeightFormat.CODE2},
    ],
    ids=["sign_flip", "table", "reference", "multiply"],
)
def test_special_floats(activation, variant):
    """Infinities, NaN, zeros of both signs, the least and the greatest numbers, all combined."""
    params = small(activation=activation, ports=2, rows=1, **variant)
    form = FLOAT_FORMATS[activation]
    magnitudes = np.array([0, 1, 1 << form.mantissa_bits, form.largest, form.infinity, form.nan])
    patterns = np.concatenate([magnitudes, magnitudes | 1 << (form.bits - 1)])
    random = np.random.default_rng(5)
    a, w = random.choice(patterns, (6, 7)), random.integers(-1, 2, (7, 2))
    a[0], a[1] = patterns[0], patterns[6]
    job = Gemm(m=6, k=7, n=2)
    found = results(params, job, simulate(LutTernaryCore(params), plan(params, a, w)))
    assert np.array_equal(found, gemm(params, a, w))


@pytest.mark.spread(3)
@pytest.mark.parametrize(
    "params",
    [
        LutTernaryParams(mu=1, tables=1, ports=1, rows=1, max_k=1),
        small(mu=3, adder_levels=1, max_k=10),
        pytest.param(small(mu=5, adder_levels=1, max_k=10), marks=pytest.mark.full),
        small(mu=4, build=Build.REFERENCE, adder_levels=1),
        small(adder_levels=1, max_k=3, tables=3, **OFFSET),
        small(mu=1, build=Build.MULTIPLY, weight_format=WeightFormat.BYTE5, adder_levels=1),
        small(mu=1, tables=1, **TABLE),
        small(mu=3, tables=3, build_share=3, adder_levels=1, **TABLE),
    ],
    ids=["1x1", "levels", "large", "reference", "offset", "multiply", "table_1x1", "table_shared"],
)
def test_core_has_no_idle_register(params):
    text = emit("core", params).files["core.v"]
    assert flattened_count(text, "core").flip_flop_bits == count(text, "core").flip_flop_bits


def test_rows_are_one_module_and_columns_another():
    """Text grows with rows and ports, not with their product."""
    texts = [
        emit("core", small(rows=size, ports=size)).files["core.v"].count("\n") for size in (2, 4, 8)
    ]
    assert texts[2] - texts[1] <= 2 * (texts[1] - texts[0]) + 8
