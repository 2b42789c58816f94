"""Memories of sums and of codes between units: the order of what is read and written."""

import random

import pytest
from amaranth.sim import Simulator

from hwgen.buffers import Codes, CodesParams, Sums, SumsParams


def run(core, bench):
    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(("words", "ports", "bits", "lanes"), [(5, 6, 7, 2), (4, 2, 9, 2)])
def test_sums_are_read_in_order(words, ports, bits, lanes):
    core = Sums(SumsParams(words=words, ports=ports, sum_bits=bits, lanes=lanes))
    draw = random.Random(1)
    stored = [draw.getrandbits(ports * bits) for _ in range(words)]

    async def bench(ctx):
        ctx.set(core.write_enable, 1)
        for address, word in enumerate(stored):
            ctx.set(core.write_address, address)
            ctx.set(core.write_data, word)
            await ctx.tick()
        ctx.set(core.write_enable, 0)
        part_bits = lanes * bits
        for first in range(words):
            parts = [
                word >> part * part_bits & (1 << part_bits) - 1
                for word in stored[first:]
                for part in range(ports // lanes)
            ]
            ctx.set(core.start, 1)
            ctx.set(core.address, first)
            await ctx.tick()
            ctx.set(core.start, 0)
            for part in parts:
                take = draw.random() < 0.7
                while not take:
                    ctx.set(core.take, 0)
                    assert ctx.get(core.sums) == part
                    await ctx.tick()
                    take = draw.random() < 0.7
                ctx.set(core.take, 1)
                assert ctx.get(core.sums) == part
                await ctx.tick()
            ctx.set(core.take, 0)

    run(core, bench)


@pytest.mark.parametrize(("size", "lanes"), [(6, 2), (4, 4), (3, 1)])
def test_codes_are_written_in_order(size, lanes):
    core = Codes(CodesParams(words=6, size=size, bits=8, lanes=lanes))
    draw = random.Random(2)

    async def bench(ctx):
        for first in (0, 2, 5):
            parts = [draw.getrandbits(8 * lanes) for _ in range((6 - first) * size // lanes)]
            ctx.set(core.start, 1)
            ctx.set(core.address, first)
            await ctx.tick()
            ctx.set(core.start, 0)
            for part in parts:
                while draw.random() < 0.3:
                    ctx.set(core.write, 0)
                    ctx.set(core.data, ~part)
                    await ctx.tick()
                ctx.set(core.write, 1)
                ctx.set(core.data, part)
                await ctx.tick()
            ctx.set(core.write, 0)
            whole = sum(part << 8 * lanes * index for index, part in enumerate(parts))
            for word in range(6 - first):
                ctx.set(core.read_enable, 1)
                ctx.set(core.read_address, first + word)
                await ctx.tick()
                expected = whole >> 8 * size * word & (1 << 8 * size) - 1
                assert ctx.get(core.read_data) == expected

    run(core, bench)
