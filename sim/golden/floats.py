"""Arithmetic on the bit patterns of floating point formats, in numpy.

Patterns are int64 arrays, and results too. An operation decodes its operands to float64, which
holds every number of a format and every product of two; computes there; and rounds once more. That
this is the exact result rounded once is argued at each operation. `FloatFormat` says how numbers
are rounded and what becomes of those too large or too small. NaN operands make NaN results.
Sources: Figueroa, "When is double rounding innocuous?", SIGNUM 1995; Boldo and Melquiond,
"Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE Trans.
Computers, 2008.
"""

import numpy as np
from numpy.typing import NDArray

from designs.floats import FloatFormat
from designs.rules import Ints

Reals = NDArray[np.float64]

DOUBLE_BITS = 53
"""Precision of float64."""


def decode(number: FloatFormat, patterns: Ints) -> Reals:
    """The numbers of patterns, exactly; any NaN is NaN."""
    words = np.asarray(patterns, dtype=np.int64)
    magnitudes = words & (1 << (number.bits - 1)) - 1
    exponents = magnitudes >> number.mantissa_bits
    fractions = magnitudes & (1 << number.mantissa_bits) - 1
    is_normal = exponents > 0
    significands = np.where(is_normal, fractions | 1 << number.mantissa_bits, fractions)
    if not number.subnormals:
        significands = np.where(is_normal, significands, 0)
    units = np.where(is_normal, exponents - number.bias, number.min_exponent)
    reals = np.ldexp(significands.astype(np.float64), units - number.mantissa_bits)
    if number.has_infinity:
        reals = np.where(magnitudes == number.infinity, np.inf, reals)
    reals = np.where(magnitudes > number.largest + number.has_infinity, np.nan, reals)
    return np.copysign(reals, np.where(words >> (number.bits - 1) & 1, -1.0, 1.0))


def encode(number: FloatFormat, reals: Reals) -> Ints:
    """The patterns of float64 numbers, rounded; none may be subnormal in float64."""
    is_kept = np.isfinite(reals)
    if not number.subnormals:
        is_kept &= np.abs(reals) >= np.ldexp(1.0, number.min_exponent)
    finite = np.where(is_kept, reals, 0.0)
    parts, exponents = np.frexp(np.abs(finite))
    significands = np.ldexp(parts, DOUBLE_BITS).astype(np.int64)
    leading = np.maximum(exponents.astype(np.int64) - 1, number.min_exponent)
    # The unit of the last place is 2**(leading - mantissa_bits), that of significands
    # 2**(exponents - DOUBLE_BITS).
    drop = np.minimum(leading - exponents + DOUBLE_BITS - number.mantissa_bits, DOUBLE_BITS + 2)
    kept = significands >> drop
    rest = 2 * (significands - (kept << drop)) - (np.int64(1) << drop)
    kept += (rest > 0) | ((rest == 0) & (kept & 1 == 1))
    # `kept` has the hidden bit, so that it adds one to the exponent of a normal number.
    magnitudes = kept + (leading - number.min_exponent << number.mantissa_bits)
    magnitudes = np.where(finite == 0, 0, magnitudes)
    is_large = (magnitudes > number.largest) | np.isinf(reals)
    signs = np.signbit(reals).astype(np.int64) << (number.bits - 1)
    words = signs | np.where(is_large, number.overflow, magnitudes)
    is_nan = np.isnan(reals) | (is_large & (number.overflow == number.nan))
    return np.where(is_nan, number.nan, words)


def add(number: FloatFormat, a: Ints, b: Ints) -> Ints:
    """a + b."""
    return encode(number, _sum_to_odd(decode(number, a), decode(number, b)))


def multiply(number: FloatFormat, a: Ints, b: Ints, product: FloatFormat | None = None) -> Ints:
    """a * b in the format `product`, by default that of the operands.

    The product of two significands has 48 bits at most: float64 holds it.
    """
    with np.errstate(invalid="ignore"):
        exact = decode(number, a) * decode(number, b)
    return encode(product or number, exact)


def fma(number: FloatFormat, a: Ints, b: Ints, c: Ints, sum_: FloatFormat | None = None) -> Ints:
    """a * b + c, rounded once; c and the result in `sum_`, by default the format of a and b."""
    with np.errstate(invalid="ignore"):
        exact = decode(number, a) * decode(number, b)
    return encode(sum_ or number, _sum_to_odd(exact, decode(sum_ or number, c)))


def _sum_to_odd(x: Reals, y: Reals) -> Reals:
    """x + y rounded to odd: to the float64 neighbour with an odd significand, unless exact.

    What follows rounds it as it would round x + y, for float64 has more than two bits more than
    any format. The error of the sum is Knuth's two-sum, exact as nothing overflows.
    """
    with np.errstate(invalid="ignore"):
        total = x + y
        virtual = total - x
        error = (x - (total - virtual)) + (y - virtual)
    is_even = total.view(np.int64) & 1 == 0
    is_inexact = np.isfinite(total) & (error != 0)
    odd = np.nextafter(total, np.copysign(np.inf, error))
    return np.where(is_inexact & is_even, odd, total)


def divide(number: FloatFormat, a: Ints, b: Ints) -> Ints:
    """a / b.

    A quotient of two numbers of p bits that is not halfway between two numbers of at most p bits
    is away from there by more than 2**-(2p + 1) of itself, and 2p + 1 is less than 53.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return encode(number, decode(number, a) / decode(number, b))


def square_root(number: FloatFormat, a: Ints) -> Ints:
    """The square root of a, which is never halfway between two numbers; 53 is at least 2p + 2."""
    with np.errstate(invalid="ignore"):
        return encode(number, np.sqrt(decode(number, a)))


def convert(number: FloatFormat, a: Ints, to: FloatFormat) -> Ints:
    """a in another format."""
    return encode(to, decode(number, a))


def to_integer(number: FloatFormat, a: Ints, bits: int, signed: bool) -> Ints:
    """a rounded to an integer of `bits` <= 32, ties to even.

    What is out of range, infinity and NaN become the end of the range on the side of the sign.
    """
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    reals = decode(number, a)
    sided = np.where(np.isnan(reals), np.copysign(np.inf, reals), reals)
    return np.clip(np.rint(sided), low, high).astype(np.int64)


def from_integer(number: FloatFormat, values: Ints) -> Ints:
    """The numbers nearest to integers of at most 53 bits."""
    return encode(number, np.asarray(values).astype(np.float64))


def compare(number: FloatFormat, a: Ints, b: Ints) -> tuple[NDArray[np.bool_], ...]:
    """Whether a < b, whether a == b, and whether either is NaN; -0 equals +0."""
    x, y = decode(number, a), decode(number, b)
    return x < y, x == y, np.isnan(x) | np.isnan(y)


def order(number: FloatFormat, a: Ints) -> Ints:
    """Unsigned integers in the order of the numbers, -0 before +0; a NaN is beyond infinity.

    IEEE 754's totalOrder. The greatest of numbers is that of the greatest of these.
    """
    words = np.asarray(a, dtype=np.int64)
    sign = np.int64(1) << (number.bits - 1)
    ones = np.int64(2) * sign - 1
    return np.where(words & sign, ones ^ words, words ^ sign)
