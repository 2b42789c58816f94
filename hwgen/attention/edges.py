"""Edges of the array: a bank for each row, and for each column, and commands that travel along."""

from typing import Any

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from hwgen.attention.bank import BankParams, NorthBank, WestBank, row_layout
from hwgen.attention.interface import (
    key_words,
    north_command,
    pe_command,
    query_words,
    value_words,
    west_command,
)
from hwgen.attention.row import links
from hwgen.component import Component


def write_row(m: Module, port: Any, row: Any, index: int, groups: int = 1) -> None:
    """Give a bank its word of those that are written in several banks at once.

    Its word has a value for each of `groups`, of which the row has all of one after the other.
    """
    banks = len(row.word) // len(port.word)
    beat, place = divmod(index, banks)
    bits = len(port.word) // groups
    values = [row.word.word_select(group * banks + place, bits) for group in range(groups)]
    is_here = row.beat == beat if len(row.beat) else 1
    m.d.comb += [
        port.enable.eq(row.enable & is_here),
        port.address.eq(row.address),
        port.word.eq(values[0] if groups == 1 else Cat(values)),
    ]


class WestEdge(Component):
    """`side` banks of K and V: what row i is given, i + 1 cycles after `command`.

    Members: command; keys, values: a transfer, for all rows at once or those of a beat, see
    `row_layout`; pe, west:
    per row, see `WestBank`.
    """

    reset_less = True
    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p, bits = params, params.key_values * params.element_bits
        super().__init__(
            p,
            {
                "command": In(west_command(p)),
                "keys": In(row_layout(key_words(p), bits, p.port_beats)),
                "values": In(row_layout(value_words(p), bits, p.port_beats)),
                "pe": Out(data.ArrayLayout(pe_command(p), p.side)),
                "west": Out(data.ArrayLayout(p.splits * p.west_bits, p.side)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        command, commands, words = Value.cast(self.command), [], []
        for row in range(p.side):
            bank = WestBank(BankParams(engine=p, has_next=row < p.side - 1))
            m.submodules[f"bank_{row}"] = bank
            m.d.comb += [Value.cast(bank.command).eq(command), bank.number.eq(row)]
            write_row(m, bank.keys, self.keys, row, p.splits)
            write_row(m, bank.values, self.values, row, p.splits)
            commands.append(bank.pe)
            words.append(bank.west)
            if bank.params.has_next:
                command = Cat(bank.pe, bank.operand)
        m.d.comb += [Value.cast(self.pe).eq(Cat(commands)), Value.cast(self.west).eq(Cat(words))]
        return m


class NorthEdge(Component):
    """`side` banks of Q: what column j is given, j + 1 cycles after `command`.

    Members: command; queries: a transfer, as for rows; maximum_valid, maximum: from each lane, see
    `ReturnPath`; north: per column, see `NorthBank`.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p, bits = params, params.query_values * params.element_bits
        super().__init__(
            p,
            {
                "command": In(north_command(p)),
                "queries": In(row_layout(query_words(p), bits, p.port_beats)),
                "maximum_valid": In(p.side),
                "maximum": In(data.ArrayLayout(p.score_bits, p.side)),
                "north": Out(links(p)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        command, words = Value.cast(self.command), []
        for col in range(p.side):
            bank = NorthBank(BankParams(engine=p, has_next=col < p.side - 1))
            group, place = divmod(col, p.split_columns)
            m.submodules[f"bank_{col}"] = bank
            m.d.comb += [
                Value.cast(bank.command).eq(command),
                bank.position.eq(place // p.group - group * p.side),
                bank.maximum_valid.eq(self.maximum_valid[col]),
                bank.maximum.eq(self.maximum[col]),
            ]
            if p.splits > 1:
                m.d.comb += bank.start.eq(-group * p.side)
            write_row(m, bank.queries, self.queries, place)
            words.append(bank.north)
            if bank.params.has_next:
                command = Value.cast(bank.command_out)
        m.d.comb += Value.cast(self.north).eq(Cat(words))
        return m
