"""One lane: every function and reduction of any patterns, special ones among them, bit for bit."""

import itertools

import numpy as np
import pytest
from bit_parallel import BitParallel
from float_cases import drawn

from designs.floats import FP32
from designs.vector import Function, Reduction
from hwgen.vector.interface import Addend, Factor, Source, pass_layout
from hwgen.vector.lane import Lane, LaneParams
from hwgen.vector.operands import Operands, OperandsParams
from sim.golden import floats as golden

COUNT = 50_000
WORD = 2**32


@pytest.fixture(scope="module")
def lane():
    return BitParallel(Lane(LaneParams(combines=True)))


@pytest.fixture(scope="module")
def operands():
    return BitParallel(Operands(OperandsParams()))


def greater(a, b):
    return np.where(golden.order(FP32, a) > golden.order(FP32, b), a, b)


RESULTS = {
    Function.ADD: lambda m, q: golden.add(FP32, m, q),
    Function.MAX: greater,
    Function.MIN: lambda m, q: m + q - greater(m, q),
    Function.SCALE: lambda m, q: (m + (q << 23)) % WORD,
    Function.SEED: lambda m, q: (q - m) % WORD,
}

REDUCED = {
    Reduction.SUM: lambda kept, new: golden.add(FP32, kept, new),
    Reduction.MAX: lambda kept, new: greater(new, kept),
    Reduction.ABSMAX: lambda kept, new: greater(new % 2**31, kept),
}


@pytest.mark.parametrize("function", Function)
def test_functions(lane, function):
    x, p, q = (drawn(FP32, COUNT, seed) for seed in (1, 2, 3))
    stimuli = {"x": x, "p": p, "q": q, "operation": int(function), "advance": 1}
    expected = RESULTS[function](golden.multiply(FP32, x, p), q)
    outputs = list(itertools.islice(lane.cycles(stimuli), 3))
    assert (outputs[-1]["z"] == expected).all()


def test_nothing_moves_without_advance(lane):
    x = drawn(FP32, COUNT, 1)
    stimuli = {"x": x, "p": x, "q": x, "advance": 1}
    cycles = lane.cycles(stimuli)
    before = [next(cycles) for _ in range(3)][-1]["z"]
    stimuli |= {"advance": 0, "x": x[::-1], "p": x[::-1]}
    assert (next(cycles)["z"] == before).all() and (next(cycles)["z"] == before).all()


@pytest.mark.parametrize("reduction", REDUCED)
def test_reductions(lane, reduction):
    """From the neutral value with `z`, then with another lane's."""
    x, one, none, other = drawn(FP32, COUNT, 4), 0x3F80_0000, 1 << 31, drawn(FP32, COUNT, 5)
    neutral = 0xFF80_0000 if reduction == Reduction.MAX else 0
    stimuli = {"x": x, "p": one, "q": none, "advance": 1, "start": 1, "neutral": neutral}
    stimuli["reduction"] = int(reduction)
    cycles = lane.cycles(stimuli)
    for _ in range(2):
        next(cycles)
    stimuli |= {"start": 0, "update": 1}
    z = next(cycles)["z"]
    stimuli |= {"update": 0, "combine": 1, "other": other}
    mine = next(cycles)
    expected = REDUCED[reduction](np.full(COUNT, neutral), z)
    assert (mine["accumulator"] == expected).all()
    both = REDUCED[reduction](expected, other)
    assert (mine["reduced"] == both).all()
    assert (next(cycles)["accumulator"] == both).all()


@pytest.mark.parametrize("integer", [0, 1])
def test_operands(operands, integer):
    """x, p and q from everywhere; integers of the stream become numbers."""
    rng = np.random.default_rng(integer)
    words = {
        name: rng.integers(0, WORD, 2000)
        for name in ("incoming", "x_scalar", "p_scalar", "q_scalar", "zero", "one")
    }
    signed = words["incoming"] - WORD * (words["incoming"] >> 31)
    taken = golden.from_integer(FP32, signed) if integer else words["incoming"]
    banks = {"banks": words["zero"] | words["one"] << 32}
    for x_from, p_from, q_from, bank in itertools.product(Source, Factor, Addend, (0, 1)):
        held = {"x": x_from, "p": p_from, "q": q_from, "integer": integer}
        held |= {"x_bank": bank, "y_bank": 1 - bank}
        told = pass_layout().const(held).as_bits()
        at_x, at_y = (words["one"], words["zero"])[:: 1 if bank else -1]
        x = {Source.MEMORY: at_x, Source.STREAM: taken, Source.SCALAR: words["x_scalar"]}[x_from]
        ps = {Factor.SCALAR: words["p_scalar"], Factor.Y: at_y, Factor.X: x}
        q = {Addend.SCALAR: words["q_scalar"], Addend.Y: at_y}[q_from]
        found = list(
            itertools.islice(operands.cycles({**words, **banks, "held": told, "take": 1}), 2)
        )
        assert (found[1]["x"] == x).all()
        assert (found[1]["p"] == (ps | {Factor.STREAM: taken})[p_from]).all()
        assert (found[1]["q"] == q).all()
