"""FETCH: where keys and values go, against the words that BOOTH multiplies."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator
from vitallm_grid import engine

from designs.rules import ceil_div
from hwgen.vitallm.fetch import Fetch


def written(params, dim, keys, values, idle):
    """All words of both memories after survivors' keys and values (count, dim), and cycles."""
    p, core, count = params, Fetch(params), len(keys)
    elements, cols = p.booth.elements, p.booth.cols
    fields = {
        "count": count,
        "key_steps": ceil_div(dim, elements),
        "value_steps": ceil_div(dim, cols),
        "keys": p.key_words,
        "values": p.value_words,
        "value_stride": ceil_div(count, elements),
    }
    transfers = []
    for key, value in zip(keys, values, strict=True):
        for vector, size in ((key, elements), (value, cols)):
            padded = np.pad(vector, (0, -dim % size)).reshape(-1, size)
            transfers += [[*map(int, step)] for step in padded]
    words = {"keys": {}, "values": {}}
    parts = {"keys": elements, "values": 1}
    cycles, draw = [], random.Random(3)

    async def bench(ctx):
        for name, value in fields.items():
            ctx.set(getattr(core.instruction, name), value)
        ctx.set(core.start, 1)
        await ctx.tick()
        ctx.set(core.start, 0)
        left, cycle, over = list(transfers), 0, False
        while not over:
            cycle += 1
            there = draw.random() >= idle
            ctx.set(core.kv.valid, there)
            for lane, value in enumerate(left[0]):
                ctx.set(core.kv.payload[lane], value if there else ~value)
            for name, size in parts.items():
                enable = ctx.get(getattr(core, f"{name}_enable"))
                address = ctx.get(getattr(core, f"{name}_address"))
                data = ctx.get(getattr(core, f"{name}_data"))
                for place in range(elements * cols // size):
                    for byte in range(place * size, (place + 1) * size):
                        if enable >> place & 1:
                            word = words[name].setdefault(address, {})
                            word[byte] = data >> 8 * byte & 255
            over = ctx.get(core.done)
            if there and ctx.get(core.kv.ready):
                left.pop(0)
            await ctx.tick()
        assert not left
        cycles.append(cycle)

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return words, cycles[0], len(transfers)


@pytest.mark.parametrize("idle", [0, 0.5])
@pytest.mark.parametrize(
    ("elements", "cols", "dim", "count"),
    [(2, 2, 4, 3), (4, 2, 6, 5), (2, 4, 6, 4), (4, 4, 16, 1), (2, 2, 2, 16)],
)
def test_words_are_those_that_booth_multiplies(elements, cols, dim, count, idle):
    params = engine(elements=elements, cols=cols)
    draw = np.random.default_rng(4)
    keys, values = draw.integers(-128, 128, (2, count, dim))
    words, cycles, transfers = written(params, dim, keys, values, idle)
    assert cycles == transfers if not idle else cycles > transfers
    steps, stride = ceil_div(dim, elements), ceil_div(count, elements)
    for token in range(count):
        for at in range(dim):
            address = params.key_words + token // cols * steps + at // elements
            byte = token % cols * elements + at % elements
            assert words["keys"][address][byte] == keys[token, at] & 255
            address = params.value_words + at // cols * stride + token // elements
            byte = at % cols * elements + token % elements
            assert words["values"][address][byte] == values[token, at] & 255
