"""Which rows are open, as far as the commands on the bus say."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, Precharge, RowBuffers
from designs.npu_pim.distances import Command
from designs.rules import bit_length
from hwgen.component import Component
from hwgen.npu_pim.interface import command_layout, row_bits
from hwgen.ring import decoded


def rows_layout(channel: PimChannel) -> data.StructLayout:
    """Open rows.

    mem: a bit for each bank whose row ACT has opened, mem_row: that row. pim: those whose row G_ACT
    has opened; pim_row: that row, the same in all of them, with two row buffers.
    """
    return data.StructLayout(
        {
            "mem": channel.banks,
            "mem_row": data.ArrayLayout(row_bits(channel), channel.banks),
            "pim": channel.banks,
            "pim_row": row_bits(channel),
        }
    )


def closing_bits(channel: PimChannel) -> int:
    """Width of what the controller takes the closing of all rows of dot products to need."""
    return bit_length(channel.banks * channel.timing.rtp_cycles)


class Rows(Component):
    """Open rows of a channel, from the cycle after the command on.

    With one row buffer a bank has either a row of ACT or one of G_ACT, and PRE closes both.

    Members: command: the bus; open: see `rows_layout`; closing_cycles: rtp_cycles for each open row
    of dot products, where time for them is reserved.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        closing = {"closing_cycles": Out(closing_bits(params))} if params.reserves else {}
        super().__init__(
            params,
            {"command": In(command_layout(params)), "open": Out(rows_layout(params)), **closing},
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        told, width = self.command, p.banks_per_group
        bank = Signal(p.banks)
        group = Signal(p.banks)
        m.d.comb += [
            bank.eq(decoded(told.bank, p.banks)),
            group.eq(
                Cat((told.bank == first).replicate(width) for first in range(0, p.banks, width))
            ),
        ]
        is_single = p.row_buffers == RowBuffers.SINGLE
        closes = Command.PRE if is_single else Command.PIM_PRE
        closed: Value = bank
        if p.precharge == Precharge.CHANNEL:
            closed = bank | ~bank
        with m.If(told.valid):
            with m.If(told.command == Command.ACT):
                m.d.sync += self.open.mem.eq(self.open.mem | bank)
            with m.If(told.command == Command.PRE):
                m.d.sync += self.open.mem.eq(self.open.mem & ~bank)
            with m.If(told.command == Command.G_ACT):
                m.d.sync += self.open.pim.eq(self.open.pim | group)
                # With one row buffer nobody asks which row it is.
                if not is_single:
                    m.d.sync += self.open.pim_row.eq(told.row)
            with m.If(told.command == closes):
                m.d.sync += self.open.pim.eq(self.open.pim & ~closed)
        if is_single:
            m.d.comb += self.open.pim_row.eq(0)
        for number in range(p.banks):
            with m.If(told.valid & (told.command == Command.ACT) & bank[number]):
                m.d.sync += self.open.mem_row[number].eq(told.row)
        if p.reserves:
            self.closing(m, closes, (self.open.pim & bank).any())
        return m

    def closing(self, m: Module, closes: Command, is_open: Value) -> None:
        """Time for closing rows: of a group more, of a bank less, or of all."""
        p, told, each = self.params, self.command, self.params.timing.rtp_cycles
        is_all, group = p.precharge == Precharge.CHANNEL, each * p.banks_per_group
        least = group if is_all else each
        # The bits below are 0 at all times: no register keeps them.
        low = bit_length(least & -least) - 1
        total = Signal(closing_bits(p) - low)
        opens = Signal()
        ends = Signal()
        m.d.comb += [
            opens.eq(told.valid & (told.command == Command.G_ACT)),
            ends.eq(told.valid & (told.command == closes)),
            self.closing_cycles.eq(total << low),
        ]
        if is_all:
            with m.If(ends):
                m.d.sync += total.eq(0)
            with m.Elif(opens):
                m.d.sync += total.eq(total + (group >> low))
        else:
            change = Signal.like(total)
            m.d.comb += change.eq(Mux(opens, group >> low, -(each >> low)))
            with m.If(opens | (ends & is_open)):
                m.d.sync += total.eq(total + change)
