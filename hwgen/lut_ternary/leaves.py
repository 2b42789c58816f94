"""What a column adds up: one term for each group of activations and its weights."""

from dataclasses import dataclass
from typing import Any, Protocol

from amaranth.hdl import Cat, Const, Module, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from designs.floats import FloatFormat
from designs.lut_ternary import FLOAT_FORMATS, Build, LutTernaryParams
from designs.ternary import key_bits
from hwgen.arith import FloatMultiplier, FloatMultiplierParams
from hwgen.component import Component
from hwgen.lut_ternary.arithmetic import Term
from hwgen.lut_ternary.entries import entry_bits
from hwgen.lut_ternary.reads import TableRead, TableReadParams, TableSign


@dataclass(frozen=True, kw_only=True, slots=True)
class MultiplierParams:
    """Two's complement numbers of `bits` each."""

    bits: int


class Multiplier(Component):
    """`product` is a * b, exactly; a module of its own, whatever synthesis knows of b."""

    params: MultiplierParams

    def __init__(self, params: MultiplierParams) -> None:
        bits = params.bits
        super().__init__(
            params,
            {"a": In(signed(bits)), "b": In(signed(bits)), "product": Out(signed(2 * bits))},
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.d.comb += self.product.eq(self.a * self.b)
        return m


@dataclass(frozen=True, kw_only=True, slots=True)
class OffsetLeafParams:
    """Activations of `bits`, two's complement."""

    bits: int


class OffsetLeaf(Component):
    """`product` is `a` times the weight plus one: 0, 1 or 2; no state.

    A module of its own, as a read port is, for synthesis then makes less of it. Members: code: of
    the weight, nonzero below negative.
    """

    params: OffsetLeafParams

    def __init__(self, params: OffsetLeafParams) -> None:
        bits = params.bits
        super().__init__(
            params, {"a": In(signed(bits)), "code": In(2), "product": Out(signed(bits + 1))}
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        bits = self.params.bits + 1
        some, negative = self.code
        once = Cat(self.a, self.a[-1]) & (~some).replicate(bits)
        twice = Cat(Const(0, 1), self.a) & (some & ~negative).replicate(bits)
        m.d.comb += self.product.eq(once | twice)
        return m


class Leaf(Protocol):
    """How a column comes by a term: from a group's `operand` and its `weight`."""

    @property
    def operand_bits(self) -> int: ...
    @property
    def weight_bits(self) -> int: ...

    def term(self, m: Module, number: int, operand: Value, weight: Value) -> Term: ...


@dataclass(frozen=True, slots=True)
class Read:
    """An entry of a table, negated with the sign of its key.

    An integer is negated by its complement and a carry that waits. With reference it is extended to
    the width of sums first, and has an incrementer of its own.
    """

    params: LutTernaryParams

    @property
    def operand_bits(self) -> int:
        return sum(entry_bits(self.params))

    @property
    def weight_bits(self) -> int:
        return key_bits(self.params.mu)

    def term(self, m: Module, number: int, operand: Value, weight: Value) -> Term:
        p = self.params
        is_reference = not p.is_float and p.build == Build.REFERENCE
        whole = TableSign.NONE if is_reference else TableSign.ALL
        sign = TableSign.TOP if p.is_float else whole
        read = TableRead(TableReadParams(bits=p.table_bits, entries=p.entry_count, sign=sign))
        m.submodules[f"read_{number}"] = read
        start = 0
        for index, bits in enumerate(entry_bits(p)):
            entry = operand[start : start + bits]
            start += bits
            m.d.comb += read.entries[index].eq(entry if p.is_float else entry.as_signed())
        m.d.comb += read.key.eq(weight)
        if p.is_float:
            return Term(read.value)
        if not is_reference:
            return Term(read.value.as_signed(), weight[-1], p.mu)
        wide = Signal(signed(p.acc_bits), name=f"wide_{number}")
        negated = Signal(signed(p.acc_bits), name=f"negated_{number}")
        negative = weight[-1]
        m.d.comb += [
            wide.eq(read.value.as_signed()),
            negated.eq((wide ^ negative.replicate(p.acc_bits)) + negative),
        ]
        return Term(negated, None, p.mu)


@dataclass(frozen=True, slots=True)
class Direct:
    """Of one activation and the code of its weight, without a table."""

    params: LutTernaryParams

    @property
    def operand_bits(self) -> int:
        return self.params.a_bits

    @property
    def weight_bits(self) -> int:
        return 2


@dataclass(frozen=True, slots=True)
class Offset(Direct):
    """Zero, one or two times the activation, as the weight is -1, 0 or 1."""

    def term(self, m: Module, number: int, operand: Value, weight: Value) -> Term:
        leaf = OffsetLeaf(OffsetLeafParams(bits=self.params.a_bits))
        m.submodules[f"offset_{number}"] = leaf
        m.d.comb += [leaf.a.eq(operand), leaf.code.eq(weight)]
        return Term(leaf.product)


@dataclass(frozen=True, slots=True)
class Multiply(Direct):
    """The activation times the weight, which is made a number of the activation's type."""

    def term(self, m: Module, number: int, operand: Value, weight: Value) -> Term:
        p = self.params
        name = f"multiply_{number}"
        some, negative = weight[0], weight[1]
        if p.is_float:
            form = FLOAT_FORMATS[p.activation]
            floats = FloatMultiplier(FloatMultiplierParams(format=form))
            m.submodules[name] = floats
            m.d.comb += [floats.a.eq(operand), floats.b.eq(unit(form, some, negative))]
            return Term(floats.product)
        integers = Multiplier(MultiplierParams(bits=p.a_bits))
        m.submodules[name] = integers
        number_of = Cat(some, negative.replicate(p.a_bits - 1))
        m.d.comb += [integers.a.eq(operand.as_signed()), integers.b.eq(number_of.as_signed())]
        return Term(integers.product[: p.acc_bits].as_signed())


def unit(form: FloatFormat, some: Value, negative: Value) -> Value:
    """One, or minus one, or zero if not `some`."""
    one = form.bias << form.mantissa_bits
    return Cat(Const(one, form.bits - 1) & some.replicate(form.bits - 1), negative)


LEAVES: dict[Build, type[Read] | type[Offset] | type[Multiply]] = {
    Build.MINIMAL: Read,
    Build.REFERENCE: Read,
    Build.OFFSET: Offset,
    Build.MULTIPLY: Multiply,
}
"""Build to the terms of its columns."""
