"""Builders: the entries of tables from the activations of a group."""

from itertools import product
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.lut_ternary import Build, LutTernaryParams
from designs.rules import ceil_div
from hwgen.component import Component
from hwgen.lut_ternary.arithmetic import arithmetic_of
from hwgen.lut_ternary.entries import (
    Trits,
    build_levels,
    build_registers,
    entries_of,
    entry_bits,
    exact_bits,
)

Sums = dict[Trits, Value]
"""Sums of activations, by the trits of those that they may be made of."""


class Builder(Component):
    """Common ports of all builders, their tables, and the registers between adders.

    A register stands after each `adder_levels` adders, and the tables, which a builder fills in
    turn, after the last: what a table takes is of the activations of build_registers - 1 steps ago.
    A value is delayed before it is added and not after, wherever there is a choice.

    Members: step: a step (absent where no register is but the tables'); activations: patterns,
    first lowest; load: bit s, table s takes its entries; entries: of all tables side by side, entry
    0 lowest, each as wide as `entry_bits` has it.
    """

    params: LutTernaryParams

    def __init__(self, params: LutTernaryParams) -> None:
        super().__init__(
            params,
            {
                **({"step": In(1)} if build_registers(params) > 1 else {}),
                "activations": In(params.mu * params.a_bits),
                "load": In(params.build_share),
                "entries": Out(params.build_share * sum(entry_bits(params))),
            },
        )
        self.arithmetic = arithmetic_of(params)
        self.levels = build_levels(params)

    label = "builder"

    def activation(self, index: int) -> Value:
        """One activation of the group, a number."""
        word = self.activations.word_select(index, self.params.a_bits)
        return word if self.params.is_float else word.as_signed()

    def kept(self, m: Module, sums: Sums, prefix: str, level: int) -> Sums:
        """What is there after `level` adders, behind a register where one is due."""
        every = self.params.adder_levels
        if not every or level % every or not 0 < level < self.levels:
            return sums
        kept: Sums = {}
        for trits, value in sums.items():
            name = f"{named(prefix, trits)}_{level}"
            kept[trits] = Signal(value.shape(), name=name, reset_less=True)
            with m.If(self.step):
                m.d.sync += kept[trits].eq(value)
        return kept

    def give(self, m: Module, sums: Sums) -> None:
        """The tables, from the sums of all activations."""
        p, words = self.params, []
        for table in range(p.build_share):
            for index, (trits, bits) in enumerate(zip(entries_of(p), entry_bits(p), strict=True)):
                entry = Signal(bits, name=f"table_{table}_{index}", reset_less=True)
                with m.If(self.load[table]):
                    m.d.sync += entry.eq(sums[trits])
                words.append(entry)
        m.d.comb += self.entries.eq(Cat(words))


class MinimalBuilder(Builder):
    """One adder for each entry of more than one activation, in clog2(mu) levels.

    The group is cut into halves; what both have is kept, and each sum of the one plus and minus
    each sum of the other is added.
    """

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        self.give(m, self.sums(m, 0, self.params.mu, self.levels))
        return m

    def sums(self, m: Module, start: int, stop: int, level: int) -> Sums:
        """All sums of some activations, up to a sign, after `level` adders."""
        size = stop - start
        if size == 1:
            alone = {(1,): self.activation(start)}
            for place in range(1, level + 1):
                alone = self.kept(m, alone, f"sum_{start}", place)
            return alone
        half = ceil_div(size, 2)
        heads = self.sums(m, start, start + half, level - 1)
        tails = self.sums(m, start + half, stop, level - 1)
        sums = {(*head, *[0] * (size - half)): value for head, value in heads.items()}
        sums |= {(*[0] * half, *tail): value for tail, value in tails.items()}
        for (head, a), (tail, b) in product(heads.items(), tails.items()):
            for minus in (False, True):
                trits = (*head, *(-trit if minus else trit for trit in tail))
                bits = exact_bits(self.params, trits)
                name = named(f"sum_{start}", trits)
                sums[trits] = self.arithmetic.entry(m, name, a, b, bits, minus=minus)
        return self.kept(m, sums, f"sum_{start}", level)


