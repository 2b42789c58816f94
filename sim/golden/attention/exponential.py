"""Powers of two as the engine computes them, in integers."""

import numpy as np

from designs.attention.choices import FRACTION_BITS, INTEGER_BITS, WEIGHT_FRACTION_BITS, ExpMethod
from designs.attention.exponential import coefficients, lines
from designs.attention.params import AttentionParams
from designs.rules import Ints

X_MAX = (1 << (INTEGER_BITS + FRACTION_BITS)) - 1
"""The greatest exponent; those of masked scores, and all that are too large, are this one."""


def mantissas(params: AttentionParams, t: Ints) -> Ints:
    """2**-(t / 256) for t from 0 to 255, with 15 fraction bits."""
    if params.exp_method == ExpMethod.PWL:
        chords = lines(params.exp_segments)
        part, rest = t >> chords.rest_bits, t & (1 << chords.rest_bits) - 1
        base, drop = np.array(chords.base)[part], np.array(chords.drop)[part]
        on_chord: Ints = base - (drop * rest + chords.half >> chords.rest_bits)
        return on_chord
    highest, *others = reversed(coefficients(params.exp_degree))
    total = np.full_like(t, highest)
    for coefficient in others:
        product = total * t + (1 << (FRACTION_BITS - 1))
        total = coefficient + (product >> FRACTION_BITS)
    return total


def parts(params: AttentionParams, x: Ints) -> tuple[Ints, Ints]:
    """2**-(x / 256) as mantissa y, of 15 fraction bits, and shift i: y * 2**-i."""
    return mantissas(params, x & (1 << FRACTION_BITS) - 1), x >> FRACTION_BITS


def weights(params: AttentionParams, x: Ints) -> Ints:
    """2**-(x / 256), 0 <= x <= X_MAX, to the nearest multiple of 2**-15, halves up."""
    y, i = parts(params, x)
    half = (1 << i) >> 1
    return y + half >> i


def fraction(numerator: Ints) -> Ints:
    """A product of a weight without the weight's 15 fraction bits: to the nearest, halves up."""
    return numerator + (1 << (WEIGHT_FRACTION_BITS - 1)) >> WEIGHT_FRACTION_BITS
