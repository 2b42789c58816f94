"""Functions that a VitaLLM engine makes of its vector unit's, each operation rounded once."""

import numpy as np

from designs.bitnet import GateFunction
from sim.golden.vector import HIGH, LOW, ONE, Float, Floats, Ints, exp2, reciprocal

FLOOR = np.float32(2.0**-60)
C127, EPSILON = np.float32(127), np.float32(1e-5)
INV127, INV127_SQUARED = np.float32(1 / 127), np.float32(1 / 127**2)
LOG2E = np.float32(np.log2(np.e))


def quantise(values: Floats) -> tuple[Ints, Float]:
    """Codes -127 to 127, and the greatest magnitude, at least FLOOR."""
    greatest = np.maximum(np.max(np.abs(values)), FLOOR)
    return np.rint(values * (C127 / greatest)).astype(np.int64), greatest


def root_mean_square(squares: Float, count: int) -> Float:
    """From the sum of `count` squares."""
    root: Float = np.sqrt(squares * np.float32(1 / count) + EPSILON)
    return root


def silu(g: Floats) -> Floats:
    """g / (1 + e**-g)."""
    e = exp2(np.maximum(np.minimum(g * -LOG2E, HIGH), LOW))
    return reciprocal(e + ONE) * g


def relu2(g: Floats) -> Floats:
    """The square of what is positive."""
    r = np.where(g > 0, g, np.float32(0))
    return r * r


GATES = {GateFunction.SILU: silu, GateFunction.RELU2: relu2}
