"""STORE: the unit that writes keys, values and vectors to the rows of a channel."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.rules import clog2
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.npu_pim.access_walk import AccessWalk, AccessWalkParams
from hwgen.ring import decoded

BYTE_BITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreUnitParams:
    """Writes of a `channel`, from a memory of `words` that are as wide as an access.

    count: the most accesses of an instruction. Accesses are of a power of two of bytes.
    """

    channel: PimChannel
    words: int
    count: int

    @property
    def walk(self) -> AccessWalkParams:
        return AccessWalkParams(channel=self.channel, count=self.count)


def store_instruction(params: StoreUnitParams) -> data.StructLayout:
    """Accesses as `AccessWalk` has them, and what is written.

    Number i writes word `word` + i. With `spread` it writes byte i of the words from `word` on, as
    the only one, to byte `byte` of its access; `columns` is 0 there.
    """
    p = params
    return data.StructLayout(
        {
            **p.walk.fields,
            "word": clog2(p.words),
            "spread": 1,
            "byte": clog2(p.channel.access_bytes),
        }
    )


def store_access(params: StoreUnitParams) -> data.StructLayout:
    """A write: where, what, and which of its bytes are written."""
    size = params.channel.access_bytes
    return data.StructLayout({**params.walk.place, "data": BYTE_BITS * size, "mask": size})


class StoreUnit(Component):
    """Writes of whole words, or of a byte of a vector each.

    The first is offered in the cycle after `start`; one is taken in each cycle with `ready`. `done`
    is in the cycle of the last WR, from which on any command finds what it writes.

    Members: start, instruction, done: see `Scheduler`; access (stream out); written: WR of one of
    the accesses; codes_*: read port of the memory.
    """

    params: StoreUnitParams

    def __init__(self, params: StoreUnitParams) -> None:
        p = params
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(store_instruction(p)),
                "done": Out(1),
                "access": Out(stream.Signature(store_access(p))),
                "written": In(1),
                "codes_enable": Out(1),
                "codes_address": Out(clog2(p.words)),
                "codes_data": In(BYTE_BITS * p.channel.access_bytes),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m, told = self.params, Module(), self.instruction
        size = p.channel.access_bytes
        m.submodules.walk = walk = AccessWalk(p.walk)
        m.d.comb += [walk.instruction[name].eq(told[name]) for name in p.walk.fields]
        m.d.comb += [self.access.payload[name].eq(walk.place[name]) for name in p.walk.place]
        lane = Signal(clog2(size))
        next_lane = Signal(clog2(size))
        byte = Signal(BYTE_BITS)
        stored = [self.codes_data.word_select(one, BYTE_BITS) for one in range(size)]
        moves = Mux(told.spread, walk.following[len(lane) :], walk.following)
        m.d.comb += [
            walk.start.eq(self.start),
            self.done.eq(walk.done),
            self.access.valid.eq(walk.valid),
            walk.ready.eq(self.access.ready),
            walk.ended.eq(self.written),
            lane.eq(walk.number),
            next_lane.eq(walk.following),
            self.codes_enable.eq(
                self.start | (walk.valid & self.access.ready & (~told.spread | (next_lane == 0)))
            ),
            self.codes_address.eq(told.word + moves),
            byte.eq(choose(stored, lane)),
            self.access.payload.data.eq(Mux(told.spread, byte.replicate(size), self.codes_data)),
            self.access.payload.mask.eq(decoded(told.byte, size) | (~told.spread).replicate(size)),
        ]
        return m
