"""What engines for floats have instead of integer arithmetic: units without state.

Scores, maxima and sums are float32. A fused multiply-add is one product, a sum as wide as any two
can be apart, a normaliser and a rounding; subnormal factors are normalised first.
"""

from dataclasses import dataclass

from archmodels.attention.shape import Shape, divides, is_float
from archmodels.counts import Item, Kind, Stage
from archmodels.items import held, mux, operator, plain
from designs.attention import Element
from designs.floats import BF16, FP16, FP32
from designs.rules import Int, bit_length, clog2, maximum, minimum, where

PRECISION, EXPONENT = FP32.precision, FP32.exponent_bits

SCALE_BITS = EXPONENT + 2
"""Width of what is reckoned with exponents."""

X_BITS = 13
"""Width of an exponent x of a weight."""

WEIGHT_LOW_BITS = 5
"""Bits of a weight's exponent that count down, and as many of them as an exponent has."""

WEIGHT_FRACTION_BITS = 14
"""Fraction bits of a weight at most: what is made has 16 bits, the highest in one of two places."""

LEVELS_MAX = 7
"""Levels of a normaliser of the widest sum."""

RECIPROCAL_BITS = 88
"""Registers of a divider of float32 that makes two bits in a cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A format of floats: bits of its precision and its exponent, and of those of a weight's
    exponent that are not always low."""

    precision: Int
    exponent: Int
    weight_exponent: Int

    @classmethod
    def of(cls, params: Shape) -> "Number":
        """That of the elements; of engines for integers any."""
        is_half = params.element == Element.FP16
        return cls(
            precision=where(is_half, FP16.precision, BF16.precision),
            exponent=where(is_half, FP16.exponent_bits, BF16.exponent_bits),
            weight_exponent=bit_length(where(is_half, FP16.bias, BF16.bias) + params.weight_scale),
        )

    @property
    def weight_bits(self) -> Int:
        """Bits of a weight that are kept; of its higher exponent bits one stands for all."""
        low = minimum(WEIGHT_LOW_BITS, self.weight_exponent)
        high = minimum(self.weight_exponent - low, 1)
        return minimum(WEIGHT_FRACTION_BITS, self.precision - 1) + low + high


FUSED_PARTS = (
    "product",
    "sum",
    "negative",
    "scales",
    "differences",
    "room",
    "round",
    "align",
    "normal",
    "leading",
)
"""What a multiply-add consists of."""

FLOAT32 = Number(precision=PRECISION, exponent=EXPONENT, weight_exponent=EXPONENT - 1)


def array_units(params: Shape, step_bits: Int) -> dict[str, Item]:
    """Of all elements; `step_bits`: width of what a line's slope is multiplied by."""
    count = params.side * params.side * is_float(params)
    number = Number.of(params)
    return {
        **fused("array.fma", number, count),
        "array.float_difference": _unit(Kind.FLOAT_ADDER, count),
        **_weight("array", step_bits, count),
        "array.weight.float_round": operator(Kind.INCREMENTER, number.weight_bits, count),
    }


def lane_units(params: Shape, step_bits: Int, apart: Int) -> dict[str, Item]:
    """Of all lanes and their outputs; `apart`: 1 where a product and its sum take a slot each."""
    columns = params.side * is_float(params)
    results = params.split_columns * is_float(params)
    outputs = results * (1 - divides(params))
    count = columns // params.columns_per_lane
    fraction = PRECISION - 1
    return {
        **fused("lanes.fma", FLOAT32, count * (1 - apart)),
        "lanes.float_multiplier": _unit(Kind.FLOAT_MULTIPLIER, count * apart),
        "lanes.float_adder": _unit(Kind.FLOAT_ADDER, count * apart),
        "lanes.float_product": plain(FP32.bits, 2 * count * apart),
        "lanes.cut": operator(Kind.SUBTRACTOR, EXPONENT + 1, count),
        "lanes.cut_off": mux(fraction, count * clog2(fraction)),
        **_weight("lanes", step_bits, count),
        **_reciprocals(results, params.result_tiles),
        "outputs.numerator": held(FP32.bits, outputs),
        "outputs.float_value": held(FP32.bits, outputs),
        "outputs.float_multiplier": _unit(Kind.FLOAT_MULTIPLIER, outputs),
    }


def combiner_units(params: Shape, step_bits: Int, count: Int) -> dict[str, Item]:
    """Of so many combiners of groups' results."""
    return {
        "combiners.float_multiplier": _unit(Kind.FLOAT_MULTIPLIER, count),
        "combiners.float_adder": _unit(Kind.FLOAT_ADDER, count),
        "combiners.float_product": held(FP32.bits, count),
        "combiners.float_operands": mux(2 * FP32.bits, count),
        **_weight("combiners", step_bits, count),
    }


