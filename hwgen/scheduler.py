"""The scheduler of units that work side by side: when the next instruction of each starts."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.schedule import COUNT_BITS
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulerParams:
    """The names of the units, in lower case."""

    units: tuple[str, ...]


def waits_layout(unit_count: int) -> data.ArrayLayout:
    """Of each unit, how many instructions must be done before one starts."""
    return data.ArrayLayout(unsigned(COUNT_BITS), unit_count)


def scheduled_layout(unit_count: int, operation: data.StructLayout) -> data.StructLayout:
    """An instruction: what it waits for; whether it is the last of a block; what is to be done."""
    waits = waits_layout(unit_count)
    return data.StructLayout({"waits": waits, "last": 1, "operation": operation})


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
        count = len(params.units)
        super().__init__(
            params,
            {
                "valid": In(count),
                "waits": In(data.ArrayLayout(waits_layout(count), count)),
                "last": In(count),
                "start": Out(count),
                "done": In(count),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        units, m = self.params.units, Module()
        counts = [Signal(COUNT_BITS, name=f"{unit}_count") for unit in units]
        busy, through = Signal(len(units)), Signal(len(units))
        everywhere = Signal()
        m.d.comb += everywhere.eq(through.all())
        for unit, count in enumerate(counts):
            others = [
                done >= self.waits[unit][other]
                for other, done in enumerate(counts)
                if other != unit
            ]
            free = ~busy[unit] & ~through[unit]
            m.d.comb += self.start[unit].eq(self.valid[unit] & free & Cat(others).all())
            with m.If(self.start[unit]):
                m.d.sync += busy[unit].eq(1)
            with m.If(self.done[unit]):
                m.d.sync += [
                    busy[unit].eq(0),
                    count.eq(count + 1),
                    through[unit].eq(self.last[unit]),
                ]
            with m.Elif(everywhere):
                m.d.sync += [count.eq(0), through[unit].eq(0)]
        return m
