"""Every operand along an edge is as late as its element and its lane say."""

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.systolic.edge import EdgeParams, edge

# (elements, lanes, first, last, lane_step): climbing, falling, all at once, wires
EDGES = [
    (1, 1, 1, 1, 0),
    (3, 1, 1, 3, 0),
    (3, 2, 3, 1, 0),
    (3, 2, 3, 1, 1),
    (2, 3, 1, 1, 1),
    (4, 1, 2, 2, 0),
    (4, 2, 0, 0, 0),
    (2, 2, 0, 0, 1),
    (2, 2, 0, 1, 1),
]


@pytest.mark.parametrize("shape", EDGES)
def test_delays(shape):
    count, lanes, first, last, lane_step = shape
    params = EdgeParams(
        bits=8, count=count, lanes=lanes, first=first, last=last, lane_step=lane_step
    )
    kind, given = edge(params)
    component = kind(given)
    towards = (last > first) - (last < first)
    delays = [
        first + towards * element + lane_step * lane
        for element in range(count)
        for lane in range(lanes)
    ]

    async def testbench(ctx):
        ctx.set(component.advance, 1)
        for step in range(1, 20):
            word = bytes(step * len(delays) + lane for lane in range(len(delays)))
            ctx.set(component.i, int.from_bytes(word, "little"))
            seen = ctx.get(component.o).to_bytes(len(delays), "little")
            for lane, delay in enumerate(delays):
                if step > delay:
                    assert seen[lane] == (step - delay) * len(delays) + lane
            await ctx.tick()

    m = Module()
    m.domains.sync = ClockDomain()  # wires alone have none
    m.submodules.edge = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
