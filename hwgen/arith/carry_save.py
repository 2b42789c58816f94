"""Sums kept as two words, which no carry runs through."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.arith.columns import Operand
from hwgen.arith.compressor import CompressorTree, CompressorTreeParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class PairParams:
    """A sum modulo 2**width as a pair of words s and c.

    `block_bits` 0: c has a bit for each column from 1 on. Otherwise carries run through blocks of
    that many columns, and c has a bit for the first column of each block but the first: blocks of
    one column are none.
    """

    width: int
    block_bits: int = 0

    @property
    def has_blocks(self) -> bool:
        """Whether carries run through blocks of columns."""
        return self.block_bits > 1

    @property
    def carry_columns(self) -> range:
        """The columns of the bits of c."""
        step = max(self.block_bits, 1)
        return range(step, self.width, step)

    @property
    def layout(self) -> data.StructLayout:
        """s, and c where it has bits."""
        carries = {"c": len(self.carry_columns)} if self.carry_columns else {}
        return data.StructLayout({"s": self.width} | carries)

    def operands(self, arrival: int = 0) -> tuple[Operand, ...]:
        """The pair as words to add, in the order of `words`."""
        if self.has_blocks:
            carries = [Operand(column, 1, arrival) for column in self.carry_columns]
        else:
            carries = [Operand(1, self.width - 1, arrival)] if self.carry_columns else []
        return (Operand(0, self.width, arrival), *carries)

    def words(self, pair: data.View) -> list[Value]:
        """The words of a pair, see `operands`."""
        if not self.carry_columns:
            return [pair.s]
        return [pair.s, *(pair.c if self.has_blocks else [pair.c])]


def carry_save_layout(width: int, block_bits: int = 0) -> data.StructLayout:
    """The layout of a pair, see `PairParams`."""
    return PairParams(width=width, block_bits=block_bits).layout


@dataclass(frozen=True, kw_only=True, slots=True)
class CarrySaveSumParams:
    """The words to add, a constant to add besides, and the pair that is their sum."""

    operands: tuple[Operand, ...]
    constant: int = 0
    pair: PairParams

    @property
    def tree(self) -> CompressorTreeParams:
        """The tree of full adders."""
        return CompressorTreeParams(
            operands=self.operands, width=self.pair.width, constant=self.constant
        )


class CarrySaveSum(Component):
    """The pair `o` is the sum of words and a constant, modulo 2**width; no state.

    With blocks, one adder per block follows the tree.

    Members: `r0`, `r1`, ...: the words, unsigned; `o`: the pair.
    """

    params: CarrySaveSumParams
    inline = True

    def __init__(self, params: CarrySaveSumParams) -> None:
        operands = {f"r{n}": In(operand.bits) for n, operand in enumerate(params.operands)}
        super().__init__(params, operands | {"o": Out(params.pair.layout)})

    def connect(self, words: list[Value]) -> Any:
        """Statements that assign the words to the ports."""
        return [getattr(self, f"r{n}").eq(word) for n, word in enumerate(words)]

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pair = self.params.pair
        m.submodules.tree = tree = CompressorTree(self.params.tree)
        m.d.comb += [
            tree.operand(n).eq(getattr(self, f"r{n}")) for n in range(len(self.params.operands))
        ]
        if not pair.has_blocks:
            m.d.comb += self.o.s.eq(tree.s)
            if pair.carry_columns:
                m.d.comb += self.o.c.eq(tree.c[1:])
            return m

        sums, carries = [], []
        for start in range(0, pair.width, pair.block_bits):
            bits = min(pair.block_bits, pair.width - start)
            is_last = start + bits == pair.width
            block = Signal(bits if is_last else bits + 1, name=f"block_{start}")
            m.d.comb += block.eq(tree.s[start : start + bits] + tree.c[start : start + bits])
            sums.append(block[:bits])
            carries += [] if is_last else [block[bits]]
        m.d.comb += self.o.s.eq(Cat(*sums))
        if carries:
            m.d.comb += self.o.c.eq(Cat(*carries))
        return m


@dataclass(frozen=True, kw_only=True, slots=True)
class CarrySaveAccumulatorParams:
    """The words added in each step, a constant added besides, and the running sum."""

    operands: tuple[Operand, ...]
    constant: int = 0
    pair: PairParams

    @property
    def sum(self) -> CarrySaveSumParams:
        """The words and the pair before, added."""
        return CarrySaveSumParams(
            operands=(*self.operands, *self.pair.operands()),
            constant=self.constant,
            pair=self.pair,
        )


class CarrySaveAccumulator(Component):
    """A running sum, as a pair: with `advance`, `pair` becomes `following`.

    `following` is the sum of the words and the constant, and without `first` of `pair`. What `pair`
    holds before the first `first` is undefined.

    Members: `advance`, `first`; `r0`, `r1`, ...: the words; `pair`: registers; `following`.
    """

    params: CarrySaveAccumulatorParams
    inline = True
    reset_less = True

    def __init__(self, params: CarrySaveAccumulatorParams) -> None:
        operands = {f"r{n}": In(operand.bits) for n, operand in enumerate(params.operands)}
        layout = params.pair.layout
        super().__init__(
            params,
            {"advance": In(1), "first": In(1)}
            | operands
            | {"pair": Out(layout), "following": Out(layout)},
        )

    def connect(self, words: list[Value]) -> Any:
        """Statements that assign the words to the ports."""
        return [getattr(self, f"r{n}").eq(word) for n, word in enumerate(words)]

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        p = self.params
        m.submodules.sum = adder = CarrySaveSum(p.sum)
        held = Signal(p.pair.layout, name="held", reset_less=True)
        before = [Mux(self.first, 0, word) for word in p.pair.words(held)]
        words = [getattr(self, f"r{n}") for n in range(len(p.operands))]
        m.d.comb += [*adder.connect([*words, *before])]
        m.d.comb += [self.pair.eq(held), self.following.eq(adder.o)]
        with m.If(self.advance):
            m.d.sync += held.eq(adder.o)
        return m


class Resolve(Component):
    """The sum that a pair stands for, by one adder; no state.

    Members: `pair`; `o`: its sum modulo 2**width.
    """

    params: PairParams
    inline = True

    def __init__(self, params: PairParams) -> None:
        super().__init__(params, {"pair": In(params.layout), "o": Out(params.width)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        p = self.params
        if not p.carry_columns:
            m.d.comb += self.o.eq(self.pair.s)
            return m
        carries = dict(zip(p.carry_columns, self.pair.c, strict=True))
        c = Cat(*(carries.get(column, Const(0, 1)) for column in range(p.width)))
        m.d.comb += self.o.eq(self.pair.s + c)
        return m
