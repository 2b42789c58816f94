# amaranth: UnusedElaboratable=no
"""The dot products of a bank, on every kind of number, with a step in each cycle or not."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator
from float_cases import drawn, special
from npu_pim_dram import dot, rounded

from designs.elements import FLOAT_FORMATS
from designs.npu_pim import Element, PimChannel
from designs.rules import clog2
from hwgen.npu_pim.pim_unit import PIM_UNITS, PimUnitParams

STEPS = 160


def operands(channel, draw):
    """Rows of a step each: any patterns, or the ends of the ranges."""
    count = channel.lanes * STEPS
    if channel.element == Element.INT8:
        ends = np.array([-128, -127, -1, 0, 1, 127]).astype(np.uint8)
        patterns, kind = np.arange(256), np.uint8
    else:
        number = FLOAT_FORMATS[channel.element]
        ends, patterns, kind = special(number), drawn(number, 4096), np.uint16
        # Half of all exponents, or there would be little but infinities.
        exponents = (patterns >> number.mantissa_bits) % (1 << number.exponent_bits)
        patterns = patterns[abs(exponents - number.bias) < 1 << (number.exponent_bits - 2)]
    pick = np.random.default_rng(draw.getrandbits(32))
    rare = pick.random(count) < 1 / (4 * channel.lanes)
    words = np.where(rare, pick.choice(ends, count), pick.choice(patterns, count))
    return [step.tobytes() for step in words.astype(kind).reshape(STEPS, channel.lanes)]


@pytest.mark.spread(5)
@pytest.mark.parametrize("lanes", [1, 3, 4, 7])
@pytest.mark.parametrize("element", Element)
def test_sums_of_steps(element, lanes):
    draw = random.Random(lanes)
    channel = PimChannel(
        element=element, lanes=lanes, row_bytes=1024 * lanes, access_bytes=256, refresh=False
    )
    unit = PIM_UNITS[element](PimUnitParams.of(channel))
    rows, vectors = operands(channel, draw), operands(channel, draw)
    steps = [draw.random() < 0.8 for _ in range(STEPS)]
    firsts = [step == 0 or draw.random() < 0.3 for step in range(STEPS)]
    late = 2 + clog2(lanes)
    found, expected = [], []

    async def testbench(ctx):
        for cycle in range(STEPS + late + 1):
            now, before, sums = cycle, cycle - 1, cycle - late
            ctx.set(unit.enable, now < STEPS and steps[now])
            ctx.set(unit.row, int.from_bytes(rows[now % STEPS], "little"))
            ctx.set(unit.vector, int.from_bytes(vectors[before % STEPS], "little"))
            is_step = 0 <= sums < STEPS and steps[sums]
            ctx.set(unit.sum, {"enable": is_step, "first": is_step and firsts[sums]})
            await ctx.tick()
            if is_step:
                found.append(ctx.get(unit.result))

    firsts[steps.index(True)] = True
    total = None
    for row, vector, is_step, first in zip(rows, vectors, steps, firsts, strict=True):
        if is_step:
            total = dot(channel, row, vector, 0, 1, None if first else total)
            expected.append(rounded(channel, total))
    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    assert found == expected
    assert len(set(found)) > STEPS // 8
