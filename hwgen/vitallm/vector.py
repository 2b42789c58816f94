"""VECTOR: the vector unit of a VitaLLM engine, between the engine's streams and the cores."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Unit
from designs.vitallm.vector import Input, Output
from hwgen.component import Component
from hwgen.vector import WORD_BITS, VectorUnit, elements_layout
from hwgen.vitallm.interface import CODE_BITS, codes_layout, operation_layouts, vector_params

SUMS = {Input.TINT_SUMS: "tint", Input.BOOTH_SUMS: "booth"}
CODES = {
    "linear": (Output.LINEAR_CODES, Output.MORE_LINEAR_CODES),
    "query": (Output.QUERY_CODES,),
    "weight": (Output.WEIGHT_CODES,),
}


class Vector(Component):
    """A vector unit that takes its input from where an instruction says, and gives its output so.

    Members: start, instruction, done: see `Scheduler`. x, c, kv_scales (in), kv_new, kv_new_scales,
    o (out): streams. tint_*, booth_*: reading of sums, see `Sums`. linear_start, query_start,
    weight_start: codes begin, from now on those that are written with linear_write, ...; codes:
    they, zero past the last.
    """

    params: VitaLlmParams

    def __init__(self, params: VitaLlmParams) -> None:
        p = params
        elements = elements_layout(vector_params(p))
        sums: dict[str, Any] = {}
        for name, core in (("tint", p.tint), ("booth", p.booth)):
            sums |= {
                f"{name}_start": Out(1),
                f"{name}_take": Out(1),
                f"{name}_sums": In(p.vector_lanes * core.acc_bits),
            }
        flags = {f"{name}_{what}": Out(1) for name in CODES for what in ("start", "write")}
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(operation_layouts(p)[Unit.VECTOR]),
                "done": Out(1),
                **{name: In(stream.Signature(elements)) for name in ("x", "c", "kv_scales")},
                "kv_new": Out(stream.Signature(codes_layout(p))),
                "kv_new_scales": Out(stream.Signature(WORD_BITS)),
                "o": Out(stream.Signature(elements)),
                **sums,
                **flags,
                "codes": Out(p.vector_lanes * CODE_BITS),
            },
        )

        self.events = {"words_read": Signal(2), "words_written": Signal(), "words": Signal()}

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.unit = unit = VectorUnit(vector_params(self.params))
        m.d.comb += [
            unit.instruction.valid.eq(self.start),
            unit.instruction.payload.eq(self.instruction.operation),
            self.done.eq(unit.done),
            self.events["words_read"].eq(unit.events["words_read"]),
            self.events["words_written"].eq(unit.events["words_written"]),
            self.events["words"].eq(unit.events["words_passed"]),
        ]
        self.give(m, unit)
        self.take(m, unit)
        return m

    def give(self, m: Module, unit: VectorUnit) -> None:
        """The input of the unit."""
        told, i = self.instruction, unit.i
        ports = {Input.RESIDUAL: self.x, Input.CONSTANTS: self.c, Input.SCALES: self.kv_scales}
        taken, is_there = Const(0, len(Value.cast(i.payload))), Const(0, 1)
        for source, port in ports.items():
            chosen = told.input == source
            m.d.comb += port.ready.eq(chosen & i.ready)
            taken = Mux(chosen, Value.cast(port.payload), taken)
            is_there = Mux(chosen, port.valid, is_there)
        for source, name in SUMS.items():
            chosen = told.input == source
            m.d.comb += [
                getattr(self, f"{name}_start").eq(chosen & self.start),
                getattr(self, f"{name}_take").eq(chosen & i.ready),
            ]
            taken = Mux(chosen, self.extended(getattr(self, f"{name}_sums")), taken)
            is_there |= chosen
        m.d.comb += [Value.cast(i.payload).eq(taken), i.valid.eq(is_there)]

    def extended(self, sums: Value) -> Value:
        """Sums as numbers of 32 bits."""
        lanes = self.params.vector_lanes
        bits = len(sums) // lanes
        numbers = [sums.word_select(lane, bits) for lane in range(lanes)]
        return Cat(Cat(one, one[-1].replicate(WORD_BITS - bits)) for one in numbers)

    def take(self, m: Module, unit: VectorUnit) -> None:
        """The output of the unit."""
        told, o, lanes = self.instruction, unit.o, self.params.vector_lanes
        elements = Value.cast(o.payload.elements)
        tail = told.operation.last[: clog2(lanes)]
        codes = []
        for lane in range(lanes):
            code = elements.word_select(lane, WORD_BITS)[:CODE_BITS]
            is_there = ~o.payload.last | (tail >= lane) if lane else Value.cast(1)
            codes.append(Mux(is_there, code, 0)[:CODE_BITS])
        m.d.comb += [
            self.codes.eq(Cat(codes)),
            Value.cast(self.o.payload).eq(elements),
            Value.cast(self.kv_new.payload).eq(self.codes),
            self.kv_new_scales.payload.eq(elements[:WORD_BITS]),
        ]
        ports = {
            Output.RESULT: self.o,
            Output.NEW_CODES: self.kv_new,
            Output.NEW_SCALES: self.kv_new_scales,
        }
        ready: Value = Const(1, 1)
        for target, port in ports.items():
            chosen = told.output == target
            m.d.comb += port.valid.eq(chosen & o.valid)
            ready = Mux(chosen, port.ready, ready)
        m.d.comb += o.ready.eq(ready)
        for name, targets in CODES.items():
            chosen = Cat(told.output == target for target in targets)
            m.d.comb += [
                getattr(self, f"{name}_write").eq(chosen.any() & o.valid),
                getattr(self, f"{name}_start").eq(chosen[0] & self.start),
            ]
