"""The golden against exact Python integers, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs import SystolicParams
from sim.golden.systolic import gemm

WIDE = SystolicParams(a_bits=16, w_bits=16, a_signed=False, w_signed=False, max_k=2**17)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_products_are_exact(m, k, n, seed):
    rng = np.random.default_rng(seed)
    a, w = rng.integers(0, 2**16, (m, k)), rng.integers(0, 2**16, (k, n))
    expected = [
        [sum(int(a[i, x]) * int(w[x, j]) for x in range(k)) for j in range(n)] for i in range(m)
    ]
    assert gemm(WIDE, a, w).tolist() == expected


def test_the_largest_sum_of_all():
    ones = np.full((1, 2**17), 2**16 - 1)
    assert gemm(WIDE, ones, ones.T).item() == 2**17 * (2**16 - 1) ** 2


@pytest.mark.parametrize(
    ("a", "w", "sentence"),
    [
        ([[128]], [[1]], "a must be between -128 and 127, not 128"),
        ([[1]], [[-129]], "w must be between -128 and 127, not -129"),
        ([[1, 2]], [[1]], r"a and w must be of shapes (m, k) and (k, n), not (1, 2) and (1, 1)"),
        ([[1, 2, 3]], [[1], [2], [3]], "k must be at most max_k = 2, not 3"),
    ],
)
def test_illegal_operands_are_refused(a, w, sentence):
    with pytest.raises(ValueError) as caught:
        gemm(SystolicParams(max_k=2), np.array(a), np.array(w))
    assert str(caught.value) == sentence
