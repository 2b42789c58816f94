"""The output of groups of columns: their states combined query tile by query tile, and sent."""

import enum
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.attention.schedule import LaneOp
from designs.rules import clog2
from hwgen.attention.combiner import combine_command
from hwgen.attention.interface import lane_command, o_layout
from hwgen.attention.lane import staged_words, staging_address_bits
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.ring import decoded, following, moved, ring_place

STAGES = 4
"""Steps from a numerator's last product to its value: sum, shift, scale, and out."""


class Phase(enum.IntEnum):
    """Where the combination of a query tile is.

    SUMS: until its denominators are there, of which COMPARE takes the greatest maximum, WEIGH makes
    the weights, in READ the last of them is kept, SUM adds the denominators up, ADD is for the last
    of them, DIVIDE begins the reciprocal, SETTLE is until `done` is low. PRODUCTS: until that and
    the numerators are there. COMBINE: them.
    """

    SUMS = 0
    COMPARE = 1
    WEIGH = 2
    READ = 3
    SUM = 4
    ADD = 5
    DIVIDE = 6
    SETTLE = 7
    PRODUCTS = 8
    COMBINE = 9


TAKEN = {Phase.SUMS: LaneOp.SUM, Phase.PRODUCTS: LaneOp.WEIGH}
"""What lanes end with, where a phase waits for it."""


