"""The steps of a layer of GPT as a device takes them: float32, each operation rounded once."""

from collections.abc import Mapping

import numpy as np

from sim.golden.vector import (
    HIGH,
    LOW,
    MINUS_ONE,
    ONE,
    Float,
    Floats,
    Ints,
    exp2,
    reciprocal,
    total,
)

GREATEST = np.float32(127)

GELU_1 = np.float32(-2 * np.sqrt(2 / np.pi) * np.log2(np.e))
GELU_3 = np.float32(-2 * np.sqrt(2 / np.pi) * np.log2(np.e) * 0.044715)
"""Of the exponent: gelu(g) = g / (1 + 2**(g * (GELU_1 + GELU_3 * g**2)))."""


def code(values: Floats, factor: Float = ONE) -> Ints:
    """Codes -127 to 127 of values times a factor, to the nearest, ties to even."""
    clamped = np.maximum(np.minimum(values * factor, GREATEST), -GREATEST)
    codes: Ints = np.rint(clamped).astype(np.int64)
    return codes


def scaled(sums: Ints, factor: Float, bias: Floats) -> Floats:
    """What exact sums count, with their bias."""
    counted: Floats = sums.astype(np.float32) * factor + bias
    return counted


def norm(x: Floats, known: Mapping[str, Floats], number: int, lanes: int) -> Ints:
    """Codes of a vector's layer norm; number: of gain and bias, 1 or 2."""
    mean = total(x, np.ones_like(x), lanes) * known["minus_inverse_hidden"][0]
    centred = x + mean
    squares = total(centred, centred, lanes)
    root = np.sqrt(squares * known["inverse_hidden"][0] + known["epsilon"][0])
    normal = centred * (ONE / root)
    return code(normal * known[f"gain{number}"] + known[f"bias{number}"])


def softmax(logits: Ints, factor: Float, lanes: int) -> tuple[Ints, Float]:
    """Codes 0 to 127 of the powers of a head's logits, the greatest 127, and their sum.

    The sum is of the powers before they are rounded, and the codes are not divided by it.
    """
    s = logits.astype(np.float32) * factor
    powers = exp2(np.maximum(s + np.max(s) * MINUS_ONE, LOW))
    codes = np.rint(powers * GREATEST).astype(np.int64)
    return codes, total(powers, np.ones_like(powers), lanes)


def added(pages: Ints) -> Floats:
    """Sums of pages (pages, head_dim), each exact, added in float32 one after the other."""
    sums: Floats = pages[0].astype(np.float32)
    for page in pages[1:]:
        sums = page.astype(np.float32) + sums
    return sums


def gelu(g: Floats) -> Floats:
    """The form with a hyperbolic tangent."""
    exponents = np.maximum(np.minimum((g * g * GELU_3 + GELU_1) * g, HIGH), LOW)
    return reciprocal(exp2(exponents) + ONE) * g
