"""Weights as the attention machine defines them, in numpy."""

import numpy as np

from designs.attention import AttentionParams, ExpMethod
from designs.attention.exponential import coefficients, lines

VARIANTS = [
    *(
        {"exp_method": ExpMethod.PWL, "exp_segments": segments, "exp_stages": stages}
        for segments in (2, 4, 8, 16, 32)
        for stages in (1, 2, 3)
    ),
    *({"exp_method": ExpMethod.POLYNOMIAL, "exp_degree": degree} for degree in (2, 3, 4, 5)),
]
"""Params of every way to compute a weight."""


def variant_name(variant):
    method, *numbers = variant.values()
    return "_".join([method.name.lower(), *map(str, numbers)])


def mantissas(params: AttentionParams, t):
    """2**-t with 15 fraction bits for t with 8."""
    if params.exp_method == ExpMethod.POLYNOMIAL:
        *lower, a = coefficients(params.exp_degree)
        for coefficient in reversed(lower):
            a = coefficient + (a * t + 128 >> 8)
        return a
    table = lines(params.exp_segments)
    segment, rest = t >> table.rest_bits, t & (1 << table.rest_bits) - 1
    base, drop = np.array(table.base)[segment], np.array(table.drop)[segment]
    return base - (drop * rest + table.half >> table.rest_bits)


def weights(params: AttentionParams, x):
    """2**-x with 15 fraction bits for x with 8, rounded half up; all of 13 bits."""
    i, y = x >> 8, mantissas(params, x & 255)
    return np.where(i > 0, y + (1 << np.maximum(i, 1) - 1) >> i, y)


def exponents(distance, shift, masked):
    """x of a distance >= 0, saturated."""
    return np.where(masked, 8191, np.minimum(distance >> shift, 8191))