class CombinedOutput(Component):
    """Combines what lanes of several groups have finished, and sends it, f ascending.

    A tile begins in the cycle after the last lane has executed its last SUM, or the one after the
    last product of the tile before it. From then until its denominator is divided it takes
    splits * (2 + exp_slots) + 4 cycles. Its numerators can be read when the reciprocal is done, and
    from the cycle on after the last lane has executed its last WEIGH. `splits` + 4 cycles later the
    first transfer is offered, then one every `splits` cycles. Back-pressure stops all of that but
    the divider, combiners and output lanes included.

    Members: command: what the last lane executes; done: of the last combiner; values: of all output
    lanes (in); read_enable, read_address: to all staging memories; combine: to all combiners;
    advance, shift_half, scale_half, freed, o: see `Output`.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p = params
        super().__init__(
            p,
            {
                "command": In(lane_command(p)),
                "done": In(p.result_tiles),
                "values": In(p.split_columns * p.out_bits),
                "read_enable": Out(1),
                "read_address": Out(staging_address_bits(p)),
                "combine": Out(combine_command(p)),
                "advance": Out(1),
                "shift_half": Out(clog2(p.result_tiles)),
                "scale_half": Out(clog2(p.result_tiles)),
                "freed": Out(1),
                "o": Out(stream.Signature(o_layout(p))),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        phase = Signal(Phase)
        moves = Signal()
        at_last = Signal()
        at_end = Signal()
        half = Signal(clog2(p.result_tiles))
        # RM is behind RNV, and comes first.
        index = Signal(range(staged_words(p)), init=p.f)
        is_in = {which: Signal(name=which.name.lower()) for which in Phase}
        m.d.comb += [signal.eq(phase == which) for which, signal in is_in.items()]
        slot = ring_place(m, "slot", p.exp_slots, moves & is_in[Phase.WEIGH])
        made = Signal()
        multiplies = Signal()
        turns = is_in[Phase.COMPARE] | multiplies | made
        lane = ring_place(m, "lane", p.splits, moves & turns)
        m.d.comb += [
            moves.eq(self.o.ready | ~self.o.valid),
            made.eq(is_in[Phase.WEIGH] & (slot == p.exp_slots - 1)),
            multiplies.eq(is_in[Phase.SUM] | is_in[Phase.COMBINE]),
            at_last.eq(lane == p.splits - 1),
            at_end.eq(is_in[Phase.COMBINE] & at_last & (index == p.f)),
        ]
        takes = {which: Signal(name=f"takes_{which.name.lower()}") for which in TAKEN}
        there = {which: self.waiting(m, which, takes[which], half) for which in TAKEN}
        ends = {
            **there,
            Phase.COMPARE: at_last,
            Phase.WEIGH: made & at_last,
            Phase.SUM: at_last,
            Phase.PRODUCTS: there[Phase.PRODUCTS] & choose(list(self.done), half),
            Phase.COMBINE: at_end,
        }
        m.d.comb += [taken.eq(moves & is_in[which] & ends[which]) for which, taken in takes.items()]
        for which, signal in is_in.items():
            with m.If(moves & signal & ends.get(which, 1)):
                m.d.sync += phase.eq((which + 1) % len(Phase))
        reads = Signal()
        m.d.comb += [
            reads.eq(is_in[Phase.READ] | (is_in[Phase.COMBINE] & at_last & ~at_end)),
            self.read_enable.eq(moves & reads | Cat(takes.values()).any()),
            self.read_address.eq(Cat(half, index)),
        ]
        with m.If(self.read_enable):
            m.d.sync += index.eq(following(m, index, staged_words(p)))
        with m.If(moves):
            m.d.sync += half.eq(moved(m, half, p.result_tiles, at_end))

        # What is known of the step before this one.
        keeps = Signal()
        adds = Signal()
        begins = Signal(reset_less=True)
        with m.If(moves):
            m.d.sync += [keeps.eq(made), adds.eq(multiplies), begins.eq(lane == 0)]
        combine = self.combine
        m.d.comb += [
            combine.lane.eq(lane),
            combine.compares.eq(moves & is_in[Phase.COMPARE]),
            combine.first.eq(lane == 0),
            combine.step.eq(
                Cat(moves & is_in[Phase.WEIGH] & (slot == each) for each in range(p.exp_slots))
            ),
            combine.keeps.eq(moves & keeps),
            combine.multiplies.eq(moves & multiplies),
            combine.adds.eq(moves & adds),
            combine.begins.eq(begins),
            combine.divides.eq(moves & is_in[Phase.DIVIDE]),
            combine.half.eq(half),
        ]
        self.send(m, moves, half, Cat(is_in[Phase.COMBINE] & at_last, at_end))
        return m

    def waiting(self, m: Module, which: Phase, takes: Value, half: Value) -> Value:
        """Whether the last lane has ended what a phase is for, of the half whose turn it is, and
        that has yet to be taken."""
        p, halves, name = self.params, self.params.result_tiles, which.name.lower()
        is_told = (self.command.op == TAKEN[which]) & self.command.last
        if which == Phase.PRODUCTS:
            is_told &= self.command.index == p.f - 1
        told = Signal(halves, name=f"{name}_told")
        # With two stages the last word is written a cycle after its command.
        when = m.d.comb if p.lane_stages == 1 else m.d.sync
        when += told.eq(decoded(self.command.half, halves) & is_told.replicate(halves))
        taken = decoded(half, halves) & takes.replicate(halves)
        there = Signal(halves, name=f"{name}_there")
        m.d.sync += there.eq(there & ~taken | told)
        return choose(list(there), half)

    def send(self, m: Module, moves: Value, half: Value, leaves: Value) -> None:
        """From the last product of a value on; leaves: there is one, and it is a tile's last."""
        half_bits = clog2(self.params.result_tiles)
        valid = Signal(STAGES)
        last = Signal(STAGES)
        half_of = Signal((STAGES - 1) * half_bits, name="halves", reset_less=True)
        with m.If(moves):
            m.d.sync += [
                valid.eq(Cat(leaves[0], valid)),
                last.eq(Cat(leaves[1], last)),
                half_of.eq(Cat(half, half_of)),
            ]
        m.d.comb += [
            self.advance.eq(moves & (valid[1] | valid[2])),
            self.shift_half.eq(half_of[half_bits : 2 * half_bits]),
            self.scale_half.eq(half_of[2 * half_bits :]),
            self.o.valid.eq(valid[-1]),
            self.o.payload.eq(self.values),
            self.freed.eq(last[-1] & self.o.ready),
        ]
