"""Compressor trees: the sum at the extremes of all operands, and no more adders than planned."""

import itertools
import json
import random

import pytest
from combinational import answers
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen import yosys
from hwgen.arith import CompressorTree, CompressorTreeParams, Operand, PairParams
from hwgen.emit import verilog
from sim.golden.digits import tree_sum


@st.composite
def trees(draw):
    width = draw(st.integers(2, 24))
    operand = st.builds(Operand, st.integers(0, width - 1), st.integers(1, 12), st.integers(0, 3))
    constant = draw(st.sampled_from([0, 1, (1 << width) - 1, -(1 << width - 1), 0b1010101]))
    operands = tuple(draw(st.lists(operand, min_size=1, max_size=14)))
    return CompressorTreeParams(operands=operands, width=width, constant=constant)


def extremes(operands):
    """All operands at either end, each alone, and some at random."""
    ends = [(0, (1 << operand.bits) - 1) for operand in operands]
    yield [low for low, _ in ends]
    yield [high for _, high in ends]
    for at in range(len(ends)):
        yield [high if at == other else low for other, (low, high) in enumerate(ends)]
    for _ in range(20):
        yield [random.Random(repr(ends)).randint(low, high) for low, high in ends]


@settings(max_examples=60)
@given(trees())
def test_pair_is_the_sum(params):
    cases = list(extremes(params.operands))
    ports = [f"r{n}" for n in range(len(params.operands))]
    stimuli = (dict(zip(ports, words, strict=True)) for words in cases)
    offsets = [operand.offset for operand in params.operands]
    for words, (s, c) in zip(
        cases, answers(CompressorTree(params), stimuli, "s", "c"), strict=True
    ):
        assert (s + c) % (1 << params.width) == tree_sum(
            words, offsets, params.width, params.constant
        )
        assert s & ~columns(params.sum_columns) == 0
        assert c & ~columns(params.carry_columns) == 0
        if params.plan.nodes:
            assert c & 1 == 0


def columns(of):
    return sum(1 << column for column in of)


SPREAD = {
    "one word": ((Operand(0, 5),), 8, 0),
    "two words": ((Operand(0, 5), Operand(0, 5)), 8, 0),
    "accumulator": ((Operand(0, 9), Operand(0, 1), Operand(0, 32), Operand(1, 31)), 32, -256),
    "sixteen rows": ((Operand(0, 9),) * 16 + (Operand(0, 1),) * 16, 14, 0),
    "staggered": (tuple(Operand(2 * k, 9 - k % 3, k % 2) for k in range(7)), 20, 0x5A5A5),
    "top column alone": ((Operand(7, 1),) * 5, 8, 0),
}


@pytest.mark.parametrize("name", SPREAD)
def test_netlist_has_the_adders_of_the_plan(name):
    operands, width, constant = SPREAD[name]
    params = CompressorTreeParams(operands=operands, width=width, constant=constant)
    assert xor_bits(CompressorTree(params)) == 2 * params.full_adders + params.half_adders


def xor_bits(component):
    """Bits of all exclusive ors in what is emitted."""
    text = yosys.read_verilog(verilog(component, "tree"))
    (module,) = json.loads(yosys.run(f"{text}proc\nwrite_json\n"))["modules"].values()
    return sum(
        int(cell["parameters"]["Y_WIDTH"], 2)
        for cell in module["cells"].values()
        if cell["type"] in ("$xor", "$xnor")
    )


def accumulator(width, block_bits=0):
    """Four rows of int8 with their hot ones, late, and a running sum, early."""
    rows = [Operand(2 * k, 9, 2) for k in range(4)] + [Operand(2 * k, 1, 1) for k in range(4)]
    pair = PairParams(width=width, block_bits=block_bits).operands()
    return CompressorTreeParams(operands=(*rows, *pair), width=width, constant=-(0b1010101 << 8))


@pytest.mark.parametrize("width", [16, 17, 24, 32, 48, 64])
def test_rows_pass_three_full_adders_at_any_width(width):
    # Four rows and the pair are six words, which three levels reduce: 6, 4, 3, 2. The seventh bit
    # of column 6, the last hot one, is added to the running sum while the rows are formed.
    assert accumulator(width).arrival == 2 + 3


def test_a_constant_takes_no_adders_where_the_running_sum_is_alone():
    # From column 15 on: one full adder each, of s, its complement's carry and c.
    grown = accumulator(33)
    assert grown.full_adders - accumulator(32).full_adders == 1
    assert grown.half_adders == accumulator(32).half_adders


def test_climb_bounds_the_dependencies():
    params = accumulator(20)
    s = f"r{len(params.operands) - 2}"
    ends = {
        f"r{n}": (0, 0x55555, -1)[n % 3] & (1 << operand.bits) - 1
        for n, operand in enumerate(params.operands)
    }
    highest = 0
    for base, column in itertools.product([dict.fromkeys(ends, 0), ends], range(20)):
        stimuli = [base, base | {s: base[s] ^ 1 << column}]
        (s0, c0), (s1, c1) = answers(CompressorTree(params), stimuli, "s", "c")
        changed = (s0 ^ s1) | (c0 ^ c1)
        assert changed and changed % (1 << column) == 0
        highest = max(highest, changed.bit_length() - 1 - column)
    assert 1 < highest <= params.climb(len(params.operands) - 2) == 4


def test_a_wrapped_pair_must_not_be_extended_word_by_word():
    # The bench would see it: as 4-bit words s and c of -1 + -1 mean -2, extended one by one not.
    params = CompressorTreeParams(operands=(Operand(0, 4),) * 3, width=4)
    stimuli = ({"r0": a, "r1": b, "r2": c} for a, b, c in itertools.product(range(16), repeat=3))
    pairs = answers(CompressorTree(params), stimuli, "s", "c")

    def signed(word):
        return word - 16 * (word >> 3)

    right = [signed((s + c) % 16) % 256 for s, c in pairs]
    apart = [(signed(s) + signed(c)) % 256 for s, c in pairs]
    assert 0 < sum(r != a for r, a in zip(right, apart, strict=True))
