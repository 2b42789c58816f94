"""A memory of sums between a core that writes them and a unit that reads them in order."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.buffers.scratchpad import Scratchpad, ScratchpadParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class SumsParams:
    """`words` of `ports` sums of `sum_bits` each; `lanes` are read at a time, a part of a word."""

    words: int
    ports: int
    sum_bits: int
    lanes: int


class Sums(Component):
    """Words of sums that are written whole, and read in order from a word on, `lanes` at a time.

    Members: write_enable, write_address, write_data: a word; start, address: the sums of the next
    cycle are the first of this word; take: those of the next cycle are the ones that follow; sums.
    """

    params: SumsParams

    @property
    def label(self) -> str:
        p = self.params
        return f"sums_{p.words}x{p.ports}x{p.sum_bits}_by_{p.lanes}"

    def __init__(self, params: SumsParams) -> None:
        p, address = params, clog2(params.words)
        super().__init__(
            params,
            {
                "write_enable": In(1),
                "write_address": In(address),
                "write_data": In(p.ports * p.sum_bits),
                "start": In(1),
                "address": In(address),
                "take": In(1),
                "sums": Out(p.lanes * p.sum_bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        memory = Scratchpad(ScratchpadParams(words=p.words, bits=p.ports * p.sum_bits))
        m.submodules.words = memory
        at = Signal(clog2(p.words), reset_less=True)
        part_count = p.ports // p.lanes
        following = Signal.like(at)
        m.d.comb += [
            memory.write_enable.eq(self.write_enable),
            memory.write_address.eq(self.write_address),
            memory.write_data.eq(self.write_data),
            memory.read_enable.eq(self.start | self.take),
            memory.read_address.eq(following),
        ]
        part: Value = Const(0)
        moves: Value | int = 1
        if part_count > 1:
            part = Signal(range(part_count), reset_less=True)
            moves = part == part_count - 1
            with m.If(self.start | (self.take & moves)):
                m.d.sync += part.eq(0)
            with m.Elif(self.take):
                m.d.sync += part.eq(part + 1)
        m.d.comb += following.eq(Mux(self.start, self.address, at + moves))
        with m.If(self.start | self.take):
            m.d.sync += at.eq(following)
        lanes = Signal(p.lanes * p.sum_bits)
        with m.Switch(part):
            for index in range(part_count):
                with m.Case(index):
                    m.d.comb += lanes.eq(memory.read_data.word_select(index, len(lanes)))
        m.d.comb += self.sums.eq(lanes)
        return m
