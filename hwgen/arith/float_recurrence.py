"""What units that make a result digit by digit have in common."""

from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Value

from designs.floats import FloatFormat
from designs.rules import ceil_div
from hwgen.arith.float_parts import named


@dataclass(frozen=True, kw_only=True, slots=True)
class RecurrenceParams:
    """The format, and how many bits a cycle makes.

    extra_bits: how many the recurrence makes beyond the precision.
    """

    extra_bits: ClassVar[int]

    format: FloatFormat
    bits_per_cycle: int = 1

    @property
    def step_count(self) -> int:
        """Cycles of the recurrence."""
        return ceil_div(self.format.precision + self.extra_bits, self.bits_per_cycle)

    @property
    def digit_bits(self) -> int:
        """Bits that the recurrence makes, one of them before the point."""
        return self.step_count * self.bits_per_cycle

    @property
    def latency_cycles(self) -> int:
        """From the cycle of `start` to the first with the result."""
        return self.step_count + 1

    @property
    def label(self) -> str:
        """Part of a module's name, another one for each params."""
        return f"{self.format.label}_by_{self.bits_per_cycle}"


def divided(
    m: Module, bits: int, remainder: Value, divisor: Value, digits: Value
) -> tuple[Value, Value]:
    """Remainder and digits of a restoring division when `bits` more of the quotient are made."""
    for place in range(bits):
        rest = named(m, f"rest_{place}", remainder - divisor)
        left = Mux(rest[-1], remainder, rest)[: len(divisor)]
        remainder = named(m, f"remainder_{place}", Cat(Const(0, 1), left))
        digits = Cat(~rest[-1], digits)[: len(digits)]
    return remainder, digits
