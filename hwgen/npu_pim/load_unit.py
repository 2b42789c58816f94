"""LOAD: the unit that reads what ARRAY multiplies by from the rows of a channel."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.rules import clog2
from hwgen.component import Component
from hwgen.npu_pim.access_walk import AccessWalk, AccessWalkParams


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadUnitParams:
    """Reads of a `channel`, into a memory of `words` that are as wide as an access."""

    channel: PimChannel
    words: int

    @property
    def walk(self) -> AccessWalkParams:
        """An instruction fills the memory at most."""
        return AccessWalkParams(channel=self.channel, count=self.words)


def load_instruction(params: LoadUnitParams) -> data.StructLayout:
    """Accesses as `AccessWalk` has them; number i goes to word `to` + i."""
    return data.StructLayout({**params.walk.fields, "to": clog2(params.words)})


def load_access(params: LoadUnitParams) -> data.StructLayout:
    """A read: where, and the word that it goes to."""
    return data.StructLayout({**params.walk.place, "tag": clog2(params.words)})


class LoadUnit(Component):
    """Reads, which come back in any order and each go to the word that their tag says.

    The first is offered in the cycle after `start`; one is taken in each cycle with `ready`. `done`
    is in the cycle of the last data.

    Members: start, instruction, done: see `Scheduler`; access (stream out); read: data of one of
    the accesses are there.
    """

    params: LoadUnitParams

    def __init__(self, params: LoadUnitParams) -> None:
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(load_instruction(params)),
                "done": Out(1),
                "access": Out(stream.Signature(load_access(params))),
                "read": In(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m, told = self.params, Module(), self.instruction
        m.submodules.walk = walk = AccessWalk(p.walk)
        m.d.comb += [walk.instruction[name].eq(told[name]) for name in p.walk.fields]
        m.d.comb += [self.access.payload[name].eq(walk.place[name]) for name in p.walk.place]
        m.d.comb += [
            walk.start.eq(self.start),
            self.done.eq(walk.done),
            self.access.valid.eq(walk.valid),
            walk.ready.eq(self.access.ready),
            self.access.payload.tag.eq(told.to + walk.number),
            walk.ended.eq(self.read),
        ]
        return m
