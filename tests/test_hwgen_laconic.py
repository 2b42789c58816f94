"""Laconic beyond one GEMM: terms, sums of extreme terms, jobs that follow each other, resets."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from consecutive_jobs import outcomes
from hypothesis import given, settings
from hypothesis import strategies as st
from reset_midway import results_after_resets

from archmodels import EXACT
from designs import Gemm
from designs.digits import Encoding, encode
from designs.laconic import LaconicParams
from hwgen.emit import emit
from hwgen.laconic import LaconicCore
from hwgen.laconic.element import STEPS, Element, ElementParams
from hwgen.laconic.terms import Terms, TermsParams
from hwgen.netlist import count, flattened_count
from sim.bench_laconic import operands, plan, results
from sim.pysim import simulate

JOBS = (Gemm(m=3, k=5, n=4), Gemm(m=1, k=1, n=1), Gemm(m=7, k=2, n=3), Gemm(m=2, k=9, n=5))


def small(**params):
    return LaconicParams(**({"rows": 2, "cols": 3, "lanes": 2, "max_k": 9} | params))


def run(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("encoding", Encoding)
def test_terms_of_every_operand(encoding):
    """Each term once, the lowest first; with `restart` all of them again."""
    terms = Terms(TermsParams(lanes=1, bits=6, encoding=encoding, repeats=True))

    async def testbench(ctx):
        ctx.set(terms.advance, 1)
        ctx.set(terms.enters, 1)
        for value in range(-32, 32):
            digits = [
                (int(np.sign(digit)), 2 * at + int(abs(digit) == 2))
                for at, digit in enumerate(encode(encoding, np.array(value), 6, True).tolist())
                if digit
            ]
            ctx.set(terms.operand[0], value)
            ctx.set(terms.load, 1)
            assert ctx.get(terms.coming_some) == (len(digits) > 0)
            assert ctx.get(terms.coming_more) == (len(digits) > 1)
            await ctx.tick()
            ctx.set(terms.load, 0)
            shown = []
            for left in [*range(len(digits), 0, -1)] * 2:
                assert ctx.get(terms.rest_more) == (left > 2)
                ctx.set(terms.step if left > 1 else terms.restart, 1)
                await ctx.tick()
                ctx.set(terms.step, 0)
                ctx.set(terms.restart, 0)
                term = ctx.get(terms.term[0])
                assert term.valid
                shown.append((-1 if term.negative else 1, term.exponent))
            assert shown == digits * 2

    run(terms, testbench)


@pytest.mark.parametrize("lanes", [1, 2, 16])
@pytest.mark.parametrize("negative", [0, 1])
@pytest.mark.parametrize("valid", [0, 1])
def test_an_element_adds_extreme_terms(lanes, negative, valid):
    """All lanes alike, at every pair of exponents: the widest counts and sums of either sign."""
    engine = LaconicParams(rows=1, cols=1, lanes=lanes, max_k=16)
    element = Element(ElementParams(engine=engine, has_south=False))
    pairs = [(a, w) for a in range(8) for w in (0, 3, 7)]
    sums = []

    async def testbench(ctx):
        for signal in (element.advance, element.update):
            ctx.set(signal, 1)
        for a, w in [*pairs, *[(0, 0)] * STEPS]:
            for lane in range(lanes):
                ctx.set(element.a[lane], {"valid": valid, "negative": negative, "exponent": a})
                ctx.set(element.w[lane], {"valid": 1, "negative": 0, "exponent": w})
            await ctx.tick()
            sums.append(ctx.get(element.c))

    run(element, testbench)
    steps = np.diff(sums)[STEPS - 2 :][: len(pairs)]
    expected = [valid * lanes * (-1) ** negative * 2 ** (a + w) for a, w in pairs]
    wrapped = (np.array(expected) - steps) % 2**engine.acc_bits
    assert not wrapped.any()


@pytest.mark.parametrize("stalled", [False, True])
def test_jobs_follow_each_other(stalled):
    params = small()
    pairs = [operands(params, job, seed) for seed, job in enumerate(JOBS)]
    plans = [plan(params, *pair) for pair in pairs]
    found = outcomes(LaconicCore(params), plans, stalled)
    for job, (a, w), result in zip(JOBS, pairs, found, strict=True):
        assert np.array_equal(results(params, job, result), a @ w)


def test_a_reset_in_mid_job_leaves_nothing_behind():
    params = small()
    sent = plan(params, *operands(params, Gemm(m=4, k=6, n=5), seed=3))
    undisturbed = simulate(LaconicCore(params), sent).payloads["o"]
    early = range(1, 60, 7)
    received = results_after_resets(LaconicCore(params), sent, early, 300, run)
    assert received == [undisturbed] * len(early)


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 2, 4])),
    st.tuples(*[st.integers(1, 7)] * 3),
    st.sampled_from(Encoding),
    st.integers(0, 2**31),
)
def test_any_shape_and_values(size, shape, encoding, seed):
    rows, cols, lanes = size
    params = small(rows=rows, cols=cols, lanes=lanes, encoding=encoding)
    job = Gemm(**dict(zip("mkn", shape, strict=True)))
    a, w = operands(params, job, seed)
    result = simulate(LaconicCore(params), plan(params, a, w))
    assert np.array_equal(results(params, job, result), a @ w)
    assert result.cycles == EXACT[LaconicParams](params, job, (a, w)).cycles


@pytest.mark.spread(2)
@pytest.mark.parametrize(
    "params",
    [
        LaconicParams(rows=1, cols=1, lanes=1, max_k=1),
        LaconicParams(rows=1, cols=2, lanes=2, a_bits=4, w_bits=4, max_k=5),
        LaconicParams(rows=3, cols=1, lanes=4, a_bits=6, w_bits=10, encoding=Encoding.BOOTH),
        LaconicParams(rows=2, cols=2, lanes=2, encoding=Encoding.ENT),
    ],
    ids=lambda p: f"{p.rows}x{p.cols}x{p.lanes}",
)
def test_core_has_no_idle_register(params):
    text = emit("core", params).files["core.v"]
    assert flattened_count(text, "core").flip_flop_bits == count(text, "core").flip_flop_bits
