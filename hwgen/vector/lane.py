"""One lane of a vector unit: a multiplication, a function of product and addend, a reduction."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.floats import FP32
from designs.vector import Function, Reduction
from hwgen.arith import (
    FloatAdder,
    FloatAdderParams,
    FloatMultiplier,
    FloatMultiplierParams,
    float_order,
)
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.vector.interface import WORD_BITS, choice_bits

SIGN = WORD_BITS - 1
SCALE_BITS = FP32.exponent_bits + 1
"""Width of what SCALE adds to a pattern from its exponent on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneParams:
    """`combines`: what other lanes reduced can be joined to what this one did."""

    combines: bool


class Lane(Component):
    """`z` is function(x * p, q) of two steps ago, and `accumulator` what was reduced of them.

    A step is a clock edge with `advance` high: one into the registers behind the product and q,
    one into the register behind the function. The accumulator takes, with `start`, the neutral
    value of a reduction; with `update` the reduction of itself and `z`; with `combine`, where there
    is that, the reduction of itself and `other`.

    Members: advance, start, update; operation: a `Function`; reduction, neutral, x, p, q (in); z,
    accumulator (out); reduced (out): what the accumulator takes next, with `update` or `combine`;
    combine, other (in): only where params say so. Numbers are float32 patterns.
    """

    reset_less = True
    params: LaneParams

    def __init__(self, params: LaneParams) -> None:
        joins = {"combine": In(1), "other": In(WORD_BITS)} if params.combines else {}
        super().__init__(
            params,
            {
                **{flag: In(1) for flag in ("advance", "start", "update")},
                "operation": In(choice_bits(Function)),
                "reduction": In(choice_bits(Reduction)),
                **{operand: In(WORD_BITS) for operand in ("neutral", "x", "p", "q")},
                **{result: Out(WORD_BITS) for result in ("z", "accumulator", "reduced")},
                **joins,
            },
        )

    @property
    def label(self) -> str:
        return "lane_combining" if self.params.combines else "lane"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        product, addend, z = (
            Signal(WORD_BITS, name=f"{name}_q", reset_less=True)
            for name in ("product", "addend", "z")
        )
        m.submodules.multiplier = multiplier = FloatMultiplier(FloatMultiplierParams(format=FP32))
        m.d.comb += [multiplier.a.eq(self.x), multiplier.b.eq(self.p), self.z.eq(z)]
        result = self.result(m, product, addend)
        with m.If(self.advance):
            m.d.sync += [product.eq(multiplier.product), addend.eq(self.q), z.eq(result)]
        self.reduce(m, z)
        return m

    def result(self, m: Module, product: Signal, addend: Signal) -> Value:
        """The function of a product and an addend."""
        total = float_sum(m, "adder", product, addend)
        low = WORD_BITS - SCALE_BITS
        exceeds = Signal()
        scaled = Signal(SCALE_BITS)
        seed = Signal(WORD_BITS)
        m.d.comb += [
            exceeds.eq(float_order(product) > float_order(addend)),
            scaled.eq(product[low:] + addend[:SCALE_BITS]),
            seed.eq(addend - product),
        ]
        results = {
            Function.ADD: total,
            Function.MAX: Mux(exceeds, product, addend),
            Function.MIN: Mux(exceeds, addend, product),
            Function.SCALE: Cat(product[:low], scaled),
            Function.SEED: seed,
        }
        return choose([results[function] for function in Function], self.operation)

    def reduce(self, m: Module, z: Signal) -> None:
        """The accumulator."""
        kept = Signal(WORD_BITS, name="accumulator_q", reset_less=True)
        fresh: Value = z
        update: Value = self.update
        if self.params.combines:
            fresh, update = Mux(self.combine, self.other, z), self.update | self.combine
        total = float_sum(m, "accumulate", kept, fresh)
        is_magnitude = self.reduction == Reduction.ABSMAX
        compared = Signal(WORD_BITS)
        exceeds = float_order(compared) > float_order(kept)
        m.d.comb += [
            compared.eq(Cat(fresh[:SIGN], fresh[SIGN] & ~is_magnitude)),
            self.accumulator.eq(kept),
            self.reduced.eq(Mux(exceeds, compared, kept)),
        ]
        with m.If(self.reduction == Reduction.SUM):
            m.d.comb += self.reduced.eq(total)
        with m.If(self.start):
            m.d.sync += kept.eq(self.neutral)
        with m.Elif(update):
            m.d.sync += kept.eq(self.reduced)


def float_sum(m: Module, name: str, a: Value, b: Value) -> Value:
    """The float32 sum of two patterns."""
    m.submodules[name] = adder = FloatAdder(FloatAdderParams(format=FP32))
    m.d.comb += [adder.a.eq(a), adder.b.eq(b)]
    return adder.sum
