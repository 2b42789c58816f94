"""BOOTH: the unit of a VitaLLM engine that multiplies codes by ternary weights, keys and values."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from designs.vitallm import SURVIVOR_SLOTS, VitaLlmParams
from designs.vitallm.instructions import Product, Unit
from hwgen.booth_flex import BoothFlexCore
from hwgen.booth_flex.interface import w_layout
from hwgen.component import Component
from hwgen.gemm import lanes_within
from hwgen.vitallm.interface import CODE_BITS, operation_layouts
from hwgen.vitallm.walk import CodeWalk, WalkParams


class Booth(Component):
    """Sums of codes times ternary weights on `wb`, of a query times keys, or of weights times
    values.

    From `start` to `done` it takes a cycle for each step of the core, and one more; the sums of a
    tile are a word.

    Members: start, instruction, done: see `Scheduler`; wb (stream in): as `w` of `BoothFlexCore`;
    codes_*, attention_*: read ports of the codes of linear layers, and of queries and weights;
    keys_*, values_*: read ports of what these are multiplied by, words as transfers of `w`;
    write, address, sums: of a word of sums.
    """

    params: VitaLlmParams

    def __init__(self, params: VitaLlmParams) -> None:
        p, booth = params, params.booth
        whole = booth.cols * booth.elements * booth.w_bits
        memories = {
            "codes": (p.booth_code_words, booth.a_lanes * CODE_BITS),
            "attention": (p.attention_words, booth.elements * CODE_BITS),
            "keys": (SURVIVOR_SLOTS * p.key_words, whole),
            "values": (SURVIVOR_SLOTS * p.value_words, whole),
        }
        ports: dict[str, Any] = {}
        for name, (words, bits) in memories.items():
            ports |= {
                f"{name}_enable": Out(1),
                f"{name}_address": Out(clog2(words)),
                f"{name}_data": In(bits),
            }
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(operation_layouts(p)[Unit.BOOTH]),
                "done": Out(1),
                "wb": In(stream.Signature(w_layout(booth))),
                **ports,
                "write": Out(1),
                "address": Out(clog2(p.booth_sum_words)),
                "sums": Out(booth.cols * booth.acc_bits),
            },
        )

        slots = range(booth.mac_slots_per_cycle + 1)
        self.events = {"mac_slots": Signal(slots), "mac_useful": Signal(slots)}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        told = self.instruction
        linear = Signal()
        active = Signal()
        m.d.comb += linear.eq(told.product == Product.LINEAR)
        with m.If(self.start):
            m.d.sync += active.eq(1)
        with m.Elif(self.done):
            m.d.sync += active.eq(0)
        m.submodules.core = core = BoothFlexCore(p.booth)
        m.d.comb += [event.eq(core.events[name]) for name, event in self.events.items()]
        m.d.comb += [
            core.job.valid.eq(self.start),
            core.job.payload.m.eq(1),
            core.job.payload.k.eq(told.k),
            core.job.payload.n.eq(told.n),
            core.job.payload.digits.eq(Mux(linear, 1, p.booth.digit_count)),
            core.a.valid.eq(active),
            core.w.valid.eq(active & (~linear | self.wb.valid)),
            self.wb.ready.eq(active & linear & core.w.ready),
            core.o.ready.eq(1),
            self.write.eq(core.o.valid),
            self.sums.eq(core.o.payload.c),
            self.done.eq(core.o.valid & core.o.payload.last),
        ]
        take = core.a.valid & core.a.ready
        self.codes(m, core, linear, take)
        self.operands(m, core, take)
        ahead = Signal(clog2(p.booth_sum_words), reset_less=True)
        with m.If(self.start):
            m.d.sync += ahead.eq(told.address)
        with m.Elif(self.write):
            m.d.sync += ahead.eq(ahead + 1)
        m.d.comb += self.address.eq(ahead)
        return m

    def codes(self, m: Module, core: BoothFlexCore, linear: Value, take: Value) -> None:
        """The activations: all lanes of a word, or the first of each element.

        Weights past the last survivor's are masked, for values there are those of other heads.
        """
        booth, told = self.params.booth, self.instruction
        address_bits = max(len(self.codes_address), len(self.attention_address))
        params = WalkParams(address_bits=address_bits, k_bits=booth.k_bits, step_k=booth.a_lanes)
        m.submodules.walk = walk = CodeWalk(params)
        m.d.comb += [
            walk.start.eq(self.start),
            walk.base.eq(told.codes),
            walk.k.eq(told.k),
            walk.size.eq(Mux(linear, booth.a_lanes, booth.elements)),
            walk.take.eq(take),
            self.codes_enable.eq(walk.read_enable),
            self.codes_address.eq(walk.read_address),
            self.attention_enable.eq(walk.read_enable),
            self.attention_address.eq(walk.read_address),
        ]
        within = lanes_within(walk.left, booth.elements)
        gap = Const(0, (booth.digit_count - 1) * CODE_BITS)
        words = []
        for element in range(booth.elements):
            code = self.attention_data.word_select(element, CODE_BITS)
            words += [code & within[element].replicate(CODE_BITS), gap]
        m.d.comb += Value.cast(core.a.payload).eq(Mux(linear, self.codes_data, Cat(words)))

    def operands(self, m: Module, core: BoothFlexCore, take: Value) -> None:
        """What codes are multiplied by: `wb`, or words of keys or values in ascending order."""
        told = self.instruction
        at = Signal.like(told.operands, reset_less=True)
        following = Signal.like(at)
        m.d.comb += following.eq(Mux(self.start, told.operands, at + 1))
        with m.If(self.start | take):
            m.d.sync += at.eq(following)
        m.d.comb += core.w.payload.as_value().eq(self.wb.payload)
        for name, product in (("keys", Product.SCORES), ("values", Product.OUTPUT)):
            chosen = told.product == product
            m.d.comb += [
                getattr(self, f"{name}_enable").eq(chosen & (self.start | take)),
                getattr(self, f"{name}_address").eq(following),
            ]
            with m.If(chosen):
                m.d.comb += core.w.payload.as_value().eq(getattr(self, f"{name}_data"))
