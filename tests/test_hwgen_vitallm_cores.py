"""TINT and BOOTH as units: sums of a piece, of scores and of outputs, and how long they take."""

import random

import numpy as np
import pytest
from amaranth.hdl import Value
from amaranth.sim import Simulator
from vitallm_grid import engine

from designs.rules import ceil_div
from designs.ternary import encode_codes
from designs.vitallm.instructions import Product
from hwgen.vitallm.booth import Booth
from hwgen.vitallm.tint import Tint
from sim.packing import packed, unpacked
from sim.tiles import steps_of


def played(core, told, memories, stream, words, idle=0.0):
    """Words of sums by address, and cycles from start to done; memories as lists of words."""
    sums, cycles, draw = {}, [], random.Random(6)

    async def bench(ctx):
        for name, value in told.items():
            ctx.set(getattr(core.instruction, name), value)
        for _ in range(2):  # the next instruction begins in the cycle after the last
            ctx.set(core.start, 1)
            sums.clear()
            left, cycle, over = list(words), 0, False
            while not over:
                there = bool(left) and draw.random() >= idle
                ctx.set(stream.valid, there)
                ctx.set(Value.cast(stream.payload), left[0] if there else 0)
                reads = {
                    name: ctx.get(getattr(core, f"{name}_address"))
                    for name in memories
                    if ctx.get(getattr(core, f"{name}_enable"))
                }
                if ctx.get(core.write):
                    sums[ctx.get(core.address)] = ctx.get(core.sums)
                over = ctx.get(core.done)
                if there and ctx.get(stream.ready):
                    left.pop(0)
                await ctx.tick()
                ctx.set(core.start, 0)
                for name, address in reads.items():
                    stored = memories[name]
                    ctx.set(getattr(core, f"{name}_data"), stored[min(address, len(stored) - 1)])
                cycle += 1
            assert not left
            cycles.append(cycle - 1)

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return sums, cycles


def columns(sums, address, cols, bits, count):
    """The sums of so many columns from a word on."""
    words = [sums[address + index] for index in range(ceil_div(count, cols))]
    assert len(sums) == len(words)
    return unpacked(words, cols, bits, True).ravel()[:count]


def operands(k, n, low, high):
    draw = np.random.default_rng(8)
    return draw.integers(-127, 128, k), draw.integers(low, high + 1, (k, n))


@pytest.mark.parametrize("idle", [0, 0.4])
@pytest.mark.parametrize(("k", "n"), [(16, 8), (10, 7), (1, 1), (4, 12)])
def test_tint(k, n, idle):
    params = engine()
    tint, (codes, weights) = params.tint, operands(k, n, -1, 1)
    memories = {"codes": packed(steps_of(codes[None], 1, tint.step_k, filler=-1), 8)}
    words = [
        word
        for start in range(0, n, tint.ports)
        for word in packed(
            steps_of(
                encode_codes(weights[:, start : start + tint.ports].T),
                tint.ports,
                tint.step_k,
                filler=0,
            ),
            2,
        )
    ]
    core = Tint(params)
    told = {"k": k, "n": n, "address": 3}
    sums, cycles = played(core, told, memories, core.w, words, idle)
    assert np.array_equal(columns(sums, 3, tint.ports, tint.acc_bits, n), codes @ weights)
    steps = ceil_div(k, tint.step_k) * ceil_div(n, tint.ports)
    assert cycles == [steps + 2] * 2 if not idle else min(cycles) >= steps + 2


@pytest.mark.parametrize("idle", [0, 0.4])
@pytest.mark.parametrize(("k", "n"), [(16, 4), (10, 3), (1, 1)])
def test_booth_in_linear_layers(k, n, idle):
    params = engine()
    booth, (codes, weights) = params.booth, operands(k, n, -1, 1)
    memories = {"codes": packed(steps_of(codes[None], 1, booth.a_lanes, filler=-1), 8)}
    words = [
        word
        for start in range(0, n, booth.cols)
        for word in packed(
            steps_of(weights[:, start : start + booth.cols].T, booth.cols, booth.a_lanes, filler=0),
            2,
        )
    ]
    core = Booth(params)
    told = {"product": Product.LINEAR, "k": k, "n": n, "address": 5}
    sums, cycles = played(core, told, memories, core.wb, words, idle)
    assert np.array_equal(columns(sums, 5, booth.cols, booth.acc_bits, n), codes @ weights)
    steps = ceil_div(k, booth.a_lanes) * ceil_div(n, booth.cols)
    assert cycles == [steps + 1] * 2 if not idle else min(cycles) >= steps + 1


@pytest.mark.parametrize(
    ("product", "name"), [(Product.SCORES, "keys"), (Product.OUTPUT, "values")]
)
@pytest.mark.parametrize(("k", "n"), [(8, 4), (5, 3), (1, 1)])
def test_booth_in_attention(product, name, k, n):
    """What is behind the last code, of codes as of operands, is left over from another head."""
    params = engine()
    booth, (codes, matrix) = params.booth, operands(k, n, -128, 127)
    given = packed(steps_of(codes[None], 1, booth.elements, filler=77), 8)
    stored = [
        word
        for start in range(0, n, booth.cols)
        for word in packed(
            steps_of(
                matrix[:, start : start + booth.cols].T, booth.cols, booth.elements, filler=-99
            ),
            8,
        )
    ]
    memories = {"attention": [0, 0, *given], name: [0, *stored]}
    core = Booth(params)
    told = {"product": product, "k": k, "n": n, "codes": 2, "operands": 1, "address": 9}
    sums, cycles = played(core, told, memories, core.wb, [])
    assert np.array_equal(columns(sums, 9, booth.cols, booth.acc_bits, n), codes @ matrix)
    steps = ceil_div(k, booth.elements) * ceil_div(n, booth.cols)
    assert cycles == [steps + 1] * 2
