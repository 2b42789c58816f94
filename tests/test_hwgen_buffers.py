"""Delay lines, skews, skids and scratchpads, each against its docstring."""

import random

import pytest
from amaranth.sim import Simulator

from hwgen.buffers import (
    DelayLineParams,
    Scratchpad,
    ScratchpadParams,
    Skew,
    SkewParams,
    Skid,
    SkidParams,
    delay_line,
)
from hwgen.buffers.delay import LONGEST


def simulate(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def driven(component, step_count, inputs, seed=1):
    """(input, output) of each step in which the component advances, with random standstill."""
    draw, seen = random.Random(seed), []

    async def testbench(ctx):
        for value in inputs:
            ctx.set(component.i, value)
            while draw.random() < 0.4:
                ctx.set(component.advance, 0)
                await ctx.tick()
            ctx.set(component.advance, 1)
            _, _, out = await ctx.tick().sample(component.o)
            seen.append((value, out))

    simulate(component, testbench)
    return seen


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 5, LONGEST, LONGEST + 1, 2 * LONGEST + 3])
def test_delay_line(depth, reset):
    kind, params = delay_line(DelayLineParams(bits=7, depth=depth, reset=reset))
    inputs = [random.Random(depth).randrange(128) for _ in range(3 * depth + 5)]
    seen = driven(kind(params), depth, inputs)
    assert [out for _, out in seen[depth:]] == inputs[:-depth]


@pytest.mark.parametrize(("first", "step"), [(0, 1), (1, 1), (3, -1), (4, -1)])
def test_skew(first, step):
    skew = Skew(SkewParams(bits=3, first=first, last=first + 3 * step))
    inputs = [random.Random(first).randrange(2**12) for _ in range(20)]
    seen = driven(skew, 0, inputs)
    for lane in range(4):
        depth = first + step * lane
        lanes = [(i >> 3 * lane & 7, o >> 3 * lane & 7) for i, o in seen]
        assert [out for _, out in lanes[depth:]] == [i for i, _ in lanes[: len(lanes) - depth]]


@pytest.mark.parametrize("offer", [0.3, 1.0])
@pytest.mark.parametrize("take", [0.3, 1.0])
def test_skid_keeps_order_and_registers_ready(offer, take):
    skid, draw = Skid(SkidParams(bits=8)), random.Random(7)
    sent, received, full_rate = [], [], offer == take == 1.0

    async def testbench(ctx):
        value, valid = 0, False
        for cycle in range(300):
            valid = valid or draw.random() < offer
            ctx.set(skid.i.payload, value if valid else 255)
            ctx.set(skid.i.valid, valid)
            before = ctx.get(skid.i.ready)
            ctx.set(skid.o.ready, draw.random() < take)
            assert ctx.get(skid.i.ready) == before, "i.ready follows no input of the same cycle"
            _, _, i_ready, o_valid, o_ready, payload = await ctx.tick().sample(
                skid.i.ready, skid.o.valid, skid.o.ready, skid.o.payload
            )
            if i_ready and valid:
                sent.append(value)
                value, valid = (value + 1) % 200, False
            if o_valid and o_ready:
                received.append(payload)
            assert not full_rate or len(received) == cycle + 1, "latency 0, a transfer per cycle"

    simulate(skid, testbench)
    assert received == sent[: len(received)] and 0 <= len(sent) - len(received) <= 1


def test_scratchpad_reads_the_old_word_and_holds_it():
    pad = Scratchpad(ScratchpadParams(words=3, bits=5))

    async def testbench(ctx):
        async def edge(**inputs):
            for name in ("read_enable", "write_enable"):
                ctx.set(getattr(pad, name), 0)
            for name, value in inputs.items():
                ctx.set(getattr(pad, name), value)
            await ctx.tick()
            return ctx.get(pad.read_data)

        await edge(write_enable=1, write_address=2, write_data=9)
        assert await edge(read_enable=1, read_address=2) == 9
        collide = {"read_enable": 1, "read_address": 2, "write_enable": 1, "write_address": 2}
        assert await edge(**collide, write_data=17) == 9
        assert await edge(read_address=0) == 9
        assert await edge(read_enable=1, read_address=2) == 17

    simulate(pad, testbench)


def test_scratchpad_writes_the_enabled_fields_only():
    pad = Scratchpad(ScratchpadParams(words=4, bits=6, fields=(3, 1, 2)))

    async def testbench(ctx):
        async def edge(enable, data, *, read=0):
            ctx.set(pad.write_enable, enable)
            ctx.set(pad.write_data, data)
            ctx.set(pad.read_enable, read)
            await ctx.tick()
            return ctx.get(pad.read_data)

        ctx.set(pad.write_address, 3)
        ctx.set(pad.read_address, 3)
        await edge(0b111, 0b10_0_101)
        await edge(0b010, 0b01_1_010)
        assert await edge(0b101, 0b01_0_111, read=1) == 0b10_1_101
        assert await edge(0, 0, read=1) == 0b01_1_111

    simulate(pad, testbench)
