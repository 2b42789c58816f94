"""Weights of integers: 2**-x of a scaled distance."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from designs.attention.choices import SHIFT_BITS
from designs.attention.params import AttentionParams
from hwgen.attention.mantissa import FACTOR_BITS, X_BITS, Y_BITS, Mantissa, MantissaParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class ExponentialParams:
    """A weight: its mantissa, and the width of the distance that it is for."""

    mantissa: MantissaParams
    distance_bits: int

    @classmethod
    def of(cls, params: AttentionParams) -> "ExponentialParams":
        """That of an element or a lane of an engine for integers."""
        mantissa = MantissaParams.of(params, params.weight_bits)
        return cls(mantissa=mantissa, distance_bits=params.score_bits)

    @property
    def slots(self) -> int:
        """Slots that a weight takes."""
        return self.mantissa.slots

    @property
    def total_bits(self) -> int:
        """Width of the total, with sign."""
        return self.mantissa.total_bits


class Exponential(Component):
    """`weight` is 2**-x with 15 fraction bits for x = `distance` >> `shift` with 8, saturated.

    A weight takes `slots` slots, which `step` counts and which may have others between. The first
    takes distance, shift and `masked`, with which the weight is 0. 2**-t of the fraction of x, see
    `Mantissa`, is shifted by the integer part and rounded, half up. The host forms `total`, which
    is multiplicand * multiplier + addend, in the cycles of `calculating`.

    Members: step: bit k in slot k, else none; distance, masked, shift, total (in); calculating;
    multiplicand: the weight where not calculating; multiplier, addend: nothing that means anything
    there; weight: a register, from the cycle after the last slot until the next first one.
    """

    reset_less = True
    inline = True
    params: ExponentialParams

    def __init__(self, params: ExponentialParams) -> None:
        p = params
        super().__init__(
            params,
            {
                "step": In(p.slots),
                "distance": In(p.distance_bits),
                "masked": In(1),
                "shift": In(SHIFT_BITS),
                "total": In(signed(p.total_bits)),
                "calculating": Out(1),
                "multiplicand": Out(signed(FACTOR_BITS)),
                "multiplier": Out(p.mantissa.multiplier_bits),
                "addend": Out(signed(p.total_bits)),
                "weight": Out(Y_BITS),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.mantissa = mantissa = Mantissa(p.mantissa)
        scaled = Signal(p.distance_bits)
        halves = Signal(FACTOR_BITS)
        # Twice y, so that the highest bit that is shifted out stays: it rounds.
        doubled = Cat(Const(0, 1), mantissa.y)
        if p.slots == 1:
            shift_out = [
                scaled.eq(self.distance >> self.shift),
                halves.eq(doubled >> mantissa.exponent),
            ]
        else:  # The first slot and the last one share a shifter.
            first = self.step[0]
            amount = Mux(first, self.shift, mantissa.exponent)
            shift_out = [
                scaled.eq(Mux(first, self.distance, doubled) >> amount),
                halves.eq(scaled),
            ]
        saturated = Signal()
        m.d.comb += [
            *shift_out,
            saturated.eq(self.masked | scaled[X_BITS:].any()),
            mantissa.step.eq(self.step),
            mantissa.x.eq(scaled[:X_BITS] | saturated.replicate(X_BITS)),
            mantissa.total.eq(self.total),
            mantissa.weight.eq(halves[1:] + halves[0]),
            self.calculating.eq(mantissa.calculating),
            self.multiplicand.eq(mantissa.multiplicand),
            self.multiplier.eq(mantissa.multiplier),
            self.addend.eq(mantissa.addend),
            self.weight.eq(mantissa.value),
        ]
        return m
