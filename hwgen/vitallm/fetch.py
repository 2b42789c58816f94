"""FETCH: the unit of a VitaLLM engine that lays out keys and values as BOOTH multiplies them."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from designs.vitallm import SURVIVOR_SLOTS, VitaLlmParams
from designs.vitallm.instructions import Unit
from hwgen.component import Component
from hwgen.vitallm.interface import CODE_BITS, kv_layout, operation_layouts


class Fetch(Component):
    """Writes survivors' keys and values, as they come on `kv`, for BOOTH.

    E and C being its elements and columns: a word of keys has E values of C tokens, one of values
    has C values of E tokens. Of each survivor the key comes first, E values in a transfer, then the
    value, C values in a transfer. From `start` to `done` it takes a cycle for each transfer.

    Members: start, instruction, done: see `Scheduler`; kv (stream in); keys_*, values_*: write
    ports, of parts of a word: a token's values in a word of keys, each value in a word of values.
    """

    params: VitaLlmParams

    def __init__(self, params: VitaLlmParams) -> None:
        p, booth = params, params.booth
        places = booth.elements * booth.cols
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(operation_layouts(p)[Unit.FETCH]),
                "done": Out(1),
                "kv": In(stream.Signature(kv_layout(p))),
                "keys_enable": Out(booth.cols),
                "keys_address": Out(clog2(SURVIVOR_SLOTS * p.key_words)),
                "keys_data": Out(places * CODE_BITS),
                "values_enable": Out(places),
                "values_address": Out(clog2(SURVIVOR_SLOTS * p.value_words)),
                "values_data": Out(places * CODE_BITS),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m, booth = Module(), self.params.booth
        told = self.instruction
        active = Signal()
        on_value = Signal()
        tokens = Signal.like(told.count, reset_less=True)  # left, with this one
        steps = Signal(max(len(told.key_steps), len(told.value_steps)), reset_less=True)
        take, ends_part, ends_token = (
            Signal(name=name) for name in ("take", "ends_part", "ends_token")
        )
        m.d.comb += [
            self.kv.ready.eq(active),
            take.eq(active & self.kv.valid),
            ends_part.eq(take & (steps == 1)),
            ends_token.eq(ends_part & on_value),
            self.done.eq(ends_token & (tokens == 1)),
        ]
        with m.If(self.start):
            m.d.sync += [
                active.eq(1),
                on_value.eq(0),
                tokens.eq(told.count),
                steps.eq(told.key_steps),
            ]
        with m.Elif(ends_part):
            m.d.sync += [
                active.eq(~self.done),
                on_value.eq(~on_value),
                tokens.eq(tokens - on_value),
                steps.eq(Mux(on_value, told.key_steps, told.value_steps)),
            ]
        with m.Elif(take):
            m.d.sync += steps.eq(steps - 1)
        words = self.kv.payload.as_value()
        key, value = (words[: size * CODE_BITS] for size in (booth.elements, booth.cols))
        columns = self.keys(m, take & ~on_value, ends_part & ~on_value)
        rows = self.values(m, take & on_value, ends_token)
        m.d.comb += [
            self.keys_enable.eq(columns & (take & ~on_value).replicate(booth.cols)),
            self.keys_data.eq(key.replicate(booth.cols)),
        ]
        for col in range(booth.cols):
            for row in range(booth.elements):
                place = col * booth.elements + row
                m.d.comb += [
                    self.values_enable[place].eq(rows[row] & take & on_value),
                    self.values_data.word_select(place, CODE_BITS).eq(
                        value.word_select(col, CODE_BITS)
                    ),
                ]
        return m

    def keys(self, m: Module, take: Signal, ends: Signal) -> Signal:
        """Where keys go: the words of a group of tokens, each in a column; the one-hot column."""
        told, cols = self.instruction, self.params.booth.cols
        group, at = (
            Signal.like(self.keys_address, name=f"key_{name}", reset_less=True)
            for name in ("group", "at")
        )
        column = Signal(cols, reset_less=True)
        m.d.comb += self.keys_address.eq(at)
        beyond = at + 1
        with m.If(self.start):
            m.d.sync += [group.eq(told.keys), at.eq(told.keys), column.eq(1)]
        with m.Elif(ends):
            m.d.sync += [
                at.eq(Mux(column[-1], beyond, group)),
                column.eq(column.rotate_left(1)),
            ]
            with m.If(column[-1]):
                m.d.sync += group.eq(beyond)
        with m.Elif(take):
            m.d.sync += at.eq(beyond)
        return column

    def values(self, m: Module, take: Signal, ends: Signal) -> Signal:
        """Where values go: every `value_stride` words, each token in a row; the one-hot row."""
        told, elements = self.instruction, self.params.booth.elements
        group, at = (
            Signal.like(self.values_address, name=f"value_{name}", reset_less=True)
            for name in ("group", "at")
        )
        row = Signal(elements, reset_less=True)
        m.d.comb += self.values_address.eq(at)
        with m.If(self.start):
            m.d.sync += [group.eq(told.values), at.eq(told.values), row.eq(1)]
        with m.Elif(ends):
            following = group + row[-1]
            m.d.sync += [group.eq(following), at.eq(following), row.eq(row.rotate_left(1))]
        with m.Elif(take):
            m.d.sync += at.eq(at + told.value_stride)
        return row
