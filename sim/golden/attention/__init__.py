"""What attention engines compute: bit for bit, and in float64 within stated errors."""

from sim.golden.attention.inputs import Case, draw
from sim.golden.attention.machine import attention
from sim.golden.attention.quantise import dequantise, quantise
from sim.golden.attention.reference import GATES, Error, exact, numbers, reference
from sim.golden.attention.tensors import seen, shapes

__all__ = [
    "GATES",
    "Case",
    "Error",
    "attention",
    "dequantise",
    "draw",
    "exact",
    "numbers",
    "quantise",
    "reference",
    "seen",
    "shapes",
]
