"""Steps of dot products: what banks and vector are told of COMP, READRES and GEMV."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.npu_pim.distances import Command
from hwgen.buffers import delayed
from hwgen.component import Component
from hwgen.npu_pim.bank import step_layout
from hwgen.npu_pim.interface import command_layout, step_bits
from hwgen.npu_pim.latency import capture_registers, sum_registers
from hwgen.npu_pim.pim_unit import sum_layout


class Steps(Component):
    """What is common to channels with and without a composite GEMV.

    Members: command: as banks hear it; step: the vector's column is to be read, and the row's; sum:
    that step is added, 2 + clog2(lanes) cycles later; capture: the sums are results now.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        super().__init__(
            params,
            {
                "command": In(command_layout(params)),
                "step": Out(step_layout(params)),
                "sum": Out(sum_layout()),
                "capture": Out(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        first = Signal()
        reads = Signal()
        self.steps(m, first, reads)
        told = Cat(self.step.enable, first)
        m.d.comb += [
            self.sum.eq(delayed(m, "sum_delay", told, sum_registers(p), reset=True)),
            self.capture.eq(delayed(m, "capture_delay", reads, capture_registers(p), reset=True)),
        ]
        return m

    def steps(self, m: Module, first: Signal, reads: Signal) -> None:
        """Drive `step`, say if it begins a sum, and when a READRES is, or would be."""
        raise NotImplementedError

    def heard(self, command: Command) -> Value:
        """Whether it is this one."""
        return self.command.valid & (self.command.command == command)


class SingleSteps(Steps):
    """Steps one by one: COMP is a step, and the first one after READRES begins a sum."""

    def steps(self, m: Module, first: Signal, reads: Signal) -> None:
        begins = Signal(init=1)
        m.d.comb += [
            self.step.enable.eq(self.heard(Command.COMP)),
            self.step.column.eq(self.command.column),
            first.eq(begins),
            reads.eq(self.heard(Command.READRES)),
        ]
        with m.If(reads):
            m.d.sync += begins.eq(1)
        with m.Elif(self.step.enable):
            m.d.sync += begins.eq(0)


class CompositeSteps(Steps):
    """All steps of a GEMV, one every column_l cycles, the first one when the command is heard.

    Its results are read a step after the last one, or after so many that fill the trees.
    """

    def steps(self, m: Module, first: Signal, reads: Signal) -> None:
        p, t = self.params, self.params.timing
        starts = Signal()
        ticks = self.ticks(m, starts)
        # Steps that are still to come, and ticks until the results are read.
        steps = Signal(step_bits(p), name="steps_left")
        left = Signal(range(max(p.row_steps, t.tree_steps) + 1), name="ticks_left")
        column = Signal(step_bits(p), name="next_column", reset_less=True)
        follows = Signal()
        m.d.comb += [
            starts.eq(self.heard(Command.GEMV)),
            follows.eq(ticks & (steps != 0)),
            self.step.enable.eq(starts | follows),
            self.step.column.eq(Mux(starts, self.command.column, column)),
            first.eq(starts),
            reads.eq(ticks & (left == 1)),
        ]
        asked = self.command.steps
        fills = asked < t.tree_steps
        with m.If(starts):
            m.d.sync += [
                steps.eq(asked),
                left.eq(Mux(fills, Const(t.tree_steps), asked + 1)),
            ]
        with m.Else():
            with m.If(follows):
                m.d.sync += steps.eq(steps - 1)
            with m.If(ticks & (left != 0)):
                m.d.sync += left.eq(left - 1)
        with m.If(self.step.enable):
            m.d.sync += column.eq(self.step.column + 1)

    def ticks(self, m: Module, starts: Signal) -> Value:
        """Every column_l cycles from a start on, itself not included."""
        cycles = self.params.timing.column_l_cycles
        if cycles == 1:
            return ~starts
        wait = Signal(range(cycles))
        ticks = Signal()
        m.d.comb += ticks.eq(~starts & (wait == 0))
        with m.If(starts | ticks):
            m.d.sync += wait.eq(cycles - 1)
        with m.Else():
            m.d.sync += wait.eq(wait - 1)
        return ticks


def steps_of(channel: PimChannel) -> Steps:
    """What tells the steps of a channel's dot products."""
    return (CompositeSteps if channel.composite else SingleSteps)(channel)
