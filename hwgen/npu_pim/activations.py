"""The window of a rank: how many rows were opened lately."""

from typing import Any

from amaranth.hdl import Const, Module, Signal
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.npu_pim.distances import window
from hwgen.component import Component


class Activations(Component):
    """Says whether rows of a rank may be opened, so that no window has more than its most.

    A counter for each row that a window may have, the latest first: cycles until that row leaves
    it. A command moves them on by the rows that it opens.

    Members: <command>, for each that opens rows: it is issued for this rank, of which there is at
    most one in a cycle; ready_<command>: it may be in this cycle, as far as the window goes.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        self.window = window(params)
        names = [command.name.lower() for command in self.window.needs]
        super().__init__(
            params,
            {**{name: In(1) for name in names}, **{f"ready_{name}": Out(1) for name in names}},
        )

    def elaborate(self, platform: Any) -> Module:
        m, most, longest = Module(), self.window.most, self.window.cycles - 1
        leaves = [Signal(range(longest + 1), name=f"leaves_{index}") for index in range(most)]
        fewer = [Signal.like(counter, name=f"{counter.name}_fewer") for counter in leaves]
        for less, counter in zip(fewer, leaves, strict=True):
            m.d.comb += less.eq(counter - counter.any())
            m.d.sync += counter.eq(less)
        for command, opened in self.window.enters.items():
            with m.If(getattr(self, command.name.lower())):
                moved = [Const(longest)] * opened + fewer
                m.d.sync += [one.eq(new) for one, new in zip(leaves, moved, strict=False)]
        for command, needed in self.window.needs.items():
            ready = getattr(self, f"ready_{command.name.lower()}")
            m.d.comb += ready.eq(~leaves[most - needed].any())
        return m
