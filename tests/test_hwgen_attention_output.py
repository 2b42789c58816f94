# amaranth: UnusedElaboratable=no
"""Results as the lanes keep them, divided and sent, bit for bit and cycle for cycle."""

from types import SimpleNamespace

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from attention_lanes import arrival, brought, controls, slots_of, tail_of
from bit_parallel import BitParallel

from designs.attention import AttentionParams, Binding, Division, ExpMethod
from designs.attention.schedule import Age, LaneOp, Schedule
from hwgen.attention.combined_output import STAGES as COMBINED_STAGES
from hwgen.attention.combined_output import CombinedOutput
from hwgen.attention.interface import lane_command, o_layout
from hwgen.attention.lanes import Lanes
from hwgen.attention.output import STAGES, IntegerOutput, Output, clipped, reading, steps
from hwgen.attention.reciprocal import STEP_COUNT
from sim.golden.attention.cascade import combined
from sim.golden.attention.integer import Integers


def golden(params, rd, rnv):
    """Outputs of denominators (queries) and numerators (queries, f)."""
    return Integers(params=params, shift=np.int64(0)).quotients(np.int64(rd), np.int64(rnv))


def golden_of_lanes(params, shift, ends):
    """Outputs (queries, f) of what the lanes end with, whose groups are combined."""
    groups = np.reshape(np.arange(params.side), (params.splits, -1))
    states = [
        SimpleNamespace(
            rm=np.array([ends[j].rm for j in group]),
            rd=np.array([ends[j].rd for j in group]),
            rnv=np.array([ends[j].rnv for j in group]),
        )
        for group in groups
    ]
    return golden(params, *combined(Integers(params=params, shift=np.array([[shift]])), states))


@pytest.mark.parametrize("max_keys", [1, 300, 2**16, 2**20])
def test_quotients(max_keys):
    """Averages of int8 values, and up to 1 more, as roundings may make them."""
    params = AttentionParams(side=1, max_keys=max_keys)
    rng = np.random.default_rng(max_keys)
    count = 40_000
    top = max_keys << 15
    rd = np.maximum(rng.integers(0, top + 1, count) >> rng.integers(0, 20, count), 1 << 15)
    full = np.array([(1 << int(word).bit_length()) - 1 for word in rd])
    rd = np.where((full <= top) & rng.integers(2, size=count), full, rd)
    extremes = np.array([-128.9, -128, 127, 128, 128.9])
    average = rng.choice(extremes, count)
    average = np.where(rng.integers(2, size=count), average, rng.uniform(-128, 128, count))
    rnv = (rd * average).astype(np.int64)
    rnv[:10] = rd[:10] = 0
    left = params.denominator_bits - np.array([int(word).bit_length() for word in rd])
    m = np.maximum(rd << left >> params.denominator_bits - 16, 1)
    half = rng.integers(2, size=count)
    width = 17 + (params.denominator_bits - 1).bit_length()
    wrong = rng.integers(1 << width, size=count)
    entry = 2**31 // m % 2**17 | left % (1 << width - 17) << 17
    entries = np.where(half, entry << width | wrong, wrong << width | entry)
    stimuli = {
        "advance": 1,
        "numerator": rnv & (1 << params.numerator_bits) - 1,
        "reciprocals": entries,
        "shift_half": half,
        "scale_half": 1 - half,
    }
    cycles = BitParallel(IntegerOutput(params)).cycles(stimuli)
    next(cycles)
    stimuli |= {"scale_half": half, "shift_half": 1 - half, "numerator": 0 * rnv}
    next(cycles)
    stimuli |= {"scale_half": 1 - half, "advance": 0}
    for _ in range(2):
        assert (next(cycles)["value"] == golden(params, rd, rnv[:, None])[:, 0] % 2**16).all()


@pytest.mark.parametrize("bits", [1, 3, 5])
def test_clipped(bits):
    for value in range(-32, 32):
        expected = min(max(value, -(1 << bits - 1)), (1 << bits - 1) - 1)
        assert evaluated(value, bits) == expected % (1 << bits)


