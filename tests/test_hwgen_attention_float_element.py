"""Elements for floats: any commands in any order, against a step model; what they are made of."""

import numpy as np
import pytest
from attention_elements import assert_executes_any_commands, drawn_ops
from attention_floats import MINUS_INFINITY, distances, exponents, weights

from designs.attention import AttentionParams, Binding, Element, ExpMethod, Masking
from designs.attention.schedule import PeOp
from designs.elements import FLOAT_FORMATS
from designs.floats import FP32
from hwgen.attention.element import ElementParams
from hwgen.attention.float_element import FloatElement
from hwgen.attention.interface import pe_command
from hwgen.emit import verilog
from hwgen.netlist import count, flattened_count
from sim.golden import floats as golden

COUNT, STEPS = 1000, 50
FP16 = {"side": 3, "e": 3, "f": 2, "element": Element.FP16}
BF16 = {**FP16, "element": Element.BF16}
POLYNOMIAL = {"exp_method": ExpMethod.POLYNOMIAL}
GRID = {
    "fp16": FP16,
    "bf16": {**BF16, "masking": Masking.WINDOW},
    "one_stage": {**FP16, "exp_stages": 1, "masking": Masking.NONE},
    "two_stages": {**BF16, "exp_stages": 2},
    "polynomial": {**FP16, **POLYNOMIAL, "binding": Binding.SEQUENTIAL},
    "polynomial_5": {**BF16, **POLYNOMIAL, "exp_degree": 5},
    "late": {**BF16, "side": 70, "e": 2, "f": 1, "masking": Masking.WINDOW},
    "side_1": {**FP16, "side": 1, "e": 1, "f": 1},
}
ELEMENTS = pytest.mark.parametrize(
    "element",
    [
        ElementParams(engine=AttentionParams(**fields), has_east=bool(index % 2))
        for index, fields in enumerate(GRID.values())
    ],
    ids=GRID,
)


class Steps:
    """What one element after another does, many of them at once: the meaning of each `PeOp`."""

    def __init__(self, params):
        self.params, self.number = params, FLOAT_FORMATS[params.element]
        self.scores = np.zeros((params.accumulators, COUNT), dtype=np.int64)
        self.weight = np.zeros(COUNT, dtype=np.int64)
        self.due = np.zeros(COUNT, dtype=np.int64)
        # Exponential steps until there is a weight.

    def step(self, op, acc, fresh, west, north):
        """South after a cycle of commands and operands; all of them patterns."""
        p, number, here = self.params, self.number, np.arange(COUNT)
        score = self.scores[acc, here]
        x = exponents(distances(north, score))
        self.weight = np.where(
            op == PeOp.SUBTRACT, weights(p, number, x, p.weight_scale), self.weight
        )
        self.due = np.where(op == PeOp.SUBTRACT, p.exp_slots - 1, self.due - (op >= PeOp.EXP_1))
        bits = p.side.bit_length()
        beyond = west % (1 << bits) >= north % (1 << bits)
        hidden = ((op == PeOp.UPPER) & beyond) | ((op == PeOp.LOWER) & ~beyond)
        before = np.where(fresh, 0, score)
        scored = golden.fma(number, north % (1 << number.bits), west, before, FP32)
        self.scores[acc, here] = np.where(
            op == PeOp.SCORE, scored, np.where(hidden, MINUS_INFINITY, score)
        )
        is_less, _, _ = golden.compare(FP32, north, score)
        south = {
            PeOp.WEIGH: golden.fma(number, self.weight, west, north, FP32),
            PeOp.SUM: golden.add(FP32, north, golden.convert(number, self.weight, FP32)),
            PeOp.MAXIMUM: np.where(is_less, score, north),
        }
        return np.select([op == key for key in south], south.values(), north)


def drawn(steps, rng):
    """Commands that mean something where an element has come; operands mostly of middling size."""
    p, number = steps.params, steps.number
    op, acc = drawn_ops(p, steps.due, rng)
    score = golden.decode(FP32, steps.scores[acc, np.arange(COUNT)])
    # No number is left to a score for long.
    fresh = (rng.random(COUNT) < 0.2) | (np.isnan(score) & (rng.random(COUNT) < 0.5))
    west = either(rng, 0.95, middling(rng, number), rng.integers(0, 1 << 16, COUNT))
    rises = rng.random(COUNT) * 2.0 ** rng.integers(-12, 7, COUNT)
    rises = np.where(rng.random(COUNT) < 0.2, -rises, rises)
    near = golden.encode(FP32, score + np.where(rng.random(COUNT) < 0.1, 0, rises))
    wide = either(rng, 0.5, middling(rng, FP32), rng.integers(0, 1 << 32, COUNT))
    wide = either(rng, 0.95, wide, np.full(COUNT, MINUS_INFINITY))
    query = either(rng, 0.95, middling(rng, number), wide % (1 << 16))
    north = np.where(
        (op == PeOp.MAXIMUM) | (op == PeOp.SUBTRACT), either(rng, 0.8, near, wide), wide
    )
    north = np.where(op == PeOp.SCORE, query + (wide >> 16 << 16), north)
    bound = rng.integers(0, p.side + 1, COUNT)
    north = np.where((op == PeOp.UPPER) | (op == PeOp.LOWER), bound, north)
    return op, acc, fresh, west, north


def middling(rng, number):
    return golden.encode(number, rng.normal(size=COUNT) * 2.0 ** rng.integers(-3, 4, COUNT))


def either(rng, probability, often, seldom):
    return np.where(rng.random(COUNT) < probability, often, seldom)


@pytest.mark.spread(2)
@ELEMENTS
def test_any_commands(element):
    steps = Steps(element.engine)
    assert_executes_any_commands(FloatElement(element), steps, drawn, STEPS)


def registers(element):
    """Bits of an element's registers, counted by what they hold."""
    params = element.engine
    kept = 10 + 5 if params.element == Element.FP16 else 7 + 5 + 1
    weight = {1: kept, 2: max(kept, 13), 3: 16 + 5}.get(params.exp_slots, 17)
    if params.exp_method == ExpMethod.POLYNOMIAL:
        weight = 17 + 5 + 8
    handed_on = params.west_bits + pe_command(params).size if element.has_east else 0
    return params.accumulators * 32 + weight + 32 + handed_on


@pytest.mark.spread(2)
@ELEMENTS
def test_every_register_is_used(element):
    text = verilog(FloatElement(element), "dut")
    found = count(text, "dut")
    assert found.flip_flop_bits == registers(element)
    assert flattened_count(text, "dut").flip_flop_bits == found.flip_flop_bits
    own = found.modules["dut"]
    assert (own.multiplier_count, own.adder_count) == (1, 3)
