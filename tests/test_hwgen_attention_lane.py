# amaranth: UnusedElaboratable=no
"""A lane on random tiles in the order of the schedule, bit for bit and cycle for cycle."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Value
from amaranth.sim import Simulator
from attention_lanes import arrival, brought, controls, executed

from designs.attention import AttentionParams, Binding, Division, ExpMethod
from designs.attention.schedule import LaneOp
from hwgen.attention.integer_lane import IntegerLane
from hwgen.attention.interface import lane_command
from hwgen.attention.lane import staged_bits
from hwgen.attention.reciprocal import STEP_COUNT
from sim.golden.attention.integer import Integers

SEQUENTIAL = {"binding": Binding.SEQUENTIAL}
APART = {"fma_lanes": False}
STAGES = {"lane_stages": 2}
DIVIDES = {"division": Division.EXPOSED}
POLYNOMIAL = {"exp_method": ExpMethod.POLYNOMIAL}
POINTS = {
    "least": {"side": 1, "e": 1, "f": 1},
    "odd": {"side": 3, "e": 5, "f": 3},
    "resident": {"side": 3, "e": 2, "f": 3, "query_tiles": 3},
    "resident_one": {"side": 2, "e": 3, "f": 1, "query_tiles": 2},
    "late": {"side": 40, "e": 3, "f": 4, "query_tiles": 2},
    "sequential": {"side": 3, "e": 2, "f": 2} | SEQUENTIAL,
    "apart": {"side": 2, "e": 3, "f": 5} | APART,
    "apart_least": {"side": 1, "e": 1, "f": 1} | APART,
    "apart_sequential": {"side": 2, "e": 3, "f": 2, "query_tiles": 2} | APART | SEQUENTIAL,
    "one_stage": {"side": 2, "e": 6, "f": 6, "exp_stages": 1},
    "two_stages": {"side": 2, "e": 6, "f": 6, "exp_stages": 2} | APART,
    "polynomial": {"side": 2, "e": 2, "f": 4, "exp_degree": 5} | POLYNOMIAL,
    "polynomial_apart": {"side": 2, "e": 2, "f": 4, "exp_degree": 2} | POLYNOMIAL | APART,
    "one_result": {"side": 2, "e": 9, "f": 2, "result_tiles": 1} | SEQUENTIAL,
    "results": {"side": 2, "e": 3, "f": 3, "query_tiles": 4, "result_tiles": 3},
    "two_cycles": {"side": 2, "e": 3, "f": 5, "query_tiles": 3} | STAGES,
    "two_cycles_least": {"side": 1, "e": 1, "f": 1} | STAGES | SEQUENTIAL,
    "divides": {"side": 2, "e": 3, "f": 5, "query_tiles": 3} | DIVIDES,
    "divides_least": {"side": 1, "e": 1, "f": 1, "max_keys": 3} | DIVIDES,
    "divides_apart": {"side": 2, "e": 3, "f": 3, "result_tiles": 3} | DIVIDES | APART,
    "divides_later": {"side": 2, "e": 3, "f": 2} | DIVIDES | STAGES | SEQUENTIAL,
    "few_keys": {"side": 5, "e": 2, "f": 2, "max_keys": 15} | APART,
    "many_keys": {"side": 4, "e": 2, "f": 2, "max_keys": 2**20, "query_tiles": 4},
}
RUNS = 8
"""Runs of tiles from a first to a last, for each of the resident queries."""


class Watched:
    """A lane, what it is given in each cycle, and what it shows in each."""

    lane = IntegerLane
    brought = staticmethod(brought)
    reciprocal_cycles = STEP_COUNT + 2

    def __init__(self, params, rng):
        self.params, self.rng = params, rng
        self.table = controls(params, rng, RUNS)
        self.tiles = self.brought(params, rng, self.table)
        self.slots = executed(params, rng, self.table)
        self.shown = []
        # A staged word is read just before a later tile could write to the same half.
        self.reads = {
            slot.cycle + params.result_tiles * params.epoch - 1: slot
            for slot in self.slots
            if slot.op == (LaneOp.DIVIDE if params.divides else LaneOp.WEIGH)
            and self.table[slot.number].last
        }
        simulator = Simulator(lane := self.lane(params))
        simulator.add_clock(1e-6)
        simulator.add_testbench(self.bench(lane))
        simulator.run()

    def command(self, slot):
        """A slot's command; one without work has anything in its other fields."""
        layout = lane_command(self.params)
        if slot is not None:
            return layout.const(slot.command(self.params, self.table))
        return layout.from_bits(int(self.rng.integers(1 << layout.size)) >> 4 << 4)

    def bench(self, lane):
        outputs = {
            "rm_valid": lane.rm_valid,
            "rm": lane.rm,
            "numerator": lane.numerator,
            "done": lane.done,
            **{
                f"reciprocal_{half}": Value.cast(lane.reciprocals[half])
                for half in range(self.params.result_tiles)
            },
            **lane.events,
        }
        all_outputs = Cat(outputs.values())

        async def drive(ctx):
            by_cycle = {slot.cycle: slot for slot in self.slots}
            norths = {}
            for slot in self.slots:
                norths |= arrival(self.params, slot, self.tiles)
            reach = 1 << self.params.link_bits - 1
            for cycle in range(max(by_cycle) + self.params.result_tiles * self.params.epoch + 1):
                ctx.set(lane.command, self.command(by_cycle.get(cycle + 1)))
                noise = int(self.rng.integers(-reach, reach))
                ctx.set(lane.north, norths.get(cycle, noise))
                read = self.reads.get(cycle)
                ctx.set(lane.read_enable, read is not None)
                if read is not None:
                    half = self.table[read.number].half
                    width = (self.params.result_tiles - 1).bit_length()
                    ctx.set(lane.read_address, (read.index << width) + half)
                word, show = ctx.get(all_outputs), {}
                for name, output in outputs.items():
                    show[name] = word & (1 << len(output)) - 1
                    word >>= len(output)
                self.shown.append(show)
                await ctx.tick()

        return drive

    def staged(self, query):
        """What a lane leaves of a query, index by index."""
        if not self.params.divides:
            return query.rnv
        golden = Integers(params=self.params, shift=np.int64(0))
        return golden.quotients(np.int64(query.rd), np.int64(query.rnv)).tolist()

    def reciprocal(self, denominator):
        """What a lane shows, or None where that does not matter."""
        if not denominator:
            return None
        shift = self.params.denominator_bits - denominator.bit_length()
        m = denominator << shift >> self.params.denominator_bits - 16
        return 2**31 // m | shift << 17


