"""TINT: the unit of a VitaLLM engine that adds up codes by ternary weights."""

from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out, connect, flipped

from designs.rules import clog2
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Unit
from hwgen.component import Component
from hwgen.lut_ternary import LutTernaryCore
from hwgen.lut_ternary.interface import w_layout
from hwgen.vitallm.interface import CODE_BITS, operation_layouts
from hwgen.vitallm.walk import CodeWalk, WalkParams


class Tint(Component):
    """Sums of codes times the weights on `w`, for a piece of a linear layer.

    From `start` to `done` it takes a cycle for each step of the core, and the cycles in which a
    step goes from its codes to its sums; the sums of a tile are a word.

    Members: start, instruction, done: see `Scheduler`; w (stream in): as of `LutTernaryCore`;
    codes_*: read port of the codes; write, address, sums: of a word of sums.
    """

    params: VitaLlmParams

    def __init__(self, params: VitaLlmParams) -> None:
        p = params
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(operation_layouts(p)[Unit.TINT]),
                "done": Out(1),
                "w": In(stream.Signature(w_layout(p.tint))),
                "codes_enable": Out(1),
                "codes_address": Out(clog2(p.tint_code_words)),
                "codes_data": In(p.tint.step_k * CODE_BITS),
                "write": Out(1),
                "address": Out(clog2(p.tint_sum_words)),
                "sums": Out(p.tint.ports * p.tint.acc_bits),
            },
        )

        slots = range(p.tint.mac_slots_per_cycle + 1)
        self.events = {"mac_slots": Signal(slots), "mac_useful": Signal(slots)}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        told = self.instruction
        m.submodules.core = core = LutTernaryCore(p.tint)
        m.d.comb += [event.eq(core.events[name]) for name, event in self.events.items()]
        m.submodules.walk = walk = CodeWalk(
            WalkParams(
                address_bits=clog2(p.tint_code_words),
                k_bits=p.tint.k_bits,
                step_k=p.tint.step_k,
            )
        )
        connect(m, flipped(self.w), core.w)
        active = Signal()
        with m.If(self.start):
            m.d.sync += active.eq(1)
        with m.Elif(self.done):
            m.d.sync += active.eq(0)
        m.d.comb += [
            core.job.valid.eq(self.start),
            core.job.payload.m.eq(1),
            core.job.payload.k.eq(told.k),
            core.job.payload.n.eq(told.n),
            walk.start.eq(self.start),
            walk.k.eq(told.k),
            walk.size.eq(p.tint.step_k),
            walk.take.eq(core.a.ready & active),
            core.a.valid.eq(active),
            self.codes_enable.eq(walk.read_enable),
            self.codes_address.eq(walk.read_address),
            core.o.ready.eq(1),
            self.write.eq(core.o.valid),
            self.sums.eq(core.o.payload.c),
            self.done.eq(core.o.valid & core.o.payload.last),
        ]
        m.d.comb += Value.cast(core.a.payload).eq(self.codes_data)
        ahead = Signal(clog2(p.tint_sum_words), reset_less=True)
        with m.If(self.start):
            m.d.sync += ahead.eq(told.address)
        with m.Elif(self.write):
            m.d.sync += ahead.eq(ahead + 1)
        m.d.comb += self.address.eq(ahead)
        return m
