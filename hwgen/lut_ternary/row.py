"""Rows: the activations of one m, their tables, and a column for each n."""

from typing import Any

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.lut_ternary import Build, LutTernaryParams, Stationary
from hwgen.buffers import DelayLineParams, delay_line
from hwgen.component import Component
from hwgen.lut_ternary.builders import BUILDERS
from hwgen.lut_ternary.column import ActivationSum, Column, column_members
from hwgen.lut_ternary.entries import build_registers


class Row(Component):
    """`ports` columns, and the tables (or activations, without tables) that they share.

    A builder fills `build_share` tables in turn: builder g those from g * build_share on.

    Members: load: bit s, tables g * build_share + s take their entries; step: see `Builder`;
    activations: per builder its group, patterns, lowest first; blank: they count as zero (with
    offset). tail: see `ActivationSum` (with offset). weights: per column, see `Column`. stored,
    total, c: per column. Other members, and all timing, as of a column.
    """

    params: LutTernaryParams

    def __init__(self, params: LutTernaryParams) -> None:
        p = params
        column = column_members(p)
        results = data.ArrayLayout(column["c"].shape, p.ports)
        members: dict[str, Any] = {
            name: column[name] for name in ("advance", "update", "first", "tail") if name in column
        }
        if p.build == Build.OFFSET:
            members["blank"] = In(1)
        if build_registers(p) > 1:
            members["step"] = In(1)
        if p.stationary == Stationary.TABLE:
            members |= {"stored": In(results), "total": Out(results)}
        members |= {
            "load": In(p.build_share),
            "activations": In(p.builder_count * p.mu * p.a_bits),
            "weights": In(p.ports * column["weights"].shape),
            "c": Out(results),
        }
        super().__init__(params, members)

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        operands = self.tables(m) if p.has_tables else self.held(m)
        shared = [name for name in self.signature.members if name in ("advance", "update", "first")]
        parts: dict[str, Any] = {f"column_{col}": Column(p) for col in range(p.ports)}
        columns = list(parts.values())
        if p.build == Build.OFFSET:
            parts["activation_sum"] = offset = ActivationSum(p)
            m.d.comb += [offset.activations.eq(operands), offset.tail.eq(self.tail)]
            for column in columns:
                m.d.comb += [column.correction.eq(offset.correction), column.tail.eq(self.tail)]
        for name, part in parts.items():
            m.submodules[name] = part
            m.d.comb += [getattr(part, port).eq(getattr(self, port)) for port in shared]
        for col, column in enumerate(columns):
            m.d.comb += [
                column.operands.eq(operands),
                column.weights.eq(self.weights.word_select(col, len(column.weights))),
                self.c[col].eq(column.c),
            ]
            if p.stationary == Stationary.TABLE:
                m.d.comb += [column.stored.eq(self.stored[col]), self.total[col].eq(column.total)]
        return m

    def held(self, m: Module) -> Value:
        """The activations themselves."""
        words = self.activations
        if self.params.build == Build.OFFSET:
            words = words & (~self.blank).replicate(len(words))
        kind, params = delay_line(DelayLineParams(bits=len(words), depth=1))
        m.submodules.held = held = kind(params)
        m.d.comb += [held.advance.eq(self.load), held.i.eq(words)]
        return held.o

    def tables(self, m: Module) -> Value:
        """The entries of all tables."""
        p, tables = self.params, []
        for group in range(p.builder_count):
            m.submodules[f"builder_{group}"] = builder = BUILDERS[p.build](p)
            words = self.activations.word_select(group, p.mu * p.a_bits)
            m.d.comb += builder.activations.eq(words)
            if build_registers(p) > 1:
                m.d.comb += builder.step.eq(self.step)
            m.d.comb += builder.load.eq(self.load)
            tables.append(builder.entries)
        return Cat(tables)
