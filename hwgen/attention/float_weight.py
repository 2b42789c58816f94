"""Weights of floats: 2**-x as a pattern of a format."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from designs.attention.choices import FRACTION_BITS, INTEGER_BITS
from designs.attention.params import AttentionParams
from designs.floats import FP32, FloatFormat
from hwgen.arith import FloatToInteger, IntegerParams
from hwgen.attention.mantissa import X_BITS, Y_BITS, Mantissa, MantissaParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatWeightParams:
    """How 2**-t comes about, and the format of a weight, which is that times 2**scale.

    Weights are at most 2**scale, for 0 or the format's bias, and not negative, so that of an
    exponent's bits above the lowest `low_bits` all those are high that are in the greatest one, or
    all are low as those of zero.
    """

    engine: AttentionParams
    format: FloatFormat
    scale: int = 0

    @property
    def fraction_bits(self) -> int:
        """Bits of a pattern's fraction that may be high."""
        return min(Y_BITS - 2, self.format.mantissa_bits)

    @property
    def greatest(self) -> int:
        """Exponent of 2**scale, with the format's bias."""
        return self.format.bias + self.scale

    @property
    def low_bits(self) -> int:
        """Lowest bits of an exponent, which count down with the integer part of x."""
        return min(INTEGER_BITS, self.greatest.bit_length())

    @property
    def high_bits(self) -> int:
        """Bits of an exponent that are low for zero only."""
        return self.greatest.bit_length() - self.low_bits

    @property
    def kept_bits(self) -> int:
        """Bits of a weight as it is kept."""
        return self.fraction_bits + self.low_bits + min(1, self.high_bits)

    def word(self, pattern: Value) -> Value:
        """A weight as it is kept, of its pattern."""
        return pattern[self.format.mantissa_bits - self.fraction_bits :][: self.kept_bits]

    @property
    def mantissa(self) -> MantissaParams:
        """Where 2**-t, and then the weight, is kept."""
        return MantissaParams.of(self.engine, self.kept_bits)


class FloatWeight(Component):
    """`weight` is 2**(scale - x), rounded to nearest, ties to even; zero where that is below the
    least normal number, or all bits of the integer part of x are high.

    A weight takes `exp_slots` slots, see `Mantissa`, whose products have a multiplier of their own.
    The last slot forms the pattern, of which those bits are kept that are not always the same.

    Members: step: bit k in slot k, else none; x: with 8 fraction bits, in the first slot (in);
    weight: from the cycle after the last slot until the next first one.
    """

    reset_less = True
    inline = True
    params: FloatWeightParams

    def __init__(self, params: FloatWeightParams) -> None:
        super().__init__(
            params,
            {
                "step": In(params.mantissa.slots),
                "x": In(X_BITS),
                "weight": Out(params.format.bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.mantissa = mantissa = Mantissa(p.mantissa)
        total = Signal(signed(p.mantissa.total_bits))
        m.d.comb += [
            mantissa.step.eq(self.step),
            mantissa.x.eq(self.x),
            total.eq(mantissa.multiplicand * mantissa.multiplier + mantissa.addend),
            mantissa.total.eq(total),
            mantissa.weight.eq(self.kept(m, mantissa.y, mantissa.exponent)),
            self.weight.eq(self.pattern(mantissa.value)),
        ]
        return m

    def kept(self, m: Module, y: Value, exponent: Value) -> Value:
        """The bits of y * 2**-(15 + exponent) that are kept. y: 2**15, or less and above 2**14."""
        p = self.params
        is_one = y[-1]
        below = Signal(INTEGER_BITS + 1)  # how far the exponent is below one of ones
        # Twice the bias is one less than ones: 1 is one below, and what is less two or more.
        m.d.comb += below.eq(exponent + (Cat(is_one, ~is_one) if p.scale else ~is_one))
        is_zero = exponent.all()
        if not p.high_bits:
            is_zero = below[p.low_bits :].any() | below[: p.low_bits].all()
        dropped = Y_BITS - 2 - p.fraction_bits
        number = Cat(y[dropped : Y_BITS - 2], ~below[: p.low_bits])
        if dropped:
            rounded = Signal(p.fraction_bits + p.low_bits)
            up = y[dropped - 1] & (y[dropped] | y[: dropped - 1].any())
            m.d.comb += rounded.eq(number + up)
            number = rounded
        word = Cat(number, Const(1, 1) if p.high_bits else Const(0, 0))
        return word & (~is_zero).replicate(p.kept_bits)

    def pattern(self, word: Value) -> Value:
        """The pattern of a weight as it is kept."""
        p = self.params
        low = p.fraction_bits + p.low_bits
        fraction_pad = Const(0, p.format.mantissa_bits - p.fraction_bits)
        high = word[low:].replicate(p.high_bits)
        sign_pad = Const(0, p.format.exponent_bits + 1 - p.greatest.bit_length())
        return Cat(fraction_pad, word[:low], high, sign_pad)


def exponent_of() -> FloatToInteger:
    """What makes x of a distance: of 8 fraction bits the nearest, saturated, from zero on."""
    return FloatToInteger(
        IntegerParams(format=FP32, bits=X_BITS, signed=False, fraction_bits=FRACTION_BITS)
    )


def negated(pattern: Value) -> Value:
    """The number with its sign inverted."""
    return Cat(pattern[:-1], ~pattern[-1])
