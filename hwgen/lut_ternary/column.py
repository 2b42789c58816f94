"""Columns: one result each, from what all its leaves read in a step."""

from typing import Any

from amaranth.hdl import Module, Shape, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from designs.lut_ternary import Build, LutTernaryParams, Stationary
from designs.rules import ceil_div, clog2
from hwgen.component import Component
from hwgen.lut_ternary.arithmetic import Arithmetic, Integers, Term, arithmetic_of, cleared
from hwgen.lut_ternary.leaves import LEAVES


def column_members(params: LutTernaryParams) -> dict[str, Any]:
    """The ports of a column, see there."""
    p, leaf = params, LEAVES[params.build](params)
    result = Shape(p.acc_bits, signed=not p.is_float)
    members = {"advance": In(1)} if p.adder_levels else {}
    members |= {
        "update": In(1),
        "first": In(1),
        "operands": In(p.tables * leaf.operand_bits),
        "weights": In(p.tables * leaf.weight_bits),
        "c": Out(result),
    }
    if p.build == Build.OFFSET:
        members |= {"correction": In(result), "tail": In(1)}
    if p.stationary == Stationary.TABLE:
        members |= {"stored": In(result), "total": Out(result)}
    return members


class Column(Component):
    """c = stored + sum over groups of the group's term, as its weights say.

    Terms are added by neighbours in a tree of clog2(tables) levels, or with reference one after the
    other. Without `adder_levels` what arrives is in `c` with the same step's `update`. Else there
    is a register behind each term, one after each `adder_levels` adders and one after the last:
    an `update` is for what arrived column_registers - 1 steps of `advance` before.

    What is stored is `c` itself; with tables that stay it comes from a memory, and goes there.

    Members: advance: a step (absent without registers between); update: `c` takes the sum; first:
    there is nothing stored yet; operands: per group, lowest first, the entries of its table or its
    activation; weights: per group its key or code. correction, tail: see `ActivationSum` (with
    offset). stored, total: the sum before and after (with tables that stay).
    """

    params: LutTernaryParams

    def __init__(self, params: LutTernaryParams) -> None:
        super().__init__(params, column_members(params))

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        arithmetic = arithmetic_of(p)
        leaf, terms = LEAVES[p.build](p), []
        for number in range(p.tables):
            operand = self.operands.word_select(number, leaf.operand_bits)
            weight = self.weights.word_select(number, leaf.weight_bits)
            terms.append(leaf.term(m, number, operand, weight))
        term = reduced(m, p, arithmetic, terms, self.advance if p.adder_levels else None)
        c = Signal(self.c.shape(), reset_less=True)
        stored = self.stored if p.stationary == Stationary.TABLE else c
        if p.build == Build.OFFSET:
            term = Term(term.value | self.correction, self.tail)
        total = arithmetic.total(m, cleared(stored, self.first), term)
        with m.If(self.update):
            m.d.sync += c.eq(total)
        m.d.comb += self.c.eq(c)
        if p.stationary == Stationary.TABLE:
            m.d.comb += self.total.eq(total)
        return m


class ActivationSum(Component):
    """The sum of all activations of a row, which the offset of its weights has added too much.

    It is formed as the columns' sums are, in step with them. Members: advance, update, first: as of
    a column; activations: patterns, lowest first. correction: with `tail`, less one, the negative
    of what was added since `first`; else zero.
    """

    params: LutTernaryParams

    def __init__(self, params: LutTernaryParams) -> None:
        p = params
        super().__init__(
            params,
            {
                **({"advance": In(1)} if p.adder_levels else {}),
                **{name: In(1) for name in ("update", "first", "tail")},
                "activations": In(p.tables * p.a_bits),
                "correction": Out(signed(p.acc_bits)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        arithmetic = Integers(p.a_bits, p.acc_bits)
        words = (self.activations.word_select(table, p.a_bits) for table in range(p.tables))
        terms = [Term(word.as_signed()) for word in words]
        term = reduced(m, p, arithmetic, terms, self.advance if p.adder_levels else None)
        total = Signal(signed(p.acc_bits), name="activations_total", reset_less=True)
        with m.If(self.update):
            m.d.sync += total.eq(arithmetic.total(m, cleared(total, self.first), term))
        m.d.comb += self.correction.eq(~total & self.tail.replicate(p.acc_bits))
        return m


def reduced(
    m: Module,
    params: LutTernaryParams,
    arithmetic: Arithmetic,
    terms: list[Term],
    advance: Value | None,
) -> Term:
    """The sum of terms, behind registers that move with `advance`, or without any."""
    level = 0
    terms = kept(m, terms, "leaf", advance)
    while len(terms) > 1:
        level += 1
        pairs = 1 if params.build == Build.REFERENCE else len(terms) // 2
        sums = [
            arithmetic.add(m, f"sum_{level}_{pair}", terms[2 * pair], terms[2 * pair + 1])
            for pair in range(pairs)
        ]
        terms = sums + terms[2 * pairs :]
        if params.adder_levels and (len(terms) == 1 or level % params.adder_levels == 0):
            terms = kept(m, terms, f"level_{level}", advance)
    return terms[0]


def kept(m: Module, terms: list[Term], prefix: str, advance: Value | None) -> list[Term]:
    """Terms a step of `advance` later."""
    if advance is None:
        return terms
    later = []
    for number, term in enumerate(terms):
        value = Signal(term.value.shape(), name=f"{prefix}_{number}", reset_less=True)
        carry = None
        with m.If(advance):
            m.d.sync += value.eq(term.value)
            if term.carry is not None:
                carry = Signal(name=f"{prefix}_{number}_carry", reset_less=True)
                m.d.sync += carry.eq(term.carry)
        later.append(Term(value, carry, term.count))
    return later


def column_registers(params: LutTernaryParams) -> int:
    """Registers in a row from the weights to a result, the result's own included."""
    p = params
    if not p.adder_levels:
        return 1
    levels = p.tables - 1 if p.build == Build.REFERENCE else clog2(p.tables)
    return 2 + ceil_div(levels, p.adder_levels)
