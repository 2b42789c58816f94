"""The data bus of a channel, as far ahead as commands have reserved it."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.npu_pim.distances import Command, commands, data_span, result_delay
from designs.rules import bit_length
from hwgen.component import Component
from hwgen.npu_pim.waits import Load, load

WITH_DATA = (Command.RD, Command.WR, Command.READRES)
"""Commands with data on the bus; a GEMV is a READRES that comes later."""


def delay(channel: PimChannel) -> Load:
    """`result_delay` itself, not what is left of it a cycle later."""
    left = load(channel, result_delay(channel))
    return replace(left, cycles=left.cycles + 1)


def delay_bits(channel: PimChannel) -> int:
    """Width of the cycles of `result_delay`."""
    return bit_length(delay(channel).most(channel.row_steps))


class Reservations(Component):
    """Says whether the data of a command would find the bus free.

    There is a bit for each cycle to come in which the bus may be taken. A GEMV is to the bus as a
    READRES `result_delay` cycles later: a counter waits for that, and keeps others from where its
    result will be. A GEMV itself finds the bus free: it comes a step behind that READRES of the
    last one, a step is no shorter than a burst, and data of writes come no later than of reads.

    Members: rd, wr, and gemv where it is composite, else readres: it is issued in this cycle, of
    which there is at most one; delay: `result_delay` of the GEMV; ready_rd, ready_wr,
    ready_readres: it may be issued in this cycle, as far as the bus goes.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        self.spans = {one: data_span(params, one) for one in WITH_DATA}
        self.asked = [one for one in WITH_DATA if one in commands(params)]
        composite = {"gemv": In(1), "delay": In(delay_bits(params))} if params.composite else {}
        super().__init__(
            params,
            {
                **{one.name.lower(): In(1) for one in self.asked},
                **composite,
                **{f"ready_{one.name.lower()}": Out(1) for one in self.asked},
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        first = min(start for start, _ in self.spans.values())
        last = max(end for _, end in self.spans.values()) - 1
        taken = [Signal(name=f"taken_{cycle}") for cycle in range(first, last)]
        waits = self._waits(m) if self.params.composite else Const(0)
        comes = {
            Command.RD: self.rd,
            Command.WR: self.wr,
            Command.READRES: waits == 1 if self.params.composite else self.readres,
        }
        for index, bit in enumerate(taken):
            cycle = first + index + 1
            enters = [
                comes[one] for one, (start, end) in self.spans.items() if start <= cycle < end
            ]
            m.d.sync += bit.eq(Cat(*taken[index + 1 : index + 2], *enters).any())
        result, _ = self.spans[Command.READRES]
        for command in self.asked:
            start, end = self.spans[command]
            meets = waits.any() & (waits <= end - result) if end > result else 0
            free = ~Cat(*taken[start - first : end - first]).any()
            m.d.comb += getattr(self, f"ready_{command.name.lower()}").eq(free & ~meets)
        return m

    def _waits(self, m: Module) -> Signal:
        """Until the latest GEMV is as a READRES in this cycle: then 1, and afterwards 0."""
        waits = Signal(delay_bits(self.params))
        m.d.sync += waits.eq(Mux(self.gemv, self.delay, waits - waits.any()))
        return waits
