"""A row buffer: a row of a bank, and whether it is open."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from hwgen.component import Component
from hwgen.npu_pim.interface import access_bits


def write_layout(channel: PimChannel) -> data.StructLayout:
    """An access of a row that is written; mask: those of its bytes that are, else all."""
    mask = {"mask": channel.access_bytes} if channel.mask else {}
    return data.StructLayout(
        {"enable": 1, "column": access_bits(channel), "word": 8 * channel.access_bytes, **mask}
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RowBufferParams:
    """A row buffer of a bank of `channel`; `has_accesses`: its row is written too."""

    channel: PimChannel
    has_accesses: bool

    @property
    def longest_cycles(self) -> int:
        """That it is busy after a command."""
        t = self.channel.timing
        refresh_cycles = t.rfc_cycles if self.channel.refresh else 1
        return max(t.ras_cycles, t.rp_cycles, refresh_cycles)


class RowBuffer(Component):
    """A row of a bank while it is open.

    Whether it is open and the cycles that the last command still takes are its whole state. A
    command that finds another state than it needs has no effect: a row is opened where none is open
    and nothing goes on; it may be read rcd_rd cycles later, written rcd_wr cycles later, closed ras
    cycles later; a row may be opened again rp cycles after that, or rfc cycles after a refresh.

    Members: open, close, refresh: commands; opens: the array is to be read now; row_in: what it
    held, a cycle later; row: from the cycle after that on; readable: a column of it may be taken
    now. With accesses also: write: data of an access, which find a row or not; writable: a WR would
    be heard; closes: a row is closed now, to which the array is to be set.
    """

    params: RowBufferParams

    def __init__(self, params: RowBufferParams) -> None:
        bits = 8 * params.channel.row_bytes
        members = {
            **{name: In(1) for name in ("open", "close")},
            **({"refresh": In(1)} if params.channel.refresh else {}),
            "row_in": In(bits),
            "opens": Out(1),
            "row": Out(bits),
            "readable": Out(1),
        }
        if params.has_accesses:
            members |= {
                "write": In(write_layout(params.channel)),
                "writable": Out(1),
                "closes": Out(1),
            }
        super().__init__(params, members)

    @property
    def label(self) -> str:
        return "row_buffer_accessed" if self.params.has_accesses else "row_buffer"

    def elaborate(self, platform: Any) -> Module:
        p, t, m = self.params, self.params.channel.timing, Module()
        is_open = Signal()
        left = Signal(range(p.longest_cycles))
        idle = Signal()
        closes = Signal()
        loads = Signal()
        row = Signal(len(self.row), name="row_q", reset_less=True)
        m.d.comb += [
            idle.eq(left == 0),
            self.opens.eq(self.open & ~is_open & idle),
            closes.eq(self.close & is_open & idle),
            self.readable.eq(is_open & (left <= t.ras_cycles - t.rcd_rd_cycles)),
            self.row.eq(row),
        ]
        m.d.sync += loads.eq(self.opens)
        with m.If(self.opens):
            m.d.sync += [is_open.eq(1), left.eq(t.ras_cycles - 1)]
        with m.Elif(closes):
            m.d.sync += [is_open.eq(0), left.eq(t.rp_cycles - 1)]
        if p.channel.refresh:
            with m.Elif(self.refresh & ~is_open & idle):
                m.d.sync += left.eq(t.rfc_cycles - 1)
        with m.Elif(~idle):
            m.d.sync += left.eq(left - 1)
        with m.If(loads):
            m.d.sync += row.eq(self.row_in)
        if p.has_accesses:
            m.d.comb += [
                self.closes.eq(closes),
                self.writable.eq(is_open & (left <= t.ras_cycles - t.rcd_wr_cycles)),
            ]
            with m.If(self.write.enable & is_open):
                self.put(m, row)
        return m

    def put(self, m: Module, row: Signal) -> None:
        """Data of an access into its part of the row, byte by byte where there are masks."""
        word, channel = self.write.word, self.params.channel
        for column in range(channel.accesses):
            part = row.word_select(column, len(word))
            with m.If(self.write.column == column):
                if channel.mask:
                    for byte, is_written in enumerate(self.write.mask):
                        with m.If(is_written):
                            m.d.sync += part.word_select(byte, 8).eq(word.word_select(byte, 8))
                else:
                    m.d.sync += part.eq(word)
