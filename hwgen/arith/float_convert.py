"""Floating point numbers to other formats, to integers and from integers."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Shape
from amaranth.lib.wiring import In, Out

from designs.floats import FloatFormat
from hwgen.arith.float_parts import Fields, aligned, named, saturated
from hwgen.arith.float_result import FloatResult, FloatResultParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatConvertParams:
    """The format of a number, and the one that it is to have."""

    format: FloatFormat
    to: FloatFormat

    @property
    def result(self) -> FloatResultParams:
        """Subnormal numbers become normal ones where the range grows."""
        number, offset = self.format, self.to.bias - self.format.bias
        return FloatResultParams(
            format=self.to,
            bits=number.precision,
            reach=number.mantissa_bits if number.subnormals and offset > 0 else 0,
            least_room=offset,
            most_room=(1 << number.exponent_bits) - 2 + offset,
        )

    @property
    def label(self) -> str:
        """Part of a module's name, another one for each params."""
        return f"{self.format.label}_{self.to.label}"


class FloatConvert(Component):
    """`o` is the number `i` in another format, without state."""

    params: FloatConvertParams

    def __init__(self, params: FloatConvertParams) -> None:
        super().__init__(params, {"i": In(params.format.bits), "o": Out(params.to.bits)})

    @property
    def label(self) -> str:
        return f"float_convert_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        params = self.params.result
        number = Fields.of(self.params.format, self.i)
        m.submodules.result = result = FloatResult(params)
        m.d.comb += [
            result.sign.eq(number.sign),
            result.significand.eq(number.significand),
            result.room.eq(number.scale + (params.least_room - 1)),
            result.is_nan.eq(number.is_nan),
            result.is_infinite.eq(number.is_infinite),
            self.o.eq(result.pattern),
        ]
        return m


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerParams:
    """A format, and width and sign of the integers that are converted to or from it.

    fraction_bits: so many lowest bits of an integer are below the point, less than `bits`.
    """

    format: FloatFormat
    bits: int
    signed: bool
    fraction_bits: int = 0

    @property
    def result(self) -> FloatResultParams:
        """The room above the highest bit of a magnitude is always the same."""
        room = self.bits - self.fraction_bits + self.format.bias - 2
        return FloatResultParams(
            format=self.format,
            bits=self.bits,
            reach=self.bits - 1,
            least_room=room,
            most_room=room,
        )

    @property
    def label(self) -> str:
        """Part of a module's name, another one for each params."""
        point = f"p{self.fraction_bits}" if self.fraction_bits else ""
        return f"{self.format.label}_{'s' if self.signed else 'u'}{self.bits}{point}"


class FloatFromInteger(Component):
    """`o` is the number nearest to the integer `i`, without state."""

    params: IntegerParams

    def __init__(self, params: IntegerParams) -> None:
        members = {"i": In(Shape(params.bits, params.signed)), "o": Out(params.format.bits)}
        super().__init__(params, members)

    @property
    def label(self) -> str:
        return f"float_from_integer_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        params = self.params.result
        m.submodules.result = result = FloatResult(params)
        m.d.comb += [
            result.sign.eq(self.i < 0),
            result.significand.eq(Mux(self.i < 0, -self.i, self.i)),
            result.room.eq(params.least_room),
            self.o.eq(result.pattern),
        ]
        return m


class FloatToInteger(Component):
    """`o` is the integer nearest to the number `i`, of two the even one, without state.

    What is out of range, infinity and NaN become the end of the range on the side of the sign.
    """

    params: IntegerParams

    def __init__(self, params: IntegerParams) -> None:
        members = {"i": In(params.format.bits), "o": Out(Shape(params.bits, params.signed))}
        super().__init__(params, members)

    @property
    def label(self) -> str:
        return f"float_to_integer_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        bits, number = self.params.bits, Fields.of(self.params.format, self.i)
        # The highest place is that of the integer; two or more are below the lowest.
        width = max(bits + 2, number.format.precision)
        word = Cat(Const(0, width - number.format.precision), number.significand)
        highest = bits - 1 - self.params.fraction_bits + number.format.bias
        amount = named(m, "amount", Const(highest) - number.scale)
        right = amount[:-1] & (~amount[-1]).replicate(len(amount) - 1)
        word = aligned(m, "word", word, saturated(right, (width - 1).bit_length()))
        low = width - bits
        up = word[low - 1] & (word[low] | word[: low - 1].any())
        magnitude = named(m, "magnitude", word[low:] + up)
        is_large = amount[-1] | number.is_infinite | number.is_nan | magnitude[bits]
        if self.params.signed:
            is_large = named(m, "is_large", is_large | magnitude[bits - 1])
            end = Cat((~number.sign).replicate(bits - 1), number.sign)
            integer = (magnitude ^ number.sign.replicate(bits)) + number.sign
            m.d.comb += self.o.eq(Mux(is_large, end, integer[:bits]))
        else:
            ones = named(m, "is_large", is_large).replicate(bits)
            m.d.comb += self.o.eq((magnitude | ones) & (~number.sign).replicate(bits))
        return m
