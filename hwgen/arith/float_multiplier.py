"""Multiplication of floating point numbers."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from designs.floats import FloatFormat
from hwgen.arith.float_parts import Fields, named
from hwgen.arith.float_result import FloatResult, FloatResultParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatMultiplierParams:
    """Format of the operands, and of their product where it is another."""

    format: FloatFormat
    product: FloatFormat | None = None

    @property
    def result(self) -> FloatResultParams:
        """The product of two significands of p bits has 2p bits.

        Of normal numbers the highest or the next one is set; of subnormal ones any.
        """
        number, product = self.format, self.product or self.format
        offset = product.bias - 2 * number.bias
        return FloatResultParams(
            format=product,
            bits=2 * number.precision,
            reach=2 * number.precision - 1 if number.subnormals else 1,
            least_room=2 + offset,
            most_room=2 * ((1 << number.exponent_bits) - 1) + offset,
        )

    @property
    def label(self) -> str:
        """Part of a module's name, another one for each params."""
        return f"{self.format.label}_{self.result.format.label}"


class FloatMultiplier(Component):
    """`product` is a * b, without state.

    The product of the significands is exact; one zero on top is what two normal numbers leave to
    shift out. Algorithm: Muller et al., 7.4.

    Members: `a`, `b`: patterns of the format; `product`: of that of the product.
    """

    params: FloatMultiplierParams

    def __init__(self, params: FloatMultiplierParams) -> None:
        bits = params.format.bits
        super().__init__(
            params,
            {"a": In(bits), "b": In(bits), "product": Out(params.result.format.bits)},
        )

    @property
    def label(self) -> str:
        return f"float_multiplier_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        number, params = self.params.format, self.params.result
        a, b = Fields.of(number, self.a), Fields.of(number, self.b)
        significand = Signal(params.bits)
        m.submodules.result = result = FloatResult(params)
        is_infinite = named(m, "is_infinite", a.is_infinite | b.is_infinite)
        m.d.comb += [
            significand.eq(a.significand * b.significand),
            result.sign.eq(a.sign ^ b.sign),
            result.significand.eq(significand),
            result.room.eq(a.scale + b.scale + (params.format.bias - 2 * number.bias)),
            result.is_nan.eq(a.is_nan | b.is_nan | (is_infinite & (a.is_zero | b.is_zero))),
            result.is_infinite.eq(is_infinite),
            self.product.eq(result.pattern),
        ]
        return m
