"""What the host's writes are to write, until it goes over the data bus."""

from typing import Any

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.npu_pim.distances import Command, data_span
from designs.rules import clog2, maximum
from hwgen.buffers import DelayLineParams, Scratchpad, ScratchpadParams, delay_line
from hwgen.component import Component
from hwgen.npu_pim.interface import bank_bits


class WriteData(Component):
    """Data of each access that waits, in slots of its bank, see `HostQueue`.

    With `take`, in the cycle of a WR, data leave their slot, and are on `data` in the last cycle in
    which they are on the data bus; of a WR of at least 2 cycles. Where there are masks, they are
    the highest bits of the data.

    Members: push, push_bank, push_slot, push_data: of an access; take, bank, slot: of a WR; data.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        p, slot = params, clog2(params.host_queue)
        super().__init__(
            p,
            {
                "push": In(1),
                "push_bank": In(bank_bits(p)),
                "push_slot": In(slot),
                "push_data": In(p.write_bits),
                "take": In(1),
                "bank": In(bank_bits(p)),
                "slot": In(slot),
                "data": Out(p.write_bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        bits = p.write_bits
        words = maximum(2, p.banks << clog2(p.host_queue))
        m.submodules.slots = slots = Scratchpad(ScratchpadParams(words=words, bits=bits))
        m.d.comb += [
            slots.write_enable.eq(self.push),
            slots.write_address.eq(Cat(self.push_slot, self.push_bank)),
            slots.write_data.eq(self.push_data),
            slots.read_enable.eq(self.take),
            slots.read_address.eq(Cat(self.slot, self.bank)),
        ]
        depth = data_span(p, Command.WR)[1] - 1 - READ_CYCLES
        if depth == 0:
            m.d.comb += self.data.eq(slots.read_data)
            return m
        kind, params = delay_line(DelayLineParams(bits=bits, depth=depth))
        m.submodules.delay = delay = kind(params)
        m.d.comb += [
            delay.advance.eq(1),
            delay.i.eq(slots.read_data),
            self.data.eq(delay.o),
        ]
        return m


READ_CYCLES = 1
"""From the address of a slot to its data."""
