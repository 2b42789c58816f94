"""Lanes for floats: maxima, weights and sums in float32."""

from dataclasses import dataclass, replace

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from designs.attention.choices import FRACTION_BITS
from designs.attention.schedule import LaneOp
from designs.floats import FP32
from hwgen.arith import (
    FloatAdder,
    FloatAdderParams,
    FloatDivider,
    FloatDividerParams,
    FloatFma,
    FloatFmaParams,
    FloatMultiplier,
    FloatMultiplierParams,
)
from hwgen.arith.float_parts import held, named, saturated
from hwgen.attention.division import Dividing
from hwgen.attention.float_weight import FloatWeight, FloatWeightParams, exponent_of, negated
from hwgen.attention.lane import Lane, States, Told
from hwgen.attention.mantissa import X_BITS
from hwgen.attention.reciprocal import Divided
from hwgen.choose import choose

DIVIDER = FloatDividerParams(format=FP32, bits_per_cycle=2, reciprocal=True)

RECIPROCAL_CYCLES = DIVIDER.latency_cycles + 1
"""Cycles from the sum that is a denominator to its reciprocal."""


@dataclass(frozen=True, slots=True, eq=False)
class Operands:
    """What is combined: highest - maximum where that is `compared`, else factor * total + north."""

    north: Value
    compared: Value
    highest: Value
    maximum: Value
    factor: Value
    total: Value


class FloatLane(Lane):
    """A lane for floats of 16 bits; all it keeps is float32, and rounded to nearest, ties to even.

    A maximum is cut to a multiple of a unit of x, 2**-8, towards zero: gains are whole units, and
    each score's distance is rounded only once, however often the maximum rises. Of a gain x is
    kept. The fused multiply-add, or else the adder, that brings RNV and RD up to date compares too.
    Of 0 the reciprocal is 0.
    """

    @property
    def gain_bits(self) -> int:
        return X_BITS

    def execute(self, m: Module, told: Told, before: States) -> States:
        p, now = self.params, told.now
        m.submodules.weight = weight = FloatWeight(FloatWeightParams(engine=p, format=FP32))
        m.submodules.exponent = exponent = exponent_of()
        operands = Operands(
            north=told.north,
            compared=named(m, "compared", now.op == LaneOp.MAXIMUM),
            highest=named(m, "highest", cut(m, told.north.as_unsigned())),
            maximum=before.maximum,
            factor=self.factor(m, told, weight),
            # What a memory holds before anything has been written may be no number.
            total=before.total & (~now.first).replicate(FP32.bits),
        )
        if told.dividing is not None:
            operands = self.dividing(operands, told.dividing)
        total, product = self.apart(m, operands) if p.keeps_product else self.fused(m, operands)
        if told.dividing is not None:
            m.d.comb += told.dividing.output.eq(product)
        m.d.comb += [
            exponent.i.eq(total),
            weight.step.eq(Cat(now.op == LaneOp.SUBTRACT + step for step in range(p.exp_slots))),
            weight.x.eq(before.gain),
        ]
        is_less = ~now.first & total[-1]
        maximum = Mux(is_less, before.maximum, operands.highest)
        return States(maximum, exponent.o, total)

    def dividend(self, half: Value, numerator: Value) -> Value:
        """The numerator."""
        return numerator.as_unsigned()

    def dividing(self, operands: Operands, division: Dividing) -> Operands:
        """Those of a product with a reciprocal, of which the sum with -0 is the product."""
        divided = {
            "factor": choose(self.reciprocals, division.half),
            "total": division.dividend,
            "north": Const(1 << (FP32.bits - 1), FP32.bits),
        }
        return replace(
            operands,
            **{
                name: Mux(division.multiplies, value, getattr(operands, name).as_unsigned())
                for name, value in divided.items()
            },
        )

    def factor(self, m: Module, told: Told, weight: FloatWeight) -> Value:
        """PRM of the column that the command is for.

        Of two columns the first one's is put aside when that of the second one is begun.
        """
        if self.params.columns_per_lane == 1:
            return weight.weight
        begins = weight.step[0] & told.now.column
        aside = held(m, "aside", begins, weight.params.word(weight.weight))
        return Mux(told.now.column, weight.weight, weight.pattern(aside))

    def fused(self, m: Module, operands: Operands) -> tuple[Value, Value]:
        """Either in one slot, which a product is too."""
        p = operands
        m.submodules.fma = fma = FloatFma(FloatFmaParams(format=FP32))
        m.d.comb += [
            fma.a.eq(Mux(p.compared, FP32.one, p.factor)),
            fma.b.eq(Mux(p.compared, p.highest, p.total)),
            fma.c.eq(Mux(p.compared, negated(p.maximum), p.north)),
        ]
        return fma.sum, fma.sum

    def apart(self, m: Module, operands: Operands) -> tuple[Value, Value]:
        """The sum of the rounded product and the north of a cycle ago, and that product."""
        p = operands
        m.submodules.multiplier = multiplier = FloatMultiplier(FloatMultiplierParams(format=FP32))
        m.submodules.adder = adder = FloatAdder(FloatAdderParams(format=FP32))
        product = Signal(FP32.bits, reset_less=True)
        psum = Signal(FP32.bits, reset_less=True)
        m.d.sync += [product.eq(multiplier.product), psum.eq(p.north)]
        m.d.comb += [
            multiplier.a.eq(p.factor),
            multiplier.b.eq(p.total),
            adder.a.eq(Mux(p.compared, p.highest, product)),
            adder.b.eq(Mux(p.compared, negated(p.maximum), psum)),
        ]
        return adder.sum, product

    def divide(self, m: Module, column: int, start: Value, half: Value, denominator: Value) -> None:
        divide_floats(m, self.divided(column), start, half, denominator)


