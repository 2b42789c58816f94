"""Digit encoders: the digits of every operand, zero in one form only."""

import numpy as np
import pytest
from combinational import answers
from test_designs_digits import values_of

from designs.digits import Encoding, encode
from hwgen.arith import DigitEncoder, DigitEncoderParams

WIRES = {0: 0b000, 1: 0b001, 2: 0b010, -1: 0b101, -2: 0b110}
"""Digit to one, two and neg, the first lowest."""


def packed(digits):
    return sum(WIRES[digit] << 3 * at for at, digit in enumerate(digits.tolist()))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", range(2, 17))
@pytest.mark.parametrize("encoding", Encoding)
def test_digits_are_those_of_the_definition(encoding, bits, signed):
    values = values_of(bits, signed)
    if bits > 10:
        values = np.random.default_rng(bits).permutation(values)[:500]
        values[:2] = values_of(bits, signed)[[0, -1]]
    encoder = DigitEncoder(DigitEncoderParams(encoding=encoding, bits=bits, signed=signed))
    found = answers(encoder, ({"i": value} for value in values.tolist()), "o")
    expected = encode(encoding, values, bits, signed)
    assert [word for (word,) in found] == [packed(row) for row in expected]
