"""The scheduler: what starts when, against the rule in its docstring, for random programs."""

import random

from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.scheduler import Scheduler, SchedulerParams

UNITS = ("array", "vector", "load", "store", "pim")
COUNT = len(UNITS)


def random_programs(draw, blocks):
    """Per block and unit, instructions (waits, cycles), all later than what they wait for."""
    programs = []
    for _ in range(blocks):
        lists = {unit: [] for unit in range(COUNT)}
        order = [unit for unit in range(COUNT) for _ in range(draw.randint(1, 5))]
        draw.shuffle(order)
        for unit in order:
            waits = {
                other: draw.randint(0, len(lists[other])) for other in range(COUNT) if other != unit
            }
            lists[unit].append((waits, draw.randint(1, 6)))
        programs.append(lists)
    return programs


def expected(programs):
    """(unit, index over all blocks, cycle of its start)."""
    starts, begin = [], 0
    offset = dict.fromkeys(range(COUNT), 0)
    for lists in programs:
        ends = {unit: [] for unit in range(COUNT)}
        while any(len(ends[unit]) < len(lists[unit]) for unit in range(COUNT)):
            for unit in range(COUNT):
                index = len(ends[unit])
                if index == len(lists[unit]):
                    continue
                waits, cycles = lists[unit][index]
                if any(len(ends[other]) < count for other, count in waits.items()):
                    continue
                before = [begin - 1, *ends[unit][-1:]]
                before += [ends[other][count - 1] for other, count in waits.items() if count]
                start = 1 + max(before)
                starts.append((unit, offset[unit] + index, start))
                ends[unit].append(start + cycles)
        begin = max(max(done) for done in ends.values()) + 2
        for unit in range(COUNT):
            offset[unit] += len(lists[unit])
    return starts


def simulated(programs, pause):
    """The same, seen in a simulation; `pause`: how often an instruction is late."""
    core = Scheduler(SchedulerParams(units=UNITS))
    flat = {
        unit: [
            (waits, cycles, index == len(lists[unit]) - 1)
            for lists in programs
            for index, (waits, cycles) in enumerate(lists[unit])
        ]
        for unit in range(COUNT)
    }
    starts, draw = [], random.Random(1)

    async def bench(ctx):
        at, left = dict.fromkeys(range(COUNT), 0), dict.fromkeys(range(COUNT), 0)
        for cycle in range(10_000):
            valid, last, done = 0, 0, 0
            for unit in range(COUNT):
                if at[unit] == len(flat[unit]):
                    continue
                waits, _, is_last = flat[unit][at[unit]]
                here = left[unit] > 0 or draw.random() >= pause
                valid |= here << unit
                last |= is_last << unit
                done |= (left[unit] == 1) << unit
                for other in range(COUNT):
                    ctx.set(core.waits[unit][other], waits.get(other, 0))
            ctx.set(core.valid, valid)
            ctx.set(core.last, last)
            ctx.set(core.done, done)
            started = ctx.get(core.start)
            for unit in range(COUNT):
                if left[unit]:
                    left[unit] -= 1
                    at[unit] += left[unit] == 0
                if started >> unit & 1:
                    starts.append((unit, at[unit], cycle))
                    left[unit] = flat[unit][at[unit]][1]
            if all(at[unit] == len(flat[unit]) for unit in range(COUNT)):
                return
            await ctx.tick()

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return starts


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), blocks=st.integers(1, 3))
def test_starts_as_soon_as_it_may(seed, blocks):
    programs = random_programs(random.Random(seed), blocks)
    assert sorted(simulated(programs, 0)) == sorted(expected(programs))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_late_instructions_delay_and_keep_the_order(seed):
    programs = random_programs(random.Random(seed), 2)
    late = {(unit, index): cycle for unit, index, cycle in simulated(programs, 0.5)}
    for unit, index, cycle in expected(programs):
        assert late[unit, index] >= cycle
