"""Outputs: the results of a query tile, read from the lanes and divided."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.attention.choices import OUTPUT_FRACTION_BITS
from designs.attention.params import AttentionParams
from designs.attention.schedule import LaneOp
from designs.rules import clog2
from hwgen.attention.interface import lane_command, o_layout
from hwgen.attention.lane import staging_address_bits
from hwgen.attention.reciprocal import (
    DIVIDEND_PLACE,
    DIVISOR_BITS,
    QUOTIENT_BITS,
    reciprocal_layout,
)
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.ring import decoded, moved

VALUE_BITS = 8
"""Width of a value of V."""

RATIO_BITS = DIVISOR_BITS + VALUE_BITS + 1
"""Width of a numerator that is shifted as its divisor, with sign: an average of values is 128 at
most. A bit more, for each tile rounds both by up to a half, which later tiles scale by PRM, less
than 0.998 or 1 (and then without rounding): together less than 1 beside a denominator of 2**15."""

DROPPED_BITS = DIVIDEND_PLACE - OUTPUT_FRACTION_BITS
"""Fraction bits of numerator times quotient beyond those of an output."""

STAGES = 3
"""Registers from the staging memory's word to the value that is sent."""


def reading(params: AttentionParams) -> dict[str, int]:
    """What lanes are told by the reader of their results: names and widths."""
    return {"read_enable": 1, "read_address": staging_address_bits(params)}


def steps(params: AttentionParams) -> dict[str, int]:
    """The same of their outputs, if there are any."""
    bits = clog2(params.result_tiles)
    return {} if params.divides else {"advance": 1, "shift_half": bits, "scale_half": bits}


class OutputLane(Component):
    """What output lanes of every format share: their ports. Members: see `IntegerOutput`."""

    reset_less = True
    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p = params
        super().__init__(
            p,
            {
                **{name: In(width) for name, width in steps(p).items()},
                "numerator": In(p.numerator_bits),
                "reciprocals": In(data.ArrayLayout(reciprocal_layout(p), p.result_tiles)),
                "value": Out(p.out_bits),
            },
        )

    @property
    def label(self) -> str:
        return "output_lane"


class IntegerOutput(OutputLane):
    """`value` is numerator / denominator of two steps ago, with 8 fraction bits, saturated.

    A step is a clock edge with `advance` high: one into a register behind a shift, by what the
    reciprocal's denominator was shifted, one behind the product with its quotient. That is rounded,
    half up.

    Members: advance, numerator; reciprocals: of all halves, see `Reciprocal`; shift_half: that of
    `numerator`; scale_half: that of the numerator a step ago (in); value (out).
    """

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        quotients = [self.reciprocals[half].quotient for half in range(p.result_tiles)]
        shifts = [self.reciprocals[half].shift for half in range(p.result_tiles)]
        ratio = Signal(signed(RATIO_BITS), reset_less=True)
        value = Signal(p.out_bits, reset_less=True)
        shift = Signal(len(shifts[0]))
        quotient = Signal(QUOTIENT_BITS)
        rounded = Signal(signed(RATIO_BITS + QUOTIENT_BITS - DROPPED_BITS))
        kept = p.denominator_bits - DIVISOR_BITS
        m.d.comb += [
            shift.eq(choose(shifts, self.shift_half)),
            quotient.eq(choose(quotients, self.scale_half)),
            rounded.eq((ratio * quotient + (1 << DROPPED_BITS - 1)) >> DROPPED_BITS),
            self.value.eq(value),
        ]
        with m.If(self.advance):
            m.d.sync += [
                ratio.eq((self.numerator.as_signed() << shift) >> kept),
                value.eq(clipped(rounded, p.out_bits)),
            ]
        return m


def clipped(value: Value, bits: int) -> Value:
    """A signed value in `bits` bits, the nearest that fits."""
    sign, high = value[-1], value[bits - 1 :]
    fits = high.all() | ~high.any()
    return Mux(fits, value[:bits], Cat((~sign).replicate(bits - 1), sign))


class Output(Component):
    """Sends what the lanes have finished, query tile by query tile, f ascending, from all lanes.

    A tile can be read from the cycle on after the last lane has written its last word, and when
    that lane's reciprocal is done; all other lanes are ahead. Its first transfer is offered three
    cycles after the first in which it can be read, or one where lanes divide, then one follows in
    each cycle. Back-pressure stops all of that, the output lanes included.

    Members: command: what the last lane executes; done: of the last lane; values: of all lanes, see
    `IntegerOutput` (in); read_enable, read_address: to the staging memories; advance, shift_half,
    scale_half: to the output lanes; freed: the last transfer of a tile is made, its half can be
    written again; o: a value of each query per transfer.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        super().__init__(
            params,
            {
                "command": In(lane_command(params)),
                "done": In(params.result_tiles),
                "values": In(params.side * params.out_bits),
                **{name: Out(width) for name, width in (reading(params) | steps(params)).items()},
                "freed": Out(1),
                "o": Out(stream.Signature(o_layout(params))),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        halves, half_bits = p.result_tiles, clog2(p.result_tiles)
        final = p.f - 1
        finished = Signal(halves)
        readable = Signal(halves)
        emptied = Signal(halves)
        waiting = Signal(halves)
        half = Signal(half_bits)
        index = Signal(range(p.f))
        can_read = Signal()
        at_end = Signal()
        advance = Signal() if p.divides else self.advance
        is_finished = (
            (self.command.op == (LaneOp.DIVIDE if p.divides else LaneOp.WEIGH))
            & self.command.last
            & (self.command.index == final)
        )
        if p.columns_per_lane > 1:
            is_finished &= self.command.column == p.columns_per_lane - 1
        finished_half = decoded(self.command.half, halves) & is_finished.replicate(halves)
        # So many cycles after its command the last word is written.
        for late in range(1 + p.keeps_product if p.divides else p.lane_stages - 1):
            written = Signal(halves, name=f"finished_{late}")
            m.d.sync += written.eq(finished_half)
            finished_half = written
        m.d.comb += finished.eq(finished_half)
        m.d.comb += [
            can_read.eq(choose(list(readable), half)),
            at_end.eq(index == final),
            readable.eq(waiting & self.done),
            emptied.eq(decoded(half, halves) & (self.read_enable & at_end).replicate(halves)),
            advance.eq(self.o.ready | ~self.o.valid),
            self.read_enable.eq(advance & can_read),
            self.read_address.eq(Cat(half, index)),
        ]
        m.d.sync += waiting.eq(waiting & ~emptied | finished)
        with m.If(self.read_enable):
            m.d.sync += index.eq(Mux(at_end, 0, index + 1))
            m.d.sync += half.eq(moved(m, half, halves, at_end))

        # What is known of the word that a stage holds: the one read, its ratio, its value.
        stages = 1 if p.divides else STAGES
        valid = Signal(stages)
        last = Signal(stages)
        half_of = Signal((stages - 1) * half_bits, name="halves", reset_less=True)
        with m.If(advance):
            m.d.sync += [
                valid.eq(Cat(can_read, valid)),
                last.eq(Cat(can_read & at_end, last)),
                half_of.eq(Cat(half, half_of)),
            ]
        if not p.divides:
            m.d.comb += [
                self.shift_half.eq(half_of[:half_bits]),
                self.scale_half.eq(half_of[half_bits:]),
            ]
        m.d.comb += [
            self.o.valid.eq(valid[-1]),
            self.o.payload.eq(self.values),
            self.freed.eq(last[-1] & self.o.ready),
        ]
        return m
