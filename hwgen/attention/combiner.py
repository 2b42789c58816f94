"""Combiners: what groups of columns have found for a query, each of its own keys, made one."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.choices import SHIFT_BITS, WEIGHT_FRACTION_BITS
from designs.attention.params import AttentionParams
from designs.rules import clog2
from hwgen.attention.exponential import Exponential, ExponentialParams
from hwgen.attention.lane import staged_bits
from hwgen.attention.mantissa import Y_BITS
from hwgen.attention.reciprocal import Divided, divide_integers, reciprocal_ports
from hwgen.choose import choose
from hwgen.component import Component


def combine_command(params: AttentionParams) -> data.StructLayout:
    """What combiners do in a cycle; nothing where all strobes are low.

    lane: the number of a group, whose word is meant. compares: it is a maximum, of which the
    greatest is kept, from the `first` one on. step: bit k in slot k of a weight, of the group whose
    maximum the word is. keeps: the weight is made, and kept behind those of lower groups.
    multiplies: the word with the weight of its group, all of which come in turn. adds: the product
    of a cycle ago; begins: to zero. divides: the reciprocal of the sum begins, for `half`.
    """
    return data.StructLayout(
        {
            "lane": clog2(params.splits),
            "compares": 1,
            "first": 1,
            "step": params.exp_slots,
            "keeps": 1,
            "multiplies": 1,
            "adds": 1,
            "begins": 1,
            "divides": 1,
            "half": clog2(params.result_tiles),
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """What a combiner computes.

    is_greater: whether the word is above the greatest maximum. weight: as it is kept. total: the
    product of a cycle ago, and the total before it.
    """

    is_greater: Value
    weight: Value
    total: Value


class Combiner(Component):
    """Combines the `splits` states of one query, of which it reads a word each, group by group.

    The weight of a group is 2 to its maximum less the greatest one. Denominators and numerators are
    sums of products with weights, in ascending order of groups; a product is rounded before it is
    added. One multiplier and one adder make it all, a product in a cycle, its sum in the next.

    Members: command: see `combine_command`; words: of all groups, the first lowest, as lanes stage
    them (in); numerator: the sum; reciprocals, done: see `Lane`, of sums that are divided.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p = params
        super().__init__(
            p,
            {
                "command": In(combine_command(p)),
                "words": In(p.splits * staged_bits(p)),
                "numerator": Out(p.numerator_bits),
                **reciprocal_ports(p),
            },
        )

    @property
    def label(self) -> str:
        return "combiner"

    @property
    def weight_bits(self) -> int:
        """Width of a weight as it is kept."""
        raise NotImplementedError

    def compute(self, m: Module, word: Value, maximum: Value, weight: Value) -> Arithmetic:
        """On `maximum`, the greatest one, `weight`, that of the word, and `numerator`."""
        raise NotImplementedError

    def divide(self, m: Module) -> None:
        """Drive `reciprocals` and `done`."""
        raise NotImplementedError

    def elaborate(self, platform: Any) -> Module:
        p, m, now = self.params, Module(), self.command
        bits = self.weight_bits
        word = Signal(staged_bits(p))
        maximum = Signal(p.score_bits, reset_less=True)
        weights = Signal(p.splits * bits, reset_less=True)
        total = Signal(p.numerator_bits, reset_less=True)
        found = self.compute(m, word, maximum, weights[:bits])
        words = [self.words.word_select(group, len(word)) for group in range(p.splits)]
        m.d.comb += [word.eq(choose(words, now.lane)), self.numerator.eq(total)]
        with m.If(now.compares & (now.first | found.is_greater)):
            m.d.sync += maximum.eq(word[: p.score_bits])
        # A ring: the weight of the next word is always the lowest.
        with m.If(now.keeps | now.multiplies):
            entering = Mux(now.keeps, found.weight, weights[:bits])
            m.d.sync += weights.eq(Cat(weights[bits:], entering))
        with m.If(now.adds):
            m.d.sync += total.eq(found.total)
        self.divide(m)
        return m


class IntegerCombiner(Combiner):
    """A combiner for int8; with a maximum comes the shift of its scores, see `Lane`."""

    reset_less = True

    @property
    def weight_bits(self) -> int:
        return Y_BITS

    def compute(self, m: Module, word: Value, maximum: Value, weight: Value) -> Arithmetic:
        p, now = self.params, self.command
        m.submodules.exponential = exponential = Exponential(ExponentialParams.of(p))
        below = Signal(Shape(p.score_bits + 1, signed=True))
        state = word[: p.numerator_bits].as_signed()
        multiplicand = Mux(exponential.calculating, exponential.multiplicand, weight)
        factor = Mux(exponential.calculating, exponential.multiplier, state)
        product = Signal(Shape(p.numerator_bits + WEIGHT_FRACTION_BITS, signed=True))
        # Of what is dropped, no bit but the highest changes the rounded sum.
        kept = Signal(Shape(p.numerator_bits + 1, signed=True), reset_less=True)
        before = self.numerator & (~now.begins).replicate(p.numerator_bits)
        m.d.comb += [
            below.eq(maximum.as_signed() - word[: p.score_bits].as_signed()),
            exponential.step.eq(now.step),
            exponential.distance.eq(below),
            exponential.shift.eq(word[p.score_bits :][:SHIFT_BITS]),
            exponential.total.eq(product + exponential.addend),
            product.eq(multiplicand * factor),
        ]
        with m.If(now.multiplies):
            m.d.sync += kept.eq(product[WEIGHT_FRACTION_BITS - 1 :])
        return Arithmetic(
            is_greater=below[-1],
            weight=exponential.weight,
            total=(kept + Cat(Const(1, 1), before).as_signed())[1:],
        )

    def divide(self, m: Module) -> None:
        host = Divided(self.params, self.reciprocals, self.done)
        divide_integers(m, host, self.command.divides, self.command.half, self.numerator)
