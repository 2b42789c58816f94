"""From the exact result of an operation to its pattern: normalise, round, pack."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Value
from amaranth.lib.wiring import In, Out

from designs.floats import FloatFormat
from hwgen.arith.float_parts import aligned, named, normalised, plus, saturated
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatResultParams:
    """What is known of results before they are rounded.

    format: of the pattern. bits: width of the significand. reach: zeros on top of a significand
    that is not zero, at most. idle_bits: so many of its lowest bits are low if it has more than two
    such zeros. least_room, most_room: bounds of `room`.
    """

    format: FloatFormat
    bits: int
    reach: int
    least_room: int
    most_room: int
    idle_bits: int = 0

    @property
    def room_shape(self) -> Shape:
        return Shape.cast(range(self.least_room, self.most_room + 1))

    @property
    def low_bits(self) -> int:
        """Bits below the last place of a result: one to round by at least, and one sticky."""
        return max(2, self.bits - self.format.precision)


class FloatResult(Component):
    """The number significand * 2**(room + 1 - bias - (bits - 1)), rounded, without state.

    `room` is how far the significand may be shifted left before it is that of a subnormal number;
    where it is negative, the significand must go right. Rounding adds to fraction and exponent as
    one integer, so that a carry out of the fraction makes the next power of two.

    Members: `sign`, `significand`, `room`: the number, its lowest bit sticky; `is_nan`,
    `is_infinite`: that it is none, whatever they are; `pattern`: the result.
    """

    params: FloatResultParams
    inline = True

    def __init__(self, params: FloatResultParams) -> None:
        super().__init__(
            params,
            {"sign": In(1), "significand": In(params.bits), "room": In(params.room_shape)}
            | {"is_nan": In(1), "is_infinite": In(1), "pattern": Out(params.format.bits)},
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        word, room = self.placed(m)
        low, fraction_bits = self.params.low_bits, self.params.format.mantissa_bits
        hidden = word[-1]
        up = word[low - 1] & (word[low] | word[: low - 1].any())
        fraction = named(m, "rounded", word[low:-1] + up)
        exponent = named(m, "exponent", plus(room, hidden, fraction[-1]))
        fraction = fraction[:fraction_bits]
        number = self.params.format
        # Zero comes with any room, and so does what is flushed.
        is_zero = ~word[low:].any() if number.subnormals else ~hidden | self.is_below
        kept = named(m, "kept", exponent & (~is_zero).replicate(len(exponent)))
        pack = self.with_infinity if number.has_infinity else self.with_one_nan
        if not number.subnormals:
            fraction = fraction & (~is_zero).replicate(fraction_bits)
        m.d.comb += self.pattern.eq(pack(m, fraction, kept))
        return m

    @property
    def is_below(self) -> Value:
        """Whether the number is below the least normal one, by its room alone."""
        return self.room[-1] if self.params.least_room < 0 else Const(0, 1)

    def placed(self, m: Module) -> tuple[Value, Value]:
        """The significand with its hidden bit on top, or that of a subnormal number; its room."""
        p = self.params
        padding = max(0, p.format.precision + p.low_bits - p.bits)
        word = Cat(Const(0, padding), self.significand)
        room = self.room.as_unsigned()
        if p.least_room >= 0 or not p.format.subnormals:
            # Without subnormal numbers one that lacks room is flushed, whatever its significand.
            return normalised(m, word, room, p.reach, p.idle_bits)
        is_negative = self.room[-1]
        room = named(m, "left_room", room[:-1] & (~is_negative).replicate(len(room) - 1))
        word, room = normalised(m, word, room, p.reach, p.idle_bits)
        short = Cat(word[: p.low_bits - 1].any(), word[p.low_bits - 1 :])
        excess = Mux(is_negative, -self.room, 0)[: (-p.least_room).bit_length()]
        amount = named(m, "excess", saturated(excess, len(short).bit_length()))
        short = aligned(m, "denormal", short, amount)
        return Cat(short[0], Const(0, p.low_bits - 2), short[1:]), room

    def with_infinity(self, m: Module, fraction: Value, exponent: Value) -> Value:
        """Sign, exponent and fraction where the highest exponent is that of specials."""
        bits = self.params.format.exponent_bits
        is_special = self.is_nan | self.is_infinite | exponent[bits:].any()
        exponent = named(m, "shown", exponent[:bits] | is_special.replicate(bits))
        fraction = fraction & (~exponent.all()).replicate(len(fraction))
        return Cat(fraction[:-1], fraction[-1] | self.is_nan, exponent, self.sign & ~self.is_nan)

    def with_one_nan(self, m: Module, fraction: Value, exponent: Value) -> Value:
        """Sign, exponent and fraction where all ones are what is no number."""
        bits = self.params.format.exponent_bits
        is_nan = self.is_nan | self.is_infinite | exponent[bits:].any()
        magnitude = Cat(fraction, exponent[:bits]) | is_nan.replicate(len(fraction) + bits)
        magnitude = named(m, "shown", magnitude)
        return Cat(magnitude, self.sign & ~magnitude.all())
