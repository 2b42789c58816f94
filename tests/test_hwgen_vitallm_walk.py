"""The walk of a core through codes: order of what is read."""

import pytest
from amaranth.sim import Simulator

from hwgen.vitallm.walk import CodeWalk, WalkParams


@pytest.mark.parametrize(("k", "size"), [(1, 4), (4, 4), (5, 4), (13, 4), (6, 2)])
def test_walk_goes_round(k, size):
    core = CodeWalk(WalkParams(address_bits=5, k_bits=4, step_k=4))
    steps = -(-k // size)

    async def bench(ctx):
        ctx.set(core.base, 3)
        ctx.set(core.k, k)
        ctx.set(core.size, size)
        ctx.set(core.start, 1)
        for turn in range(3 * steps):
            at = turn % steps
            assert ctx.get(core.read_enable) == 1
            assert ctx.get(core.read_address) == 3 + at
            await ctx.tick()
            ctx.set(core.start, 0)
            ctx.set(core.take, 0)
            assert ctx.get(core.left) == k - at * size
            assert ctx.get(core.read_enable) == 0
            await ctx.tick()
            ctx.set(core.take, 1)

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
