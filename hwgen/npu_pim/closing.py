"""The next row to close, of several."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, Precharge, RowBuffers
from designs.npu_pim.distances import Command
from designs.npu_pim.order import closing_order
from hwgen.choose import lowest, place
from hwgen.component import Component
from hwgen.npu_pim.interface import bank_bits
from hwgen.npu_pim.waits import ready_bits


class Closing(Component):
    """One row after the other: rows of accesses by ascending bank, of dot products in their order.

    The order of dot products is `closing_order`. Combinational.

    Members: mem, pim: banks whose rows are to be closed; mem_first: those of accesses first, else
    those of dot products; ready_pre, ready_pim_pre: see `Timers`; valid: there is a row to close;
    ready: by its command at once; command, bank: which.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        p = params
        dual = {}
        if p.row_buffers == RowBuffers.DUAL:
            dual = {"ready_pim_pre": In(ready_bits(p, Command.PIM_PRE))}
        super().__init__(
            p,
            {
                "mem": In(p.banks),
                "pim": In(p.banks),
                "mem_first": In(1),
                "ready_pre": In(p.banks),
                **dual,
                "valid": Out(1),
                "ready": Out(1),
                "command": Out(Command),
                "bank": Out(bank_bits(p)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        order = closing_order(p)
        in_order = Signal(p.banks)
        in_mem = Signal()
        mem = Signal(p.banks)
        pim = Signal(p.banks)
        chosen = Signal(p.banks)
        bank = Signal(bank_bits(p))
        m.d.comb += [
            in_order.eq(lowest(Cat(self.pim[one] for one in order))[0]),
            pim.eq(Cat(in_order[order.index(one)] for one in range(p.banks))),
            mem.eq(lowest(self.mem)[0]),
            in_mem.eq(self.mem.any() & (self.mem_first | ~self.pim.any())),
            self.valid.eq(self.mem.any() | self.pim.any()),
            chosen.eq(Mux(in_mem, mem, pim)),
            bank.eq(place(chosen)),
            self.bank.eq(bank),
            self.command.eq(Command.PRE),
            self.ready.eq((self.ready_pre & chosen).any()),
        ]
        if p.row_buffers == RowBuffers.DUAL:
            count = len(self.ready_pim_pre)
            ready = Cat(self.ready_pim_pre[one * count // p.banks] for one in range(p.banks))
            is_all = p.precharge == Precharge.CHANNEL
            with m.If(~in_mem):
                m.d.comb += [
                    self.command.eq(Command.PIM_PRE),
                    self.bank.eq(0 if is_all else bank),
                    self.ready.eq((ready & chosen).any()),
                ]
        return m
