"""Formats under test, their types in numpy, and operands: all of them, or hard and random ones."""

import functools
from dataclasses import replace

import ml_dtypes
import numpy as np

from designs.floats import BF16, FP8_E4M3, FP8_E5M2, FP16, FP32, FloatFormat, Specials

TYPES = {
    "fp8_e5m2": (FP8_E5M2, ml_dtypes.float8_e5m2, np.uint8),
    "fp8_e4m3": (FP8_E4M3, ml_dtypes.float8_e4m3fn, np.uint8),
    "fp16": (FP16, np.float16, np.uint16),
    "bf16": (BF16, ml_dtypes.bfloat16, np.uint16),
    "fp32": (FP32, np.float32, np.uint32),
}
"""Name to the format, its type, and the type of its patterns."""

SMALL = {
    "e2m1": FloatFormat(exponent_bits=2, mantissa_bits=1),
    "e2m3": FloatFormat(exponent_bits=2, mantissa_bits=3),
    "e3m2fn": FloatFormat(exponent_bits=3, mantissa_bits=2, specials=Specials.FINITE),
    "e5m1fn": FloatFormat(exponent_bits=5, mantissa_bits=1, specials=Specials.FINITE),
}
FORMATS = SMALL | {name: number for name, (number, *_) in TYPES.items()}

MILLION = 1_000_000


def flushing(number):
    """The format without subnormal numbers."""
    return replace(number, subnormals=False)


def special(number):
    """Zero, the ends of the subnormal, normal and special patterns, one; of either sign."""
    low, one = 1 << number.mantissa_bits, number.bias << number.mantissa_bits
    edges = (0, low, low * 2, one, one + low, number.largest, number.infinity, 1 << number.bits - 1)
    found = {edge + by for edge in edges for by in (-2, -1, 0, 1, 2)} | {number.nan}
    found = sorted(word for word in found if 0 <= word < 1 << number.bits - 1)
    return np.array(found + [word | 1 << number.bits - 1 for word in found])


def drawn(number, count, seed=0):
    """Patterns of which every bit is drawn, or all where they are fewer."""
    if 1 << number.bits <= count:
        return np.arange(1 << number.bits)
    return np.random.default_rng(seed).integers(0, 1 << number.bits, count)


def near(number, words, rng, steps):
    """Patterns up to some steps away from others, each of the other sign."""
    sign = 1 << number.bits - 1
    moved = (words & (sign - 1)) + rng.integers(-steps, steps, len(words), endpoint=True)
    return np.clip(moved, 0, sign - 1) | (~words & sign)


@functools.lru_cache(maxsize=16)
def pairs(number, count=MILLION, seed=0):
    """All pairs of an 8-bit format; else `count` of them, and all pairs of special patterns.

    Of `count` pairs a quarter cancel, a quarter multiply to about the least normal number.
    """
    if number.bits <= 8:
        return [words.ravel() for words in np.meshgrid(*2 * [np.arange(1 << number.bits)])]
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 1 << number.bits, (2, count))
    kind = np.arange(count) % 4
    b = np.where(kind == 0, near(number, a, rng, 4 << number.mantissa_bits), b)
    highest = (1 << number.exponent_bits) - 1
    exponents = number.bias - (a >> number.mantissa_bits & highest)
    exponents += rng.integers(-number.precision - 2, 4, count)
    tiny = np.clip(exponents, 0, highest) << number.mantissa_bits
    b = np.where(kind == 1, b & ~(highest << number.mantissa_bits) | tiny, b)
    x, y = np.meshgrid(*2 * [special(number)])
    return [np.concatenate([a, x.ravel()]), np.concatenate([b, y.ravel()])]


def triples(number, sum_, products, count=MILLION, seed=0):
    """Two factors and an addend, of which a half are near the negated product; `products`: of it.

    Also all triples of special patterns.
    """
    rng = np.random.default_rng(seed)
    a, b = pairs(number, count, seed)
    take = rng.integers(0, len(a), count)
    a, b = a[take], b[take]
    c = rng.integers(0, 1 << sum_.bits, count)
    for kind, steps in enumerate((2, 4 << sum_.mantissa_bits)):
        there = near(sum_, products(number, a, b, sum_), rng, steps)
        c = np.where(np.arange(count) % 4 == kind, there, c)
    grid = np.meshgrid(special(number), special(number), special(sum_))
    return [
        np.concatenate([drawn_, all_.ravel()]) for drawn_, all_ in zip((a, b, c), grid, strict=True)
    ]
