"""What one lane of a vector unit multiplies and adds."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.floats import FP32
from hwgen.arith import FloatFromInteger, IntegerParams
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.vector.interface import BANKS, WORD_BITS, Addend, Factor, Source, pass_layout

OPERANDS = ("x", "p", "q")


@dataclass(frozen=True, kw_only=True, slots=True)
class OperandsParams:
    """Nothing to choose."""


class Operands(Component):
    """x, p and q of one element, as `held` says: from memory, from a stream, or scalars.

    Members: take: the stream's element comes in, and is there from the next cycle on; incoming: it,
    float32 or two's complement; banks: what was read of each; x_scalar, p_scalar, q_scalar; held:
    the pass; x, p, q (out).
    """

    reset_less = True
    params: OperandsParams

    def __init__(self, params: OperandsParams) -> None:
        super().__init__(
            params,
            {
                "take": In(1),
                "incoming": In(WORD_BITS),
                "banks": In(data.ArrayLayout(WORD_BITS, BANKS)),
                "held": In(pass_layout()),
                **{f"{name}_scalar": In(WORD_BITS) for name in OPERANDS},
                **{name: Out(WORD_BITS) for name in OPERANDS},
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m, held = Module(), self.held
        number = IntegerParams(format=FP32, bits=WORD_BITS, signed=True)
        m.submodules.rounded = rounded = FloatFromInteger(number)
        m.d.comb += rounded.i.eq(self.incoming)
        taken = Signal(WORD_BITS, reset_less=True)
        with m.If(self.take):
            m.d.sync += taken.eq(Mux(held.integer, rounded.o, self.incoming))
        x_read, y = (choose(list(self.banks), bank) for bank in (held.x_bank, held.y_bank))
        xs = {Source.MEMORY: x_read, Source.STREAM: taken, Source.SCALAR: self.x_scalar}
        m.d.comb += self.x.eq(choose([xs[source] for source in Source], held.x))
        ps = {Factor.SCALAR: self.p_scalar, Factor.Y: y, Factor.X: self.x, Factor.STREAM: taken}
        m.d.comb += self.p.eq(choose([ps[factor] for factor in Factor], held.p))
        m.d.comb += self.q.eq(Mux(held.q == Addend.Y, y, self.q_scalar))
        return m
