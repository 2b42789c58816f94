"""The scalars of a vector unit: registers, and constants after them."""

from typing import Any

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.vector.interface import WORD_BITS, VectorUnitParams
from hwgen.vector.operands import OPERANDS


class ScalarFile(Component):
    """Registers 0, 1, ... and then the constants of the params; three of them are read at a time.

    Members: start: read; x_scalar, p_scalar, q_scalar: which, undefined past the last
    constant; x, p, q: what they are, from the next cycle on; write, z_scalar, z: the register that
    takes a value at the end of the cycle.
    """

    reset_less = True
    params: VectorUnitParams

    def __init__(self, params: VectorUnitParams) -> None:
        super().__init__(
            params,
            {
                "start": In(1),
                **{f"{name}_scalar": In(clog2(params.scalar_count)) for name in OPERANDS},
                **{name: Out(WORD_BITS) for name in OPERANDS},
                "write": In(1),
                "z_scalar": In(clog2(params.registers)),
                "z": In(WORD_BITS),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        registers = [
            Signal(WORD_BITS, name=f"scalar_{index}", reset_less=True)
            for index in range(p.registers)
        ]
        for index, register in enumerate(registers):
            with m.If(self.write & (self.z_scalar == index)):
                m.d.sync += register.eq(self.z)
        scalars: list[Value] = [*registers, *(Const(word, WORD_BITS) for word in p.constants)]
        for name in OPERANDS:
            held = Signal(WORD_BITS, name=f"{name}_held", reset_less=True)
            with m.If(self.start):
                m.d.sync += held.eq(choose(scalars, getattr(self, f"{name}_scalar")))
            m.d.comb += getattr(self, name).eq(held)
        return m
