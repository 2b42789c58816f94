"""The golden arithmetic against numpy and ml_dtypes, and against exact fractions."""

import functools
from fractions import Fraction

import numpy as np
import pytest
from float_cases import FORMATS, SMALL, TYPES, drawn, flushing, near, pairs, special, triples

from designs.floats import BF16, FP8_E4M3, FP16, FP32
from sim.golden import floats as golden

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy's overflows


def values(name, words):
    """Patterns as numpy's or ml_dtypes' numbers."""
    _, kind, unsigned = TYPES[name]
    return words.astype(unsigned).view(kind)


def patterns(name, numbers):
    """Numbers of numpy's or ml_dtypes' types as patterns, with our NaN for theirs."""
    number, kind, unsigned = TYPES[name]
    words = numbers.astype(kind).view(unsigned).astype(np.int64)
    return np.where(np.isnan(numbers.astype(np.float64)), number.nan, words)


@pytest.mark.parametrize("name", TYPES)
def test_two_operands_as_numpy(name):
    number = TYPES[name][0]
    a, b = pairs(number)
    x, y = values(name, a), values(name, b)
    for found, expected in (
        (golden.add(number, a, b), x + y),
        (golden.multiply(number, a, b), x * y),
        (golden.divide(number, a, b), x / y),
    ):
        assert (found == patterns(name, expected)).all()
    less, equal, unordered = golden.compare(number, a, b)
    assert (less == (x < y)).all() and (equal == (x == y)).all()
    assert (unordered == (np.isnan(x) | np.isnan(y))).all()


@pytest.mark.parametrize("name", TYPES)
def test_square_root_as_numpy(name):
    number = TYPES[name][0]
    a = np.concatenate([drawn(number, 1_000_000), special(number)])
    assert (golden.square_root(number, a) == patterns(name, np.sqrt(values(name, a)))).all()


