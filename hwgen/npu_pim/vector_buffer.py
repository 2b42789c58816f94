"""The vector buffer: the operand that all banks have in common."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component
from hwgen.npu_pim.bank import step_layout
from hwgen.npu_pim.interface import bank_bits


class VectorBuffer(Component):
    """A row of a bank, copied a step's columns at a time.

    `start` begins a copy; column j is asked for, and taken, j * gwrite_step_cycles cycles later. A
    column that is read in a later cycle is the new one.

    Members: start; bank: whose row it is; copy, copy_bank: what is asked for; copied: the answer,
    in the same cycle; step: a column is read; vector: that column, a cycle later.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        bits = 8 * params.step_bytes
        super().__init__(
            params,
            {
                "start": In(1),
                "bank": In(bank_bits(params)),
                "copy": Out(step_layout(params)),
                "copy_bank": Out(bank_bits(params)),
                "copied": In(bits),
                "step": In(step_layout(params)),
                "vector": Out(bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        words = ScratchpadParams(words=p.row_steps, bits=8 * p.step_bytes)
        m.submodules.words = words = Scratchpad(words)
        running = Signal()
        bank = Signal(bank_bits(p), name="bank_q", reset_less=True)
        column = Signal(len(self.copy.column), name="next_column", reset_less=True)
        wait = Signal(range(p.timing.gwrite_step_cycles), reset_less=True)
        m.d.comb += [
            self.copy.enable.eq(self.start | (running & (wait == 0))),
            self.copy.column.eq(Mux(self.start, 0, column)),
            self.copy_bank.eq(Mux(self.start, self.bank, bank)),
            words.write_enable.eq(self.copy.enable),
            words.write_address.eq(self.copy.column),
            words.write_data.eq(self.copied),
            words.read_enable.eq(self.step.enable),
            words.read_address.eq(self.step.column),
            self.vector.eq(words.read_data),
        ]
        with m.If(self.copy.enable):
            m.d.sync += [
                running.eq(self.copy.column != p.row_steps - 1),
                bank.eq(self.copy_bank),
                column.eq(self.copy.column + 1),
                wait.eq(p.timing.gwrite_step_cycles - 1),
            ]
        with m.Elif(running):
            m.d.sync += wait.eq(wait - 1)
        return m
