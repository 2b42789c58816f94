"""What a vector unit works out, in numpy's float32, each operation rounded once."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.vector import EXPONENTIAL

Floats: TypeAlias = NDArray[np.float32]
Float: TypeAlias = np.float32
Ints: TypeAlias = NDArray[np.int64]

ONE, TWO, MINUS_ONE = np.float32(1), np.float32(2), np.float32(-1)
LOW, HIGH = np.float32(-125), np.float32(125)
EXP_COEFFICIENTS = tuple(np.float32(coefficient) for coefficient in reversed(EXPONENTIAL))

RECIPROCAL_SEED = 0x7EF311C3
"""Less the pattern of a number: the pattern of its reciprocal, within an eighth."""

RECIPROCAL_ROUNDS = 3


def total(a: Floats, b: Floats, lanes: int) -> Float:
    """The sum of products: each lane in order from +0, then the lanes by twos, level by level."""
    products = a * b
    filled = np.zeros(-(-len(products) // lanes) * lanes, dtype=np.float32)
    filled[: len(products)] = products
    sums = np.zeros(lanes, dtype=np.float32)
    for start in range(0, len(products), lanes):
        here = min(lanes, len(products) - start)
        sums[:here] = sums[:here] + filled[start : start + here]
    while len(sums) > 1:
        sums = sums[::2] + sums[1::2]
    return np.float32(sums[0])


def exp2(t: Floats) -> Floats:
    """2**t for t from LOW to HIGH, within 3e-7 of itself."""
    n = np.rint(t)
    f = n * MINUS_ONE + t
    p = f * EXP_COEFFICIENTS[0] + EXP_COEFFICIENTS[1]
    for coefficient in EXP_COEFFICIENTS[2:]:
        p = p * f + coefficient
    return _floats(_patterns(p) + (n.astype(np.int64) << 23))


def reciprocal(d: Floats) -> Floats:
    """1 / d of numbers from 1 to 2**126, within 3e-7 of itself: a guess, and Newton's rounds."""
    r = _floats(RECIPROCAL_SEED - _patterns(d))
    for _ in range(RECIPROCAL_ROUNDS):
        r = r * (r * d * MINUS_ONE + TWO)
    return r


def _patterns(values: Floats) -> Ints:
    return values.view(np.uint32).astype(np.int64)


def _floats(patterns: Ints) -> Floats:
    return patterns.astype(np.uint32).view(np.float32)
