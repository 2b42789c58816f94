"""BoothFlex params: rules with their sentences, widths that hold every sum, widths of weights."""

import numpy as np
import pytest

from designs import Gemm
from designs.booth_flex import BoothFlexParams
from designs.families import check_fit
from designs.operands import Distribution, Operand, Operands
from designs.systolic import SystolicParams
from designs.values import Values

BROKEN = [
    ({"w_bits": 7}, "w_bits must be even, whole digits of two bits, not 7"),
    (
        {"elements": 16, "max_k": 63},
        "elements times the digits of a step must be at most max_k = 63, not 16 * 4",
    ),
    ({"elements": 300}, "elements must be between 1 and 256, not 300"),
]


@pytest.mark.parametrize(("fields", "sentence"), BROKEN)
def test_rules(fields, sentence):
    with pytest.raises(ValueError) as error:
        BoothFlexParams(**fields)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("serial", "w_bits", "sentence"),
    [
        (False, 4, "w_bits must be 2 or 8 where elements are not serial, not 4"),
        (False, 10, "w_bits must be even and at most that of the machine, 8, not 10"),
        (True, 5, "w_bits must be even and at most that of the machine, 8, not 5"),
    ],
)
def test_widths_of_weights_that_do_not_fit(serial, w_bits, sentence):
    with pytest.raises(ValueError) as error:
        check_fit(BoothFlexParams(serial=serial), Gemm(m=1, k=1, n=1, w_bits=w_bits))
    assert str(error.value) == sentence


@pytest.mark.parametrize("w_bits", [0, 2, 4, 6, 8])
def test_widths_of_weights_that_fit(w_bits):
    check_fit(BoothFlexParams(serial=True), Gemm(m=1, k=1, n=1, w_bits=w_bits))
    if w_bits in (0, 2, 8):
        check_fit(BoothFlexParams(), Gemm(m=1, k=1, n=1, w_bits=w_bits))


@pytest.mark.parametrize(("w_bits", "width"), [(2, 2), (4, 4), (0, 8), (8, 8)])
def test_a_file_must_have_weights_of_the_width_of_the_workload(w_bits, width):
    def gemm(*levels):
        values = Values("w.csv", np.array(levels), np.ones(len(levels), dtype=np.int64))
        weights = Operand(distribution=Distribution.FILE, values=values)
        return Gemm(m=1, k=1, n=1, w_bits=w_bits, operands=Operands(w=weights))

    params = BoothFlexParams(serial=True, w_bits=16 if w_bits else 8)
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    check_fit(params, gemm(low, high))
    for levels in ((low - 1, 0), (0, high + 1)):
        with pytest.raises(ValueError) as error:
            check_fit(params, gemm(*levels))
        bits = f"the {width} bits that w_bits says" if w_bits else f"w_bits = {width}"
        assert str(error.value) == (
            f"operands.w must be values of {bits}, not {levels[0]} to {levels[1]}"
        )


def test_other_machines_have_one_width():
    with pytest.raises(ValueError) as error:
        check_fit(SystolicParams(), Gemm(m=1, k=1, n=1, w_bits=2))
    assert str(error.value) == (
        "w_bits must be left out: this machine multiplies weights of one width, not 2"
    )


@pytest.mark.parametrize(("a_bits", "w_bits", "max_k"), [(8, 8, 64), (4, 2, 17), (16, 16, 1000)])
def test_results_fit_exactly(a_bits, w_bits, max_k):
    params = BoothFlexParams(elements=2, a_bits=a_bits, w_bits=w_bits, max_k=max_k)
    greatest = max_k * 2 ** (a_bits - 1) * 2 ** (w_bits - 1)
    assert 2 ** (params.acc_bits - 2) <= greatest < 2 ** (params.acc_bits - 1)