def evaluated(value, bits):
    class Clip(wiring.Component):
        value: In(6)
        clipped: Out(bits)

        def elaborate(self, platform):
            m = Module()
            m.d.comb += self.clipped.eq(clipped(self.value.as_signed(), bits))
            return m

    found = []

    async def bench(ctx):
        ctx.set(clip.value, value % 64)
        found.append(ctx.get(clip.clipped))

    simulator = Simulator(clip := Clip())
    simulator.add_testbench(bench)
    simulator.run()
    return found[0]


class Back(wiring.Component):
    """Lanes and output, as an engine has them."""

    def __init__(self, params):
        self.params = params
        super().__init__(
            {
                "command": In(lane_command(params)),
                "north": In(params.side * params.link_bits),
                "freed": Out(1),
                "o": Out(stream.Signature(o_layout(params))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.lanes = lanes = Lanes(self.params)
        if self.params.splits > 1:
            m.submodules.output = output = CombinedOutput(self.params)
            m.d.comb += lanes.combine.eq(output.combine)
        else:
            m.submodules.output = output = Output(self.params)
        m.d.comb += [lanes.command.eq(self.command), lanes.north.eq(self.north)]
        m.d.comb += [output.command.eq(lanes.command_out), self.freed.eq(output.freed)]
        m.d.comb += [output.done.eq(lanes.done), output.values.eq(lanes.values)]
        for name in (*reading(self.params), *steps(self.params)):
            m.d.comb += getattr(lanes, name).eq(getattr(output, name))
        wiring.connect(m, output.o, wiring.flipped(self.o))
        return m


class Engine:
    """What starts epochs, as a sequencer would: where a tile needs a half, one must be free.

    transfers: (cycle, values of all lanes, freed) of each; offered: cycles in which `o` is valid.
    """

    def __init__(self, params, rng, ready, waits):
        """`ready`: how probable that is; `waits`: it is only where a transfer is offered."""
        self.params, self.rng, self.ready, self.waits = params, rng, ready, waits
        self.table = controls(params, rng, RUNS)
        self.tiles = [brought(params, rng, self.table) for _ in range(params.side)]
        self.started, self.transfers, self.offered = [], [], []
        self.used = 0
        simulator = Simulator(back := Back(params))
        simulator.add_clock(1e-6)
        simulator.add_testbench(self.bench(back))
        simulator.run()

    def starts(self, schedule, epoch):
        """Whether an epoch can begin; if so, a half is taken where one is needed."""
        number = epoch - schedule.delay(Age.SCORED)
        if not (0 <= number < len(self.table) and self.table[number].last):
            return True
        if self.used == self.params.result_tiles:
            return False
        self.used += 1
        return True

    def bench(self, back):
        p = self.params
        schedule, count = Schedule.of(p), len(self.table)
        epochs = count + schedule.delay(Age.WEIGHED)
        layout = lane_command(p)

        async def drive(ctx):
            due, norths, held = {}, [{} for _ in range(p.side)], None
            epoch, next_start, cycle = 0, 1, 0
            results = sum(control.last for control in self.table) * p.f
            while len(self.transfers) < results:
                assert cycle < 5_000
                if epoch < epochs and cycle + 1 >= next_start and self.starts(schedule, epoch):
                    for slot in slots_of(schedule, epoch, cycle + 1, self.table):
                        due[slot.cycle] = slot
                        for j in range(p.side):
                            for at, value in arrival(p, slot, self.tiles[j]).items():
                                norths[j][at + j] = value
                        self.started.append(slot)
                    next_start = cycle + 1 + len(schedule.slots)
                    next_start += len(tail_of(schedule, epoch, self.table))
                    epoch += 1
                slot = due.get(cycle + 1)
                ctx.set(back.command, layout.const(slot.command(p, self.table) if slot else {}))
                word = 0
                for j in reversed(range(p.side)):
                    word = word << p.link_bits | norths[j].get(cycle, 0) % (1 << p.link_bits)
                ctx.set(back.north, word)
                valid = bool(ctx.get(back.o.valid))
                ready = self.rng.random() < self.ready and (valid or not self.waits)
                ctx.set(back.o.ready, ready)
                values = tuple(ctx.get(back.o.payload[j]) for j in range(p.split_columns))
                freed = bool(ctx.get(back.freed))
                if held is not None:
                    assert valid and values == held
                held = values if valid and not ready else None
                if valid:
                    self.offered.append(cycle)
                if valid and ready:
                    self.transfers.append((cycle, values, freed))
                else:
                    assert not freed
                self.used -= freed
                await ctx.tick()
                cycle += 1

        return drive


RUNS = 6
"""Runs of tiles from a first to a last, for each of the resident queries."""

DIVIDES = {"division": Division.EXPOSED}
POINTS = {
    "least": {"side": 1, "e": 1, "f": 1},
    "odd": {"side": 3, "e": 2, "f": 5},
    "resident": {"side": 2, "e": 2, "f": 3, "query_tiles": 2},
    "sequential": {"side": 2, "e": 3, "f": 2, "binding": Binding.SEQUENTIAL, "query_tiles": 3},
    "apart": {"side": 2, "e": 3, "f": 9, "fma_lanes": False},
    "divides": {"side": 3, "e": 2, "f": 5, "query_tiles": 2} | DIVIDES,
    "divides_apart": {"side": 2, "e": 3, "f": 4, "fma_lanes": False} | DIVIDES,
    "divides_least": {"side": 1, "e": 1, "f": 1, "binding": Binding.SEQUENTIAL} | DIVIDES,
    "three": {"side": 2, "e": 2, "f": 5, "query_tiles": 4, "result_tiles": 3},
    "split": {"side": 4, "e": 2, "f": 3, "splits": 2},
    "split_whole": {"side": 3, "e": 2, "f": 1, "splits": 3, "query_tiles": 2, "exp_stages": 1},
    "split_apart": {
        **{"side": 4, "e": 2, "f": 4, "splits": 4, "fma_lanes": False, "query_tiles": 3},
        **{"result_tiles": 3, "exp_method": ExpMethod.POLYNOMIAL, "exp_degree": 2},
    },
    "split_stages": {"side": 2, "e": 2, "f": 1, "splits": 2, "lane_stages": 2},
    "split_sequential": {
        **{"side": 4, "e": 3, "f": 2, "binding": Binding.SEQUENTIAL, "splits": 2},
        **{"query_tiles": 2, "result_tiles": 1, "exp_stages": 2},
    },
}


@pytest.mark.spread(12)
@pytest.mark.parametrize(("ready", "waits"), [(1.0, False), (0.6, False), (0.2, True)])
@pytest.mark.parametrize("point", POINTS)
def test_query_tiles(point, ready, waits):
    params = AttentionParams(**POINTS[point])
    engine = Engine(params, np.random.default_rng(len(point)), ready, waits)
    expected, frees = [], []
    for number, control in enumerate(engine.table):
        if control.last:
            ends = [tiles[number].after for tiles in engine.tiles]
            outputs = golden_of_lanes(params, control.shift, ends)
            expected += [tuple(row) for row in outputs.T.tolist()]
            frees += [False] * (params.f - 1) + [True]
    assert [values for _, values, _ in engine.transfers] == expected
    assert [freed for _, _, freed in engine.transfers] == frees
    if ready == 1.0:
        assert [cycle for cycle, _, _ in engine.transfers] == on_time(engine)


def on_time(engine):
    """When each transfer is made that never waits."""
    params, found, free, head = engine.params, [], 0, 0
    late = params.side - 1 + params.lane_stages - 1
    each, stages = params.splits, STAGES
    if params.splits > 1:
        stages = params.splits + COMBINED_STAGES
        head = params.splits * (2 + params.exp_slots) + 4
    readable = {}
    for slot in engine.started:
        if engine.table[slot.number].last:
            if slot.op == LaneOp.DIVIDE and slot.index == params.f - 1:
                written = slot.cycle + late + 2 + params.keeps_product
                found += range(max(free, written) + 1, max(free, written) + 1 + params.f)
                free = max(free, written) + params.f
            elif params.divides:
                continue
            if slot.op == LaneOp.SUM:
                divides = max(slot.cycle + late, free if head else 0) + head
                readable[slot.number] = divides + STEP_COUNT + 2
            if slot.op == LaneOp.WEIGH and slot.index == params.f - 1:
                weighed = slot.cycle + late + 1
                free = max(free, readable[slot.number], weighed)
                found += range(free + stages, free + stages + each * params.f, each)
                free += each * params.f
    return found
