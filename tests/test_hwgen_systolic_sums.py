"""Sums of two words: what they stand for in every step, and that no bit of them is for nothing."""

import dataclasses
import itertools
import random

import numpy as np
import pytest
from amaranth.hdl import Value
from amaranth.sim import Simulator
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from designs import Dataflow, Gemm, SystolicParams
from designs.digits import Encoded, Encoding, PartialProductStyle, SignExtension, digit_sum_bits
from designs.operands import operand_range
from designs.rules import RuleError
from designs.systolic import Element, EncoderPlace, Reduction, ResolvePlace
from hwgen import SystolicCore
from hwgen.systolic.adders import ADDERS
from hwgen.systolic.arithmetic import ArithmeticParams
from hwgen.systolic.array import Array, RowParams
from hwgen.systolic.compress import CompressByWeight, pair_from
from hwgen.systolic.element import ElementParams
from hwgen.systolic.output_element import OutputStationary
from sim.bench_systolic import plan, results
from sim.pysim import simulate

WS = Dataflow.WS
CHOICES = {
    "plain": {},
    "blocks": {"carry_block_bits": 5},
    "negated": {"partial_product": PartialProductStyle.NEGATE},
    "ent_of_w": {"encoding": Encoding.ENT, "encoded": Encoded.W},
    "unsigned": {"encoding": Encoding.NAF, "a_signed": False},
}
COMPRESSED = {
    "element": st.sampled_from([Element.OPT1, Element.OPT2]),
    "dataflow": st.sampled_from(Dataflow),
    "reduction": st.sampled_from(Reduction),
    "encoded": st.sampled_from(Encoded),
    "partial_product": st.sampled_from(PartialProductStyle),
    "sign_extension": st.sampled_from(SignExtension),
    "resolve": st.sampled_from(ResolvePlace),
    "carry_block_bits": st.sampled_from([0, 2, 3, 8, 32]),
    "a_bits": st.integers(2, 9),
    "w_bits": st.integers(2, 9),
    "a_signed": st.booleans(),
    "w_signed": st.booleans(),
    "max_k": st.sampled_from([4, 5, 64, 65536]),
    "depth": st.integers(1, 4),
}


@st.composite
def compressed(draw):
    """Any engine whose sums are pairs."""
    chosen = {name: draw(values) for name, values in COMPRESSED.items()}
    if chosen["dataflow"] == WS:
        chosen |= {"depth": 1, "rows": draw(st.integers(1, 4)), "acc_rows": 4}
    try:
        return SystolicParams(**{"rows": 2, "cols": 1} | chosen)
    except RuleError:
        assume(False)


