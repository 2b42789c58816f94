"""Read ports of tables."""

import enum
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.component import Component


class TableSign(enum.IntEnum):
    """What the sign of a key does: nothing here, flip the top bit, or flip all bits."""

    NONE = 0
    TOP = 1
    ALL = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class TableReadParams:
    """One read port of a table of `entries` words of `bits` each."""

    bits: int
    entries: int
    sign: TableSign

    @property
    def index_bits(self) -> int:
        """Width of an index: the entries, and one value for none of them."""
        return clog2(self.entries + 1)


class TableRead(Component):
    """`value` is the entry that `key` names, zero for an index past the last; no state.

    Members: entries: entry 0 lowest; key: the index, and above it the sign, which flips the top bit
    of `value` or all of its bits (no sign with `TableSign.NONE`).
    """

    params: TableReadParams

    def __init__(self, params: TableReadParams) -> None:
        super().__init__(
            params,
            {
                "entries": In(data.ArrayLayout(params.bits, params.entries)),
                "key": In(params.index_bits + (params.sign != TableSign.NONE)),
                "value": Out(params.bits),
            },
        )

    @property
    def label(self) -> str:
        p = self.params
        return f"read_{p.entries}x{p.bits}" + ("", "_float", "_signed")[p.sign]

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        # An and-or is smaller than a tree of muxes, its zero costs nothing, and in a row synthesis
        # finds gates for it that it does not find in a balanced tree.
        read: Value = Const(0, p.bits)
        for entry in range(p.entries):
            word = self.entries[entry] & (self.key[: p.index_bits] == entry).replicate(p.bits)
            found = Signal(p.bits, name=f"found_{entry}")
            m.d.comb += found.eq(read | word)
            read = found
        sign = self.key[p.index_bits :]
        if p.sign == TableSign.ALL:
            m.d.comb += self.value.eq(read ^ sign.replicate(p.bits))
        elif p.sign == TableSign.TOP:
            m.d.comb += self.value.eq(read ^ (sign << (p.bits - 1)))
        else:
            m.d.comb += self.value.eq(read)
        return m
