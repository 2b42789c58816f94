"""Digits that travel: an operand that is encoded at the edge of an array."""

from functools import lru_cache

import numpy as np
from amaranth.hdl import Cat, Const, Value
from amaranth.lib import data

from designs.digits import encode
from designs.operands import operand_range
from hwgen.arith import DigitEncoderParams, digit_array, digit_layout


@lru_cache(maxsize=64)
def live_bits(params: DigitEncoderParams) -> tuple[tuple[int, str], ...]:
    """The bits of an operand's digits that any operand has at all: (digit, name of the bit).

    The top digit of an unsigned operand, for one, is never negative.
    """
    low, high = operand_range(params.bits, params.signed)
    digits = encode(params.encoding, np.arange(low, high + 1), params.bits, params.signed)
    has = {"one": abs(digits) == 1, "two": abs(digits) == 2, "neg": digits < 0}
    return tuple(
        (index, name)
        for index in range(params.count)
        for name, found in has.items()
        if found[:, index].any()
    )


def packed_digits(params: DigitEncoderParams, digits: data.View) -> Value:
    """The live bits of digits, side by side."""
    return Cat(digits[index][name] for index, name in live_bits(params))


def unpacked_digits(params: DigitEncoderParams, bits: Value) -> data.View:
    """The digits of which these are the live bits."""
    live = dict(zip(live_bits(params), bits, strict=True))
    places = [(index, name) for index in range(params.count) for name in digit_layout.members]
    digits = [live.get(place, Const(0, 1)) for place in places]
    return data.View(digit_array(params.count), Cat(digits))
