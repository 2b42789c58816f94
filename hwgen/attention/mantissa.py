"""Powers of two of fractions, on the multiplier and adder of the host."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from designs.attention.choices import FRACTION_BITS, INTEGER_BITS, WEIGHT_FRACTION_BITS, ExpMethod
from designs.attention.exponential import coefficients, lines
from designs.attention.params import AttentionParams
from hwgen.choose import choose, gated
from hwgen.component import Component

X_BITS = INTEGER_BITS + FRACTION_BITS
Y_BITS = WEIGHT_FRACTION_BITS + 1
FACTOR_BITS = Y_BITS + 1
"""Width of a multiplicand: a weight, a line's slope or one of Horner's values, with sign."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MantissaParams:
    """How 2**-t comes about, see the fields of `AttentionParams`.

    `slots`: from score to weight. `weight_bits`: width of what is made of it, 16 at least.
    """

    method: ExpMethod
    segments: int
    degree: int
    slots: int
    weight_bits: int

    @classmethod
    def of(cls, params: AttentionParams, weight_bits: int) -> "MantissaParams":
        """That of an element or a lane of an engine."""
        return cls(
            method=params.exp_method,
            segments=params.exp_segments,
            degree=params.exp_degree,
            slots=params.exp_slots,
            weight_bits=weight_bits,
        )

    @property
    def line_steps(self) -> range:
        """The slots that multiply."""
        if self.method == ExpMethod.POLYNOMIAL:
            return range(1, self.degree + 1)
        return range(0, 1) if self.slots == 1 else range(1, 2)

    @property
    def keeps_exponent(self) -> bool:
        """Whether the integer part of x has a register: 2**-t is kept before it is used."""
        return self.slots > self.line_steps.stop

    @property
    def keeps_fraction(self) -> bool:
        """Whether the fraction of x has a register: several slots multiply by it."""
        return len(self.line_steps) > 1

    @property
    def dropped_bits(self) -> int:
        """Bits of a total of product and addend below those of 2**-t."""
        if self.method == ExpMethod.POLYNOMIAL:
            return FRACTION_BITS
        return lines(self.segments).rest_bits

    @property
    def value_bits(self) -> int:
        """Width of the register that x, or 2**-t and Horner's values are in, then the weight."""
        if self.slots == 1:
            return self.weight_bits
        highest = FACTOR_BITS if self.method == ExpMethod.POLYNOMIAL else Y_BITS
        own = highest if self.keeps_exponent else X_BITS
        return max(own, self.weight_bits)

    @property
    def total_bits(self) -> int:
        """Width of the total, with sign."""
        return FACTOR_BITS + self.dropped_bits

    @property
    def multiplier_bits(self) -> int:
        """Width of the multiplier, unsigned: t, or t within its segment."""
        return self.dropped_bits


class Mantissa(Component):
    """`y` is 2**-t with 15 fraction bits and `exponent` is i in the last slot, for x = i + t.

    It takes `slots` slots, which `step` counts and which may have others between. The first takes
    x; the last makes `weight`, which the host forms of y and exponent, the `value`, which stays
    until the next first one. The product and its sum are formed by the host, which has a multiplier
    for other slots: `total` is multiplicand * multiplier + addend in the cycles of `calculating`.

    2**-t is a point on a line, or a polynomial by Horner's rule, one step of it in each slot;
    constants come from `designs.attention.exponential`.

    Members: step: bit k in slot k, else none; x, total, weight (in); calculating; multiplicand: the
    lowest bits of the value where not calculating; multiplier, addend: nothing that means anything
    there; y, exponent; value: a register.
    """

    reset_less = True
    inline = True
    params: MantissaParams

    def __init__(self, params: MantissaParams) -> None:
        p = params
        super().__init__(
            params,
            {
                "step": In(p.slots),
                "x": In(X_BITS),
                "total": In(signed(p.total_bits)),
                "weight": In(p.weight_bits),
                "calculating": Out(1),
                "multiplicand": Out(signed(FACTOR_BITS)),
                "multiplier": Out(p.multiplier_bits),
                "addend": Out(signed(p.total_bits)),
                "y": Out(Y_BITS),
                "exponent": Out(INTEGER_BITS),
                "value": Out(p.weight_bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        value = Signal(p.value_bits, name="value_q", reset_less=True)
        # Without registers of their own, the parts of x are where they come from, or go to.
        kept = value if p.slots > 1 else self.x
        fraction, exponent = kept[:FRACTION_BITS], kept[FRACTION_BITS:X_BITS]
        if p.keeps_fraction:
            fraction = self.register(m, "fraction_q", self.x[:FRACTION_BITS])
        if p.keeps_exponent:
            exponent = self.register(m, "exponent_q", self.x[FRACTION_BITS:])
        result = self.total[p.dropped_bits :]
        m.d.comb += [
            self.calculating.eq(self.step[p.line_steps.start : p.line_steps.stop].any()),
            self.y.eq(value if p.keeps_exponent else result),
            self.exponent.eq(exponent),
            self.value.eq(value),
        ]
        with m.If(self.step[-1]):
            m.d.sync += value.eq(self.weight)
        if p.keeps_exponent:
            with m.Elif(self.calculating):
                m.d.sync += value.eq(result)
        if p.slots > 1 and not p.keeps_fraction:
            with m.Elif(self.step[0]):
                m.d.sync += value.eq(self.x[:FRACTION_BITS] if p.keeps_exponent else self.x)
        operands = self.horner if p.method == ExpMethod.POLYNOMIAL else self.line
        operands(m, fraction, value[:FACTOR_BITS])
        return m

    def register(self, m: Module, name: str, word: Value) -> Signal:
        """A part of x from the first slot on."""
        register = Signal(len(word), name=name, reset_less=True)
        with m.If(self.step[0]):
            m.d.sync += register.eq(word)
        return register

    def line(self, m: Module, fraction: Value, value: Value) -> None:
        """Operands of base - ((drop * rest + half) >> rest bits), which is one floor of a sum."""
        p, table = self.params, lines(self.params.segments)
        slopes = [Const(-drop, signed(FACTOR_BITS)) for drop in table.drop]
        starts = [
            Const((base << table.rest_bits) + table.half - 1, signed(p.total_bits))
            for base in table.base
        ]
        segment = fraction[table.rest_bits :]
        m.d.comb += [
            self.multiplicand.eq(Mux(self.calculating, choose(slopes, segment), value)),
            self.multiplier.eq(fraction),
            self.addend.eq(choose(starts, segment)),
        ]

    def horner(self, m: Module, fraction: Value, value: Value) -> None:
        """Operands of c[n] + ((a * t + half) >> 8), from the second highest c[n] down to c[0]."""
        p = self.params
        *lower, highest = coefficients(p.degree)
        half = 1 << (FRACTION_BITS - 1)
        addends = [
            Const((coefficient << FRACTION_BITS) + half, signed(p.total_bits))
            for coefficient in reversed(lower)
        ]
        m.d.comb += [
            self.multiplicand.eq(Mux(self.step[p.line_steps.start], highest, value.as_signed())),
            self.multiplier.eq(fraction),
            self.addend.eq(gated(addends, [self.step[step] for step in p.line_steps])),
        ]
