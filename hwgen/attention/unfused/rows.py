"""Rows of results on their way out: from the lanes' memories to a stream."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from designs.attention.unfused import UnfusedParams
from designs.rules import clog2
from hwgen.component import Component
from hwgen.ring import ring_place


class Rows(Component):
    """Reads rows in the order in which they were written, and says for how many there is room.

    A row is offered two cycles after the last lane has written it, or behind the one before it;
    then one follows in each cycle. Back-pressure stops reading; no row is begun without room.

    Members: reserve: a row is begun; written: one is, in the last lane, and so in all; has_room,
    is_empty: of rows begun and not taken; read_enable, read_address: to the memories of all lanes;
    valid, ready: of the row read.
    """

    params: UnfusedParams

    def __init__(self, params: UnfusedParams) -> None:
        super().__init__(
            params,
            {
                "reserve": In(1),
                "written": In(1),
                "has_room": Out(1),
                "is_empty": Out(1),
                "read_enable": Out(1),
                "read_address": Out(clog2(params.row_slots)),
                "valid": Out(1),
                "ready": In(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        slots, m = self.params.row_slots, Module()
        begun = Signal(range(slots + 1))
        readable = Signal(range(slots + 1))
        valid = Signal()
        advance, can_read = Signal(), Signal()
        m.d.comb += [
            self.has_room.eq(begun != slots),
            self.is_empty.eq(begun == 0),
            can_read.eq(readable != 0),
            advance.eq(self.ready | ~valid),
            self.read_enable.eq(advance & can_read),
            self.valid.eq(valid),
        ]
        m.d.comb += self.read_address.eq(ring_place(m, "oldest", slots, self.read_enable))
        m.d.sync += [
            begun.eq(begun + self.reserve - (valid & self.ready)),
            readable.eq(readable + self.written - self.read_enable),
        ]
        with m.If(advance):
            m.d.sync += valid.eq(can_read)
        return m
