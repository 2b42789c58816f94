"""Combiners for floats."""

from amaranth.hdl import Module, Mux, Value

from designs.floats import FP32
from hwgen.arith import FloatAdder, FloatAdderParams, FloatMultiplier, FloatMultiplierParams
from hwgen.arith.float_parts import held
from hwgen.attention.combiner import Arithmetic, Combiner
from hwgen.attention.float_lane import divide_floats
from hwgen.attention.float_weight import FloatWeight, FloatWeightParams, exponent_of, negated
from hwgen.attention.reciprocal import Divided


class FloatCombiner(Combiner):
    """A combiner for floats of 16 bits; all is float32, and rounded to nearest, ties to even.

    The adder compares maxima too. Of 0 the reciprocal is 0.
    """

    @property
    def weight_params(self) -> FloatWeightParams:
        return FloatWeightParams(engine=self.params, format=FP32)

    @property
    def weight_bits(self) -> int:
        return self.weight_params.kept_bits

    def compute(self, m: Module, word: Value, maximum: Value, weight: Value) -> Arithmetic:
        now = self.command
        m.submodules.weight = power = FloatWeight(self.weight_params)
        m.submodules.exponent = exponent = exponent_of()
        m.submodules.multiplier = multiplier = FloatMultiplier(FloatMultiplierParams(format=FP32))
        m.submodules.adder = adder = FloatAdder(FloatAdderParams(format=FP32))
        product = held(m, "product", now.multiplies, multiplier.product)
        before = self.numerator & (~now.begins).replicate(FP32.bits)
        m.d.comb += [
            multiplier.a.eq(power.pattern(weight)),
            multiplier.b.eq(word),
            adder.a.eq(Mux(now.adds, product, maximum)),
            adder.b.eq(Mux(now.adds, before, negated(word))),
            exponent.i.eq(adder.sum),
            power.step.eq(now.step),
            power.x.eq(exponent.o),
        ]
        return Arithmetic(
            is_greater=adder.sum[-1], weight=power.params.word(power.weight), total=adder.sum
        )

    def divide(self, m: Module) -> None:
        host = Divided(self.params, self.reciprocals, self.done)
        divide_floats(m, host, self.command.divides, self.command.half, self.numerator)
