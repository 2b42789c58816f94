"""What GEMM cores share: lanes within the problem, their number, the walk over the tiles."""

import itertools

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from designs.laconic import LaconicParams
from hwgen.gemm import count_high, job_layout, lanes_within, o_layout, streams, tile_walk
from hwgen.streams import stream_ports

SIZES = {"m": 3, "k": 4, "n": 3}
"""Bits of each size of the jobs of a walk."""

FLAGS = ("active", "first", "final")


def values_of(function, bits):
    """The value of `function` of a signal, for each value of the signal."""
    m, word = Module(), Signal(bits)
    result = Signal.like(function(word))
    m.d.comb += result.eq(function(word))
    found = []

    async def testbench(ctx):
        for value in range(2**bits):
            ctx.set(word, value)
            found.append(ctx.get(result))

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_lanes_within(count):
    expected = [(1 << min(left, count)) - 1 for left in range(32)]
    assert values_of(lambda left: lanes_within(left, count), 5) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_count_high(count):
    assert values_of(count_high, count) == [lanes.bit_count() for lanes in range(2**count)]


def test_layouts_follow_the_params():
    params = LaconicParams(cols=3, max_k=16)
    assert job_layout(params).size == params.m_bits + params.k_bits + params.n_bits
    assert o_layout(params).size == 3 * params.acc_bits + 1


def test_the_streams_of_a_core_are_its_job_its_operands_and_its_results():
    params = LaconicParams(cols=3, max_k=16)
    operands = {"x": data.ArrayLayout(4, 2), "y": data.ArrayLayout(5, 3)}
    found = stream_ports(wiring.Signature(streams(params, operands)))
    layouts = {"job": job_layout(params), **operands, "o": o_layout(params)}
    assert {name: port.layout for name, port in found.items()} == layouts
    assert list(found) == list(layouts)
    assert [name for name, port in found.items() if not port.is_input] == ["o"]


class Walker(wiring.Component):
    """A walk of its own, with all that it says."""

    def __init__(self, tiles):
        self.tiles = tiles
        job = data.StructLayout(SIZES)
        marks = {f"{name}_last": Out(1) for name in tiles}
        left = {f"{name}_left": Out(SIZES[name]) for name in tiles}
        flags = {name: Out(1) for name in FLAGS}
        super().__init__(
            {"job": In(stream.Signature(job)), "step": In(1), **flags, **left, **marks}
        )

    def elaborate(self, platform):
        m = Module()
        walk = tile_walk(m, self.job, self.tiles, self.step & self.active)
        m.d.comb += [getattr(self, name).eq(getattr(walk, name)) for name in FLAGS]
        for name, rank in walk.ranks.items():
            m.d.comb += getattr(self, f"{name}_left").eq(rank.left)
            m.d.comb += getattr(self, f"{name}_last").eq(rank.last)
        return m


def walked(tiles, jobs, stalls):
    """What a walk says in each of its steps; `stalls`: cycles without a step, again and again."""
    walker, waits, said = Walker(tiles), itertools.cycle(stalls), []
    step_count = sum(len(expected(tiles, job)) for job in jobs)
    cycle_count = (step_count + len(jobs)) * len(stalls) + 1

    async def offer(ctx):
        for job in jobs:
            ctx.set(walker.job.payload, job)
            ctx.set(walker.job.valid, 1)
            await ctx.tick().until(walker.job.ready)
        ctx.set(walker.job.valid, 0)

    async def advance(ctx):
        for _ in range(cycle_count):
            stalled = next(waits)
            ctx.set(walker.step, not stalled)
            if ctx.get(walker.active) and not stalled:
                left = tuple(ctx.get(getattr(walker, f"{name}_left")) for name in tiles)
                last = tuple(ctx.get(getattr(walker, f"{name}_last")) for name in tiles)
                said.append((left, last, ctx.get(walker.first), ctx.get(walker.final)))
            await ctx.tick()
        assert not ctx.get(walker.active), "the last step of all ends the last job"

    simulator = Simulator(walker)
    simulator.add_clock(1e-6)
    simulator.add_testbench(offer, background=True)
    simulator.add_testbench(advance)
    simulator.run()
    return said


def expected(tiles, job):
    """The same of one job, from nested loops: the first name is the innermost."""
    starts = [range(0, job[name], tile) for name, tile in reversed(tiles.items())]
    said = []
    for at in itertools.product(*starts):
        places = dict(zip(reversed(tiles), at, strict=True))
        left = tuple(job[name] - places[name] for name in tiles)
        last = tuple(int(left[at] <= tile) for at, tile in enumerate(tiles.values()))
        innermost = next(iter(tiles))
        said.append((left, last, int(places[innermost] == 0), int(all(last))))
    return said


@settings(max_examples=25, deadline=None)
@given(
    st.permutations(list(SIZES)),
    st.tuples(*[st.integers(1, 5)] * 3),
    st.lists(st.tuples(*[st.integers(1, 7)] * 3), min_size=1, max_size=3),
    st.lists(st.booleans(), max_size=3).map(lambda stalls: [*stalls, False]),
)
def test_a_walk_visits_the_tiles_of_each_job_in_order(order, sizes, jobs, stalls):
    tiles = dict(zip(order, sizes, strict=True))
    named = [dict(zip(SIZES, job, strict=True)) for job in jobs]
    assert walked(tiles, named, stalls) == [one for job in named for one in expected(tiles, job)]
