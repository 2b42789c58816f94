"""Sums of whatever the activations are: what columns and builders add with."""

from dataclasses import dataclass
from typing import Protocol

from amaranth.hdl import Cat, Const, Module, Signal, Value, signed

from designs.lut_ternary import FLOAT_FORMATS, Build, LutTernaryParams
from designs.rules import clog2
from hwgen.arith import FloatAdder, FloatAdderParams, FloatAdderStyle


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A summand: `value`, and one more where `carry` is high.

    count: of how many activations it is the sum. A complement waits with its carry for the next
    adder, so that a negation costs no adder of its own.
    """

    value: Value
    carry: Value | None = None
    count: int = 1


class Arithmetic(Protocol):
    """How terms are added."""

    def entry(self, m: Module, name: str, a: Value, b: Value, bits: int, *, minus: bool) -> Value:
        """a + b, or a - b, as a word of `bits` for a table."""

    def add(self, m: Module, name: str, a: Term, b: Term) -> Term:
        """The sum of two terms of a column."""

    def total(self, m: Module, before: Value, term: Term) -> Value:
        """A column's sum with one more term."""


@dataclass(frozen=True, slots=True)
class Integers:
    """Exact sums: those of n activations have clog2(n) bits more than of one, up to `acc_bits`.

    That holds with the carries that wait: what is complemented is in the same range as before.

    is_plain: the last sum is a plain one of two words, as the published generator has it.
    """

    bits: int
    acc_bits: int
    is_plain: bool = False

    def entry(self, m: Module, name: str, a: Value, b: Value, bits: int, *, minus: bool) -> Value:
        total = Signal(signed(bits), name=name)
        m.d.comb += total.eq(a - b if minus else a + b)
        return total

    def add(self, m: Module, name: str, a: Term, b: Term) -> Term:
        count = a.count + b.count
        total = Signal(signed(min(self.bits + clog2(count), self.acc_bits)), name=name)
        both = a.value + b.value
        m.d.comb += total.eq(both if a.carry is None else both + a.carry)
        return Term(total, b.carry, count)

    def total(self, m: Module, before: Value, term: Term) -> Value:
        total = Signal(signed(self.acc_bits), name="total")
        if self.is_plain:
            m.d.comb += total.eq(before + term.value)
            return total
        # The carry enters below the lowest bit, beside a one, and not as a third operand: synthesis
        # would merge this adder with the tree's, and extend all of them to the width of sums.
        raised = Signal(signed(self.acc_bits + 1))
        carry = Const(0, 1) if term.carry is None else term.carry
        m.d.comb += [
            raised.eq(Cat(Const(1, 1), before).as_signed() + Cat(carry, term.value).as_signed()),
            total.eq(raised[1:]),
        ]
        return total


@dataclass(frozen=True, slots=True)
class Floats:
    """Sums in the format of the activations, each rounded."""

    params: FloatAdderParams

    def entry(self, m: Module, name: str, a: Value, b: Value, bits: int, *, minus: bool) -> Value:
        return self.sum(m, name, a, b ^ (1 << (bits - 1)) if minus else b)

    def add(self, m: Module, name: str, a: Term, b: Term) -> Term:
        return Term(self.sum(m, name, a.value, b.value))

    def total(self, m: Module, before: Value, term: Term) -> Value:
        return self.sum(m, "total", before, term.value)

    def sum(self, m: Module, name: str, a: Value, b: Value) -> Value:
        """One rounded sum."""
        m.submodules[name] = adder = FloatAdder(self.params)
        m.d.comb += [adder.a.eq(a), adder.b.eq(b)]
        return adder.sum


def arithmetic_of(params: LutTernaryParams) -> Arithmetic:
    """What a core adds with."""
    is_reference = params.build == Build.REFERENCE
    if params.is_float:
        style = FloatAdderStyle.WIDE if is_reference else FloatAdderStyle.COMPACT
        number = FLOAT_FORMATS[params.activation]
        return Floats(FloatAdderParams(format=number, style=style))
    bits = {
        Build.MINIMAL: params.a_bits,
        Build.REFERENCE: params.acc_bits,
        Build.OFFSET: params.a_bits + 1,
        Build.MULTIPLY: 2 * params.a_bits,
    }
    return Integers(bits[params.build], params.acc_bits, is_reference)


def cleared(before: Value, first: Value) -> Value:
    """What was there, or zero, which is +0 too, with `first`."""
    bits = len(before)
    kept = before & (~first).replicate(bits)
    return kept.as_signed() if before.shape().signed else kept
