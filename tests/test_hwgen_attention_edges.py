# amaranth: UnusedElaboratable=no
"""The edges of attention engines: what rows and columns are given, and maxima on their way back."""

import random

import pytest
from amaranth.hdl import Value
from amaranth.sim import Simulator

from designs.attention import AttentionParams, Element, Masking
from designs.attention.schedule import PeOp
from hwgen.attention.bank import least_score
from hwgen.attention.edges import NorthEdge, WestEdge
from hwgen.attention.interface import North, key_words, query_words, value_words
from hwgen.attention.return_path import ReturnPath

POINTS = {
    "default": AttentionParams(side=3, e=3, f=5),
    "one": AttentionParams(side=1, e=2, f=1, kv_tiles=1),
    "window": AttentionParams(side=4, e=4, f=2, masking=Masking.WINDOW, group=2, query_tiles=2),
    "grouped": AttentionParams(side=2, e=2, f=2, group=2),
    "unmasked": AttentionParams(side=2, e=3, f=2, masking=Masking.NONE),
    "floats": AttentionParams(side=2, e=2, f=3, element=Element.BF16),
    "beats": AttentionParams(side=4, e=3, f=2, port_beats=2),
    "split": AttentionParams(side=4, e=3, f=2, splits=2, port_beats=2, masking=Masking.WINDOW),
    "split_grouped": AttentionParams(side=6, e=2, f=2, splits=3, group=2, element=Element.FP16),
}