def unsigned(value, bits):
    """A number of two's complement as what a simulator shows."""
    return value & (1 << bits) - 1


@pytest.mark.parametrize("point", POINTS)
def test_random_tiles(point):
    check(Watched(AttentionParams(**POINTS[point]), np.random.default_rng(len(point))))


def check(watched):
    """Maxima, numerators and reciprocals are what they should be, when they should."""
    params, shown, table, tiles = watched.params, watched.shown, watched.table, watched.tiles
    maxima = {
        slot.cycle: unsigned(tiles[slot.number].after.rm, params.score_bits)
        for slot in watched.slots
        if slot.op == LaneOp.MAXIMUM
    }
    assert maxima == {cycle: show["rm"] for cycle, show in enumerate(shown) if show["rm_valid"]}
    for cycle, slot in watched.reads.items():
        word = watched.staged(tiles[slot.number].after)[slot.index]
        if word is not None:
            assert shown[cycle + 1]["numerator"] == unsigned(word, staged_bits(params))
    for slot in watched.slots:
        if slot.op == LaneOp.SUM and table[slot.number].last:
            half, rd = table[slot.number].half, tiles[slot.number].after.rd
            start = slot.cycle + params.lane_stages - 1
            check_reciprocal(watched, shown[start:], half, rd)
    firsts, lasts = (sum(getattr(control, end) for control in table) for end in ("first", "last"))
    divided = lasts * params.divides
    accesses = {
        "numerator_reads": params.f * (len(table) - firsts + divided),
        "numerator_writes": params.f * (len(table) - lasts + divided),
        "staging_writes": params.f * lasts,
    }
    assert accesses == {name: sum(show[name] for show in shown) for name in accesses}
    ends = [tile.after for control, tile in zip(table, tiles, strict=True) if control.last]
    assert not all(end.rd for end in ends)


def check_reciprocal(watched, shown, half, denominator):
    """It is there when it should be, and still when all of its tile has been read."""
    ready, expected = watched.reciprocal_cycles, watched.reciprocal(denominator)
    done = [show["done"] >> half & 1 for show in shown[2 : ready + 1]]
    assert done == [0] * (ready - 2) + [1]
    if expected is not None:
        for show in (shown[ready], shown[ready + 2 * watched.params.f]):
            assert show[f"reciprocal_{half}"] == expected
