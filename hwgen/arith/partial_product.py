"""A digit times an operand."""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Const, Module, Shape, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.digits import PartialProductStyle
from hwgen.arith.digit import digit_layout
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class PartialProductParams:
    """The operand's width and sign, and how its negative multiples are formed."""

    bits: int
    signed: bool
    style: PartialProductStyle = PartialProductStyle.HOT_ONE

    @property
    def has_hot(self) -> bool:
        """Whether a one must be added to a negative row."""
        return self.style == PartialProductStyle.HOT_ONE

    @property
    def row_bits(self) -> int:
        """Width of a row in two's complement: of +2**bits too, if it is formed."""
        return self.bits + (1 if self.has_hot and self.signed else 2)


class PartialProduct(Component):
    """`row` (+ `hot`, where there is one) is digit * b, without state.

    Members: `digit`; `b`: the operand; `minus_b` (NEGATE only): -b; `row`: two's complement;
    `hot` (HOT_ONE only): one if the digit is negative.
    """

    params: PartialProductParams
    inline = True

    def __init__(self, params: PartialProductParams) -> None:
        operand = Shape(params.bits, signed=params.signed)
        members = {"digit": In(digit_layout), "b": In(operand), "row": Out(params.row_bits)}
        if params.has_hot:
            members |= {"hot": Out(1)}
        else:
            members |= {"minus_b": In(Shape(params.bits + 1, signed=True))}
        super().__init__(params, members)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        p, digit = self.params, self.digit
        if p.has_hot:
            multiple = self.chosen(m, {"": self.b}, {"": Const(1, 1)})
            m.d.comb += [
                self.row.eq(multiple ^ digit.neg.replicate(p.row_bits)),
                self.hot.eq(digit.neg),
            ]
        else:
            bases = {"": self.b, "minus_": self.minus_b}
            m.d.comb += self.row.eq(self.chosen(m, bases, {"": ~digit.neg, "minus_": digit.neg}))
        return m

    def chosen(self, m: Module, bases: dict[str, Value], signs: dict[str, Value]) -> Value:
        """Once or twice the base whose sign holds, or zero."""
        bits = self.params.row_bits
        terms: list[Value] = []
        for name, base in bases.items():
            for times, multiple in (("one", base), ("two", base << 1)):
                term = Signal(bits, name=f"{name}{times}_b")
                m.d.comb += term.eq(multiple)
                terms.append(term & (self.digit[times] & signs[name]).replicate(bits))
        return reduce(or_, terms)
