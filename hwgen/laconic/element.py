"""Processing elements: a product of terms per lane, a histogram of their exponents, one sum."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.laconic import LaconicParams
from designs.rules import clog2
from hwgen.arith import CompressorTree, CompressorTreeParams, Operand
from hwgen.component import Component
from hwgen.laconic.interface import term_layout

STEPS = 4
"""Steps from a term at an element's edge to the sum that it is part of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementParams:
    """An element of `engine`; in the bottom row nothing climbs from below."""

    engine: LaconicParams
    has_south: bool

    @property
    def count_bits(self) -> int:
        """Width of a count: of so many positive terms and so many that are not negative."""
        return clog2(self.engine.lanes) + 2

    @property
    def sum_bits(self) -> int:
        """Width of the sum of one term product per lane."""
        return clog2(self.engine.lanes) + self.engine.exponent_count + 1


class Element(Component):
    """c += sum over lanes of a * w, both terms, `STEPS` steps later; three registers lie between.

    1. Exponents are added, signs compared. 2. Each product is decoded, and products are counted by
    exponent, the negative ones down. 3. Counts that do not overlap are put side by side, and the
    words so made are added. 4. The sum is added to `c`.

    A count of exponent e has `lanes` added so that it is never negative, and that of 0 as much
    again: lanes * 2**exponent_count over all, which flips the top bit of the sum.

    Members: advance: a step; update: add the sum; drain: take `south`, or zero in the bottom row.
    Neither is high before the sum of any term after reset is there.
    """

    params: ElementParams

    def __init__(self, params: ElementParams) -> None:
        p = params.engine
        super().__init__(
            params,
            {
                "advance": In(1),
                "update": In(1),
                "drain": In(1),
                "a": In(data.ArrayLayout(term_layout(p.a_bits), p.lanes)),
                "w": In(data.ArrayLayout(term_layout(p.w_bits), p.lanes)),
                **({"south": In(signed(p.acc_bits))} if params.has_south else {}),
                "c": Out(signed(p.acc_bits)),
            },
        )

    @property
    def label(self) -> str:
        return "pe" if self.params.has_south else "pe_bottom"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params.engine, Module()
        counts = self.counts(m, [self.product(m, lane) for lane in range(p.lanes)])
        total = self.aligned(m, counts)
        partial = Signal(signed(len(total)), reset_less=True)
        with m.If(self.advance):
            m.d.sync += partial.eq(Cat(total[:-1], ~total[-1]))
        acc = Signal(signed(p.acc_bits))
        with m.If(self.advance & (self.update | self.drain)):
            below = self.south if self.params.has_south else Const(0)
            m.d.sync += acc.eq(Mux(self.drain, below, acc + partial))
        m.d.comb += self.c.eq(acc)
        return m

    def product(self, m: Module, lane: int) -> data.View:
        """The product of two terms, one step later."""
        a, w = self.a[lane], self.w[lane]
        exponent_bits = clog2(self.params.engine.exponent_count)
        layout = data.StructLayout({"valid": 1, "negative": 1, "exponent": exponent_bits})
        product = Signal(layout, name=f"product_{lane}", reset_less=True)
        with m.If(self.advance):
            m.d.sync += [
                product.valid.eq(a.valid & w.valid),
                product.negative.eq(a.negative ^ w.negative),
                product.exponent.eq(a.exponent + w.exponent),
            ]
        return product

    def counts(self, m: Module, products: list[data.View]) -> list[Value]:
        """The histogram: how many products of each exponent, one step later."""
        p, decoded = self.params.engine, []
        for lane, product in enumerate(products):
            up = Signal(p.exponent_count, name=f"up_{lane}")
            down = Signal(p.exponent_count, name=f"down_{lane}")
            m.d.comb += [
                up.eq((product.valid & ~product.negative) << product.exponent),
                down.eq((product.valid & product.negative) << product.exponent),
            ]
            decoded += [up, ~down]
        counts = []
        for exponent in range(p.exponent_count):
            ones = [plane[exponent] for plane in decoded]
            operands = (Operand(0, 1),) * len(ones)
            extra = 0 if exponent else p.lanes
            counted = added(
                m, f"histogram_{exponent}", operands, ones, self.params.count_bits, extra
            )
            count = Signal(self.params.count_bits, name=f"count_{exponent}", reset_less=True)
            with m.If(self.advance):
                m.d.sync += count.eq(counted)
            counts.append(count)
        return counts

    def aligned(self, m: Module, counts: list[Value]) -> Value:
        """The counts at their weights, put together to as few words as they need, and added."""
        bits = self.params.count_bits
        words = [Cat(counts[start::bits]) for start in range(min(bits, len(counts)))]
        operands = tuple(Operand(start, len(word)) for start, word in enumerate(words))
        return added(m, "aligned", operands, words, self.params.sum_bits)


def added(
    m: Module,
    name: str,
    operands: tuple[Operand, ...],
    words: list[Value],
    width: int,
    constant: int = 0,
) -> Value:
    """The sum of words at their offsets, and of a constant: a compressor tree and an adder."""
    params = CompressorTreeParams(operands=operands, width=width, constant=constant)
    m.submodules[name] = tree = CompressorTree(params)
    m.d.comb += [tree.operand(number).eq(word) for number, word in enumerate(words)]
    total = Signal(width, name=f"{name}_total")
    m.d.comb += total.eq(tree.s + tree.c)
    return total
