"""Arithmetic that is the same on ints and arrays, and the sentences of broken fields."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs import Dataflow, SystolicParams
from designs.rules import (
    anywhere,
    bit_length,
    ceil_div,
    clog2,
    either,
    maximum,
    minimum,
    properties,
    where,
)

POSITIVE = st.integers(1, 2**62 - 1)


@given(POSITIVE, POSITIVE)
def test_helpers_are_exact_and_equal_on_arrays(a, b):
    arrays = np.array([a, 1]), np.array([b, 1])
    for helper, expected in (
        (maximum, max(a, b)),
        (minimum, min(a, b)),
        (ceil_div, (a - 1) // b + 1),
    ):
        assert helper(a, b) == expected
        assert helper(*arrays)[0] == expected


@given(POSITIVE)
def test_bit_lengths_are_exact_and_equal_on_arrays(value):
    assert bit_length(value) == bit_length(np.array([value, 0]))[0] == value.bit_length()
    assert clog2(value) == clog2(np.array([value, 1]))[0]
    assert value <= 2 ** clog2(value) < 2 * value
    assert bit_length(np.array([0]))[0] == 0


def test_where_takes_flags_and_arrays():
    assert where(True, 1, 2) == 1 and where(False, 1, 2) == 2
    assert where(np.array([True, False]), 1, 2).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("field", "value", "error", "sentence"),
    [
        ("rows", 0, ValueError, "rows must be between 1 and 1024, not 0"),
        ("cols", 1025, ValueError, "cols must be between 1 and 1024, not 1025"),
        ("rows", 2.0, TypeError, "rows must be an integer, not 2.0"),
        ("rows", True, TypeError, "rows must be an integer, not True"),
        ("a_bits", Dataflow.WS, TypeError, "a_bits must be an integer, not <Dataflow.WS: 1>"),
        ("a_signed", 1, TypeError, "a_signed must be true or false, not 1"),
        ("dataflow", "ws", TypeError, "dataflow must be a Dataflow, not 'ws'"),
        (
            "acc_rows",
            64,
            ValueError,
            "acc_rows must be left out with dataflow os, which has no accumulator memory, not 64",
        ),
    ],
)
def test_a_wrong_field_is_refused_with_its_rule(field, value, error, sentence):
    with pytest.raises(error) as caught:
        SystolicParams(**{field: value})
    assert str(caught.value) == sentence


def test_weight_stationary_rows_beyond_max_k_are_refused():
    with pytest.raises(
        ValueError, match="^rows must be at most max_k = 8 with dataflow ws, not 9$"
    ):
        SystolicParams(dataflow=Dataflow.WS, rows=9, max_k=8)


def test_properties_are_a_types_own_then_the_shared_ones():
    class Shared:
        @property
        def k(self):
            return 1

        @property
        def m(self):
            return 2

    class Own(Shared):
        field = 3

        @property
        def a(self):
            return 4

        @property
        def m(self):
            return 5

    assert list(properties(Own)) == ["a", "m", "k"]
    assert properties(Own)["m"] is Own.m


def test_flags_are_chosen_and_found_as_on_one_point():
    conditions, yes, no = (
        [False, True] * 4,
        [False, False, True, True] * 2,
        [False] * 4 + [True] * 4,
    )
    points = [y if condition else n for condition, y, n in zip(conditions, yes, no, strict=True)]
    assert list(map(either, conditions, yes, no)) == points
    assert either(*map(np.array, (conditions, yes, no))).tolist() == points
    assert [anywhere(True), anywhere(False)] == [True, False]
    assert [anywhere(np.array(flags)) for flags in ([False, True], [False, False])] == [True, False]
