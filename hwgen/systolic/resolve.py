"""The one carry-propagate adder that a sum of two words needs in the end."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.arith import CompressorTree, CompressorTreeParams, Operand
from hwgen.component import Component
from hwgen.systolic.arithmetic import Pair


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolveParams:
    """The pair, its excess, and the width of its sum. `addend`: there is a word to add besides."""

    pair: Pair
    width: int
    excess: int = 0
    addend: bool = False

    @property
    def tree(self) -> CompressorTreeParams:
        """What makes two words of the pair, its excess and the addend."""
        addend = (Operand(0, self.width, 1),) if self.addend else ()
        return CompressorTreeParams(
            operands=self.pair.operands + addend, width=self.width, constant=-self.excess
        )


class Resolve(Component):
    """The sum that a pair stands for, modulo 2**width, by one adder; no state.

    Members: `i`: the pair; `addend`: added to it; `o`: the sum.
    """

    inline = True
    params: ResolveParams

    def __init__(self, params: ResolveParams) -> None:
        members: dict[str, Any] = {"i": In(params.pair.bits), "o": Out(params.width)}
        super().__init__(params, members | ({"addend": In(params.width)} if params.addend else {}))

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        words = p.pair.words(self.i) + ([self.addend] if p.addend else [])
        m.submodules.tree = tree = CompressorTree(p.tree)
        m.d.comb += [tree.operand(number).eq(word) for number, word in enumerate(words)]
        adds = any(len(column) > 1 for column in p.tree.plan.outputs)
        m.d.comb += self.o.eq(tree.s + tree.c if adds else tree.s)
        return m


class ColumnResolve(Component):
    """The sum that leaves a column, one step after its pair; there is no addend.

    Members: `advance`; `i`: the pair; `o`: its sum.
    """

    reset_less = True
    params: ResolveParams

    def __init__(self, params: ResolveParams) -> None:
        members = {"advance": In(1), "i": In(params.pair.bits), "o": Out(params.width)}
        super().__init__(params, members)

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.resolve = resolve = Resolve(p)
        held = Signal(p.width, reset_less=True)
        m.d.comb += [resolve.i.eq(self.i), self.o.eq(held)]
        with m.If(self.advance):
            m.d.sync += held.eq(resolve.o)
        return m
