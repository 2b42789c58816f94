"""Weights of floats as the attention machine defines them, in numpy."""

import numpy as np
from attention_weights import mantissas
from float_cases import flushing

from designs.floats import FP32
from sim.golden import floats as golden

SIGN = 1 << FP32.bits - 1
MINUS_INFINITY = FP32.infinity | SIGN


def distances(highest, scores):
    """Patterns of `highest` less `scores`."""
    return golden.add(FP32, highest, scores ^ SIGN)


def exponents(patterns):
    """x of distances: the nearest with 8 fraction bits, saturated, the greatest of NaN too."""
    scaled = np.rint(np.ldexp(golden.decode(FP32, patterns), 8))
    return np.where(np.isnan(scaled), 8191, np.clip(scaled, 0, 8191)).astype(np.int64)


def weights(params, number, x, scale=0):
    """Patterns of 2**(scale - x): zero below the least normal number, and from x = 31 on."""
    i = x >> 8
    exact = np.ldexp(mantissas(params, x & 255).astype(np.float64), scale - 15 - i)
    return golden.encode(flushing(number), np.where(i == 31, 0.0, exact))
