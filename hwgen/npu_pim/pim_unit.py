"""The dot products of a bank: multipliers, a tree of adders, and a sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.elements import FLOAT_FORMATS
from designs.floats import FP32, FloatFormat
from designs.npu_pim import Element, PimChannel
from designs.npu_pim.channel import SUM_BITS
from hwgen.arith import (
    FloatAdder,
    FloatAdderParams,
    FloatConvert,
    FloatConvertParams,
    FloatMultiplier,
    FloatMultiplierParams,
)
from hwgen.arith.float_parts import held
from hwgen.component import Component

INTEGER_BITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class PimUnitParams:
    """`lanes` multipliers of numbers of a format."""

    element: Element
    lanes: int

    @classmethod
    def of(cls, channel: PimChannel) -> "PimUnitParams":
        """Those of a bank."""
        return cls(element=channel.element, lanes=channel.lanes)

    @property
    def element_bits(self) -> int:
        return FLOAT_FORMATS[self.element].bits if self.element in FLOAT_FORMATS else INTEGER_BITS

    @property
    def step_bits(self) -> int:
        """Width of the operands of one side."""
        return self.lanes * self.element_bits


def sum_layout() -> data.StructLayout:
    """What becomes of the sum: products are added, to those before unless they are the first."""
    return data.StructLayout({"enable": 1, "first": 1})


class PimUnit(Component):
    """What units of every format share: their ports, and the order in which products are added.

    Neighbours are added, then neighbours of these sums, down to one, which is added to the sum of
    the steps before; an odd last one goes on as it is. Operands, products and every level of the
    tree have registers: the unit takes a step in each cycle, and adds it to the sum
    2 + clog2(lanes) cycles after `enable`. No register has a reset.

    Members: enable: a step begins; row: its columns of the row, in the same cycle; vector: those of
    the vector, a cycle later; sum: see `sum_layout`; result: of the steps that were added before.
    """

    reset_less = True
    params: PimUnitParams

    def __init__(self, params: PimUnitParams, result: Any) -> None:
        super().__init__(
            params,
            {
                "enable": In(1),
                "row": In(params.step_bits),
                "vector": In(params.step_bits),
                "sum": In(sum_layout()),
                "result": Out(result),
            },
        )

    @property
    def label(self) -> str:
        return f"pim_unit_{self.params.element.name.lower()}_{self.params.lanes}"

    def elaborate(self, platform: Any) -> Module:
        m, bits = Module(), self.params.element_bits
        row = held(m, "row_q", self.enable, self.row)
        words = []
        for lane in range(self.params.lanes):
            pair = row.word_select(lane, bits), self.vector.word_select(lane, bits)
            words.append(self.product(m, lane, *pair))
        level = 0
        while len(words) > 1:
            level += 1
            words = self.halved(m, level, words)
        total = Signal(self.total_shape, reset_less=True)
        with m.If(self.sum.enable):
            m.d.sync += total.eq(self.following(m, words[0], total))
        m.d.comb += self.result.eq(self.rounded(m, total))
        return m

    def halved(self, m: Module, level: int, words: Sequence[Value]) -> list[Value]:
        """A level of the tree."""
        found = []
        for at in range(0, len(words), 2):
            pair, name = words[at : at + 2], f"{level}_{at // 2}"
            word = pair[0] if len(pair) == 1 else self.added(m, name, *pair)
            found.append(kept(m, f"sum_{name}", word))
        return found

    @property
    def total_shape(self) -> Shape:
        """Of the sum."""
        raise NotImplementedError

    def product(self, m: Module, lane: int, a: Value, b: Value) -> Value:
        """Of two operands, of a cycle ago."""
        raise NotImplementedError

    def added(self, m: Module, name: str, a: Value, b: Value) -> Value:
        """The sum of two neighbours."""
        raise NotImplementedError

    def following(self, m: Module, word: Value, total: Value) -> Value:
        """The sum after a step."""
        raise NotImplementedError

    def rounded(self, m: Module, total: Value) -> Value:
        """The result."""
        raise NotImplementedError


def kept(m: Module, name: str, value: Value) -> Signal:
    """A value of a cycle ago."""
    register = Signal(value.shape(), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register


class IntegerPimUnit(PimUnit):
    """Dot products of int8 in int32, exact.

    No row is so long that a sum overflows.
    """

    def __init__(self, params: PimUnitParams) -> None:
        super().__init__(params, self.total_shape)

    @property
    def total_shape(self) -> Shape:
        return Shape(SUM_BITS, signed=True)

    def product(self, m: Module, lane: int, a: Value, b: Value) -> Value:
        return kept(m, f"product_{lane}", a.as_signed() * b.as_signed())

    def added(self, m: Module, name: str, a: Value, b: Value) -> Value:
        return a + b

    def following(self, m: Module, word: Value, total: Value) -> Value:
        return Mux(self.sum.first, 0, total) + word

    def rounded(self, m: Module, total: Value) -> Value:
        return total


class FloatPimUnit(PimUnit):
    """Dot products of floats: products and sums in float32, rounded to nearest, ties to even.

    The result is rounded to the format of the operands.
    """

    def __init__(self, params: PimUnitParams) -> None:
        super().__init__(params, params.element_bits)

    @property
    def number(self) -> FloatFormat:
        """The format of the operands."""
        return FLOAT_FORMATS[self.params.element]

    @property
    def zero_bits(self) -> int:
        """Lowest bits of every product: all of those that it never has where it is exact."""
        least = 2 * (self.number.min_exponent - self.number.mantissa_bits)
        is_exact = least >= FP32.min_exponent
        return max(0, FP32.precision - 2 * self.number.precision) if is_exact else 0

    @property
    def total_shape(self) -> Shape:
        return Shape(FP32.bits)

    def product(self, m: Module, lane: int, a: Value, b: Value) -> Value:
        multiplier = FloatMultiplier(FloatMultiplierParams(format=self.number, product=FP32))
        m.submodules[f"multiplier_{lane}"] = multiplier
        m.d.comb += [multiplier.a.eq(a), multiplier.b.eq(b)]
        zeros, product = self.zero_bits, multiplier.product
        return Cat(Const(0, zeros), kept(m, f"product_{lane}", product[zeros:]))

    def added(self, m: Module, name: str, a: Value, b: Value) -> Value:
        m.submodules[f"adder_{name}"] = adder = FloatAdder(FloatAdderParams(format=FP32))
        m.d.comb += [adder.a.eq(a), adder.b.eq(b)]
        return adder.sum

    def following(self, m: Module, word: Value, total: Value) -> Value:
        return Mux(self.sum.first, word, self.added(m, "total", total, word))

    def rounded(self, m: Module, total: Value) -> Value:
        convert = FloatConvert(FloatConvertParams(format=FP32, to=self.number))
        m.submodules.convert = convert
        m.d.comb += convert.i.eq(total)
        return convert.o


PIM_UNITS: dict[Element, type[PimUnit]] = {
    Element.INT8: IntegerPimUnit,
    Element.FP16: FloatPimUnit,
    Element.BF16: FloatPimUnit,
}
"""Format of values to the unit that multiplies them."""