def run(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def total_of(pair, bits):
    """s + c of the bits of a pair, as they are."""
    words = pair.words(Value.cast(bits))
    return sum((word << operand.offset) for word, operand in zip(words, pair.operands, strict=True))


def ranges(params):
    """The range of activations, and of weights."""
    return (
        operand_range(params.a_bits, params.a_signed),
        operand_range(params.w_bits, params.w_signed),
    )


def any_operands(params, count, seed):
    """Activations and weights, ends of their ranges among them."""
    draw = random.Random(seed)
    for _ in range(count):
        yield tuple(
            draw.choice([low, high, draw.randint(low, high)]) for low, high in ranges(params)
        )


@pytest.mark.parametrize("extension", SignExtension)
@pytest.mark.parametrize("choice", CHOICES)
def test_running_sum_is_right_modulo_its_width_in_every_step(choice, extension):
    """So narrow that it wraps around: 60 products in the width of two."""
    params = SystolicParams(
        rows=1,
        cols=1,
        max_k=2,
        double_buffer=False,
        element=Element.OPT1,
        sign_extension=extension,
        **CHOICES[choice],
    )
    element = OutputStationary(ElementParams.of(params, 0, 0))
    pair = element.params.sums.own
    assert pair.width == params.acc_bits

    async def testbench(ctx):
        ctx.set(element.advance, 1)
        expected = 0
        for step, (a, w) in enumerate(any_operands(params, 120, seed=1)):
            first = step % 60 == 0
            expected = a * w + (0 if first else expected)
            ctx.set(element.west.first, first)
            ctx.set(element.west.a, a)
            ctx.set(element.south.w, w)
            await ctx.tick()
            kept = ctx.get(total_of(pair, element.north.c))
            assert (kept - expected) % 2**params.acc_bits == 0

    run(element, testbench)


@pytest.mark.spread(2)
@pytest.mark.parametrize("choice", CHOICES)
def test_pair_that_climbs_is_exact(choice):
    """s + c is the sum and the excess of each product, as integers: it may enter a wider sum."""
    params = SystolicParams(
        rows=5,
        cols=1,
        dataflow=WS,
        acc_rows=4,
        double_buffer=False,
        element=Element.OPT1,
        resolve=ResolvePlace.OUTPUT,
        **CHOICES[choice],
    )
    array = Array(params)
    pair = ElementParams.of(params, 0, 0).sums.result
    excess = params.rows * ArithmeticParams.of(params).excess
    activations, weights = Value.cast(array.west.a), Value.cast(array.south.w)

    async def testbench(ctx):
        ctx.set(array.advance, 1)
        cases = [[corner] * params.rows for corner in itertools.product(*ranges(params))]
        cases += [list(any_operands(params, params.rows, seed)) for seed in range(20)]
        for case in cases:
            ctx.set(array.west.load, 2**params.rows - 1)
            for _, w in case:
                ctx.set(weights, w % 2**params.w_bits)
                await ctx.tick()
            ctx.set(array.west.load, 0)
            lanes = (
                a % 2**params.a_bits << lane * params.a_bits for lane, (a, _) in enumerate(case)
            )
            ctx.set(activations, sum(lanes))
            for _ in range(params.rows):
                await ctx.tick()
            kept = ctx.get(total_of(pair, array.north.psum))
            assert kept == sum(a * w for a, w in case) + excess < 2**pair.width

    run(array, testbench)


@settings(max_examples=60, deadline=None)
@given(compressed())
def test_running_pair_has_a_bit_where_its_tree_makes_one(params):
    sums = ElementParams.of(params, 0, 0).sums
    if params.dataflow == WS:
        return
    adder, arithmetic = ADDERS[params.element], ArithmeticParams.of(params)
    lanes, climbing = (0, sums.lanes[-1:]) if sums.lanes else (params.lanes, ())
    tree = adder.tree(arithmetic, lanes, [sums.own, *climbing], sums.own, params.depth)
    assert pair_from(tree, params.carry_block_bits) == sums.own


@settings(max_examples=60, deadline=None)
@given(compressed(), st.integers(1, 70))
def test_rows_that_differ_have_names_that_differ(params, rows):
    if params.dataflow == WS and params.reduction == Reduction.CHAIN:
        params = dataclasses.replace(params, rows=rows, max_k=1000)
    kinds = {row.element(0) for row in RowParams.of(params)}
    assert len({element.edges_label for element in kinds}) == len(kinds)


@pytest.mark.parametrize("lanes", [1, 2, 3, 15, 16, 17, 64])
def test_trees_of_one_bit_weight_are_as_narrow_as_their_sum(lanes):
    """10 + floor(log2 lanes) bits for int8: 13 bits hold no 16 * (-2 * -128)."""
    params = ArithmeticParams.of(SystolicParams(element=Element.FUSED))
    width = CompressByWeight.narrow(params, lanes).width
    assert width == digit_sum_bits(lanes, 8, True) == 10 + lanes.bit_length() - 1


@pytest.mark.spread(3)
@pytest.mark.parametrize("encoder", EncoderPlace)
@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("array", ["cube", "tree"])
def test_extremes_fill_the_narrow_trees(array, encoding, encoder):
    """Sixteen lanes of -128 * -128, and of the other ends of both ranges."""
    arrays = {"cube": {"rows": 1, "depth": 16}, "tree": {"rows": 16, "dataflow": WS, "acc_rows": 4}}
    params = SystolicParams(
        cols=1,
        max_k=16,
        reduction=Reduction.TREE,
        element=Element.OPT2,
        encoding=encoding,
        encoder=encoder,
        **arrays[array],
    )
    ends = np.array([-128, -127, 127, -1])
    a, w = np.repeat(ends[:, None], 16, axis=1), np.repeat(ends[None, :], 16, axis=0)
    result = simulate(SystolicCore(params), plan(params, a, w))
    assert np.array_equal(results(params, Gemm(m=4, k=16, n=4), result), a @ w)
