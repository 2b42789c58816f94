# amaranth: UnusedElaboratable=no
"""A lane for floats on random tiles in the order of the schedule, bit for bit, cycle for cycle."""

import itertools

import numpy as np
import pytest
from attention_floats import MINUS_INFINITY, SIGN, distances, exponents, weights
from attention_lanes import LaneTile, Query
from test_hwgen_attention_lane import (
    APART,
    DIVIDES,
    POLYNOMIAL,
    SEQUENTIAL,
    STAGES,
    Watched,
    check,
)

from designs.attention import AttentionParams, Element
from designs.floats import FP32
from designs.rules import clog2
from hwgen.attention.float_lane import DIVIDER, RECIPROCAL_CYCLES, FloatLane
from hwgen.emit import verilog
from hwgen.netlist import count, flattened_count
from sim.golden import floats as golden

FP16 = {"element": Element.FP16, "side": 2, "e": 3, "f": 2}
BF16 = {**FP16, "element": Element.BF16}
POINTS = {
    "least": {**FP16, "side": 1, "e": 1, "f": 1},
    "odd": {**BF16, "side": 3, "e": 5, "f": 3},
    "resident": {**FP16, "query_tiles": 3},
    "late": {**BF16, "side": 40, "query_tiles": 2},
    "sequential": BF16 | SEQUENTIAL,
    "apart": {**FP16, "f": 5} | APART,
    "apart_sequential": {**BF16, "query_tiles": 2} | APART | SEQUENTIAL,
    "one_stage": {**FP16, "exp_stages": 1},
    "two_stages": {**FP16, "exp_stages": 2} | APART,
    "two_cycles": {**FP16, "f": 5, "query_tiles": 2} | STAGES,
    "two_cycles_sequential": BF16 | STAGES | SEQUENTIAL,
    "polynomial": {**BF16, "exp_degree": 5} | POLYNOMIAL,
    "divides": {**FP16, "f": 5, "query_tiles": 2} | DIVIDES,
    "divides_apart": BF16 | DIVIDES | APART | SEQUENTIAL,
    "divides_later": BF16 | DIVIDES | STAGES,
}
KINDS = ("none", "any", "garbage", "none", "some", "garbage", "any", "rising")


def signed(pattern):
    """What a port with sign is given for a pattern."""
    return pattern - ((pattern & SIGN) << 1)


def pattern(real):
    return int(golden.encode(FP32, np.float64(real)))


def real(found):
    return float(golden.decode(FP32, np.int64(found)))


def cut(found):
    """Without what is below 2**-8."""
    return pattern(np.ldexp(np.trunc(np.ldexp(real(found), 8)), -8))


def brought(params, rng, table):
    """What each tile of a table brings to one lane.

    Some queries see no key; maxima are of all sizes, or they rise a bit from tile to tile. Garbage
    is there so that the query after it has none of it.
    """
    queries, kinds, found, each = {}, {}, [], itertools.cycle(KINDS)
    for control in table:
        if control.first:
            queries[control.state], kinds[control.state] = Query(), next(each)
        before, kind = queries[control.state], kinds[control.state]
        lm, sld, slnv = MINUS_INFINITY, 0, [0] * params.f
        if kind != "none" and (kind != "some" or rng.integers(2)):
            size = rng.choice([2.0 ** rng.integers(-12, 16), 4.0, 0.01])
            lm = rng.normal() * size
            if kind == "rising" and before.rd:
                lm = real(before.rm) + abs(rng.normal()) * rng.choice([2.0**-8, 1.0, 8.0])
            lm = pattern(lm)
            sld = pattern(rng.uniform(1, params.side))
            slnv = [pattern(value) for value in rng.normal(size=params.f) * 2.0 ** rng.integers(8)]
        if kind == "garbage":
            lm, sld = rng.choice([FP32.infinity, FP32.nan], 2).tolist()
            slnv = [FP32.nan] * params.f
        after = queries[control.state] = advanced(params, before, control, (lm, sld, slnv))
        brings = [signed(word) for word in slnv]
        found.append(LaneTile(lm=signed(lm), sld=signed(sld), slnv=brings, after=after))
    return found


