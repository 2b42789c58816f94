"""Instructions of a vector unit: what they mean in plain numpy, and what the unit makes of them."""

from dataclasses import dataclass, field

import numpy as np
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from designs.vector import Function, Reduction
from hwgen.vector.interface import (
    Addend,
    Factor,
    Kind,
    Source,
    Target,
    instruction_layout,
)
from hwgen.vector.unit import VectorUnit

SIGN = np.uint32(1 << 31)


def bits(numbers):
    """The patterns of float32 numbers, as unsigned words."""
    return np.asarray(numbers, dtype=np.float32).view(np.uint32)


def numbers(patterns):
    """The float32 numbers of unsigned words."""
    return np.asarray(patterns, dtype=np.uint32).view(np.float32)


def order(values):
    """IEEE's totalOrder, as unsigned words."""
    words = bits(values)
    return np.where(words & SIGN, ~words, words | SIGN)


def greater(a, b):
    return np.where(order(a) > order(b), a, b).astype(np.float32)


def lesser(a, b):
    return np.where(order(a) > order(b), b, a).astype(np.float32)


FUNCTIONS = {
    Function.ADD: lambda m, q: m + q,
    Function.MAX: greater,
    Function.MIN: lesser,
    Function.SCALE: lambda m, q: numbers(bits(m) + (bits(q) << np.uint32(23))),
    Function.SEED: lambda m, q: numbers(bits(q) - bits(m)),
}

REDUCTIONS = {
    Reduction.SUM: (np.float32(0), lambda a, z: a + z),
    Reduction.MAX: (np.float32(-np.inf), greater),
    Reduction.ABSMAX: (np.float32(0), lambda a, z: greater(a, np.abs(z))),
}


def reduced(reduction, lane_count, z):
    """Lane by lane in order, then neighbours."""
    neutral, join = REDUCTIONS[reduction]
    lanes = np.full(lane_count, neutral, dtype=np.float32)
    for start in range(0, len(z), lane_count):
        word = z[start : start + lane_count]
        lanes[: len(word)] = join(lanes[: len(word)], word)
    while len(lanes) > 1:
        lanes = join(lanes[::2], lanes[1::2])
    return lanes[0]


def instruction(**fields):
    """An instruction; what is left out is zero, addresses are (bank, word)."""
    for name in ("x_at", "y_at", "z_at"):
        if name in fields:
            bank, word = fields[name]
            fields[name] = {"bank": bank, "word": word}
    return fields


