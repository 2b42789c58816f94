"""Params of digit-serial engines: their rules, and the widths and sizes that follow."""

import itertools

import numpy as np
import pytest
from grid_points import assert_properties_are_those_of_each_point

from designs.digit_serial import DigitSerialFit, DigitSerialParams
from designs.digits import Encoded, Encoding, encode
from designs.grid import Grid
from designs.operands import operand_range
from designs.rules import RuleError, check_rules
from designs.workload import Gemm

POWER = "{} must be a power of two, not {}"
BROKEN = {
    # fields to the sentence that refuses them
    (("rows", 3),): POWER.format("rows", 3),
    (("lanes", 6),): POWER.format("lanes", 6),
    (("group", 5),): POWER.format("group", 5),
    (("max_k", 1000),): POWER.format("max_k", 1000),
    (
        ("max_k", 256),
    ): "max_k must be at least 2 * lanes * group * bank_count = 2 * 4 * 4 * 16, so that each bank "
    "has two groups of each lane, not 256",
    (("max_k", 512), ("row_banks", 2)): "max_k must be at least 2 * lanes * group * bank_count = "
    "2 * 4 * 4 * 32, so that each bank has two groups of each lane, not 512",
    (
        ("sparse", False),
        ("skip_groups", 2),
    ): "skip_groups must be left out with sparse false, which skips nothing, not 2",
    (("sparse", False), ("lockstep", True)): "lockstep must be left out where lanes never part: "
    "with sparse false, or one lane",
    (("lanes", 1), ("lockstep", True)): "lockstep must be left out where lanes never part: "
    "with sparse false, or one lane",
    (("carry_block_bits", 1),): "carry_block_bits must be 0 or at least 2, not 1: blocks of one "
    "column are what 0 means",
    (("resolve_adders", 3),): "resolve_adders must divide cols = 16, which 3 does not",
}


@pytest.mark.parametrize("fields", BROKEN)
def test_what_cannot_be_built_is_refused(fields):
    with pytest.raises(RuleError) as error:
        DigitSerialParams(**dict(fields))
    assert str(error.value) == BROKEN[fields]
    columns = {name: np.array([value]) for name, value in fields}
    assert not Grid(DigitSerialParams, columns, 1).valid()[0]


def test_a_longer_reduction_than_the_buffers_hold_is_refused():
    fit = DigitSerialFit(params=DigitSerialParams(), workload=Gemm(m=1, k=1025, n=1))
    with pytest.raises(RuleError, match="k must be at most max_k = 1024, not 1025"):
        check_rules(DigitSerialFit.RULES, fit)


@pytest.mark.parametrize("y_signed", [True, False])
@pytest.mark.parametrize("y_bits", [2, 5, 8])
@pytest.mark.parametrize("max_k", [64, 128, 1024])
def test_one_phase_is_as_wide_as_its_extremes_need(max_k, y_bits, y_signed):
    params = DigitSerialParams(
        rows=1, lanes=1, group=2, max_k=max_k, w_bits=y_bits, w_signed=y_signed
    )
    low, high = operand_range(y_bits, y_signed)
    sums = [max_k * digit * y for digit, y in itertools.product((-2, 2), (low, high))]
    bits = next(
        bits
        for bits in itertools.count(1)
        if min(sums) >= -(1 << bits - 1) and max(sums) < 1 << bits - 1
    )
    assert params.phase_bits == bits


def test_widths_of_int8_are_those_of_the_paper_and_exact():
    """10 + floor(log2 K) bits for a phase; -128 * -128 * K for the result."""
    for log2_k in range(8, 14):
        params = DigitSerialParams(rows=1, lanes=1, max_k=1 << log2_k)
        assert params.phase_bits == 10 + log2_k
        assert params.acc_bits == 16 + log2_k


def test_the_encoded_operand_gives_digits_and_the_other_banks():
    kinds = {"a_bits": 4, "a_signed": False, "w_bits": 7}
    a = DigitSerialParams(**kinds)
    w = DigitSerialParams(encoded=Encoded.W, **kinds)
    assert (a.x_bits, a.x_signed, a.y_bits, a.y_signed) == (4, False, 7, True)
    assert (w.x_bits, w.x_signed, w.y_bits, w.y_signed) == (7, True, 4, False)
    assert a.digit_count == encode(Encoding.ENT, np.arange(16), 4, False).shape[-1] == 3
    assert w.digit_count == 4
    assert a.acc_bits == w.acc_bits
    sizes = {"m": 20, "k": 5, "n": 40}
    assert [tile["m"].start for tile in a.mapping().tiles(sizes)] == [0, 16] * 3
    assert [tile["n"].start for tile in w.mapping().tiles(sizes)] == [0, 16, 32] * 2


def test_structure_that_follows():
    params = DigitSerialParams(rows=4, lanes=2, group=4, max_k=256, row_banks=2, cols=6)
    assert (params.bank_count, params.bank_groups, params.stream_count) == (8, 4, 2)
    assert params.resolve_steps == 1
    shared = DigitSerialParams(
        rows=1, lanes=2, row_banks=2, lockstep=True, cols=6, resolve_adders=2
    )
    assert (shared.bank_count, shared.stream_count, shared.resolve_steps) == (1, 1, 3)


def test_grid_equals_each_point():
    points = [
        DigitSerialParams(),
        DigitSerialParams(rows=1, cols=6, lanes=2, resolve_adders=3, sparse=False),
        DigitSerialParams(rows=4, lanes=8, lockstep=True, encoded=Encoded.W, w_bits=5),
        DigitSerialParams(rows=2, row_banks=2, a_signed=False, w_signed=False, max_k=128),
    ]
    assert_properties_are_those_of_each_point(points)
