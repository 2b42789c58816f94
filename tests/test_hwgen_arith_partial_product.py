"""Partial products: every digit times every operand."""

import itertools

import numpy as np
import pytest
from combinational import answers
from test_designs_digits import values_of
from test_hwgen_arith_encoder import WIRES

from designs.digits import PartialProductStyle
from hwgen.arith import PartialProduct, PartialProductParams
from sim.golden import digits as golden


@pytest.mark.parametrize("style", PartialProductStyle)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [2, 3, 5, 8, 9, 16])
def test_row_and_hot_one(bits, signed, style):
    params = PartialProductParams(bits=bits, signed=signed, style=style)
    operands = values_of(bits, signed)[: 1 << 9].tolist()
    cases = list(itertools.product(WIRES, {*operands, int(values_of(bits, signed)[-1])}))
    stimuli = (
        {"digit": WIRES[digit], "b": b} | ({} if params.has_hot else {"minus_b": -b})
        for digit, b in cases
    )
    found = answers(PartialProduct(params), stimuli, "row", *(["hot"] if params.has_hot else []))
    digit, b = np.array(cases).T
    row, hot = golden.partial_product(digit, b, bits, signed, style)
    assert (row + hot == digit * b).all()
    assert [word for word, *_ in found] == (row % (1 << params.row_bits)).tolist()
    if params.has_hot:
        assert [one for _, one in found] == hot.tolist()
    # The row is exactly as wide as its numbers, sign included.
    half = 1 << params.row_bits - 1
    assert -half <= row.min() and half // 2 <= row.max() < half


def test_least_operand_doubled_and_negated():
    for style in PartialProductStyle:
        row, hot = golden.partial_product(np.array(-2), np.array(-128), 8, True, style)
        assert row + hot == 256


def test_golden_refuses_what_is_no_digit_or_operand():
    for digit, b in ((3, 0), (0, 128), (0, -129)):
        with pytest.raises(ValueError, match="digit must be between -2 and 2 and b between -128"):
            golden.partial_product(
                np.array([digit]), np.array([b]), 8, True, PartialProductStyle.HOT_ONE
            )
