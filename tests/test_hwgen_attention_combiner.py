# amaranth: UnusedElaboratable=no
"""Combiners against the golden, whatever the groups have found, with idle cycles between."""

from types import SimpleNamespace

import numpy as np
import pytest
from amaranth.sim import Simulator

from designs.attention import AttentionParams, Element, ExpMethod
from designs.floats import FP32
from hwgen.attention.combiner import combine_command
from hwgen.attention.lane import staged_bits
from hwgen.attention.lanes import COMBINERS
from sim.golden import floats
from sim.golden.attention.cascade import combined
from sim.golden.attention.floating import Floats
from sim.golden.attention.integer import Integers

CASES = ("any", "equal", "near", "far", "some_none", "none")
"""How maxima of groups are to each other; none: no key has been seen."""

POINTS = {
    "two": {"side": 2, "splits": 2},
    "three": {"side": 3, "splits": 3, "exp_stages": 1},
    "four": {"side": 4, "splits": 4, "exp_stages": 2, "result_tiles": 3},
    "horner": {"side": 5, "splits": 5, "exp_method": ExpMethod.POLYNOMIAL, "exp_degree": 3},
}


def arithmetic(params, shift):
    if params.is_float:
        return Floats.of(params)
    return Integers(params=params, shift=np.array([[shift]]))


def maxima(params, rng, case, shift):
    """RM of each group, and which has seen a key."""
    count, unit = params.splits, 1 << shift
    reach = params.e << 14
    spread = {"any": reach, "near": 40 * unit, "far": reach}.get(case, 40 * unit)
    found = rng.integers(-min(spread, reach), min(spread, reach) + 1, count)
    found[0] = {"equal": found[0], "far": -reach}.get(case, found[0])
    if case == "equal":
        found[:] = found[0]
    is_seen = np.full(count, case != "none")
    if case == "some_none":
        is_seen[rng.permutation(count)[: count // 2]] = False
    return found, is_seen


def integer_states(params, rng, case, shift):
    found, is_seen = maxima(params, rng, case, shift)
    low = (1 << min(shift, params.score_bits - 2)) - 1
    rm = np.where(is_seen, found, -(1 << params.score_bits - 1)) | low
    rd = np.where(is_seen, rng.integers(1 << 15, 1 << 26, params.splits), 0)
    share = rng.uniform(-128, 127, (params.f, params.splits))
    return rm, rd, (share * rd).astype(np.int64)


def float_states(params, rng, case, shift):
    found, is_seen = maxima(params, rng, case, 0)
    rm = np.where(is_seen, found / 2.0 ** (0 if case == "far" else 8), -np.inf)
    rd = np.where(is_seen, rng.uniform(1, 300, params.splits), 0)
    rnv = rng.normal(size=(params.f, params.splits)) * rd
    return tuple(floats.encode(FP32, part) for part in (rm, rd, rnv))


def combine(params, rng, drawn):
    """What a combiner makes of each of the states drawn, with their shift: RD, reciprocals, a half,
    and RNV."""
    layout, width = combine_command(params), staged_bits(params)
    combiner = COMBINERS[params.element](params)
    found = []

    async def step(ctx, words=None, **fields):
        for _ in range(int(rng.integers(2))):
            ctx.set(combiner.command, layout.const({"lane": int(rng.integers(params.splits))}))
            await ctx.tick()
        if words is not None:
            ctx.set(combiner.words, sum(int(w) << width * c for c, w in enumerate(words)))
        ctx.set(combiner.command, layout.const(fields))
        await ctx.tick()

    async def add(ctx, words):
        """Sum of the products, the last of which is added a cycle after."""
        for lane in range(params.splits):
            adds = {"adds": lane > 0, "begins": lane == 1}
            await step(ctx, words, lane=lane, multiplies=1, **adds)
        await step(ctx, adds=1, begins=params.splits == 1)
        return ctx.get(combiner.numerator)

    async def query(ctx, states, shift):
        rm, rd, rnv = states
        tops = rm % (1 << params.score_bits) | shift << params.score_bits
        for lane in range(params.splits):
            await step(ctx, tops, lane=lane, compares=1, first=lane == 0)
        for lane in range(params.splits):
            for slot in range(params.exp_slots):
                keeps = lane > 0 and slot == 0
                await step(ctx, tops, lane=lane, step=1 << slot, keeps=keeps)
        await step(ctx, keeps=1)
        half = int(rng.integers(params.result_tiles))
        total = await add(ctx, rd)
        await step(ctx, divides=1, half=half)
        for _ in range(2):
            await step(ctx)
        waits = 0
        while not ctx.get(combiner.done) >> half & 1:
            waits += 1
            assert waits <= params.divide_cycles
            await ctx.tick()
        reciprocals = int(ctx.get(combiner.reciprocals.as_value()))
        sums = [await add(ctx, numbers % (1 << params.numerator_bits)) for numbers in rnv]
        found.append((total, reciprocals, half, sums))

    async def bench(ctx):
        for states, shift in drawn:
            await query(ctx, states, shift)

    simulator = Simulator(combiner)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.spread(6)
@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize("point", POINTS)
def test_as_golden(point, element):
    params = AttentionParams(e=4, f=5, element=element, **POINTS[point])
    draw = float_states if params.is_float else integer_states
    rng = np.random.default_rng(len(point))
    shifts = [0] if params.is_float else [0, 3, 8, 20, 31]
    drawn = [(draw(params, rng, case, shift), shift) for case in CASES for shift in shifts]
    for (states, shift), found in zip(drawn, combine(params, rng, drawn), strict=True):
        total, reciprocals, half, sums = found
        rd, rnv = golden(params, states, shift)
        assert total == rd
        assert sums == [number % (1 << params.numerator_bits) for number in rnv]
        if rd:
            assert kept(params, reciprocals, half) == inverse(params, rd)


def golden(params, states, shift):
    """RD and RNV of all groups."""
    rm, rd, rnv = states
    ends = [
        SimpleNamespace(rm=rm[c, None, None], rd=rd[c, None, None], rnv=rnv[None, None, :, c])
        for c in range(params.splits)
    ]
    total, sums = combined(arithmetic(params, shift), ends)
    return total.item(), sums.ravel().tolist()


def kept(params, reciprocals, half):
    """The reciprocal of a half as a number."""
    if params.is_float:
        return reciprocals >> half * 32 & (1 << 32) - 1
    bits = 17 + (params.denominator_bits - 1).bit_length()
    return reciprocals >> half * bits & (1 << 17) - 1


def inverse(params, rd):
    if params.is_float:
        one = floats.encode(FP32, np.ones(1))
        return floats.divide(FP32, one, np.array([rd])).item()
    return (1 << 31) // (
        rd << params.denominator_bits - rd.bit_length() >> params.denominator_bits - 16
    )
