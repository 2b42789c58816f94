"""Fused multiply-add of floating point numbers."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.floats import FloatFormat
from hwgen.arith.float_parts import Fields, aligned, leading, named, plus, saturated
from hwgen.arith.float_result import FloatResult, FloatResultParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatFmaParams:
    """Format of the factors, and of the addend and the sum where it is another."""

    format: FloatFormat
    sum: FloatFormat | None = None

    @property
    def sum_format(self) -> FloatFormat:
        return self.sum or self.format

    @property
    def above_bits(self) -> int:
        """Places of an addend that is all above the product, and two between them."""
        return self.sum_format.precision + 2

    @property
    def product_bits(self) -> int:
        """Places of the product, its highest bit in one of the two on top.

        At least so many that one more is left below a result of the sum's precision that begins two
        places below the top: an addend that is cut off cancels no more than that.
        """
        return max(2 * self.format.precision, self.sum_format.precision + 3)

    @property
    def bits(self) -> int:
        """Width of the sum: a carry, an addend above the product, the product, a sticky place."""
        return 1 + self.above_bits + self.product_bits + 1

    @property
    def offset(self) -> int:
        """Exponent field of the sum's top without that of the factors."""
        return self.sum_format.bias - 2 * self.format.bias + 1 + self.above_bits

    @property
    def result(self) -> FloatResultParams:
        highest = (1 << self.format.exponent_bits) - 1
        return FloatResultParams(
            format=self.sum_format,
            bits=self.bits,
            reach=self.bits - 1,
            least_room=0,
            most_room=max(2 * highest + self.offset, 1 << self.sum_format.exponent_bits),
        )

    @property
    def label(self) -> str:
        """Part of a module's name, another one for each params."""
        return f"{self.format.label}_{self.sum_format.label}"


class FloatFma(Component):
    """`sum` is a * b + c, rounded once, without state.

    The product stays where it is, and the addend is shifted right from a place above it, as far as
    the exponents say; an addend that is to be higher still is so large that the product is no more
    than a sticky bit. Subnormal factors are normalised first, so that no addend is lost below a
    product with many leading zeros. Algorithm: Muller et al., 7.5.

    Members: `a`, `b`: patterns of the format; `c`, `sum`: of that of the sum.
    """

    params: FloatFmaParams

    def __init__(self, params: FloatFmaParams) -> None:
        factor, addend = params.format.bits, params.sum_format.bits
        super().__init__(
            params, {"a": In(factor), "b": In(factor), "c": In(addend), "sum": Out(addend)}
        )

    @property
    def label(self) -> str:
        return f"float_fma_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        p = self.params
        a, b = Fields.of(p.format, self.a), Fields.of(p.format, self.b)
        c = Fields.of(p.sum_format, self.c)
        sign = named(m, "product_sign", a.sign ^ b.sign)
        differ = named(m, "differ", sign ^ c.sign)
        total, room, is_negative = self.total(m, a, b, c, differ)
        is_infinite = named(m, "is_infinite", a.is_infinite | b.is_infinite)
        is_cancelled = differ & ~(total.any() | is_infinite | c.is_infinite)
        number_sign = Mux(c.is_infinite, c.sign, sign ^ is_negative) & ~is_cancelled
        m.submodules.result = result = FloatResult(p.result)
        m.d.comb += [
            result.sign.eq(Mux(is_infinite, sign, number_sign)),
            result.significand.eq(total),
            result.room.eq(room),
            result.is_nan.eq(
                (a.is_nan | b.is_nan | c.is_nan)
                | (is_infinite & (a.is_zero | b.is_zero | (c.is_infinite & differ)))
            ),
            result.is_infinite.eq(is_infinite | c.is_infinite),
            self.sum.eq(result.pattern),
        ]
        return m

    def total(
        self, m: Module, a: Fields, b: Fields, c: Fields, differ: Value
    ) -> tuple[Value, Value, Value]:
        """The sum's significand, how far it may be shifted left, and if c has made its sign."""
        p = self.params
        product = Signal(2 * p.format.precision)
        (a_word, a_scale), (b_word, b_scale) = leading(m, "a", a), leading(m, "b", b)
        highest = named(m, "highest", a_scale + b_scale + p.offset)
        lead = named(m, "lead", highest - c.scale)
        # What is below an addend above all is only sticky, and that must hold of a zero too.
        is_high = named(m, "is_high", lead[-1] | ~product.any())
        room = named(m, "room", Mux(is_high, c.scale, highest))
        below = named(m, "below", lead[:-1] & (~is_high).replicate(len(lead) - 1))
        top = Cat(Const(0, p.bits - 1 - p.sum_format.precision), c.significand)
        addend = aligned(m, "addend", top, saturated(below, (p.bits - 1).bit_length()))
        signed = plus(
            Cat(
                Const(0, p.bits - 1 - p.above_bits - len(product)),
                product,
                Const(0, p.above_bits + 2),
            ),
            Cat(addend, Const(0, 2)) ^ differ.replicate(p.bits + 1),
            differ,
        )
        is_negative = named(m, "is_negative", signed[p.bits])
        total = named(m, "total", Mux(is_negative, -signed, signed)[: p.bits])
        m.d.comb += product.eq(a_word * b_word)
        return total, room, is_negative
