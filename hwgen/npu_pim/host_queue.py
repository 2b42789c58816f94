"""Accesses that wait for a bank, and which of them is next."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.npu_pim.order import PASSES_MAX
from designs.rules import clog2
from hwgen.choose import gated, lowest
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class HostQueueParams:
    """`entries` accesses to one bank; widths of their fields, see `host_layout`."""

    entries: int
    row_bits: int
    column_bits: int
    tag_bits: int


def access_layout(params: HostQueueParams) -> data.StructLayout:
    """An access without its data; its bank is that of the queue."""
    p = params
    return data.StructLayout(
        {"write": 1, "row": p.row_bits, "column": p.column_bits, "tag": p.tag_bits}
    )


def candidate_layout(params: HostQueueParams) -> data.StructLayout:
    """The access that is next. hits: its row is open; slot: where its data are, see `HostQueue`."""
    return data.StructLayout(
        {
            "valid": 1,
            "hits": 1,
            "slot": clog2(params.entries),
            "access": access_layout(params),
        }
    )


class HostQueue(Component):
    """Accesses to one bank, of which the oldest that hits the open row is next, else the oldest.

    Of those that hit none passes another, so that reads and writes of a column stay in order. After
    `PASSES_MAX` have passed the oldest, the oldest is next. An access is there from the cycle after
    its push on.

    Data of an access are elsewhere, in one of `entries` slots; a slot is free again in the cycle
    after its access was taken.

    Members: push, access: one more, while not is_full; free: the slot that it gets; is_open, row:
    of the bank; candidate: which is next, from registers, is_open and row; take: it goes.
    """

    params: HostQueueParams

    def __init__(self, params: HostQueueParams) -> None:
        p = params
        super().__init__(
            p,
            {
                "push": In(1),
                "access": In(access_layout(p)),
                "free": Out(clog2(p.entries)),
                "is_full": Out(1),
                "is_empty": Out(1),
                "is_open": In(1),
                "row": In(p.row_bits),
                "candidate": Out(candidate_layout(p)),
                "take": In(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        count, layout = p.entries, access_layout(p)
        used = Signal(count)  # one bit each, the oldest lowest
        entries = [Signal(layout, name=f"entry_{at}", reset_less=True) for at in range(count)]
        slots = [Signal(clog2(count), name=f"slot_{at}", init=at) for at in range(count)]
        hits = Signal(count)
        chosen = Signal(count)
        moves = Signal(count)  # those that come nearer to the oldest, or go
        left = Signal(count)
        enters = Signal(count)
        access = Signal(layout)
        slot = Signal(clog2(count))
        m.d.comb += [
            hits.eq(used & Cat(self.is_open & (one.row == self.row) for one in entries)),
            chosen.eq(Mux(self.is_passed(m, chosen) | ~hits.any(), 1, lowest(hits)[0])),
            access.eq(gated([one.as_value() for one in entries], chosen)),
            slot.eq(gated(slots, chosen)),
            self.candidate.valid.eq(used[0]),
            self.candidate.hits.eq((hits & chosen).any()),
            self.candidate.slot.eq(slot),
            self.candidate.access.eq(access),
            moves.eq(Cat(chosen[: at + 1].any() & self.take for at in range(count))),
            left.eq(Mux(self.take, used[1:], used)),
            enters.eq(~left & Cat(1, left[:-1]) & self.push.replicate(count)),
            self.free.eq(gated(slots, ~used & Cat(1, used[:-1]))),
            self.is_full.eq(used[-1]),
            self.is_empty.eq(~used[0]),
        ]
        m.d.sync += used.eq(left | enters)
        for at in range(count):
            with m.If(enters[at]):
                m.d.sync += entries[at].eq(self.access)
            if at + 1 < count:
                with m.Elif(moves[at]):
                    m.d.sync += entries[at].eq(entries[at + 1])
            with m.If(moves[at]):
                m.d.sync += slots[at].eq(slots[at + 1] if at + 1 < count else slot)
        return m

    def is_passed(self, m: Module, chosen: Signal) -> Value:
        """Whether so many accesses have passed the oldest that it is next."""
        passes = Signal(range(PASSES_MAX + 1))
        if self.params.entries > 1:
            with m.If(self.take):
                m.d.sync += passes.eq(Mux(chosen[0], 0, passes + 1))
        return passes == PASSES_MAX
