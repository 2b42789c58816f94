"""Elements for floats: scores, weights, and products of weights with values."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal

from designs.attention.schedule import PeOp
from designs.elements import FLOAT_FORMATS
from designs.floats import FP32
from hwgen.arith import FloatAdder, FloatAdderParams, FloatFma, FloatFmaParams
from hwgen.attention.element import ArrayElement, kept_score
from hwgen.attention.float_weight import FloatWeight, FloatWeightParams, exponent_of, negated


class FloatElement(ArrayElement):
    """An element for floats of 16 bits: executes one `PeOp` per cycle, as `IntegerElement` does.

    Scores, maxima and sums are float32, a masked score is minus infinity. A fused multiply-add of
    elements to float32 makes scores, products with values, and sums of weights, which it multiplies
    by one. North less score, an adder's, is the distance that becomes x, of 8 fraction bits, in the
    slot SUBTRACT; its sign tells which is greater with MAXIMUM. The weight is an element, times
    2**weight_scale. Each operation rounds once, to nearest, ties to even, and takes one cycle,
    which is a slow one.

    Members: see `IntegerElement`; west: a value of K or V, in mask slots the row's number; north: a
    value of Q in the lowest 16 bits, a bound in the lowest, a maximum, a sum.
    """

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params.engine, Module()
        op, number = self.command.op, FLOAT_FORMATS[p.element]
        total = Signal(p.link_bits)
        score = kept_score(m, self, total)
        m.submodules.difference = difference = FloatAdder(FloatAdderParams(format=FP32))
        m.submodules.exponent = exponent = exponent_of()
        m.submodules.weight = weight = FloatWeight(
            FloatWeightParams(engine=p, format=number, scale=p.weight_scale)
        )
        m.submodules.fma = fma = FloatFma(FloatFmaParams(format=number, sum=FP32))
        sums = Signal()
        flows = Signal()
        m.d.comb += [
            sums.eq(op == PeOp.SUM),
            flows.eq(sums | (op == PeOp.WEIGH)),
            difference.a.eq(self.north),
            difference.b.eq(negated(score)),
            exponent.i.eq(difference.sum),
            weight.step.eq(Cat(op == PeOp.SUBTRACT + step for step in range(p.exp_slots))),
            weight.x.eq(exponent.o),
            fma.a.eq(Mux(op == PeOp.SCORE, self.north[: p.element_bits], weight.weight)),
            fma.b.eq(Mux(sums, number.one, self.west[: p.element_bits])),
            fma.c.eq(Mux(flows, self.north, Mux(self.command.fresh, 0, score))),
            total.eq(fma.sum),
        ]
        passed = Mux((op == PeOp.MAXIMUM) & difference.sum[-1], score, self.north)
        self.pass_south(m, Mux(flows, total, passed))
        self.pass_east(m)
        return m
