"""The scheduler of a VitaLLM engine: when the next instruction of each unit starts."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.vitallm.instructions import Unit
from hwgen.component import Component
from hwgen.vitallm.interface import COUNT_BITS


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulerParams:
    """Nothing to choose."""


class Scheduler(Component):
    """Lets each unit work through its instructions, one at a time, each as soon as it may start.

    An instruction is not stored: it stays on its stream until it is done. It starts in the first
    cycle in which it is there, its unit is free, and of every unit as many instructions are done as
    it waits for; an instruction counts as done from the cycle after its `done` on, in which the
    next one of its unit may start. After its last instruction of a block a unit waits until all
    have done theirs; two cycles later the counts are zero and the next block begins.

    Members, all with an element per unit: valid, waits, last: of the instruction at hand; start: a
    pulse; done: a pulse, one cycle or more after it.
    """

    params: SchedulerParams

    def __init__(self, params: SchedulerParams) -> None:
        count = len(Unit)
        waits = data.ArrayLayout(data.ArrayLayout(unsigned(COUNT_BITS), count), count)
        super().__init__(
            params,
            {
                "valid": In(count),
                "waits": In(waits),
                "last": In(count),
                "start": Out(count),
                "done": In(count),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        counts = [Signal(COUNT_BITS, name=f"{unit.name.lower()}_count") for unit in Unit]
        busy, through = Signal(len(Unit)), Signal(len(Unit))
        everywhere = Signal()
        m.d.comb += everywhere.eq(through.all())
        for unit in Unit:
            others = [counts[other] >= self.waits[unit][other] for other in Unit if other != unit]
            free = ~busy[unit] & ~through[unit]
            m.d.comb += self.start[unit].eq(self.valid[unit] & free & Cat(others).all())
            with m.If(self.start[unit]):
                m.d.sync += busy[unit].eq(1)
            with m.If(self.done[unit]):
                m.d.sync += [
                    busy[unit].eq(0),
                    counts[unit].eq(counts[unit] + 1),
                    through[unit].eq(self.last[unit]),
                ]
            with m.Elif(everywhere):
                m.d.sync += [counts[unit].eq(0), through[unit].eq(0)]
        return m
