"""Laconic params: rules with their sentences, and widths that hold every legal sum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs import Gemm
from designs.families import check_fit
from designs.laconic import LaconicParams

BROKEN = [
    ({"lanes": 3}, "lanes must be a power of two, not 3"),
    ({"lanes": 8, "max_k": 7}, "lanes must be at most max_k = 7, not 8"),
    ({"a_bits": 7}, "a_bits must be even, whole digits of two bits, not 7"),
    ({"w_bits": 5}, "w_bits must be even, whole digits of two bits, not 5"),
    ({"lanes": 32}, "lanes must be between 1 and 16, not 32"),
]


@pytest.mark.parametrize(("fields", "sentence"), BROKEN)
def test_rules(fields, sentence):
    with pytest.raises(ValueError) as error:
        LaconicParams(**fields)
    assert str(error.value) == sentence


@given(st.sampled_from(range(4, 17, 2)), st.sampled_from(range(4, 17, 2)), st.integers(16, 8192))
def test_results_and_exponents_fit_exactly(a_bits, w_bits, max_k):
    params = LaconicParams(a_bits=a_bits, w_bits=w_bits, max_k=max_k)
    greatest = max_k * 2 ** (a_bits - 1) * 2 ** (w_bits - 1)
    assert 2 ** (params.acc_bits - 2) <= greatest < 2 ** (params.acc_bits - 1)
    # The greatest terms are those of the two least operands.
    assert 2 ** (params.exponent_count - 1) == 2 ** (a_bits - 1) * 2 ** (w_bits - 1)


def test_a_reduction_must_fit():
    with pytest.raises(ValueError) as error:
        check_fit(LaconicParams(max_k=16), Gemm(m=1, k=17, n=1))
    assert str(error.value) == "k must be at most max_k = 16, not 17"
