"""Formats of the values that machines with a choice of them work on."""

import enum
from collections.abc import Mapping
from types import MappingProxyType

from designs.floats import BF16, FP16, FloatFormat


class Element(enum.IntEnum):
    """Format of a value: of queries, keys and values, of weights and activations."""

    INT8 = 0
    FP16 = 1
    BF16 = 2


FLOAT_FORMATS: Mapping[Element, FloatFormat] = MappingProxyType(
    {Element.FP16: FP16, Element.BF16: BF16}
)
"""The formats of the elements that are floating-point numbers."""