class ReferenceBuilder(Builder):
    """The published network: heads of two activations, a tree of tails of the others, all pairs.

    A level of the tree adds, skips and subtracts one more activation; entries without a head are
    tails. mu - 1 levels. With floating-point adders, which synthesis cannot fold, those with a zero
    operand are there too, and the two adders of the heads once for each three tails: all in all
    17 * 3**(mu - 3) - 1 adders for mu >= 3.
    """

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        if p.mu == 1:
            self.give(m, {(1,): self.activation(0)})
            return m
        units = [tuple(int(at == index) for at in range(p.mu)) for index in range(p.mu)]
        waiting = {unit: self.activation(index) for index, unit in enumerate(units)}
        tails: Sums = {(): self.zero}
        parents: list[Trits] = [()]
        for level in range(1, p.mu - 1):
            parents = list(tails)
            tails = self.longer(m, tails, waiting.pop(units[level + 1]), level)
            if level < p.mu - 2:
                waiting = self.kept(m, waiting, "waiting", level)
        last = max(p.mu - 2, 1)
        groups = parents if p.is_float else parents[:1]
        alone = {(1, 0): waiting[units[0]], (0, 1): waiting[units[1]]}
        kept = self.kept(m, alone, "head", last)
        heads = {
            group: self.heads(m, alone, kept, number, last) for number, group in enumerate(groups)
        }
        if p.mu == 2:
            self.give(m, heads[()])
            return m
        sums: Sums = {}
        for tail, value in tails.items():
            for head, start in heads[tail[:-1] if p.is_float else groups[0]].items():
                trits = (*head, *tail)
                sums[trits] = self.sum(m, named("sum", trits), start, value)
            sums[0, 0, *tail] = value
        self.give(m, sums)
        return m

    @property
    def zero(self) -> Value:
        """An activation of zero."""
        return Const(0, self.params.a_bits)

    def longer(self, m: Module, tails: Sums, activation: Value, level: int) -> Sums:
        """Each tail with the next activation added, left out and subtracted."""
        longer: Sums = {}
        for tail, value in tails.items():
            for trit in (1, -1):
                trits = (*tail, trit)
                longer[trits] = self.sum(m, named("tail", trits), value, activation, minus=trit < 0)
            longer[*tail, 0] = value
        none = (0,) * level
        some = {trits: value for trits, value in longer.items() if trits != none}
        return {none: self.zero} | self.kept(m, some, "tail", level)

    def heads(self, m: Module, alone: Sums, kept: Sums, number: int, level: int) -> Sums:
        """Two activations alone, their sum and their difference."""
        pair: Sums = {}
        for trit in (1, -1):
            name = named(f"head_{number}", (1, trit))
            pair[1, trit] = self.sum(m, name, alone[1, 0], alone[0, 1], minus=trit < 0)
        return kept | self.kept(m, pair, f"head_{number}", level)

    def sum(self, m: Module, name: str, a: Value, b: Value, *, minus: bool = False) -> Value:
        """a + b or a - b; of integers, without an adder where one of them is a constant zero."""
        zeros = (isinstance(a, Const), isinstance(b, Const))
        if not self.params.is_float and any(zeros) and not (zeros[0] and minus):
            return b if zeros[0] else a
        return self.arithmetic.entry(m, name, a, b, self.params.table_bits, minus=minus)


def named(prefix: str, trits: Trits) -> str:
    """A name for a sum: p, n and z for trits of 1, -1 and 0."""
    return f"{prefix}_{''.join('zpn'[trit] for trit in trits)}"


BUILDERS: dict[Build, type[Builder]] = {
    Build.MINIMAL: MinimalBuilder,
    Build.REFERENCE: ReferenceBuilder,
}
"""Build to its builder, where there are tables."""
