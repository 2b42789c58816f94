"""Conversions, bit for bit: between formats, to integers and from them."""

import numpy as np
import pytest
from bit_parallel import BitParallel
from float_cases import FORMATS, drawn, flushing, near, special

from designs.floats import FP8_E4M3, FP8_E5M2, FP16, FP32
from hwgen.arith import (
    FloatConvert,
    FloatConvertParams,
    FloatFromInteger,
    FloatToInteger,
    IntegerParams,
)
from sim.golden import floats as golden

KINDS = [
    ("fp32", "fp16"),
    ("fp32", "bf16"),
    ("fp32", "fp8_e4m3"),
    ("fp32", "e2m1"),
    ("fp16", "fp32"),
    ("bf16", "fp32"),
    ("bf16", "fp16"),
    ("fp8_e4m3", "fp8_e5m2"),
    ("fp8_e5m2", "fp8_e4m3"),
    ("e2m1", "fp16"),
]
INTEGERS = [(FP32, 8, True), (FP32, 8, False), (FP32, 32, True), (FP16, 20, True)]
INTEGERS += [(FP16, 4, True), (FP8_E5M2, 32, False), (FP8_E4M3, 16, True)]


def operands(number, to):
    """All patterns, or the special ones, drawn ones, and some about numbers of the other format."""
    if number.bits <= 16:
        return drawn(number, 1 << 16)
    there = golden.convert(to, drawn(to, 1 << 16), number)
    there = np.concatenate([there, (there[1:] + there[:-1]) // 2])
    there = near(number, there, np.random.default_rng(1), 1)
    return np.concatenate([special(number), drawn(number, 1 << 18), there])


PAIRS = [(FORMATS[name], FORMATS[to]) for name, to in KINDS]
PAIRS += [(flushing(number), to) for number, to in PAIRS[4:6]]
PAIRS += [(number, flushing(to)) for number, to in PAIRS[:4]]


@pytest.mark.parametrize(("number", "to"), PAIRS)
def test_formats(number, to):
    words = operands(number, to)
    (found,) = BitParallel(FloatConvert(FloatConvertParams(format=number, to=to)))(i=words)
    assert (found == golden.convert(number, words, to)).all()


def integers(bits, signed):
    """Integers of all lengths, and the ends of the range."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    rng = np.random.default_rng(bits)
    lengths = rng.integers(0, bits, 1 << 16)
    drawn_ = rng.integers(low, high, len(lengths), endpoint=True) >> lengths
    return np.concatenate([drawn_, [low, low + 1, 0, 1, high - 1, high]])


@pytest.mark.parametrize(("number", "bits", "signed"), INTEGERS)
def test_from_integers(number, bits, signed):
    values = integers(bits, signed)
    params = IntegerParams(format=number, bits=bits, signed=signed)
    (found,) = BitParallel(FloatFromInteger(params))(i=values)
    assert (found == golden.from_integer(number, values)).all()


@pytest.mark.parametrize(("number", "bits", "signed"), [*INTEGERS, (flushing(FP16), 8, True)])
def test_to_integers(number, bits, signed):
    halves = golden.encode(number, integers(bits, signed) / 2)
    words = np.concatenate([halves, near(number, halves, np.random.default_rng(0), 1)])
    words = np.concatenate([words, drawn(number, 1 << 16), special(number)])
    params = IntegerParams(format=number, bits=bits, signed=signed)
    (found,) = BitParallel(FloatToInteger(params))(i=words)
    expected = golden.to_integer(number, words, bits, signed)
    assert (found == expected % (1 << bits)).all()


@pytest.mark.parametrize(("number", "bits", "point"), [(FP32, 13, 8), (FP16, 8, 3), (FP32, 9, 1)])
@pytest.mark.parametrize("signed", [True, False])
def test_integers_with_fraction(number, bits, point, signed):
    """Each is that of the number times a power of two, which is exact in float64."""
    params = IntegerParams(format=number, bits=bits, signed=signed, fraction_bits=point)
    values = integers(bits, signed)
    (found,) = BitParallel(FloatFromInteger(params))(i=values)
    assert (found == golden.encode(number, np.ldexp(values.astype(np.float64), -point))).all()
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    halves = golden.encode(number, np.ldexp(values.astype(np.float64), -point - 1))
    words = np.concatenate([halves, near(number, halves, np.random.default_rng(0), 1)])
    words = np.concatenate([words, drawn(number, 1 << 16), special(number)])
    reals = golden.decode(number, words)
    rounded = np.clip(np.rint(np.ldexp(reals, point)), low, high)
    negative = words >> number.bits - 1 == 1
    expected = np.where(np.isnan(reals), np.where(negative, low, high), rounded).astype(np.int64)
    (found,) = BitParallel(FloatToInteger(params))(i=words)
    assert (found == expected % (1 << bits)).all()