def fused(place: str, number: Number, count: Int) -> dict[str, Item]:
    """Multiply-adds of numbers of a format to float32."""
    precision, bits = number.precision, fused_bits(number)
    levels = bit_length(bits - 1)
    return {
        f"{place}.product": Item(
            kind=Kind.UNSIGNED_MULTIPLIER, count=count, bits=precision, other_bits=precision
        ),
        f"{place}.sum": operator(Kind.ADDER, bits, count),
        f"{place}.negative": operator(Kind.DECREMENTER, bits, count),
        f"{place}.scales": operator(Kind.ADDER, SCALE_BITS, 4 * count),
        f"{place}.differences": operator(Kind.SUBTRACTOR, SCALE_BITS, 3 * count),
        f"{place}.room": operator(Kind.DECREMENTER, SCALE_BITS, levels * count),
        f"{place}.round": operator(Kind.INCREMENTER, FP32.bits, count),
        # A float32 on its way down: there are zeros above it, and at first below it.
        f"{place}.align": mux((PRECISION + bits) // 2, levels * count),
        f"{place}.normal": mux(bits, levels * count),
        f"{place}.leading": mux(precision, 2 * clog2(precision) * count),
    }


def fused_bits(number: Number) -> Int:
    """Places of the sum: a product, a float32 above it, a carry and a sticky one."""
    return maximum(2 * number.precision, PRECISION + 3) + PRECISION + 4


def fused_path(number: Number, is_there: Int) -> tuple[Stage, ...]:
    """The longest way through a multiply-add: product, sum, its sign, normaliser and rounding."""
    bits = fused_bits(number)
    levels: tuple[Stage, ...] = ()
    for level in reversed(range(LEVELS_MAX)):
        shifts = where(bits > 1 << level, is_there, 0)
        levels += (
            Stage(kind=Kind.REDUCTION, bits=shifts << level),
            Stage(kind=Kind.FANOUT, bits=shifts * bits),
            Stage(kind=Kind.MUX, bits=shifts, other_bits=1),
        )
    precision = number.precision * is_there
    return (
        Stage(kind=Kind.UNSIGNED_MULTIPLIER, bits=precision, other_bits=number.precision),
        Stage(kind=Kind.CARRY_ADDER, bits=bits * is_there),
        Stage(kind=Kind.CARRY_ADDER, bits=bits * is_there),
        *levels,
        Stage(kind=Kind.INCREMENTER, bits=FP32.bits * is_there),
    )


def x_path(is_there: Int) -> tuple[Stage, ...]:
    """From a distance to x: its place, and rounding."""
    return (
        Stage(kind=Kind.CARRY, bits=(EXPONENT + 1) * is_there),
        Stage(kind=Kind.MUX, bits=is_there, other_bits=PRECISION - 1),
        Stage(kind=Kind.INCREMENTER, bits=X_BITS * is_there),
    )


def _weight(place: str, step_bits: Int, count: Int) -> dict[str, Item]:
    """From a distance to x, and a multiplier and adder of integers for steps of 2**-t."""
    factor = X_BITS + 4
    return {
        f"{place}.x_round": operator(Kind.INCREMENTER, X_BITS, count),
        f"{place}.x_distance": operator(Kind.SUBTRACTOR, EXPONENT + 1, count),
        f"{place}.x_shift": mux(PRECISION, clog2(PRECISION) * count),
        f"{place}.step_multiplier": Item(
            kind=Kind.MULTIPLIER, count=count, bits=factor, other_bits=step_bits + 1
        ),
        f"{place}.step_adder": operator(Kind.ADDER, factor + step_bits, count),
        f"{place}.weight_exponent": operator(Kind.ADDER, WEIGHT_LOW_BITS + 1, count),
    }


def _reciprocals(count: Int, kept: Int) -> dict[str, Item]:
    """A divider of two bits in a cycle, and results that are kept of each."""
    return {
        "reciprocals.float_divider": held(RECIPROCAL_BITS, count),
        # Whether it divides, and where the result is to be kept.
        "reciprocals.float_flags": plain(1 + clog2(kept), count),
        "reciprocals.float_results": held(FP32.bits, kept * count),
        "reciprocals.float_rest": operator(Kind.SUBTRACTOR, PRECISION + 1, 2 * count),
        "reciprocals.float_next": mux(PRECISION, 2 * count),
        "reciprocals.float_scale": operator(Kind.SUBTRACTOR, SCALE_BITS, 4 * count),
        "reciprocals.float_bias": operator(Kind.ADDER, SCALE_BITS, 2 * count),
        "reciprocals.float_round": operator(Kind.INCREMENTER, FP32.bits, count),
        "reciprocals.float_normal": mux(PRECISION, clog2(PRECISION) * count),
    }


def _unit(kind: Kind, count: Int) -> Item:
    """Units for float32."""
    return Item(kind=kind, count=count, bits=PRECISION, other_bits=EXPONENT)