def divide_floats(m: Module, host: Divided, start: Value, half: Value, denominator: Value) -> None:
    """Drive the reciprocals of a host, and say when they are done."""
    m.submodules[f"divider{host.suffix}"] = divider = FloatDivider(DIVIDER)
    busy = Signal(name=f"busy{host.suffix}")
    ends = Signal(name=f"ends{host.suffix}")
    half_q = held(m, f"half_q{host.suffix}", start, half)
    is_finite = ~divider.quotient[FP32.mantissa_bits : -1].all()
    reciprocal = divider.quotient & is_finite.replicate(FP32.bits)
    m.d.sync += busy.eq(start | (busy & ~ends))
    m.d.comb += [
        divider.start.eq(start),
        divider.b.eq(denominator),
        ends.eq(busy & divider.done),
    ]
    for index in range(host.params.result_tiles):
        found = ends & (half_q == index)
        name = f"reciprocal{host.suffix}_{index}"
        m.d.comb += [
            host.reciprocals[index].eq(held(m, name, found, reciprocal)),
            host.done[index].eq(~busy | (half_q != index)),
        ]


def cut(m: Module, number: Value) -> Value:
    """A float32 without what is below 2**-8."""
    exponent = number[FP32.mantissa_bits : -1]
    # From this exponent on no bit is below.
    highest = FP32.bias + FP32.mantissa_bits - FRACTION_BITS
    below = named(m, "below_unit", Const(highest) - exponent)
    count = below[:-1] & (~below[-1]).replicate(len(below) - 1)
    amount = named(m, "cut_bits", saturated(count, FP32.precision.bit_length()))
    ones = Const((1 << FP32.precision) - 1, FP32.precision)
    mask = named(m, "cut_mask", (ones << amount)[: FP32.precision])
    # The mask's highest bit is that of the hidden one, without which nothing is left.
    masks = Cat(mask[:-1], mask[-1].replicate(FP32.exponent_bits))
    return Cat(number[:-1] & masks, number[-1])