@pytest.mark.parametrize("to", TYPES)
@pytest.mark.parametrize("name", TYPES)
def test_conversion_as_numpy(name, to):
    number = TYPES[name][0]
    a = np.concatenate([drawn(number, 1_000_000), special(number)])
    if number == FP32:  # about the numbers of the other format, and what is halfway between them
        there = golden.convert(TYPES[to][0], drawn(TYPES[to][0], 1 << 16), FP32)
        there = np.concatenate([there, (there[1:] + there[:-1]) // 2])
        a = np.concatenate([a, near(FP32, there, np.random.default_rng(1), 1)])
    # Not all pairs of types know each other; float32 holds all numbers, so that it rounds none.
    exact = values(name, a).astype(np.float32)
    assert (
        golden.convert(number, a, TYPES[to][0]) == patterns(to, exact.astype(TYPES[to][1]))
    ).all()


@functools.cache
def value(number, pattern):
    """The exact value of a finite pattern."""
    return Fraction(float(golden.decode(number, np.array([pattern]))[0]))


def rounded(number, exact, zero_sign):
    """The pattern of an exact value, by the definition."""
    magnitude, sign = abs(exact), (exact < 0 if exact else zero_sign) << number.bits - 1
    if not number.subnormals and magnitude < Fraction(2) ** number.min_exponent:
        return sign
    candidate = int(golden.encode(number, np.array([float(magnitude)]))[0])
    around = [word for word in range(candidate - 2, candidate + 3) if 0 <= word <= number.overflow]
    # What is too large counts as if the pattern after the largest number were the next one.
    unit = (number.largest >> number.mantissa_bits) - number.bias - number.mantissa_bits
    after = value(number, number.largest) + Fraction(2) ** unit
    distances = {
        word: abs(magnitude - (value(number, word) if word < number.overflow else after))
        for word in around
        if number.subnormals or word == 0 or word >> number.mantissa_bits
    }
    best = min(distances, key=lambda word: (distances[word], word & 1))
    if best == number.overflow:
        return number.nan if number.overflow == number.nan else sign | best
    return sign | best


def finite(number, words):
    return words & (1 << number.bits - 1) - 1 <= number.largest


@pytest.mark.parametrize("subnormals", [True, False])
@pytest.mark.parametrize("number", SMALL.values(), ids=SMALL)
def test_sums_and_products_as_fractions(number, subnormals):
    number = number if subnormals else flushing(number)
    a, b = pairs(number)
    kept = finite(number, a) & finite(number, b)
    a, b = (words[kept][:: 1 + kept.sum() // 3000] for words in (a, b))
    sums, products = golden.add(number, a, b), golden.multiply(number, a, b)
    top = number.bits - 1
    for x, y, total, product in np.stack([a, b, sums, products]).T.tolist():
        u, v = value(number, x), value(number, y)
        assert total == rounded(number, u + v, x >> top & y >> top if not u and not v else 0)
        assert product == rounded(number, u * v, (x ^ y) >> top)


@pytest.mark.spread(3)
@pytest.mark.parametrize("subnormals", [True, False])
@pytest.mark.parametrize(
    ("name", "to"), [("fp16", "fp16"), ("bf16", "bf16"), ("fp32", "fp32"), ("fp16", "fp32")]
)
def test_fused_multiply_add_as_fractions(name, to, subnormals):
    """On the near cases, where rounding twice would be wrong."""
    number, sum_ = FORMATS[name], FORMATS[to]
    if not subnormals:
        number, sum_ = flushing(number), flushing(sum_)
    a, b, c = (words[:3000] for words in triples(number, sum_, golden.multiply))
    kept = finite(number, a) & finite(number, b) & finite(sum_, c)
    a, b, c = a[kept], b[kept], c[kept]
    found = golden.fma(number, a, b, c, sum_)
    for x, y, z, total in np.stack([a, b, c, found]).T.tolist():
        product, addend = value(number, x) * value(number, y), value(sum_, z)
        is_minus = (x ^ y) >> number.bits - 1 & z >> sum_.bits - 1
        both = 0 if product or addend else is_minus
        assert total == rounded(sum_, product + addend, both), (x, y, z)


def test_fused_multiply_add_of_specials():
    inf, nan, one = FP16.infinity, FP16.nan, 0x3C00
    minus = 1 << 15
    cases = {
        (inf, 0, one): nan,
        (inf, one, inf): inf,
        (inf, one, inf | minus): nan,
        (one, one, inf | minus): inf | minus,
        (one, one, one | minus): 0,
        (minus, one, minus): minus,
        (nan | minus, one, one): nan,
    }
    a, b, c = np.array(list(cases)).T
    assert golden.fma(FP16, a, b, c).tolist() == list(cases.values())


@pytest.mark.parametrize(
    ("bits", "signed", "kind"),
    [(8, True, np.int8), (8, False, np.uint8), (16, True, np.int16), (32, True, np.int32)],
)
def test_integers(bits, signed, kind):
    ends = np.iinfo(kind)
    integers = np.random.default_rng(0).integers(ends.min, ends.max, 10_000, endpoint=True)
    floats = golden.from_integer(FP32, integers)
    assert (floats == patterns("fp32", integers.astype(np.float32))).all()
    back = golden.to_integer(FP32, floats, bits, signed)
    assert (back == np.clip(integers.astype(np.float32).astype(np.int64), ends.min, ends.max)).all()
    halves = golden.encode(FP32, np.array([0.5, 1.5, 2.5, 3.5001, 0.49999, 6.5]))
    assert golden.to_integer(FP32, halves, bits, signed).tolist() == [0, 2, 2, 4, 0, 6]
    outside = np.array([FP32.infinity, FP32.nan, FP32.largest])
    assert (golden.to_integer(FP32, outside, bits, signed) == ends.max).all()
    assert (golden.to_integer(FP32, outside | 1 << 31, bits, signed) == ends.min).all()


@pytest.mark.parametrize("number", [FP8_E4M3, BF16])
def test_order_is_that_of_the_numbers(number):
    a = drawn(number, 1 << 16)
    a = a[finite(number, a)]
    places = golden.order(number, a)
    assert (np.unique(places) == np.sort(places)).all() and places.min() >= 0
    by_order = a[np.argsort(places)]
    reals = golden.decode(number, by_order)
    assert (np.diff(reals) >= 0).all()
    assert by_order[reals == 0].tolist() == [1 << number.bits - 1, 0]
