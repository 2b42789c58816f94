"""VECTOR of a device: where what it takes in comes from, and where what it gives goes."""

import itertools
import random

import numpy as np
import pytest
from amaranth.sim import Simulator
from npu_pim_device_grid import LEAST, device
from vector_passes import Machine, bits, elements_of, words_of

from designs.npu_pim.instructions import Instruction, units
from designs.npu_pim.params import Site
from designs.npu_pim.vector import (
    DEVICE_CONSTANTS,
    DeviceSink,
    DeviceSource,
    Input,
    Output,
    Register,
)
from designs.vector import Pass, Reduction
from designs.vector_passes import Formula, Passes, VectorPlaces
from hwgen.npu_pim.device_encoding import program_words
from hwgen.npu_pim.device_interface import operation_layouts, vector_params
from hwgen.npu_pim.device_vector import DeviceVector
from hwgen.scheduler import scheduled_layout
from hwgen.vector import instruction_fields

POINTS = {
    "least": LEAST,
    "two_channels": device(vector_lanes=2, side=8),
    "on_array": device(vector_lanes=2, attention=Site.ARRAY, panel_bytes=2048),
}
LONGEST, LEAVING = 7, 17
"""Of a pass, and of one to `o`: so long that it still takes words in when its first ones leave."""
WORDS = 12
"""Of a memory of sums that are filled: passes begin in the first two."""


def sources(p):
    """Every input, of every channel."""
    results = [] if p.on_array else [(Input.RESULTS, one) for one in range(p.channels)]
    return [(Input.X, 0), (Input.C, 0), (Input.SUMS, 0), *results]


def sinks(p):
    """Every output, of every channel: codes at a word of their own, and behind those before."""
    memories = [(Output.CODES, 0), *((Output.STORE, one) for one in range(p.channels))]
    return [(Output.RESULT, 0, False), *((*one, begins) for one in memories for begins in (1, 0))]


def operations(p, draw):
    """Passes of every input to every output, with some of memory and scalars between them."""
    places = VectorPlaces(lanes=p.vector_lanes, bank_words=p.bank_words, temporary_words=8, first=0)
    write, held = Passes(places, len(Register), DEVICE_CONSTANTS), places.temporary(0, 0)
    write.run(1, Formula(DeviceSource(input=Input.X)), reduce=(Reduction.MAX, Register.MEAN))
    for output, channel, begins in sinks(p):  # where codes are before any go on behind them
        if begins:
            sink = DeviceSink(output=output, channel=channel, address=1)
            write.run(1, Formula(write.constant("one")), to=sink)
    pairs = list(itertools.product(sources(p), sinks(p)))
    draw.shuffle(pairs)
    for (given, of), (output, to, begins) in pairs:
        if given == Input.RESULTS and output == Output.STORE and of != to:
            continue  # an instruction names one channel
        source = DeviceSource(input=given, channel=of, address=draw.randrange(2))
        sink = DeviceSink(output=output, channel=to, begins=bool(begins), address=draw.randrange(2))
        length = LEAVING if output == Output.RESULT else draw.randint(1, LONGEST)
        if output == Output.RESULT or draw.random() < 0.8:
            write.run(length, Formula(source, q="magic"), to=sink)
        else:
            write.run(length, Formula(source), to=held, reduce=(Reduction.SUM, Register.TOTAL))
            write.divide(Register.SCALE, Register.TOTAL, Register.MEAN)
            write.run(length, Formula(held, Register.SCALE), to=sink)
    return write.operations


def filled(p, draw):
    """Numbers in the memories that VECTOR reads, by input and channel; mostly small ones."""

    def numbers(ports, number_bits):
        wide = 1 << number_bits - 1
        ranges = ((-128, 128), (-wide, wide))
        return [draw.randrange(*draw.choice(ranges)) for _ in range(WORDS * ports)]

    results = {} if p.on_array else {one: numbers(p.channel.banks, 32) for one in range(p.channels)}
    memories = {(Input.RESULTS, one): words for one, words in results.items()}
    return memories | {(Input.SUMS, 0): numbers(p.array.cols, p.array.acc_bits)}


