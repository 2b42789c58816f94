"""A vector unit of float32 lanes, which machines share: component, and its instructions' fields."""

from hwgen.vector.encoding import instruction_fields
from hwgen.vector.interface import (
    WORD_BITS,
    VectorUnitParams,
    elements_layout,
    instruction_layout,
)
from hwgen.vector.unit import VectorUnit

__all__ = [
    "WORD_BITS",
    "VectorUnit",
    "VectorUnitParams",
    "elements_layout",
    "instruction_fields",
    "instruction_layout",
]
