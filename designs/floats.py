"""Binary floating point formats: what their bit patterns mean.

From the highest bit down a pattern is sign, exponent, fraction. Source: IEEE 754-2019; Micikevicius
et al., "FP8 Formats for Deep Learning", 2022.
"""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.rules import Rule, boolean, check, choice, integer


class Specials(enum.IntEnum):
    """Which patterns are no finite number.

    IEEE: those with the highest exponent, infinity where the fraction is zero and NaN elsewhere.
    What is too large becomes infinity.
    FINITE: the one of all ones, but for the sign: a NaN. There is no infinity. What is too large
    becomes that NaN, as in the `fn` types of ml_dtypes.
    """

    IEEE = 0
    FINITE = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatFormat:
    """One format, and what arithmetic does with its numbers below the least normal one.

    Rounding is to nearest, ties to even. Every NaN that arithmetic makes is the pattern `nan`.
    Without `subnormals` an operand that is subnormal counts as zero of its sign, and so does a
    result that is below the least normal number before it is rounded.
    """

    RULES: ClassVar[tuple[Rule["FloatFormat"], ...]] = ()

    exponent_bits: int = integer(low=2, high=8, doc="width of the exponent", unit="bits")
    mantissa_bits: int = integer(low=1, high=23, doc="width of the stored fraction", unit="bits")
    subnormals: bool = boolean(default=True, doc="whether numbers below the least normal one count")
    specials: Specials = choice(
        default=Specials.IEEE, doc="which patterns are no finite number: ieee or finite"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def label(self) -> str:
        """A short name: e5m10; with fn and z where there is no infinity, no subnormal number."""
        ends = ("" if self.has_infinity else "fn") + ("" if self.subnormals else "z")
        return f"e{self.exponent_bits}m{self.mantissa_bits}{ends}"

    @property
    def bits(self) -> int:
        """Width of a number."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def precision(self) -> int:
        """Bits of a normal number's significand, the hidden one included."""
        return self.mantissa_bits + 1

    @property
    def bias(self) -> int:
        """What the exponent field has more than the exponent of a normal number."""
        return (1 << (self.exponent_bits - 1)) - 1

    @property
    def min_exponent(self) -> int:
        """Exponent of the least normal number, 2**min_exponent, and of the subnormal ones."""
        return 1 - self.bias

    @property
    def has_infinity(self) -> bool:
        """Whether there are infinities."""
        return self.specials == Specials.IEEE

    @property
    def one(self) -> int:
        """Pattern of 1."""
        return self.bias << self.mantissa_bits

    @property
    def infinity(self) -> int:
        """Pattern of exponents of ones above a fraction of zeros: the least that is not finite,
        where there are infinities."""
        return ((1 << self.exponent_bits) - 1) << self.mantissa_bits

    @property
    def nan(self) -> int:
        """Pattern of the NaN that arithmetic makes: positive and quiet."""
        if self.has_infinity:
            return self.infinity | 1 << (self.mantissa_bits - 1)
        return self.infinity | ((1 << self.mantissa_bits) - 1)

    @property
    def overflow(self) -> int:
        """Pattern, but for the sign, of a result that is too large."""
        return self.infinity if self.has_infinity else self.nan

    @property
    def largest(self) -> int:
        """Pattern of the largest finite number."""
        return self.overflow - 1


FP8_E5M2 = FloatFormat(exponent_bits=5, mantissa_bits=2)
FP8_E4M3 = FloatFormat(exponent_bits=4, mantissa_bits=3, specials=Specials.FINITE)
FP16 = FloatFormat(exponent_bits=5, mantissa_bits=10)
BF16 = FloatFormat(exponent_bits=8, mantissa_bits=7)
FP32 = FloatFormat(exponent_bits=8, mantissa_bits=23)