def ports(p, where):
    """Numbers in a word of a memory: of sums or results, of codes."""
    sizes = {Input.SUMS: p.array.cols, Input.RESULTS: p.channel.banks}
    sizes_of_codes = {Output.CODES: p.array.rows, Output.STORE: p.channel.access_bytes}
    return sizes[where] if isinstance(where, Input) else sizes_of_codes[where]


def brought(p, listed, memories, draw):
    """The patterns that each operation takes in."""
    patterns = []
    for one in listed:
        source = one.stream if isinstance(one, Pass) else None
        if source is None:
            patterns.append(np.zeros(0, np.uint32))
        elif source.is_integer:
            where = (source.input, source.channel)
            first = source.address * ports(p, source.input)
            numbers = memories[where][first : first + one.length]
            patterns.append(np.array(numbers, np.int32).view(np.uint32))
        else:
            patterns.append(bits([draw.randint(-120, 120) for _ in range(one.length)]))
    return patterns


def expected(p, listed, patterns):
    """Of each operation: which memory it starts to read, what leaves, which codes go where."""
    machine, at, told = Machine(vector_params(p)), {}, []
    for one, taken in zip(listed, patterns, strict=True):
        z = machine.execute(instruction_fields(one), taken)
        source = one.stream if isinstance(one, Pass) else None
        reads = [(source.input, source.channel)] if source and source.is_integer else []
        leaves, codes = [], []
        if z is not None and one.to.output == Output.RESULT:
            leaves = bits(z).tolist()
        elif z is not None:
            where = (one.to.output, one.to.channel)
            if one.to.begins:
                at[where] = one.to.address * ports(p, one.to.output)
            low = bits(z).astype(np.uint8).tolist()
            codes = [(where, at[where] + index, code) for index, code in enumerate(low)]
            at[where] += -(-len(z) // p.vector_lanes) * p.vector_lanes
        told.append((reads, leaves, codes))
    return told


class Bench:
    """Everything around VECTOR, cycle by cycle; `waits`: how often a stream makes it wait."""

    def __init__(self, p, memories, waits):
        self.p, self.memories, self.waits = p, memories, waits
        self.core, self.draw = DeviceVector(p), random.Random(1)
        self.read_at = dict.fromkeys(memories, 0)
        self.reading, self.write_at = None, {}
        self.given = {Input.X: [], Input.C: []}
        self.offered = dict.fromkeys(self.given, False)
        self.ins = {Input.X: self.core.x, Input.C: self.core.c}
        core = self.core
        self.sampled = {
            "done": (core.done,),
            "sums": (core.sums_start, core.sums_take),
            "codes": (core.codes_start, core.codes_write),
            "store": (core.store_start, core.store_write),
            "o": (core.o.valid, core.o.payload.as_value(), core.codes),
            "ready": (core.x.ready, core.c.ready),
        }
        if not p.on_array:
            self.sampled["results"] = (core.results_start, core.results_take)

    def word(self, where):
        """The lanes that a memory shows."""
        number_bits = self.p.array.acc_bits if where[0] == Input.SUMS else 32
        first, lanes = self.read_at[where], self.p.vector_lanes
        parts = self.memories[where][first : first + lanes]
        mask = (1 << number_bits) - 1
        return sum((one & mask) << number_bits * lane for lane, one in enumerate(parts))

    def drive(self, ctx):
        """What is there in this cycle."""
        core = self.core
        for name, stream in self.ins.items():
            self.offered[name] |= bool(self.given[name]) and self.draw.random() >= self.waits
            ctx.set(stream.valid, self.offered[name])
            if self.offered[name]:
                ctx.set(stream.payload.as_value(), self.given[name][0])
        ctx.set(core.sums, self.word((Input.SUMS, 0)))
        for (given, channel), _ in self.memories.items():
            if given == Input.RESULTS:
                ctx.set(core.results[channel], self.word((given, channel)))
        takes = self.draw.random() >= self.waits
        ctx.set(core.o.ready, takes)
        return takes

    def read(self, where, starts, takes, address):
        """One memory of sums; it if it starts, or is taken from and was not started."""
        if starts:
            self.read_at[where] = address * ports(self.p, where[0])
            self.reading = where
        elif takes:
            self.read_at[where] += self.p.vector_lanes
        return [where] if starts or (takes and where != self.reading) else []

    def write(self, where, starts, writes, address, word):
        """One memory of codes; what is written."""
        if starts:
            self.write_at[where] = address * ports(self.p, where[0])
        if not writes:
            return []
        first, lanes = self.write_at[where], self.p.vector_lanes
        self.write_at[where] += lanes
        return [(where, first + lane, word >> 8 * lane & 255) for lane in range(lanes)]

    async def play(self, ctx, told):
        """One instruction: memories started, words that leave, codes, cycles, first transfer."""
        core, started, leaves, codes = self.core, [], [], []
        self.reading = None
        ctx.set(core.instruction.as_value(), told.as_bits())
        for cycle in itertools.count():
            assert cycle < 1000, "VECTOR hangs"
            ctx.set(core.start, cycle == 0)
            o_taken = self.drive(ctx)
            flat = [one for group in self.sampled.values() for one in group]
            _, _, *values = await ctx.tick().sample(*flat)
            left = iter(values)
            seen = {
                name: list(itertools.islice(left, len(group)))
                for name, group in self.sampled.items()
            }
            for name, ready in zip(self.ins, seen["ready"], strict=True):
                if self.offered[name] and ready:
                    self.given[name].pop(0)
                    self.offered[name] = False
            for where in self.memories:
                pulses = seen["sums"] if where[0] == Input.SUMS else seen["results"]
                starts, takes = (pulse >> where[1] & 1 for pulse in pulses)
                started += self.read(where, starts, takes, told.address)
            valid, element_word, code_word = seen["o"]
            for output, pulses in ((Output.CODES, seen["codes"]), (Output.STORE, seen["store"])):
                for channel in range(self.p.channels if output == Output.STORE else 1):
                    starts, writes = (pulse >> channel & 1 for pulse in pulses)
                    where = (output, channel)
                    codes += self.write(where, starts, writes, told.out_address, code_word)
            if valid and o_taken:
                leaves.append(element_word)
            if seen["done"][0]:
                return started, leaves, codes, cycle


def played(p, listed, patterns, memories, waits):
    """What VECTOR does for each operation."""
    bench, told = Bench(p, memories, waits), []
    program = {unit: [] for unit in units(p)}
    program["vector"] = [Instruction(operation=one, waits={}) for one in listed]
    layout = scheduled_layout(len(units(p)), operation_layouts(p)["vector"])
    words = program_words(p, program)["vector_program"]
    for one, taken in zip(listed, patterns, strict=True):
        source = one.stream if isinstance(one, Pass) else None
        if source is not None and not source.is_integer:
            bench.given[source.input] += words_of(taken, p.vector_lanes)

    async def testbench(ctx):
        for word in words:
            told.append(await bench.play(ctx, layout.from_bits(word).operation))

    simulator = Simulator(bench.core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return told


@pytest.mark.spread(4)
@pytest.mark.parametrize("waits", [0, 0.4])
@pytest.mark.parametrize("name", POINTS)
def test_inputs_and_outputs(name, waits):
    p, draw = POINTS[name], random.Random(5)
    listed, memories = operations(p, draw), filled(p, draw)
    patterns = brought(p, listed, memories, draw)
    found = played(p, listed, patterns, memories, waits)
    for one, wanted, (started, leaves, codes, cycles) in zip(
        listed, expected(p, listed, patterns), found, strict=True
    ):
        length = one.length if isinstance(one, Pass) else 0
        assert started == wanted[0]
        assert elements_of(leaves, p.vector_lanes)[:length].tolist() == wanted[1]
        assert len(leaves) == -(-len(wanted[1]) // p.vector_lanes)
        assert codes[: len(wanted[2])] == wanted[2]
        assert len(codes) == -(-len(wanted[2]) // p.vector_lanes) * p.vector_lanes
        if length and not waits:
            reduces = one.reduction != Reduction.NONE
            assert cycles + 1 == vector_params(p).pass_cycles(length, reduces=reduces)
