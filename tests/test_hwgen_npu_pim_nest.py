"""Addresses of two loops, against two loops."""

import itertools
import random

import pytest
from amaranth.sim import Simulator

from hwgen.npu_pim.nest import Nest, NestParams


@pytest.mark.parametrize(("address_bits", "inner_bits"), [(1, 1), (5, 3), (8, 4)])
def test_addresses_are_those_of_two_loops(address_bits, inner_bits):
    nest = Nest(NestParams(address_bits=address_bits, inner_bits=inner_bits))
    draw = random.Random(address_bits)

    async def bench(ctx):
        for count in (1, 1, 2, 1 << inner_bits, draw.randint(1, 1 << inner_bits)):
            base, stride = (draw.randrange(1 << address_bits) for _ in range(2))
            ctx.set(nest.base, base)
            ctx.set(nest.stride, stride)
            ctx.set(nest.last, count - 1)
            loops = ((o, i) for o in itertools.count() for i in range(count))
            places = (((base + o + i * stride) % (1 << address_bits), i) for o, i in loops)
            ctx.set(nest.start, 1)
            address = None
            for _ in range(4 * count + 10):
                steps = address is None or draw.random() < 0.7
                ctx.set(nest.step, steps and address is not None)
                if steps:
                    address, inner = next(places)
                    assert ctx.get(nest.following) == address
                await ctx.tick()
                ctx.set(nest.start, 0)
                assert ctx.get(nest.at) == address
                assert ctx.get(nest.turns) == (inner == count - 1)

    simulator = Simulator(nest)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