def play(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def write(ctx, port, memory, draw, bits, groups=1):
    """Perhaps write values for the banks of a beat into the port, those of each group of columns
    after each other; gives address, bank and its values."""
    enable, address = draw.random() < 0.5, draw.randrange(len(memory))
    values = [draw.getrandbits(bits) for _ in range(len(port.word) // bits)]
    count = len(values) // groups
    beat = draw.randrange(len(memory[0]) // count)
    ctx.set(port.enable, enable)
    ctx.set(port.beat, beat)
    ctx.set(port.address, address)
    ctx.set(port.word, packed(values, bits))
    banks = range(beat * count, (beat + 1) * count)
    rows = [values[place::count] for place in range(count)]
    return [(address, *pair) for pair in zip(banks, rows, strict=True)] if enable else []


def lanes(ctx, port, count):
    """A packed output as unsigned words."""
    word = ctx.get(Value.cast(port).as_unsigned())
    bits = len(Value.cast(port)) // count
    return [word >> at * bits & (1 << bits) - 1 for at in range(count)]


def blank(words, side):
    """A memory of each bank, of which nothing is known."""
    return [[None] * side for _ in range(words)]


@pytest.mark.parametrize("name", POINTS)
def test_a_row_is_given_what_the_command_asks_for(name):
    """Row i, i + 1 cycles after the command; words as they were written i + 1 cycles before."""
    p, draw = POINTS[name], random.Random(name)
    edge = WestEdge(p)
    keys, values = blank(key_words(p), p.side), blank(value_words(p), p.side)
    read, seen = [], []
    ops = [PeOp.SCORE, PeOp.WEIGH, PeOp.UPPER, PeOp.LOWER, PeOp.SUBTRACT, PeOp.SUM]

    async def testbench(ctx):
        commands = []
        for cycle in range(300):
            op, fresh = draw.choice(ops), draw.randrange(2)
            words = {PeOp.SCORE: key_words(p), PeOp.WEIGH: value_words(p)}.get(op, 32)
            operand = draw.randrange(min(words, 1 << len(edge.command.operand)))
            ctx.set(edge.command, {"pe": {"op": op, "fresh": fresh}, "operand": operand})
            commands.append((op, fresh, operand))
            memories = ((edge.keys, keys), (edge.values, values))
            written = [
                write(ctx, port, memory, draw, p.element_bits, p.splits)
                for port, memory in memories
            ]
            west, pe = lanes(ctx, edge.west, p.side), lanes(ctx, edge.pe, p.side)
            for row in range(min(cycle, p.side)):
                op, fresh, operand = commands[cycle - 1 - row]
                expected = read[row]
                assert pe[row] & 15 == op and pe[row] >> len(Value.cast(edge.pe[0])) - 1 == fresh
                if op in (PeOp.UPPER, PeOp.LOWER) and p.masking != Masking.NONE:
                    expected = [row] * p.splits
                if op == PeOp.SUBTRACT and not p.is_float:
                    expected = [operand] * p.splits
                if expected is not None:
                    assert west[row] == packed(expected, p.west_bits)
                    seen.append(op)
            read[:] = [None] * p.side
            for row in range(min(cycle + 1, p.side)):
                op, _, operand = commands[cycle - row]
                if op in (PeOp.SCORE, PeOp.WEIGH):
                    read[row] = (keys if op == PeOp.SCORE else values)[operand][row]
            for memory, words in zip((keys, values), written, strict=True):
                for address, bank, word in words:
                    memory[address][bank] = word
            await ctx.tick()

    play(edge, testbench)
    assert {PeOp.SCORE, PeOp.WEIGH} <= set(seen)


@pytest.mark.parametrize("name", POINTS)
def test_a_column_is_given_what_the_command_asks_for(name):
    """Column j, j + 1 cycles after the command; its bound between 0 and side."""
    p, draw = POINTS[name], random.Random(name)
    columns = p.side // p.splits
    edge, memory = NorthEdge(p), blank(query_words(p), columns)
    sources = list(North)[: 4 if p.masking == Masking.NONE else 6]
    maxima, read, seen = [None] * p.side, [], []

    async def testbench(ctx):
        commands = []
        for cycle in range(400):
            source = draw.choice(sources)
            operand = draw.randrange(query_words(p)) if source == North.QUERY else 0
            if source in (North.BOUND, North.DIAGONAL):
                operand = draw.randint(-p.side, p.splits * p.side)
            ctx.set(edge.command.source, source)
            ctx.set(edge.command.operand, operand)
            commands.append((source, operand))
            coming = [draw.getrandbits(p.score_bits) for _ in range(p.side)]
            valid = draw.getrandbits(p.side)
            ctx.set(edge.maximum_valid, valid)
            ctx.set(Value.cast(edge.maximum), packed(coming, p.score_bits))
            written = write(ctx, edge.queries, memory, draw, p.element_bits)
            north = lanes(ctx, edge.north, p.side)
            for col in range(min(cycle, p.side)):
                source, operand = commands[cycle - 1 - col]
                group, query = divmod(col, columns)
                bound = operand + (query // p.group if source == North.DIAGONAL else 0)
                bound -= group * p.side
                expected = {
                    North.ZERO: 0,
                    North.LEAST: least_score(p) % (1 << p.link_bits),
                    North.QUERY: read[col],
                    North.MAXIMUM: maxima[col],
                }.get(source, min(max(bound, 0), p.side))
                if expected is not None:
                    assert north[col] == expected
                    seen.append(source)
            read[:] = [
                memory[commands[cycle - col][1]][col % columns]
                if commands[cycle - col][0] == North.QUERY
                else None
                for col in range(min(cycle + 1, p.side))
            ]
            maxima[:] = [coming[col] if valid >> col & 1 else maxima[col] for col in range(p.side)]
            for address, bank, (word,) in written:
                memory[address][bank] = word
            await ctx.tick()

    play(edge, testbench)
    assert set(seen) == set(sources)


def packed(words, bits):
    return sum(word << at * bits for at, word in enumerate(words))


def test_a_masked_score_is_the_least_and_that_of_floats_is_minus_infinity():
    p = POINTS["default"]
    assert least_score(p) == -(1 << p.score_bits - 1)
    assert least_score(POINTS["floats"]) % (1 << 32) == 0xFF80_0000


@pytest.mark.parametrize(
    ("side", "registers"), [(2, 1), (2, 2), (2, 9), (2, 16), (12, 12), (5, 16)]
)
def test_a_maximum_is_back_after_all_registers_and_stays_until_as_many_followed(side, registers):
    p = AttentionParams(side=side, e=2, f=2, exp_stages=1, return_registers=registers)
    entries, path, draw = p.lag, ReturnPath(p), random.Random(side)
    assert entries == -(-(side + registers - 1) // p.epoch)

    async def testbench(ctx):
        sent, arrived = [], []
        for cycle in range(200):
            valid, value = draw.random() < 0.4, draw.getrandbits(p.score_bits)
            ctx.set(path.valid, valid)
            ctx.set(path.lane, value)
            sent.append(value if valid else None)
            if cycle >= registers and sent[cycle - registers] is not None:
                arrived.append(sent[cycle - registers])
            for number in range(max(len(arrived) - entries, 0), len(arrived)):
                ctx.set(path.entry, number % entries)
                assert ctx.get(path.maximum) == arrived[number]
            await ctx.tick()
        assert len(arrived) > 50

    play(path, testbench)
