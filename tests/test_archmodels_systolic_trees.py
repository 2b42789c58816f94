"""Trees that add partial products: pairs between them by definition and by hand."""

import itertools

import numpy as np
import pytest

from archmodels.arith import Word, tree
from archmodels.systolic.parts import Kind, Parts, parts
from archmodels.systolic.trees import Adding, Digits, Left
from designs.digits import Encoding, PartialProductStyle, SignExtension, digit_sum_bits, encode
from designs.operands import operand_range
from designs.systolic import Element, ResolvePlace

WIDE = 1000
HOT, NEGATE = PartialProductStyle
CONSTANT, FULL = SignExtension


def digits(bits=8, signed=True, other_bits=8, other_signed=True, style=HOT, extension=CONSTANT):
    return Digits(bits, signed, other_bits, other_signed, style, extension, arrival=1)


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("style", PartialProductStyle)
@pytest.mark.parametrize(("signed", "other_signed"), [*itertools.product([True, False], repeat=2)])
def test_pairs_hold_every_sum_and_its_excess_and_no_more(encoding, style, signed, other_signed):
    """A row is a digit times the other operand, above zero by the weight of its sign bit."""
    d = digits(3, signed, 4, other_signed, style)
    low, high = operand_range(4, other_signed)
    others = np.arange(low, high + 1)
    values = np.arange(*operand_range(3, signed)), [operand_range(3, signed)[1]]
    found = encode(encoding, np.concatenate(values), 3, signed).astype(np.int64)
    assert found.shape[-1] == d.digit_count
    rows = found[:, :, None] * others + (1 << (d.row - 1))
    assert rows.min() >= 0 and rows.max() <= d.greatest_row
    sums = np.einsum("vdo,d->vo", rows, 4 ** np.arange(d.digit_count))
    products = np.concatenate(values)[:, None] * others
    assert np.array_equal(sums, products + d.excess)
    for terms in (1, 2, 5):
        assert d.pair_bits(terms, WIDE) == int(terms * sums.max()).bit_length()
    assert d.pair_bits(100, 6) == 6  # what nobody reads is not there


def test_with_sign_copies_a_pair_is_as_wide_as_its_sum():
    full = digits(extension=FULL)
    assert full.excess == 0 and full.pair_bits(3, 18) == 18


def test_the_trees_of_a_bit_weight_have_the_exact_width():
    """int8: 10 + floor(log2(lanes)), for twice -128 times -1 is +256."""
    for lanes in range(1, 33):
        width = (lanes * digits().greatest_row).bit_length()
        assert width == digit_sum_bits(lanes, 8, True) == 10 + lanes.bit_length() - 1


def test_opt2_adds_each_bit_weight_first():
    """16 lanes at four weights: rows of 9 bits and hot ones into trees of 14 bits."""
    adding = Adding(digits(), Element.OPT2, lanes=16, block_bits=0)
    words = adding.products(WIDE)
    row_bits, hot_ones = 16 * 9, 16
    out_bits = sum(word.bits for word in words)
    # a full adder takes a bit away; what carries out of column 13 is none
    assert adding.full_adders == 4 * (row_bits + hot_ones) - out_bits
    assert {word.offset for word in words if word.bits > 1} == {0, 2, 4, 6}


def test_what_a_tree_leaves():
    """Three words of four bits: column 0 becomes one bit, the others two."""
    made = tree((Word(0, 4),) * 3, 6)
    assert made.left == (1, 2, 2, 2, 1, 0)
    plain = Left.of(made)
    assert (plain.bits, plain.carries, plain.register_bits) == (5, (1, 2, 3), 8)
    assert plain.words(2, 3) == (Word(2, 5, 3), Word(3, 1, 3), Word(4, 1, 3), Word(5, 1, 3))
    blocks = Left.of(made, 2)  # columns 0 and 1, 2 and 3, 4 and 5: two adders, two carries
    assert (blocks.bits, blocks.carries, blocks.adders) == (5, (2, 4), (2, 2))
    whole = Left.of(made, 8)  # one adder, and column 5 may be one
    assert (whole.bits, whole.carries, whole.adders) == (6, (), (6,))


def shape(kind, element, terms=4, bits=20, *, acc_bits=0, resolve=ResolvePlace.COLUMN, block=0):
    int8 = (8, 1, 8, 1, HOT, CONSTANT, 1)
    return Parts(*parts(kind, element, resolve, block, terms, bits, acc_bits, *int8))


def test_one_word_sums_have_an_adder_each():
    assert shape(Kind.RUNNING, Element.FUSED).adder_count == 1
    assert shape(Kind.UNIT, Element.FUSED).adder_count == 1
    assert shape(Kind.CLIMBING, Element.FUSED).adder_count == 4  # one in each row
    assert shape(Kind.CHAINED, Element.FUSED).adder_count == 5  # and that of the running sum
    # sums of 1, 2, 3, 4 products: 16 bits and the sign of +2**14 times each
    assert shape(Kind.CHAINED, Element.FUSED).partial == 16 + 17 + 17 + 18


def test_pairs_need_no_adder_but_one_where_they_end():
    for kind in Kind:
        found = shape(kind, Element.OPT1)
        assert (found.adder_count, found.resolve_adders) == (0, 1), kind
    blocked = shape(Kind.RUNNING, Element.OPT1, bits=32, block=8)
    assert (blocked.adder_count, blocked.adder_bits) == (4, 32)
    # one block is one word: nothing is left to resolve
    assert shape(Kind.RUNNING, Element.OPT1, bits=32, block=32).resolve_adders == 0


def test_the_sum_that_leaves_meets_the_stored_one_in_a_tree():
    alone = shape(Kind.CLIMBING, Element.OPT1, acc_bits=32)
    joined = shape(Kind.CLIMBING, Element.OPT1, acc_bits=32, resolve=ResolvePlace.OUTPUT)
    assert alone.resolve_full_adders == 0  # s, c and a constant are half adders at most
    assert joined.resolve_full_adders > 0
    assert joined.resolve_levels > alone.resolve_levels > 0


def test_a_tree_does_not_grow_longer_with_the_running_sum():
    """What carry-save is for: six words and hot ones, whatever the width."""
    levels = {shape(Kind.RUNNING, Element.OPT1, terms=1, bits=bits).levels for bits in (20, 32, 64)}
    assert len(levels) == 1
    wide = shape(Kind.RUNNING, Element.OPT1, terms=1, bits=64)
    assert wide.full_adders > shape(Kind.RUNNING, Element.OPT1, terms=1, bits=32).full_adders


def test_multipliers_need_no_trees():
    assert shape(Kind.RUNNING, Element.MAC) == Parts()
