"""The sequencer of the three-pass engine: a slot per cycle, as soon as what it needs is there."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.attention.choices import Masking
from designs.attention.schedule import PeOp
from designs.attention.unfused import Phase, UnfusedParams
from hwgen.attention.unfused.interface import (
    back_command,
    back_words,
    front_command,
    pass_layout,
)
from hwgen.component import Component, probed
from hwgen.ring import ring_place

OPERANDS = ("q", "k", "v", "s_back", "sn_back")
"""The streams that slots take a transfer of each."""


class UnfusedSequencer(Component):
    """Goes through the slots of one pass over a tile after the other.

    Of a tile's scores: SCORE for each e, which takes a transfer of k, and with the first tile one
    of q; the masks; DRAIN for each row. Of its numerators: for each row the slots of a weight, the
    first of which takes a row of s_back. Of the outputs: LOAD for each row, which takes one of
    sn_back, and WEIGH for each f, which takes a transfer of v. A slot waits for its transfers, and
    where a row leaves, for room. A phase waits until all rows of the one before it have left, that
    of the outputs for the reciprocals too.

    Members: tile: the table of passes, a stream; one per stream of `OPERANDS`: it is valid (in);
    take_...: and is taken; has_room, is_empty, reserve: of `Rows`; done: the reciprocals are there;
    phase: of the last slot; place: of a row that comes back; index: of a value of Q, or a row that
    leaves; fresh, front, back: the commands of this cycle's slot.
    """

    params: UnfusedParams

    def __init__(self, params: UnfusedParams) -> None:
        p = params
        super().__init__(
            p,
            {
                "tile": In(stream.Signature(pass_layout(p))),
                **{name: In(1) for name in OPERANDS},
                **{f"take_{name}": Out(1) for name in OPERANDS},
                "has_room": In(1),
                "is_empty": In(1),
                "reserve": Out(1),
                "done": In(1),
                "phase": Out(Phase),
                "place": Out(range(back_words(p))),
                "index": Out(range(max(p.e, p.f, p.side))),
                "fresh": Out(1),
                "front": Out(front_command(p)),
                "back": Out(back_command(p)),
            },
        )
        self.events = {"mac_slots": Signal(range(p.mac_slots_per_cycle + 1))}

    def elaborate(self, platform: Any) -> Module:
        p, m, line = self.params, Module(), self.tile.payload
        op, goes, needed = Signal(PeOp), Signal(), Signal()
        leaves, stored = Signal(), Signal()
        index = Signal(range(max(p.e, p.f, p.side)), name="index_q")
        phase = Signal(Phase, name="phase_q")
        at_end = Signal()
        begun = self.slots(m, op, goes, index, at_end)
        waits = (line.phase != phase) & ~self.is_empty
        may_begin = begun | ~(waits | ((line.phase == Phase.OUTPUTS) & ~self.done))
        m.d.comb += [
            goes.eq(self.tile.valid & may_begin & needed),
            self.reserve.eq(goes & leaves),
            self.index.eq(index),
            self.phase.eq(phase),
            self.fresh.eq((op == PeOp.SCORE) & (index == 0)),
        ]
        m.d.sync += stored.eq(self.reserve)
        with m.If(goes):
            m.d.sync += phase.eq(line.phase)
        self.needs(m, op, goes, needed, leaves)
        self.columns(m, op, goes, at_end)
        place = ring_place(m, "place", p.row_slots, stored)
        m.d.comb += [
            self.front.store.eq(stored & (phase == Phase.NUMERATORS)),
            self.front.place.eq(place),
            self.back.store.eq(stored & (phase != Phase.NUMERATORS)),
            self.back.is_output.eq(phase == Phase.OUTPUTS),
            self.back.place.eq(place),
        ]
        if probed(platform):
            multiplies = goes & ((op == PeOp.SCORE) | (op == PeOp.WEIGH))
            m.d.comb += self.events["mac_slots"].eq(Mux(multiplies, p.mac_slots_per_cycle, 0))
        return m

    @property
    def weight_ops(self) -> list[PeOp]:
        """The slots of a weight."""
        return [PeOp(PeOp.SUBTRACT + step) for step in range(self.params.engine.exp_slots)]

    @property
    def mask_ops(self) -> list[PeOp]:
        """The slots that hide keys."""
        return [PeOp.UPPER, PeOp.LOWER][: self.params.engine.mask_slots]

    def slots(self, m: Module, op: Signal, goes: Signal, index: Signal, at_end: Signal) -> Signal:
        """Which slot is next, its place among those of its kind; gives whether a pass is begun."""
        p, line = self.params, self.tile.payload
        begun, following, after = Signal(), Signal(PeOp), Signal(PeOp)
        moves, ends = Signal(init=1), Signal()
        starts = {
            Phase.SCORES: PeOp.SCORE,
            Phase.NUMERATORS: PeOp.SUBTRACT,
            Phase.OUTPUTS: PeOp.LOAD,
        }
        m.d.comb += op.eq(following)
        with m.If(~begun), m.Switch(line.phase):
            for phase, start in starts.items():
                with m.Case(phase):
                    m.d.comb += op.eq(start)
        m.d.comb += [at_end.eq(index == p.side - 1), after.eq(op)]
        *shared, final = self.weight_ops
        once = [*self.mask_ops, PeOp.DRAIN]
        with m.Switch(op):
            with m.Case(PeOp.SCORE):
                m.d.comb += [at_end.eq(index == p.e - 1), after.eq(Mux(at_end, once[0], op))]
            for mask, next_op in zip(self.mask_ops, once[1:], strict=True):
                with m.Case(mask):
                    m.d.comb += [moves.eq(0), after.eq(next_op)]
            for step in shared:
                with m.Case(step):
                    m.d.comb += [moves.eq(0), after.eq(PeOp(step + 1))]
            with m.Case(final):
                m.d.comb += [ends.eq(at_end), after.eq(PeOp.SUBTRACT)]
            with m.Case(PeOp.LOAD):
                m.d.comb += after.eq(Mux(at_end, PeOp.WEIGH, op))
            with m.Case(PeOp.WEIGH):
                m.d.comb += [at_end.eq(index == p.f - 1), ends.eq(at_end)]
            with m.Case(PeOp.DRAIN):
                m.d.comb += ends.eq(at_end)
        m.d.comb += self.tile.ready.eq(goes & ends)
        with m.If(goes):
            m.d.sync += [begun.eq(~ends), following.eq(after)]
            with m.If(moves):
                m.d.sync += index.eq(Mux(at_end, 0, index + 1))
        return begun

    def needs(self, m: Module, op: Signal, goes: Signal, needed: Signal, leaves: Signal) -> None:
        """What a slot waits for, and takes."""
        line, final = self.tile.payload, self.weight_ops[-1]
        takes = {
            "q": (op == PeOp.SCORE) & line.first,
            "k": op == PeOp.SCORE,
            "v": op == PeOp.WEIGH,
            "s_back": op == PeOp.SUBTRACT,
            "sn_back": op == PeOp.LOAD,
        }
        there = self.has_room | ~leaves
        for name, takes_one in takes.items():
            there &= getattr(self, name) | ~takes_one
            m.d.comb += getattr(self, f"take_{name}").eq(goes & takes_one)
        sums = (op == PeOp.WEIGH) & line.last
        m.d.comb += [leaves.eq((op == PeOp.DRAIN) | (op == final) | sums), needed.eq(there)]

    def columns(self, m: Module, op: Signal, goes: Signal, at_end: Signal) -> None:
        """What the columns are told, but for where results go."""
        p, line, front, back = self.params, self.tile.payload, self.front, self.back
        begins = line.first & (self.index == 0)
        returns = self.take_s_back | self.take_sn_back
        m.d.comb += [
            self.place.eq(ring_place(m, "back_place", back_words(p), returns)),
            front.op.eq(Mux(goes, op, PeOp.IDLE)),
            front.address.eq(Mux(op == PeOp.SCORE, self.index, self.place)),
            front.shift.eq(line.shift),
            back.drains.eq(goes & (op == PeOp.DRAIN)),
            back.weighs.eq(goes & (op == PeOp.WEIGH)),
            back.first.eq(Mux(op == PeOp.DRAIN, begins, line.first)),
            back.index.eq(self.index),
        ]
        # A numerator is complete a cycle after its last slot.
        first, last = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += [first.eq(begins), last.eq(line.last & at_end)]
        m.d.comb += [front.first.eq(first), front.last.eq(last)]
        for mask, bound in zip(self.mask_ops, ("upper", "lower"), strict=False):
            with m.If(op == mask):
                m.d.comb += front.address.eq(getattr(line, bound))
        if p.masking != Masking.NONE and p.side > 1:
            m.d.comb += front.diagonal.eq(line.diagonal)
