"""What the benches of GEMM machines of integers share."""

import numpy as np

from designs import Gemm, SystolicParams
from sim.gemm import operands


def test_operands_are_of_their_shapes_and_widths_and_follow_the_seed():
    params = SystolicParams(a_bits=3, a_signed=False, w_bits=2)
    a, w = operands(params, Gemm(m=9, k=50, n=4), 1)
    assert (a.shape, w.shape) == ((9, 50), (50, 4))
    assert set(a.flat) == set(range(8)) and set(w.flat) == set(range(-2, 2))
    again, _ = operands(params, Gemm(m=9, k=50, n=4), 1)
    other, _ = operands(params, Gemm(m=9, k=50, n=4), 2)
    assert np.array_equal(a, again) and not np.array_equal(a, other)
