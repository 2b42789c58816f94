"""Formats: their patterns are those of numpy and ml_dtypes, and what is no format is refused."""

import re

import ml_dtypes
import numpy as np
import pytest
from float_cases import SMALL, TYPES

from designs.floats import FP16, FloatFormat, Specials


@pytest.mark.parametrize("name", TYPES)
def test_patterns_are_those_of_the_type(name):
    number, kind, words = TYPES[name]
    known = ml_dtypes.finfo(kind)

    def number_of(pattern):
        return np.array(pattern, dtype=words).view(kind)

    assert number.bits == known.bits
    assert number.precision == known.nmant + 1
    assert 2.0**number.min_exponent == float(known.smallest_normal)
    assert number_of(number.largest) == known.max
    assert number_of(number.one) == 1.0
    assert np.isnan(number_of(number.nan))
    assert np.isinf(number_of(number.infinity)) == number.has_infinity
    overflow = number_of(number.overflow)
    assert np.isinf(overflow) if number.has_infinity else np.isnan(overflow)


@pytest.mark.parametrize("number", SMALL.values())
def test_patterns_above_the_largest_number_are_special(number):
    assert number.overflow == number.largest + 1
    assert number.overflow <= number.nan < 1 << number.bits - 1


def test_canonical_nans():
    # IEEE 754-2019, 6.2.1: a quiet NaN has the first bit of its fraction set.
    assert FP16.nan == 0b0_11111_1000000000
    assert TYPES["fp8_e4m3"][0].nan == 0b0_1111_111


@pytest.mark.parametrize(
    ("fields", "error", "sentence"),
    [
        ({"exponent_bits": 1}, ValueError, "exponent_bits must be between 2 and 8, not 1"),
        ({"exponent_bits": 9}, ValueError, "exponent_bits must be between 2 and 8, not 9"),
        ({"mantissa_bits": 0}, ValueError, "mantissa_bits must be between 1 and 23, not 0"),
        ({"mantissa_bits": 24}, ValueError, "mantissa_bits must be between 1 and 23, not 24"),
        ({"mantissa_bits": 2.0}, TypeError, "mantissa_bits must be an integer, not 2.0"),
        ({"subnormals": 1}, TypeError, "subnormals must be true or false, not 1"),
        ({"specials": 1}, TypeError, "specials must be a Specials, not 1"),
    ],
)
def test_what_is_no_format_is_refused(fields, error, sentence):
    with pytest.raises(error, match=re.escape(sentence)):
        FloatFormat(**{"exponent_bits": 5, "mantissa_bits": 2, "specials": Specials.IEEE} | fields)
