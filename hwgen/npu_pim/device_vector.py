"""VECTOR: the vector unit of an NPU, between its streams, the array and the channels."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.npu_pim.device_rules import CODE_BITS
from designs.npu_pim.params import NpuPimParams
from designs.npu_pim.vector import Input, Output
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.npu_pim.device_interface import vector_instruction, vector_params
from hwgen.ring import decoded
from hwgen.vector.interface import WORD_BITS, elements_layout
from hwgen.vector.unit import VectorUnit


class DeviceVector(Component):
    """A vector unit that takes its input from where an instruction says, and gives its output so.

    Codes are the low bits of results; those past the last of a pass are anything.

    Members: start, instruction, done: see `Scheduler`. x, c (in), o (out): streams. sums_*,
    results_*: reading of sums, and of the results of each channel, see `Sums`. codes_start,
    store_start: codes begin, of the array or of a channel; from now on those that are written with
    codes_write, store_write; codes: they.
    """

    params: NpuPimParams

    def __init__(self, params: NpuPimParams) -> None:
        p = params
        elements = stream.Signature(elements_layout(vector_params(p)))
        results: dict[str, Any] = {}
        if not p.on_array:
            words = data.ArrayLayout(8 * p.channel.result_bytes * p.vector_lanes, p.channels)
            results = {
                "results_start": Out(p.channels),
                "results_take": Out(p.channels),
                "results": In(words),
            }
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(vector_instruction(p)),
                "done": Out(1),
                "x": In(elements),
                "c": In(elements),
                "o": Out(elements),
                "sums_start": Out(1),
                "sums_take": Out(1),
                "sums": In(p.vector_lanes * p.array.acc_bits),
                **results,
                "codes_start": Out(1),
                "codes_write": Out(1),
                "store_start": Out(p.channels),
                "store_write": Out(p.channels),
                "codes": Out(p.vector_lanes * CODE_BITS),
            },
        )
        self.events = {
            "words_read": Signal(2),
            "words_written": Signal(),
            "words": Signal(),
        }

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
        channel = Signal(self.params.channels)
        m.d.comb += channel.eq(decoded(self.instruction.channel, self.params.channels))
        self.give(m, unit, channel)
        self.take(m, unit, channel)
        return m

    def give(self, m: Module, unit: VectorUnit, channel: Signal) -> None:
        """The input of the unit."""
        p, told, i = self.params, self.instruction, unit.i
        taken: Value = self.extended(self.sums)
        from_sums = Signal()
        m.d.comb += [
            from_sums.eq(told.input == Input.SUMS),
            self.sums_start.eq(from_sums & self.start),
            self.sums_take.eq(from_sums & i.ready),
        ]
        if not p.on_array:
            from_results = Signal(p.channels)
            results = [self.results[one] for one in range(p.channels)]
            m.d.comb += [
                from_results.eq(channel & (told.input == Input.RESULTS).replicate(p.channels)),
                self.results_start.eq(from_results & self.start.replicate(p.channels)),
                self.results_take.eq(from_results & i.ready.replicate(p.channels)),
            ]
            taken = Mux(from_sums, taken, choose(results, told.channel))
        is_there: Value = Const(1, 1)
        for source, port in ((Input.X, self.x), (Input.C, self.c)):
            chosen = Signal(name=f"from_{source.name.lower()}")
            m.d.comb += [chosen.eq(told.input == source), port.ready.eq(chosen & i.ready)]
            taken = Mux(chosen, Value.cast(port.payload), taken)
            is_there = Mux(chosen, port.valid, is_there)
        m.d.comb += [Value.cast(i.payload).eq(taken), i.valid.eq(is_there)]

    def extended(self, sums: Value) -> Value:
        """Sums as numbers of 32 bits."""
        bits = self.params.array.acc_bits
        numbers = [sums.word_select(lane, bits) for lane in range(self.params.vector_lanes)]
        return Cat(Cat(one, one[-1].replicate(WORD_BITS - bits)) for one in numbers)

    def take(self, m: Module, unit: VectorUnit, channel: Signal) -> None:
        """The output of the unit."""
        p, told, o = self.params, self.instruction, unit.o
        elements = Value.cast(o.payload.elements)
        begins = Signal()
        to_o = Signal()
        to_array = Signal()
        to_channel = Signal(p.channels)
        stores = (told.output == Output.STORE).replicate(p.channels)
        m.d.comb += [
            begins.eq(told.begins & self.start),
            to_o.eq(told.output == Output.RESULT),
            to_array.eq(told.output == Output.CODES),
            to_channel.eq(channel & stores),
            Value.cast(self.o.payload).eq(elements),
            self.o.valid.eq(to_o & o.valid),
            o.ready.eq(~to_o | self.o.ready),
            self.codes_start.eq(to_array & begins),
            self.codes_write.eq(to_array & o.valid),
            self.store_start.eq(to_channel & begins.replicate(p.channels)),
            self.store_write.eq(to_channel & o.valid.replicate(p.channels)),
            self.codes.eq(
                Cat(
                    elements.word_select(lane, WORD_BITS)[:CODE_BITS]
                    for lane in range(p.vector_lanes)
                )
            ),
        ]
