# amaranth: UnusedElaboratable=no
"""The sequencer of attention engines, cycle by cycle against its contract."""

import random
from dataclasses import dataclass, field

import pytest
from amaranth.hdl import Shape, Value
from amaranth.sim import Simulator

from designs.attention import AttentionParams, Binding, Division, Masking
from designs.attention.schedule import Age, LaneOp, PeOp, Schedule
from hwgen.attention.commands import release_slot
from hwgen.attention.interface import North, tile_layout
from hwgen.attention.sequencer import OPERANDS, Sequencer

POINTS = {
    "default": AttentionParams(side=4, e=3, f=5),
    "far": AttentionParams(
        side=2,
        e=3,
        f=2,
        return_registers=16,
        kv_tiles=3,
        query_tiles=3,
        exp_stages=1,
        result_tiles=5,
    ),
    "window": AttentionParams(
        side=4, e=4, f=3, masking=Masking.WINDOW, fma_lanes=False, group=4, kv_tiles=1
    ),
    "divides": AttentionParams(
        side=3, e=2, f=4, lane_stages=2, query_tiles=2, division=Division.EXPOSED
    ),
    "divides_apart": AttentionParams(
        side=3, e=2, f=1, binding=Binding.SEQUENTIAL, division=Division.EXPOSED
    ),
    "apart": AttentionParams(
        side=3,
        e=2,
        f=4,
        binding=Binding.SEQUENTIAL,
        masking=Masking.NONE,
        query_tiles=2,
        result_tiles=1,
    ),
}


@dataclass
class Expected:
    """What a sequencer does by its contract; `tiles`: of each epoch its tile, or None."""

    params: AttentionParams
    tiles: list = field(default_factory=list)
    slot: int = 0
    halves: list = field(default_factory=list)  # of each in use: whether it ends a job
    in_job: bool = False

    def __post_init__(self):
        self.schedule = Schedule.of(self.params)
        self.all_slots = self.schedule.slots + self.schedule.tail

    def at(self, age, coming=None):
        """Number of the epoch whose tile has an age, and that tile; `coming`: in the epoch next."""
        tiles = self.tiles if coming is None else [*self.tiles, coming[0]]
        number = len(tiles) - 1 - self.schedule.delay(age)
        return number, tiles[number] if number >= 0 else None

    def count(self, number, name):
        """Tiles before an epoch that have a field."""
        return sum(1 for tile in self.tiles[:number] if tile and tile[name])

    def step(self, line, there, freed):
        """What is seen in this cycle, and after it, of what is there and not."""
        p, seen = self.params, dict.fromkeys(("begins", "waits", "ended"), False)
        seen |= {f"take_{name}": False for name in OPERANDS}
        begun = False
        if self.slot == 0:
            new = (
                line if line and there["keys"] and (there["queries"] or not line["first"]) else None
            )
            _, scored = self.at(Age.SCORED, (new,))
            _, weighed = self.at(Age.WEIGHED, (new,))
            recent = self.tiles[-p.lag - 1 :] if p.lag else []
            draining = any(tile and tile["end"] for tile in recent)
            room = not (scored and scored["last"]) or len(self.halves) < p.result_tiles
            begun = bool(new or draining) and (not weighed or there["values"]) and room
            seen["waits"] = not begun and bool(self.in_job or draining or not self.halves)
            if begun:
                self.tiles.append(new)
                seen["begins"] = bool(new)
                seen["take_queries"] = bool(new and new["first"])
                seen["take_keys"] = bool(new and new["kv_done"])
                seen["take_values"] = bool(weighed and weighed["kv_done"])
                self.in_job = self.in_job if not new else not new["end"]
        if freed:
            seen["ended"] = self.halves.pop(0)
        if begun and scored and scored["last"]:
            self.halves.append(bool(scored["end"]))
        issued = self.slot if begun or self.slot else None
        _, weighed = self.at(Age.WEIGHED)
        ends = bool(weighed and weighed["last"])
        length = len(self.all_slots if ends else self.schedule.slots)
        self.slot = (self.slot + 1) % length if issued is not None else 0
        return seen, issued

    def commands(self, issued):
        """What the commands of a slot say, as far as someone listens."""
        p = self.params
        found = {"pe": PeOp.IDLE, "source": North.ZERO, "lane": LaneOp.IDLE}
        found |= {"keys": 0, "values": 0, "queries": 0}
        if issued is None:
            return found
        slot, slots = self.all_slots[issued], self.schedule.slots
        number, tile = self.at(slot.pe_age)
        lag = p.lag + 1
        if tile:
            found["pe"] = slot.pe
            index = slot.pe_index
            if slot.pe == PeOp.SCORE:
                place = self.count(number, "kv_done") % p.kv_tiles
                found |= {"source": North.QUERY, "west": place * p.e + index}
                found |= {"north": tile["query"] * p.e + index, "fresh": index == 0}
            if slot.pe == PeOp.WEIGH:
                found["west"] = self.count(number, "kv_done") % p.kv_tiles * p.f + index
            if slot.pe in (PeOp.UPPER, PeOp.LOWER):
                diagonal = tile.get("diagonal", 0)
                found["source"] = North.DIAGONAL if diagonal else North.BOUND
                found["bound"] = tile["upper" if slot.pe == PeOp.UPPER else "lower"]
            if slot.pe == PeOp.MAXIMUM:
                found["source"] = North.LEAST
            if slot.pe == PeOp.SUBTRACT:
                found |= {"source": North.MAXIMUM, "west": tile["shift"]}
                if p.lag > 1:
                    found["entry"] = self.count(number, "is_tile") % p.lag
            if slot.pe not in (PeOp.IDLE, PeOp.WEIGH) and p.lag:
                found["acc"] = (number + 1) % lag
        number, tile = self.at(slot.lane_age)
        if tile and slot.lane != LaneOp.IDLE:
            found |= {"lane": slot.lane, "first": tile["first"]}
            if slot.lane in (LaneOp.MAXIMUM, LaneOp.SUBTRACT):
                found |= {"shift": tile["shift"], "ring": (number + 1) % lag}
            if slot.lane in (LaneOp.WEIGH, LaneOp.SCALE, LaneOp.DIVIDE):
                found["index"] = slot.lane_index
            if slot.lane not in (LaneOp.MAXIMUM, LaneOp.SUBTRACT) and slot.lane < LaneOp.SUBTRACT:
                found |= {"last": tile["last"], "state": tile["state"]}
                if tile["last"]:
                    found["half"] = self.count(number, "last") % p.result_tiles
        _, new = self.at(Age.NEW)
        _, weighed = self.at(Age.WEIGHED)
        if new and issued == release_slot(slots, PeOp.SCORE):
            found |= {"keys": new["kv_done"], "queries": new["query_release"]}
        if weighed and issued == release_slot(slots, PeOp.WEIGH):
            found["values"] = weighed["kv_done"]
        return found


