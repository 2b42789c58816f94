"""Elements: any commands in any order, against a step model; what they are made of."""

import numpy as np
import pytest
from attention_elements import assert_executes_any_commands, drawn_ops
from attention_weights import VARIANTS, exponents, weights

from designs.attention import AttentionParams, Binding, ExpMethod, Masking
from designs.attention.schedule import PeOp
from hwgen.attention.element import ElementParams, IntegerElement
from hwgen.attention.interface import pe_command
from hwgen.emit import verilog
from hwgen.netlist import count, flattened_count

COUNT, STEPS = 400, 60
SMALL = {"side": 3, "e": 3, "f": 2}
GRID = [
    *({**SMALL, **variant} for variant in VARIANTS[6:9] + VARIANTS[-4:]),
    {**SMALL, "masking": Masking.NONE},
    {**SMALL, "masking": Masking.WINDOW, "exp_stages": 2},
    {"side": 1, "e": 1, "f": 1},
    {**SMALL, "binding": Binding.SEQUENTIAL},
    {"side": 512, "e": 1024, "f": 2, "masking": Masking.WINDOW},
    {"side": 40, "e": 2, "f": 1, "masking": Masking.WINDOW, "exp_segments": 2},
]
EVERY_ELEMENT = pytest.mark.parametrize(
    "element",
    [
        ElementParams(engine=AttentionParams(**fields), has_east=bool(index % 2))
        for index, fields in enumerate(GRID)
    ],
    ids=["_".join(f"{key}{int(value)}" for key, value in fields.items()) for fields in GRID],
)


def wrapped(value, bits):
    """The signed number that the lowest bits of a value are."""
    return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


class Steps:
    """What one element after another does, many of them at once: the meaning of each `PeOp`."""

    def __init__(self, params):
        self.params = params
        self.scores = np.zeros((params.accumulators, COUNT), dtype=np.int64)
        self.weight = np.zeros(COUNT, dtype=np.int64)
        # Exponential steps until there is a weight.
        self.due = np.zeros(COUNT, dtype=np.int64)

    def step(self, op, acc, fresh, west, north):
        """South after a cycle of commands and operands; numbers as they are, not as bits."""
        p, here = self.params, np.arange(COUNT)
        score = self.scores[acc, here]
        least = -(1 << p.score_bits - 1)
        distance = (wrapped(north, p.score_bits) - score) % (1 << p.score_bits)
        masked = score < least // 2
        x = exponents(distance, west & 31, masked)
        taken, value = wrapped(north, 8) * wrapped(west, 8), wrapped(west, 8)
        self.weight = np.where(op == PeOp.SUBTRACT, weights(p, x), self.weight)
        self.due = np.where(op == PeOp.SUBTRACT, p.exp_slots - 1, self.due - (op >= PeOp.EXP_1))
        bits = p.side.bit_length()
        beyond = west % (1 << bits) >= north % (1 << bits)
        hidden = ((op == PeOp.UPPER) & beyond) | ((op == PeOp.LOWER) & ~beyond)
        summed = wrapped(np.where(fresh, 0, score) + taken, p.score_bits)
        self.scores[acc, here] = np.where(op == PeOp.SCORE, summed, np.where(hidden, least, score))
        south = {
            PeOp.WEIGH: north + self.weight * value,
            PeOp.SUM: north + self.weight,
            PeOp.MAXIMUM: np.maximum(wrapped(north, p.score_bits), score),
        }
        return wrapped(np.select([op == key for key in south], south.values(), north), p.link_bits)


def drawn(steps, rng):
    """Commands that mean something where an element has come, and any operands."""
    p = steps.params
    op, acc = drawn_ops(p, steps.due, rng)
    fresh = rng.random(COUNT) < 0.2
    west = rng.integers(0, 1 << p.west_bits, COUNT)
    west = np.where(rng.random(COUNT) < 0.1, 128, west)
    wide = wrapped(rng.integers(0, 1 << p.link_bits, COUNT), p.link_bits)
    near = steps.scores[acc, np.arange(COUNT)] + rng.integers(-1, 1 << rng.integers(1, 16, COUNT))
    bound = rng.integers(0, p.side + 1, COUNT)
    north = np.where(rng.random(COUNT) < 0.5, near, wide)
    north = np.where(op == PeOp.MAXIMUM, wrapped(north, p.score_bits), wrapped(north, p.link_bits))
    north = np.where((op == PeOp.UPPER) | (op == PeOp.LOWER), bound, north)
    # Shifts that leave something of a distance.
    west = np.where((op == PeOp.SUBTRACT) & (rng.random(COUNT) < 0.8), west & ~31 | west & 3, west)
    return op, acc, fresh, west, north


@pytest.mark.spread(5)
@EVERY_ELEMENT
def test_any_commands(element):
    steps = Steps(element.engine)
    assert_executes_any_commands(IntegerElement(element), steps, drawn, STEPS)


def registers(element):
    """Bits of an element's registers, counted by what they hold."""
    params = element.engine
    weight = 16 if params.exp_method == ExpMethod.PWL else 17 + 8
    exponent = 5 if params.exp_slots > 2 else 0
    handed_on = params.west_bits + pe_command(params).size if element.has_east else 0
    scores = params.accumulators * params.score_bits
    return scores + weight + exponent + params.link_bits + handed_on


@pytest.mark.spread(6)
@EVERY_ELEMENT
def test_every_register_is_used_and_operators_are_shared(element):
    text = verilog(IntegerElement(element), "dut")
    found = count(text, "dut")
    assert found.flip_flop_bits == registers(element)
    assert flattened_count(text, "dut").flip_flop_bits == found.flip_flop_bits
    assert (found.multiplier_count, found.adder_count, found.subtractor_count) == (1, 2, 1)
