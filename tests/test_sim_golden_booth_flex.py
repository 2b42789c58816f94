"""The golden of BoothFlex cores refuses weights that are wider than they are said to be."""

import numpy as np
import pytest

from designs.booth_flex import BoothFlexParams
from sim.golden.booth_flex import gemm

A = np.array([[1, -2, 3]])


@pytest.mark.parametrize("weight_bits", [0, 2, 8])
def test_products_do_not_depend_on_the_width(weight_bits):
    w = np.array([[1, -2], [0, 1], [-1, 1]])
    assert gemm(BoothFlexParams(), A, w, weight_bits).tolist() == [[-2, -1]]


@pytest.mark.parametrize(("weight_bits", "low", "high"), [(2, -2, 1), (4, -8, 7), (0, -128, 127)])
def test_weights_out_of_range(weight_bits, low, high):
    with pytest.raises(ValueError) as error:
        gemm(BoothFlexParams(), A, np.array([[low], [high], [high + 1]]), weight_bits)
    assert str(error.value) == f"w must be between {low} and {high}, not {high + 1}"
