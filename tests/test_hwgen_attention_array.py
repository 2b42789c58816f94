# amaranth: UnusedElaboratable=no
"""Arrays: tiles of scores, maxima and products against numpy; how they are written."""

import numpy as np
import pytest
from amaranth.hdl import Value
from amaranth.sim import Simulator
from attention_weights import exponents, weights

from designs.attention import AttentionParams, Binding, ExpMethod, Masking
from designs.attention.schedule import PeOp
from hwgen.attention.array import Array
from hwgen.attention.interface import pe_command
from hwgen.emit import verilog
from hwgen.netlist import count

GRID = [
    {"side": 1, "e": 1, "f": 1},
    {"side": 2, "e": 5, "f": 3, "exp_stages": 1, "masking": Masking.WINDOW},
    {"side": 3, "e": 4, "f": 5, "exp_stages": 2, "masking": Masking.NONE},
    {"side": 3, "e": 2, "f": 2, "exp_method": ExpMethod.POLYNOMIAL, "exp_degree": 4},
    {"side": 4, "e": 3, "f": 2, "return_registers": 16, "masking": Masking.WINDOW},
    {"side": 2, "e": 2, "f": 2, "binding": Binding.SEQUENTIAL},
]


class Tile:
    """A tile of keys and queries in numpy: what the array makes of it, and what it must be told."""

    def __init__(self, params, rng):
        p = self.params = params
        self.k, self.q = (rng.integers(-128, 128, (p.side, p.e)) for _ in range(2))
        self.v = rng.integers(-128, 128, (p.side, p.f))
        self.upper, self.lower = rng.integers(0, p.side + 1, (2, p.side))
        self.shift = int(rng.integers(0, 8))
        masked = np.zeros((p.side, p.side), dtype=bool)
        rows = np.arange(p.side)[:, None]
        masked |= (rows >= self.upper) & (p.masking >= Masking.UPPER)
        masked |= (rows < self.lower) & (p.masking >= Masking.WINDOW)
        least = -(1 << p.score_bits - 1)
        scores = np.where(masked, least, self.k @ self.q.T)
        self.maxima = scores.max(axis=0)
        self.running = np.maximum(self.maxima, rng.integers(-(2**14), 2**14, p.side))
        x = exponents(self.running - scores, self.shift, masked)
        self.weights = weights(p, x)

    def scoring(self, acc):
        """Slots up to the maximum: op, accumulator, fresh, per row, per column, what leaves."""
        p, least = self.params, -(1 << self.params.score_bits - 1)
        slots = [
            (PeOp.SCORE, acc, e == 0, self.k[:, e], self.q[:, e], self.q[:, e]) for e in range(p.e)
        ]
        rows = np.arange(p.side)
        masks = [(PeOp.UPPER, self.upper), (PeOp.LOWER, self.lower)][: p.mask_slots]
        slots += [(op, acc, 0, rows, bounds, bounds) for op, bounds in masks]
        return [*slots, (PeOp.MAXIMUM, acc, 0, rows, np.full(p.side, least), self.maxima)]

    def weighing(self, acc, rng):
        """Slots from the maximum to the products."""
        p = self.params
        shifts, nothing = np.full(p.side, self.shift), np.zeros(p.side, dtype=int)
        slots = [(PeOp.SUBTRACT, acc, 0, shifts, self.running, self.running)]
        for step in range(p.exp_slots - 1):
            slots.append(
                (PeOp(PeOp.EXP_1 + step), acc, 0, *rng.integers(0, 128, (2, p.side)), None)
            )
        slots.append((PeOp.SUM, acc, 0, shifts, nothing, self.weights.sum(axis=0)))
        for f in range(p.f):
            into = rng.integers(-100, 100, p.side)
            products = into + self.weights.T @ self.v[:, f]
            slots.append((PeOp.WEIGH, acc, 0, self.v[:, f], into, products))
        return slots


def told(params, op, acc, fresh):
    """The bits of a command."""
    fields = {"op": op, "fresh": int(fresh)} | ({"acc": acc} if params.accumulators > 1 else {})
    return pe_command(params).const(fields).as_bits()


def leaving(params, slots):
    """What leaves the array in each slot, per column.

    Row i gets what is its in slot s in cycle s + i, column j in cycle s + j; it leaves the column
    `side` cycles later.
    """
    p, array = params, Array(params)
    places = {
        "command": [[told(p, *slot[:3])] * p.side for slot in slots],
        "west": [slot[3] % (1 << p.west_bits) for slot in slots],
        "north": [slot[4] % (1 << p.link_bits) for slot in slots],
    }
    seen = np.zeros((len(slots), p.side), dtype=np.int64)

    async def bench(ctx):
        for cycle in range(len(slots) + 2 * p.side):
            for name, rows in places.items():
                port = Value.cast(getattr(array, name))
                bits = len(port) // p.side
                word = 0
                for at in range(p.side):
                    slot = cycle - at
                    value = int(rows[slot][at]) if 0 <= slot < len(slots) else 0
                    word |= value << at * bits
                ctx.set(port, word)
            for column in range(p.side):
                slot = cycle - column - p.side
                if 0 <= slot < len(slots):
                    seen[slot, column] = ctx.get(array.south[column])
            await ctx.tick()

    simulator = Simulator(array)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def label(fields):
    return "_".join(f"{key}{int(value)}" for key, value in fields.items())


@pytest.mark.parametrize("fields", GRID, ids=label)
def test_tiles(fields):
    """Each accumulator's tile is scored while those before it are held."""
    params = AttentionParams(**fields)
    rng = np.random.default_rng(params.side)
    slots = []
    for _ in range(3):
        tiles = [Tile(params, rng) for _ in range(params.accumulators)]
        for acc, tile in enumerate(tiles):
            slots += tile.scoring(acc)
        for acc, tile in enumerate(tiles):
            slots += tile.weighing(acc, rng)
    for slot, found in zip(slots, leaving(params, slots), strict=True):
        assert slot[5] is None or (found == slot[5]).all(), slot[0]


def test_scores_between_products():
    """Scores of one tile fill the slots between the products of another, as in an epoch."""
    params = AttentionParams(side=3, e=4, f=4)
    rng = np.random.default_rng(1)
    old, new = Tile(params, rng), Tile(params, rng)
    scored, weighed = new.scoring(1), old.weighing(0, rng)
    products = weighed[-params.f :]
    slots = old.scoring(0) + weighed[: -params.f]
    for product, score in zip(products, scored[: params.e], strict=True):
        slots += [product, score]
    slots += scored[params.e :] + new.weighing(1, rng)
    for slot, found in zip(slots, leaving(params, slots), strict=True):
        assert slot[5] is None or (found == slot[5]).all(), slot[0]


def test_text_does_not_grow_with_the_square():
    small, large = (verilog(Array(AttentionParams(side=side)), "dut") for side in (8, 64))
    lines_of_a_row, lines_of_an_element = 9, 12
    assert large.count("\n") < small.count("\n") + 56 * (lines_of_a_row + lines_of_an_element)
    found = count(large, "dut").modules
    assert {name: module.instance_count for name, module in found.items()} == {
        "dut": 1,
        "dut_row": 64,
        "dut_pe": 64 * 63,
        "dut_pe_right": 64,
    }
    assert not found["dut"].flip_flop_bits and not found["dut_row"].flip_flop_bits
