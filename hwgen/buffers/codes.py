"""A memory of codes between a unit that writes them in order and a core that reads them."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.buffers.scratchpad import Scratchpad, ScratchpadParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class CodesParams:
    """`words` of `size` codes of `bits` each; `lanes` are written at a time, a part of a word."""

    words: int
    size: int
    bits: int
    lanes: int


class Codes(Component):
    """Words of codes that are read whole, and written in order from a word on, `lanes` at a time.

    Members: start, address: what is written next goes to the first codes of this word; write, data:
    to the codes that follow; read_enable, read_address, read_data: as of a Scratchpad.
    """

    params: CodesParams

    @property
    def label(self) -> str:
        p = self.params
        return f"codes_{p.words}x{p.size}x{p.bits}_by_{p.lanes}"

    def __init__(self, params: CodesParams) -> None:
        p, address = params, clog2(params.words)
        super().__init__(
            params,
            {
                "start": In(1),
                "address": In(address),
                "write": In(1),
                "data": In(p.lanes * p.bits),
                "read_enable": In(1),
                "read_address": In(address),
                "read_data": Out(p.size * p.bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        part_count = p.size // p.lanes
        part_bits = p.lanes * p.bits
        m.submodules.words = memory = Scratchpad(
            ScratchpadParams(
                words=p.words,
                bits=p.size * p.bits,
                fields=(part_bits,) * part_count if part_count > 1 else (),
            )
        )
        at = Signal(clog2(p.words), reset_less=True)
        parts: Value = Const(1)  # one-hot: the part that is written next
        if part_count > 1:
            parts = Signal(part_count, reset_less=True)
            with m.If(self.start):
                m.d.sync += parts.eq(1)
            with m.Elif(self.write):
                m.d.sync += parts.eq(parts.rotate_left(1))
        with m.If(self.start):
            m.d.sync += at.eq(self.address)
        with m.Elif(self.write):
            m.d.sync += at.eq(at + parts[-1])
        m.d.comb += [
            memory.write_enable.eq(parts & self.write.replicate(part_count)),
            memory.write_address.eq(at),
            memory.write_data.eq(self.data.replicate(part_count)),
            memory.read_enable.eq(self.read_enable),
            memory.read_address.eq(self.read_address),
            self.read_data.eq(memory.read_data),
        ]
        return m
