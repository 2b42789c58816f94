"""The host's accesses: what each bank's next one needs, and which bank goes."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, Precharge, RowBuffers
from designs.npu_pim.distances import Command
from designs.rules import clog2
from hwgen.choose import gated, lowest, place
from hwgen.component import Component
from hwgen.npu_pim.engine import hold_layout
from hwgen.npu_pim.host_queue import HostQueueParams, candidate_layout
from hwgen.npu_pim.interface import access_bits, bank_bits, command_layout, row_bits
from hwgen.npu_pim.rows import rows_layout
from hwgen.npu_pim.waits import ready_bits
from hwgen.ring import following


def queue_params(channel: PimChannel) -> HostQueueParams:
    """Of the queue of each bank."""
    return HostQueueParams(
        entries=channel.host_queue,
        row_bits=row_bits(channel),
        column_bits=access_bits(channel),
        tag_bits=channel.tag_bits,
    )


def host_commands(channel: PimChannel) -> tuple[Command, ...]:
    """Those that accesses need."""
    own = (Command.ACT, Command.RD, Command.WR, Command.PRE)
    return own if channel.row_buffers == RowBuffers.SINGLE else (*own, Command.PIM_PRE)


class HostArbiter(Component):
    """Banks take turns: the first from the pointer on whose command is ready goes, and then the
    pointer is at the bank after it.

    A bank's candidate that hits is read or written. Else a row that is open for accesses is closed,
    then its own where that is open for dot products, with one row buffer every row, then its row is
    opened. Combinational but for the pointer.

    Members: candidates: of the queues; open: see `Rows`; hold, row: see `hold_layout`, and the row
    of the tile; ready_<command>: see `Timers`; go: there is a slot; command: for it; take: a bit
    for each bank, with RD and WR; slot: where the data of a WR are.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        p = params
        super().__init__(
            p,
            {
                "candidates": In(data.ArrayLayout(candidate_layout(queue_params(p)), p.banks)),
                "open": In(rows_layout(p)),
                "hold": In(hold_layout(p)),
                "row": In(row_bits(p)),
                **{f"ready_{one.name.lower()}": In(ready_bits(p, one)) for one in host_commands(p)},
                "go": In(1),
                "command": Out(command_layout(p)),
                "take": Out(p.banks),
                "slot": Out(clog2(p.host_queue)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        allowed = Signal(p.banks)
        kinds = [Signal(Command, name=f"command_{bank}") for bank in range(p.banks)]
        for bank in range(p.banks):
            m.d.comb += allowed[bank].eq(self.allowed(m, bank, kinds[bank]))
        chosen = self.turn(m, allowed)
        candidate = Signal(self.candidates.shape().elem_shape)
        bank = Signal(bank_bits(p))
        m.d.comb += [
            candidate.eq(gated([one.as_value() for one in self.candidates], chosen)),
            bank.eq(place(chosen)),
            self.command.valid.eq(allowed.any() & self.go),
            self.command.command.eq(gated(kinds, chosen)),
            self.command.bank.eq(bank),
            self.command.row.eq(candidate.access.row),
            self.command.column.eq(candidate.access.column),
            self.command.tag.eq(candidate.access.tag),
            self.take.eq(chosen & (self.go & allowed.any() & candidate.hits).replicate(p.banks)),
            self.slot.eq(candidate.slot),
        ]
        if p.precharge == Precharge.CHANNEL:
            with m.If(self.command.command == Command.PIM_PRE):
                m.d.comb += self.command.bank.eq(0)
        return m

    def allowed(self, m: Module, bank: int, command: Signal) -> Value:
        """Whether what a bank's candidate needs next can be done."""
        p, one, hold = self.params, self.candidates[bank], self.hold
        rank = bank // p.banks_per_rank
        is_dual = p.row_buffers == RowBuffers.DUAL
        may = Signal(name=f"may_{bank}")
        with m.If(one.hits):
            m.d.comb += [
                command.eq(Mux(one.access.write, Command.WR, Command.RD)),
                may.eq(
                    Mux(
                        one.access.write,
                        self.ready_wr[bank] & ~hold.wr,
                        self.ready_rd[bank] & ~hold.rd[rank],
                    )
                ),
            ]
        with m.Elif(self.open.mem[bank]):
            m.d.comb += [command.eq(Command.PRE), may.eq(self.ready_pre[bank])]
        if is_dual:
            ready = self.ready_pim_pre[bank * len(self.ready_pim_pre) // p.banks]
            with m.Elif(self.open.pim[bank] & (self.open.pim_row == one.access.row)):
                m.d.comb += [command.eq(Command.PIM_PRE), may.eq(ready & ~hold.tile)]
        else:
            with m.Elif(self.open.pim[bank]):
                m.d.comb += [command.eq(Command.PRE), may.eq(self.ready_pre[bank])]
        with m.Else():
            m.d.comb += [
                command.eq(Command.ACT),
                may.eq(self.ready_act[bank] & ~hold.act[rank]),
            ]
        in_tile = hold.tile & (one.access.row == self.row)
        return one.valid & may & ~hold.bank[bank] & ~in_tile

    def turn(self, m: Module, allowed: Signal) -> Signal:
        """The first bank that is allowed, from the pointer on, then from bank 0 on; a bit each."""
        p = self.params
        pointer = Signal(range(p.banks))
        ahead = Signal(p.banks)
        chosen = Signal(p.banks)
        bank = Signal(range(p.banks))
        m.d.comb += [
            ahead.eq(allowed & Cat(*(pointer <= one for one in range(p.banks - 1)), 1)),
            chosen.eq(lowest(Mux(ahead.any(), ahead, allowed))[0]),
            bank.eq(place(chosen)),
        ]
        with m.If(self.go & allowed.any()):
            m.d.sync += pointer.eq(following(m, bank, p.banks))
        return chosen