def advanced(params, before, control, brings):
    """The state of a query after a tile."""
    lm, sld, slnv = brings
    if control.first:
        return Query(rm=cut(lm), rd=sld, rnv=slnv)
    rm = before.rm if real(cut(lm)) < real(before.rm) else cut(lm)
    x = exponents(distances(np.array([rm]), np.array([before.rm])))
    prm = weights(params, FP32, x)
    old, part = np.array([before.rd, *before.rnv]), np.array([sld, *slnv])
    if params.fma_lanes and params.lane_stages == 1:
        rd, *rnv = golden.fma(FP32, prm, old, part, FP32).tolist()
    else:
        rd, *rnv = golden.add(FP32, golden.multiply(FP32, prm, old), part).tolist()
    return Query(rm=rm, rd=rd, rnv=rnv)


class FloatWatched(Watched):
    lane = FloatLane
    brought = staticmethod(brought)
    reciprocal_cycles = RECIPROCAL_CYCLES

    def staged(self, query):
        """The products with the reciprocal."""
        if not self.params.divides:
            return query.rnv
        reciprocal = self.reciprocal(query.rd)
        if reciprocal is None:
            return [None] * self.params.f
        return golden.multiply(FP32, np.array(query.rnv), np.array([reciprocal])).tolist()

    def reciprocal(self, denominator):
        """Of 0 it is 0."""
        if denominator == 0 or denominator >= FP32.infinity:
            return None if denominator else 0
        return int(golden.divide(FP32, np.array([FP32.one]), np.array([denominator]))[0])


@pytest.mark.spread(5)
@pytest.mark.parametrize("point", POINTS)
def test_random_tiles(point):
    check(FloatWatched(AttentionParams(**POINTS[point]), np.random.default_rng(len(point))))


def test_a_reciprocal_is_there_before_the_next():
    params = AttentionParams(**FP16)
    assert DIVIDER.latency_cycles <= params.divide_cycles
    assert RECIPROCAL_CYCLES == DIVIDER.latency_cycles + 1


def registers(params):
    """Bits of flip-flops, those of memories, and of their read registers."""
    states = clog2(params.query_tiles)
    command = 7 + states + clog2(params.accumulators) + clog2(params.f)
    weight = {1: 20, 2: 20, 3: 20 + 5}.get(params.exp_slots, 20 + 5 + 8)
    decoded = 1  # whether the denominator is worked on
    # The recurrence, whether it runs and for which half, and both results.
    divider = (26 + 1) + 24 + 24 + 10 + 1 + 2 + 1 + 1 + 2 * 32
    words = [(params.query_tiles, 32), (params.accumulators, 13), (params.query_tiles, 32)]
    words += [(params.f << states, 32), (2 * params.f, 32)]
    flip_flops = sum(bits for count_, bits in words if count_ == 1)
    memories = [(count_ * bits, bits) for count_, bits in words if count_ > 1]
    late = 2 + states + clog2(params.f) + 2 if params.lane_stages > 1 else 0
    apart = 0 if params.fma_lanes and not late else 2 * 32
    # A flag and the word's address as often as there is a cycle behind a division.
    cycles = 2 if apart else 1
    dividend = params.divides * (32 + cycles * (1 + 1 + clog2(params.f)))
    held = command + decoded + weight + divider + flip_flops + apart + late + dividend
    return (held, *map(sum, zip(*memories, strict=True)))


@pytest.mark.spread(4)
@pytest.mark.parametrize("point", POINTS)
def test_every_register_is_used(point):
    params = AttentionParams(**POINTS[point])
    text = verilog(FloatLane(params), "dut")
    found = count(text, "dut")
    expected = registers(params)
    assert found.flip_flop_bits == expected[0]
    assert (found.memory_bits, found.memory_read_register_bits) == expected[1:]
    assert flattened_count(text, "dut").flip_flop_bits == found.flip_flop_bits
    own = found.modules["dut"]
    assert (own.multiplier_count, own.adder_count) == (1, 2)
