"""The order of floating point numbers."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib.wiring import In, Out

from designs.floats import FloatFormat
from hwgen.arith.float_parts import Fields, is_less, named
from hwgen.component import Component


def float_order(pattern: Value) -> Value:
    """An unsigned integer in the order of the numbers, -0 before +0; NaNs are beyond infinity.

    The greatest number is that of the greatest of these: IEEE 754's totalOrder.
    """
    return pattern ^ Cat(pattern[-1].replicate(len(pattern) - 1), Const(1, 1))


class FloatCompare(Component):
    """Whether a < b, a == b, or neither may be said of them nor a > b, as one is NaN; no state.

    The parameter is the format. Zeros are equal.

    Members: `a`, `b`: patterns; `less`, `equal`, `unordered`: at most one of them is high.
    """

    params: FloatFormat

    def __init__(self, params: FloatFormat) -> None:
        super().__init__(
            params,
            {"a": In(params.bits), "b": In(params.bits)}
            | {"less": Out(1), "equal": Out(1), "unordered": Out(1)},
        )

    @property
    def label(self) -> str:
        return f"float_compare_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        a, b = Fields.of(self.params, self.a), Fields.of(self.params, self.b)
        x = named(m, "a_magnitude", a.magnitude)
        y = named(m, "b_magnitude", b.magnitude)
        is_closer = named(m, "is_closer", is_less(x, y))
        is_equal = named(m, "is_equal", x == y)
        differ = named(m, "differ", (a.sign ^ b.sign) & (x.any() | y.any()))
        m.d.comb += [
            self.unordered.eq(a.is_nan | b.is_nan),
            self.equal.eq(is_equal & ~differ & ~self.unordered),
            self.less.eq(
                ((differ & a.sign) | (~differ & ~is_equal & (is_closer ^ a.sign))) & ~self.unordered
            ),
        ]
        return m
