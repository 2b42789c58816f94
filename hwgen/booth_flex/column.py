"""Columns: elements along k, and the sum that they add to, step after step."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.booth_flex import BoothFlexParams
from designs.rules import bit_length
from hwgen.arith import CompressorTree, CompressorTreeParams, Operand
from hwgen.booth_flex.element import Element, excess, row_params
from hwgen.component import Component

Placed = tuple[Operand, Value]
"""A word to add, and where."""


def digit_tree(params: BoothFlexParams) -> CompressorTreeParams:
    """All rows of one digit, and their hot ones: a sum that is not negative and never wraps."""
    row = row_params(params).row_bits
    words = (Operand(0, row, 1), Operand(0, 1)) * params.elements
    return CompressorTreeParams(operands=words, width=bit_length(params.elements << row))


class Column(Component):
    """In a step `c` becomes (0 if `first`, 4 c if `shift`, else c) + the products of all elements.

    Rows of equal digits are added up first, over all elements. Only their sums are shifted by the
    weight of the digit, or not, where weights are narrow; so it costs little to be able to do both.
    One tree adds them to `c`, with one adder behind it.

    Members: step: take it; first; narrow (several digits): weights are of one digit; shift (one of
    several digits): Horner's rule, the step is of the digit below that of the steps before; a:
    array of the activations of all elements; w: array of their weights; c: the sum, a register.
    """

    params: BoothFlexParams
    reset_less = True

    def __init__(self, params: BoothFlexParams) -> None:
        super().__init__(
            params,
            {
                "step": In(1),
                "first": In(1),
                **{name: In(1) for name in controls(params)},
                "a": In(data.ArrayLayout(signed(params.a_bits), params.a_lanes)),
                "w": In(data.ArrayLayout(params.w_lane_bits, params.elements)),
                "c": Out(params.acc_bits),
            },
        )

    @property
    def label(self) -> str:
        return "flexible_column"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        narrow = self.narrow if "narrow" in controls(p) else Const(0)
        sums = self.digit_sums(m)
        words = [word for digit, tree in enumerate(sums) for word in placed(digit, tree, narrow)]
        whole = sum(excess(p) << 2 * digit for digit in range(p.digits_per_step))
        each = excess(p) * p.digits_per_step
        constant, bits = either(-p.elements * whole, -p.elements * each, narrow, p.acc_bits)
        total = Signal(p.acc_bits, reset_less=True)
        before: Value = total
        if "shift" in controls(p):
            before = Mux(self.shift, total << 2, total)[: p.acc_bits]
        kept = before & (~self.first).replicate(p.acc_bits)
        words = [*words, *bits, (Operand(0, p.acc_bits), kept)]
        m.submodules.tree = tree = CompressorTree(
            CompressorTreeParams(
                operands=tuple(operand for operand, _ in words), width=p.acc_bits, constant=constant
            )
        )
        m.d.comb += [tree.operand(n).eq(value) for n, (_, value) in enumerate(words)]
        m.d.comb += self.c.eq(total)
        with m.If(self.step):
            m.d.sync += total.eq(tree.s + tree.c)
        return m

    def digit_sums(self, m: Module) -> list[CompressorTree]:
        """For each digit the tree of all its rows."""
        p = self.params
        trees = []
        for digit in range(p.digits_per_step):
            m.submodules[f"digit_{digit}"] = tree = CompressorTree(digit_tree(p))
            trees.append(tree)
        activations = self.a.as_value()
        for index in range(p.elements):
            m.submodules[f"pe_{index}"] = element = Element(p)
            lanes = activations.word_select(index, p.digits_per_step * p.a_bits)
            m.d.comb += [element.a.eq(lanes), element.w.eq(self.w[index])]
            if "narrow" in controls(p):
                m.d.comb += element.narrow.eq(self.narrow)
            for digit, tree in enumerate(trees):
                m.d.comb += [
                    tree.operand(2 * index).eq(element.rows[digit]),
                    tree.operand(2 * index + 1).eq(element.hot[digit]),
                ]
        return trees


def controls(params: BoothFlexParams) -> tuple[str, ...]:
    """What a step must be told besides."""
    if params.digit_count == 1:
        return ()
    return ("shift",) if params.serial else ("narrow",)


def placed(digit: int, tree: CompressorTree, narrow: Value) -> list[Placed]:
    """The two words of a digit's sum at the digit's place, or at the lowest."""
    width, arrival = tree.params.width, tree.params.arrival
    if digit == 0:
        return [(Operand(0, width, arrival), word) for word in (tree.s, tree.c)]
    wide = Operand(0, width + 2 * digit, arrival + 1)
    return [(wide, Mux(narrow, word, word.shift_left(2 * digit))) for word in (tree.s, tree.c)]


def either(whole: int, narrow: int, is_narrow: Value, width: int) -> tuple[int, list[Placed]]:
    """One of two constants: the bits that both have, and a word for each of the others."""
    words: list[Placed] = []
    for at in range(width):
        if (whole ^ narrow) >> at & 1:
            words.append((Operand(at, 1), is_narrow if narrow >> at & 1 else ~is_narrow))
    return whole & narrow & ((1 << width) - 1), words
