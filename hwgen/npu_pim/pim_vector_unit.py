"""A row of a bank becomes the vector, command by command."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, RowBuffers
from designs.npu_pim.distances import Command
from hwgen.component import Component
from hwgen.npu_pim.rows import rows_layout


class PimVectorUnit(Component):
    """Closes and opens rows of a bank until the vector's is open for accesses, and copies it.

    Its row is closed where it is open for dot products, then another row that is open for accesses;
    with one row buffer every other. `retire` is in the last cycle of the copy, `gwrite_cycles` - 1
    after GWRITE. Combinational but for the cycles of the copy.

    Members: active: a vector is inside; bank: a bit for each, high for its own; is_open:
    its row is open for accesses in that bank; shares: its row is the one of dot products; open: see
    `Rows`; mem, pim: rows to close before all else; closes: there are some; ready_act,
    ready_gwrite: see `Timers`; valid, command: goes to the bus; retire; rd: ranks that RD may not
    be for, lest it keeps GWRITE waiting.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        banks = params.banks
        super().__init__(
            params,
            {
                "active": In(1),
                "bank": In(banks),
                "is_open": In(1),
                "shares": In(1),
                "open": In(rows_layout(params)),
                "mem": Out(banks),
                "pim": Out(banks),
                "closes": In(1),
                "ready_act": In(banks),
                "ready_gwrite": In(banks),
                "valid": Out(1),
                "command": Out(Command),
                "retire": Out(1),
                "rd": Out(params.ranks),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        left = Signal(range(p.gwrite_cycles))
        is_closed = Signal()
        acts = Signal()
        copies = Signal()
        own = self.open.pim & self.bank
        if p.row_buffers == RowBuffers.DUAL:
            own = own & self.shares.replicate(p.banks)
        m.d.comb += [
            self.mem.eq(self.open.mem & self.bank & ~self.is_open.replicate(p.banks)),
            self.pim.eq(own),
            is_closed.eq(~(self.open.mem & self.bank).any()),
            acts.eq(self.active & ~self.closes & is_closed),
            copies.eq(self.active & ~self.closes & ~is_closed & (left == 0)),
            self.command.eq(Mux(is_closed, Command.ACT, Command.GWRITE)),
            self.valid.eq(
                (acts & (self.ready_act & self.bank).any())
                | (copies & (self.ready_gwrite & self.bank).any())
            ),
            self.retire.eq(self.active & (left == 1)),
        ]
        with m.If(copies & self.valid):
            m.d.sync += left.eq(p.gwrite_cycles - 1)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        for rank in range(p.ranks):
            own = self.bank.word_select(rank, p.banks_per_rank)
            m.d.comb += self.rd[rank].eq(copies & ~own.any())
        return m
