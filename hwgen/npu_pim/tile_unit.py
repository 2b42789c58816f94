"""The vector is multiplied with a row of all banks, command by command."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, RowBuffers
from designs.npu_pim.distances import Command
from designs.npu_pim.order import closing_order
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.npu_pim.interface import bank_bits, step_bits
from hwgen.npu_pim.rows import rows_layout


def work_commands(channel: PimChannel) -> tuple[Command, ...]:
    """Those of dot products, once their rows are open."""
    return (Command.GEMV,) if channel.composite else (Command.COMP, Command.READRES)


class TileUnit(Component):
    """Closes rows, takes a slot for the header, opens the row in all banks, and multiplies.

    Its row is closed where it is open for accesses, then all rows of dot products; with one row
    buffer all rows. Groups are opened in the order of `closing_order`, and each dot product is a
    GEMV, or a COMP for each step and a READRES. `retire` is in the cycle of the last. Combinational
    but for the place in this order.

    Members: active: a tile is inside; row_open: banks where its row is open for accesses; steps,
    results, stride: of the transaction, each less one; open: see `Rows`; mem, pim: rows to close
    before all else; closes: there are some; ready_<command>: see `Timers`; header: takes the slot;
    valid, command, bank, column: goes to the bus; retire; act, wr: ranks that ACT may not be for,
    and that WR may not be, lest they keep it waiting.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        p = params
        ready = {f"ready_{one.name.lower()}": In(1) for one in work_commands(p)}
        super().__init__(
            p,
            {
                "active": In(1),
                "row_open": In(p.banks),
                "steps": In(step_bits(p)),
                "results": In(step_bits(p)),
                **({"stride": In(step_bits(p))} if p.strides else {}),
                "open": In(rows_layout(p)),
                "mem": Out(p.banks),
                "pim": Out(p.banks),
                "closes": In(1),
                "ready_g_act": In(p.groups),
                **ready,
                "header": Out(1),
                "valid": Out(1),
                "command": Out(Command),
                "bank": Out(bank_bits(p)),
                "column": Out(step_bits(p)),
                "retire": Out(1),
                "act": Out(p.ranks),
                "wr": Out(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        place = Signal(range(p.groups + 2))  # header, groups, dot products
        closing = Signal()
        opens = Signal()
        works = Signal()
        is_single = p.row_buffers == RowBuffers.SINGLE
        held = self.open.mem | self.open.pim if is_single else self.open.pim
        m.d.comb += [
            closing.eq(place == 0),
            self.mem.eq(0 if is_single else self.row_open & closing.replicate(p.banks)),
            self.pim.eq(held & closing.replicate(p.banks)),
            self.header.eq(self.active & closing & ~self.closes),
            works.eq(self.active & (place == p.groups + 1)),
            opens.eq(self.active & ~closing & ~works),
        ]
        self.opening(m, place, opens)
        self.work(m, works)
        with m.If(self.retire):
            m.d.sync += place.eq(0)
        with m.Elif(self.header | (opens & self.valid)):
            m.d.sync += place.eq(place + 1)
        return m

    def opening(self, m: Module, place: Signal, opens: Signal) -> None:
        """The group that is opened next, and the rank that it is in."""
        p = self.params
        banks = [bank for bank in closing_order(p) if bank % p.banks_per_group == 0]
        # Places of the header and of dot products have no group; theirs is never used.
        firsts = [Const(bank, bank_bits(p)) for bank in (banks[-1], *banks)]
        bank = Signal(bank_bits(p))
        m.d.comb += bank.eq(choose(firsts, place))
        ready = Cat(self.ready_g_act[one // p.banks_per_group] & (bank == one) for one in banks)
        with m.If(opens):
            m.d.comb += [
                self.command.eq(Command.G_ACT),
                self.bank.eq(bank),
                self.valid.eq(ready.any()),
            ]
        for rank in range(p.ranks):
            own = Cat(bank == one for one in banks if one // p.banks_per_rank == rank)
            m.d.comb += self.act[rank].eq(opens & own.any())

    def work(self, m: Module, works: Signal) -> None:
        """Dot product after dot product, where it is and when it ends."""
        p = self.params
        column = Signal(step_bits(p))
        result = Signal(step_bits(p))
        ends = Signal()
        m.d.comb += [self.column.eq(column), self.retire.eq(ends & (result == self.results))]
        if p.composite:
            moves, ahead = ends, (self.stride if p.strides else self.steps) + 1
            m.d.comb += self.wr.eq(works)
            with m.If(works):
                m.d.comb += [
                    self.command.eq(Command.GEMV),
                    self.valid.eq(self.ready_gemv),
                    ends.eq(self.ready_gemv),
                ]
        else:
            moves, ahead = works & self.valid & ~ends, 1
            if p.strides:
                moves, ahead = works & self.valid, Mux(ends, self.stride - self.steps, 1)
            step = Signal(range(p.row_steps + 1))
            reads = Signal()
            m.d.comb += [reads.eq(step > self.steps), self.wr.eq(works & ~reads)]
            with m.If(works):
                m.d.comb += [
                    self.command.eq(Mux(reads, Command.READRES, Command.COMP)),
                    self.valid.eq(Mux(reads, self.ready_readres, self.ready_comp)),
                    ends.eq(reads & self.ready_readres),
                ]
            with m.If(ends):
                m.d.sync += step.eq(0)
            with m.Elif(works & self.valid):
                m.d.sync += step.eq(step + 1)
        with m.If(self.retire):
            m.d.sync += [column.eq(0), result.eq(0)]
        with m.Else():
            with m.If(ends):
                m.d.sync += result.eq(result + 1)
            with m.If(moves):
                m.d.sync += column.eq(column + ahead)
