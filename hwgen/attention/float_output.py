"""Results of floats: numerators times reciprocals of their denominators."""

from typing import Any

from amaranth.hdl import Module, Signal

from designs.floats import FP32
from hwgen.arith import FloatMultiplier, FloatMultiplierParams
from hwgen.attention.output import OutputLane
from hwgen.choose import choose


class FloatOutput(OutputLane):
    """`value` is numerator * reciprocal of two steps ago, a float32, rounded to nearest.

    A step is a clock edge with `advance` high: one into a register for the numerator, one behind
    the product. Members: see `IntegerOutput`; shift_half is not used.
    """

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = FloatMultiplier(FloatMultiplierParams(format=FP32))
        numerator = Signal(FP32.bits, reset_less=True)
        value = Signal(FP32.bits, reset_less=True)
        m.d.comb += [
            multiplier.a.eq(numerator),
            multiplier.b.eq(choose(self.reciprocals, self.scale_half)),
            self.value.eq(value),
        ]
        with m.If(self.advance):
            m.d.sync += [numerator.eq(self.numerator), value.eq(multiplier.product)]
        return m
