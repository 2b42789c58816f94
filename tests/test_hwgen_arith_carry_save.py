"""Running sums as pairs: right modulo 2**width in every cycle, wrapping around too."""

import random

import pytest
from amaranth.sim import Simulator
from combinational import answers
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen import netlist
from hwgen.arith import (
    CarrySaveAccumulator,
    CarrySaveAccumulatorParams,
    Operand,
    PairParams,
    Resolve,
    carry_save_layout,
)
from hwgen.emit import verilog
from sim.golden.digits import pair_sum, running_sums, tree_sum


class Emitted(CarrySaveAccumulator):
    """A module of its own."""

    inline = False


TWO_WORDS = (Operand(0, 5), Operand(2, 4))


def parameters(width, block_bits, operands=TWO_WORDS, constant=0):
    return CarrySaveAccumulatorParams(
        operands=operands,
        constant=constant,
        pair=PairParams(width=width, block_bits=block_bits),
    )


def play(params, steps):
    """The pairs after each step, and those offered before it, as (s, c)."""
    accumulator = CarrySaveAccumulator(params)
    held, offered = [], []

    def pair(ctx, view):
        return ctx.get(view.s), ctx.get(view.c) if params.pair.carry_columns else 0

    async def bench(ctx):
        for words, first, advance in steps:
            ctx.set(accumulator.first, first)
            ctx.set(accumulator.advance, advance)
            for n, word in enumerate(words):
                ctx.set(getattr(accumulator, f"r{n}"), word)
            offered.append(pair(ctx, accumulator.following))
            await ctx.tick()
            held.append(pair(ctx, accumulator.pair))

    simulator = Simulator(accumulator)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return held, offered


@settings(max_examples=40)
@given(st.integers(2, 12), st.sampled_from([0, 0, 1, 3, 4, 20]), st.integers(-9, 9), st.randoms())
def test_pair_is_the_running_sum(width, block_bits, constant, rng):
    params = parameters(width, block_bits, constant=constant)
    steps = [
        ([rng.choice([0, 31, rng.randrange(32)]), rng.choice([0, 15])], rng.random() < start, True)
        for start in [1.0] + [0.1] * 39
    ]
    terms = [tree_sum(words, [0, 2], width, constant) for words, _, _ in steps]
    sums = running_sums(terms, [first for _, first, _ in steps], width)
    held, offered = play(params, steps)
    assert [pair_sum(*pair, width, block_bits) for pair in held] == sums
    assert held == offered


def test_nothing_moves_without_advance():
    steps = [([7, 1], True, True), ([31, 15], False, False), ([31, 15], True, False)]
    held, _ = play(parameters(9, 0), steps)
    assert held[0] == held[1] == held[2]


@pytest.mark.parametrize(
    ("width", "block_bits", "registers", "adders"),
    [(32, 0, 63, 0), (32, 8, 35, 4), (33, 8, 37, 5), (8, 8, 8, 1), (8, 20, 8, 1), (8, 1, 15, 0)],
)
def test_registers_and_adders(width, block_bits, registers, adders):
    params = parameters(width, block_bits, tuple(Operand(2 * k, 9) for k in range(4)))
    text = verilog(Emitted(params), "accumulator")
    written = netlist.count(text, "accumulator")
    assert written.flip_flop_bits == registers
    assert netlist.flattened_count(text, "accumulator").flip_flop_bits == registers
    assert written.adder_count == adders
    assert carry_save_layout(width, block_bits).size == registers


@pytest.mark.parametrize(("width", "block_bits"), [(2, 0), (7, 0), (7, 3), (7, 7), (32, 8)])
def test_resolve(width, block_bits):
    params = PairParams(width=width, block_bits=block_bits)
    rng = random.Random(width)
    words = [0, (1 << params.layout.size) - 1] + [
        rng.getrandbits(params.layout.size) for _ in range(60)
    ]
    found = answers(Resolve(params), ({"pair": word} for word in words), "o")
    low = (1 << width) - 1
    assert [o for (o,) in found] == [
        pair_sum(word & low, word >> width, width, block_bits) for word in words
    ]
