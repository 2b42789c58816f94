"""The model's adders, rows and registers against the plan of the hardware."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hwgen_arith_compressor import trees

from archmodels import arith
from archmodels.counts import Kind
from archmodels.distinct import distinct
from designs.digits import Encoding, PartialProductStyle, SignExtension
from hwgen.arith import (
    CarrySaveAccumulatorParams,
    PairParams,
    PartialProductParams,
    ProductParams,
)


def words(operands):
    return tuple(arith.Word(o.offset, o.bits, o.arrival) for o in operands)


def adders(tree):
    return tree.full_adders, tree.half_adders


@settings(max_examples=300)
@given(trees())
def test_tree_is_the_plan(params):
    width = params.width
    tree = arith.tree(words(params.operands), width, params.constant % (1 << width))
    assert adders(tree) == adders(params)
    assert tree.levels == params.arrival
    assert tree.sum_bits <= len(params.sum_columns)
    assert tree.carry_bits <= len(params.carry_columns)


@settings(max_examples=200)
@given(
    st.integers(1, 9),
    st.integers(2, 16),
    st.booleans(),
    st.integers(2, 40),
    st.sampled_from(PartialProductStyle),
    st.sampled_from(SignExtension),
    st.sampled_from([0, 0, 1, 4, 50]),
)
def test_running_sum_of_products(digits, bits, signed, width, style, extension, block_bits):
    product = ProductParams(
        digits=digits,
        bits=bits,
        signed=signed,
        width=width,
        style=style,
        sign_extension=extension,
        arrival=1,
    )
    pair = PairParams(width=width, block_bits=block_bits)
    plan = CarrySaveAccumulatorParams(
        operands=product.operands, constant=product.constant, pair=pair
    ).sum.tree
    row = arith.row_bits(style, bits, signed)
    tree = arith.tree(
        arith.product_words(digits, row, width, style, extension, 1)
        + arith.pair_words(width, block_bits),
        width,
        arith.product_constant(digits, row, width, extension),
    )
    assert row == PartialProductParams(bits=bits, signed=signed, style=style).row_bits
    assert adders(tree) == adders(plan)
    assert tree.levels == plan.arrival
    assert arith.pair_bits(width, block_bits) == pair.layout.size
    blocks = len(pair.carry_columns) + 1 if block_bits > 1 else 0
    assert arith.block_adder_count(width, block_bits) == blocks


def test_a_full_adder_takes_one_bit_away():
    # Six words of 10 bits become two: 60 bits in, 2 * 10 + 2 or 3 out, of columns 0 to 12.
    tree = arith.tree((arith.Word(0, 10),) * 6, 14)
    assert tree.full_adders == 60 - tree.sum_bits - tree.carry_bits


@pytest.mark.parametrize("encoding", Encoding)
def test_encoders_are_items_of_their_kind(encoding):
    items = arith.encoders(encoding, 3, 8, False)
    assert {item.kind for item in items.values() if item.count} == {arith.ENCODERS[encoding]}
    assert items[arith.ENCODERS[encoding].value].bits == 9
    grid = arith.encoders(np.array([encoding, 0, 1, 2]), 3, 8, np.array([True] * 4))
    assert grid[Kind.BOOTH_RECODER.value].count.tolist() == [3 * (encoding == 0), 3, 0, 0]


def test_distinct_gives_ints_for_ints_and_arrays_for_arrays():
    calls = []

    def total(x, y, flag):
        calls.append((x, y, flag))
        return x + y, x * y + flag

    assert distinct(total, 2, 3, True) == (5, 7)
    calls.clear()
    sums, products = distinct(
        total, np.array([1, 2, 1, 1]), 3, np.array([True, False, True, False])
    )
    assert sums.tolist() == [4, 5, 4, 4]
    assert products.tolist() == [4, 6, 4, 3]
    assert len(calls) == 3