@dataclass
class Machine:
    """The state of a vector unit, which `execute` changes as an instruction should."""

    params: object
    scalars: list = field(default_factory=list)
    banks: list = field(default_factory=list)

    def __post_init__(self):
        p = self.params
        self.scalars = [np.float32(0)] * p.registers + list(
            numbers(np.array(p.constants, np.uint32))
        )
        self.banks = [np.zeros(p.bank_words * p.lanes, np.float32) for _ in range(2)]

    def at(self, address, length):
        start = address.get("word", 0) * self.params.lanes
        return self.banks[address.get("bank", 0)][start : start + length]

    def execute(self, fields, taken=()):
        """What leaves on `o`; `taken` are the words that come in on `i`, element by element."""
        f = {"kind": Kind.PASS, "x": Source.MEMORY, "p": Factor.SCALAR, "q": Addend.SCALAR}
        f |= {"function": Function.ADD, "reduction": Reduction.NONE, "target": Target.NOWHERE}
        f |= fields
        scalar = {name: self.scalars[f.get(f"{name}_scalar", 0)] for name in "xpq"}
        with np.errstate(all="ignore"):
            if f["kind"] == Kind.DIVIDE:
                self.scalars[f["z_scalar"]] = scalar["x"] / scalar["p"]
                return None
            if f["kind"] == Kind.SQUARE_ROOT:
                self.scalars[f["z_scalar"]] = np.sqrt(scalar["x"])
                return None
            z = self.results(f, f["last"] + 1, scalar, np.asarray(taken, np.uint32))
            if f["reduction"] != Reduction.NONE:
                total = reduced(f["reduction"], self.params.lanes, z)
                self.scalars[f.get("z_scalar", 0)] = total
        if f["target"] == Target.MEMORY:
            words = -(-len(z) // self.params.lanes)
            place = self.at(f["z_at"], words * self.params.lanes)
            place[:] = 0
            place[: len(z)] = z
        return z if f["target"] == Target.STREAM else None

    def results(self, f, length, scalar, taken):
        streamed = taken.view(np.int32).astype(np.float32) if f.get("integer") else numbers(taken)
        y = self.at(f.get("y_at", {}), length)
        x = {
            Source.MEMORY: self.at(f.get("x_at", {}), length),
            Source.STREAM: streamed,
            Source.SCALAR: np.full(length, scalar["x"]),
        }[f["x"]]
        p = {Factor.SCALAR: scalar["p"], Factor.Y: y, Factor.X: x, Factor.STREAM: streamed}
        q = {Addend.SCALAR: np.full(length, scalar["q"]), Addend.Y: y}[f["q"]]
        return FUNCTIONS[f["function"]](x * p[f["p"]], q)


def words_of(patterns, lane_count):
    """Transfers: `lane_count` elements each, zeros behind the last."""
    padded = np.zeros(-(-len(patterns) // lane_count) * lane_count, np.uint32)
    padded[: len(patterns)] = patterns
    return [
        sum(int(pattern) << 32 * lane for lane, pattern in enumerate(word))
        for word in padded.reshape(-1, lane_count)
    ]


@dataclass
class Run:
    """What a unit did: when instructions were taken and done, which words left, and its events."""

    taken: list = field(default_factory=list)
    done: list = field(default_factory=list)
    words: list = field(default_factory=list)
    lasts: list = field(default_factory=list)
    in_cycles: list = field(default_factory=list)
    out_cycles: list = field(default_factory=list)
    events: dict = field(default_factory=dict)


def elements_of(words, lane_count):
    """The patterns in transfers, in order."""
    elements = [word >> 32 * lane & 0xFFFFFFFF for word in words for lane in range(lane_count)]
    return np.array(elements, np.uint32)


class Player:
    """Offers instructions (fields or words) and what comes in on `i` to a unit, cycle by cycle.

    waits(): whether a side makes the other wait in this cycle.
    """

    def __init__(self, params, unit, program, waits):
        self.unit, self.waits, self.seen = unit, waits, Run()
        layout = instruction_layout(params)
        self.instructions = [
            told if isinstance(told, int) else layout.const(told).as_bits() for told, _ in program
        ]
        self.words = [word for _, taken in program for word in words_of(taken, params.lanes)]
        self.sent = self.fed = self.cycle = 0
        self.offered = False

    async def step(self, ctx):
        unit, seen = self.unit, self.seen
        gives = self.sent < len(self.instructions)
        if gives:
            ctx.set(unit.instruction.payload.as_value(), self.instructions[self.sent])
        ctx.set(unit.instruction.valid, gives)
        self.offered = self.offered or (self.fed < len(self.words) and not self.waits())
        ctx.set(unit.i.valid, self.offered)
        if self.offered:
            ctx.set(unit.i.payload.as_value(), self.words[self.fed])
        takes = not self.waits()
        ctx.set(unit.o.ready, takes)
        _, _, ready, done, i_ready, o_valid, word, last, *counts = await ctx.tick().sample(
            unit.instruction.ready,
            unit.done,
            unit.i.ready,
            unit.o.valid,
            unit.o.payload.elements.as_value(),
            unit.o.payload.last,
            *unit.events.values(),
        )
        if ready and gives:
            seen.taken.append(self.cycle)
            self.sent += 1
        if done:
            seen.done.append(self.cycle)
        if self.offered and i_ready:
            self.fed, self.offered = self.fed + 1, False
            seen.in_cycles.append(self.cycle)
        if o_valid and takes:
            seen.words.append(word)
            seen.lasts.append(last)
            seen.out_cycles.append(self.cycle)
        for name, value in zip(unit.events, counts, strict=True):
            seen.events[name] = seen.events.get(name, 0) + value
        self.cycle += 1


def simulate(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def run(params, program, waits=None):
    """Plays a program to its end: what the unit did."""
    unit = VectorUnit(params)
    player = Player(params, unit, program, waits or (lambda: False))

    async def testbench(ctx):
        while len(player.seen.done) < len(program):
            await player.step(ctx)
            assert player.cycle < 20_000, "the unit hangs"

    simulate(unit, testbench)
    return player.seen


def reset_midway(params, program, cycles):
    """Resets a unit that many cycles into a program; what leaves when it is played again."""
    unit, reset, words = VectorUnit(params), Signal(), []

    async def testbench(ctx):
        player = Player(params, unit, program, lambda: False)
        for _ in range(cycles):
            await player.step(ctx)
        ctx.set(unit.instruction.valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        again = Player(params, unit, program, lambda: False)
        while len(again.seen.done) < len(program):
            await again.step(ctx)
        words.extend(again.seen.words)

    simulate(ResetInserter(reset)(unit), testbench)
    return words
