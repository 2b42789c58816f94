"""When rows are refreshed, and of which rank."""

from typing import Any

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.rules import bit_length, clog2
from hwgen.component import Component
from hwgen.ring import ring_place


def left_shape(channel: PimChannel) -> Shape:
    """Cycles to the next refresh, which comes less than a whole interval late."""
    return Shape(bit_length(channel.refresh_cycles) + 1, signed=True)


class Refresh(Component):
    """Counts cycles to the next refresh, which ranks take in turns, or all one after the other.

    Members: start: the first transfer is in this cycle, later ones do not matter; done: the refresh
    is on the command bus; left: cycles until it is due, `refresh_cycles` up to the cycle with
    `start`, negative where it is late; after it as many more, where ranks are refreshed together
    after that of the last; rank: whose turn it is, 0 if there is one rank.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        super().__init__(
            params,
            {
                "start": In(1),
                "done": In(1),
                "left": Out(left_shape(params)),
                "rank": Out(max(1, clog2(params.ranks))),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m, interval = self.params, Module(), self.params.refresh_cycles
        left = Signal(left_shape(self.params), init=interval)
        begun = Signal()
        with m.If(self.start):
            m.d.sync += begun.eq(1)
        ends = Signal() if p.refreshed_ranks > 1 else self.done
        with m.If(begun | self.start):
            m.d.sync += left.eq(left + Mux(ends, interval - 1, -1))
        rank = ring_place(m, "turn", p.ranks, self.done)
        if p.refreshed_ranks > 1:
            m.d.comb += ends.eq(self.done & (rank == p.ranks - 1))
        m.d.comb += [self.left.eq(left), self.rank.eq(rank)]
        return m