def shown(ctx, sequencer):
    """What the commands say in this cycle, under the names of `Expected.commands`."""
    west, north, lane = sequencer.west, sequencer.north, sequencer.lane
    bound = Value.cast(north.operand)
    values = {
        "pe": west.pe.op,
        "fresh": west.pe.fresh,
        "west": west.operand,
        "source": north.source,
        "north": north.operand,
        "entry": north.operand,
        "lane": lane.op,
        **{name: getattr(lane, name) for name in ("first", "last", "state", "shift", "ring")},
        **{name: getattr(lane, name) for name in ("index", "half")},
        **{name: getattr(sequencer.released, name) for name in OPERANDS},
    }
    if sequencer.params.lag:
        values["acc"] = west.pe.acc
    if sequencer.params.masking != Masking.NONE:
        values["bound"] = bound[: sequencer.params.side.bit_length() + 1].as_signed()
    return {name: ctx.get(Value.cast(value)) for name, value in values.items()}


def random_line(params, draw):
    """A line of the tile table, of which any field may be anything; jobs are short."""
    side, line = params.side, {"is_tile": True}
    for name, item in tile_layout(params):
        line[name] = draw.randrange(1 << Shape.cast(item.shape).width)
    line |= {name: draw.randint(-side, side) for name in ("upper", "lower") if name in line}
    line["query"] = draw.randrange(params.query_slots)
    line["state"] = draw.randrange(params.query_tiles)
    line["query_release"] = draw.randrange(params.query_tiles + 1)
    line["end"] = draw.random() < 0.3
    line["last"] |= line["end"]
    return line


def play(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("probability", [0.4, 0.7, 1.0])
@pytest.mark.parametrize("name", POINTS)
def test_every_cycle_is_as_the_contract_has_it(name, probability):
    """Tiles, operands and room for results are there by chance."""
    params, draw = POINTS[name], random.Random(name)
    sequencer, expected = Sequencer(params), Expected(params)
    layout, line = tile_layout(params), None
    ends = []

    async def testbench(ctx):
        nonlocal line
        issued = None
        for _ in range(40 * len(expected.schedule.slots)):
            if line is None and draw.random() < probability:
                line = random_line(params, draw)
            there = {name: draw.random() < probability for name in OPERANDS}
            freed = bool(expected.halves) and draw.random() < 0.05
            for name, value in there.items():
                ctx.set(getattr(sequencer, name), value)
            ctx.set(sequencer.freed, freed)
            ctx.set(sequencer.tile.valid, line is not None)
            if line:
                fields = {name: line[name] for name, _ in layout}
                ctx.set(sequencer.tile.payload, fields)
            wanted = expected.commands(issued)
            commands = shown(ctx, sequencer)
            assert {name: commands[name] for name in wanted} == wanted
            multiplies = wanted["pe"] in (PeOp.SCORE, PeOp.WEIGH)
            slots = params.mac_slots_per_cycle if multiplies else 0
            assert ctx.get(sequencer.events["mac_slots"]) == slots
            wanted, issued = expected.step(line, there, freed)
            assert {name: ctx.get(getattr(sequencer, name)) for name in wanted} == wanted
            assert ctx.get(sequencer.tile.ready) == wanted["begins"]
            if wanted["begins"]:
                line = None
            ends.append(wanted["ended"])
            await ctx.tick()

    play(sequencer, testbench)
    tiles = expected.tiles
    assert any(ends) and len(tiles) > 10
    bubbles = sum(1 for tile in tiles if tile is None)
    assert (bubbles > 0) == (params.lag > 0 and probability < 1)


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("op", [PeOp.SCORE, PeOp.WEIGH])
def test_room_is_given_free_as_early_as_reads_allow(name, op):
    """Of a full ring, whose first transfer comes side + 2 cycles after the slot's issue."""
    params = POINTS[name]
    slots = Schedule.of(params).slots
    reads = {slot.pe_index: at + params.side for at, slot in enumerate(slots) if slot.pe == op}
    released = release_slot(slots, op)

    def overtaken(at):
        return any(at + params.side + 2 + index < read for index, read in reads.items())

    assert len(reads) == (params.e if op == PeOp.SCORE else params.f)
    assert not overtaken(released)
    assert released == 0 or overtaken(released - 1)
