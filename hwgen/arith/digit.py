"""A radix-4 digit as signals."""

from amaranth.hdl import Value
from amaranth.lib import data

digit_layout = data.StructLayout({"one": 1, "two": 1, "neg": 1})
"""The digit is one + 2 * two, and negative if `neg`; of zero all three are low."""


def digit_array(count: int) -> data.ArrayLayout:
    """`count` digits, side by side."""
    return data.ArrayLayout(digit_layout, count)


def is_nonzero(digit: data.View) -> Value:
    """Whether a digit is not zero."""
    return digit.one | digit.two
