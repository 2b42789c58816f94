"""Collectors: gather what leaves the top of the array into rows of results.

Column c of the array runs c steps late; a collector straightens that, and knows from the
sequencer's tokens, delayed as long as the array takes, what it has in hand.
"""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.systolic import Dataflow, SystolicParams
from hwgen.buffers import (
    DelayLineParams,
    Scratchpad,
    ScratchpadParams,
    Skew,
    SkewParams,
    delay_line,
)
from hwgen.component import Component, probed
from hwgen.gemm import c_layout, o_layout
from hwgen.systolic.arithmetic import Pair
from hwgen.systolic.element import ElementParams
from hwgen.systolic.elements import ELEMENTS
from hwgen.systolic.interface import token_layout
from hwgen.systolic.resolve import ColumnResolve, Resolve, ResolveParams
from hwgen.systolic.timing import Steps


def collector_events(params: SystolicParams) -> dict[str, Signal]:
    """What is counted where results are put together."""
    if params.dataflow == Dataflow.OS:
        return {}
    return {"accumulator_reads": Signal(), "accumulator_writes": Signal()}


class Collector(Component):
    """Common ports of both dataflows.

    `north`: what leaves the array, per column. `o`: rows of results; `advance` is high while `o`
    can take one. `free`: see `Sequencer`.
    """

    params: SystolicParams

    def __init__(self, params: SystolicParams) -> None:
        self.steps = Steps.of(params)
        self.top = ElementParams.of(params, 0, 0)
        self.result = self.top.sums.result
        self.lane_bits = Shape.cast(self.result.layout).width
        super().__init__(
            params,
            {
                "advance": In(1),
                "token": In(token_layout(params)),
                "north": In(self.lane_bits * params.cols),
                "o": Out(stream.Signature(o_layout(params), always_ready=True)),
                **({} if params.double_buffer else {"free": Out(1)}),
                **{name: Out(shape) for name, shape in self.shared(params).items()},
            },
        )
        self.events = collector_events(params)

    @staticmethod
    def shared(params: SystolicParams) -> dict[str, Any]:
        """Signals to all elements that this collector drives."""
        return ELEMENTS[params.dataflow].groups(ElementParams.of(params, 0, 0)).get("shared", {})

    def delayed(self, m: Module, name: str, value: Any, depth: int) -> Any:
        """A token `depth` >= 0 steps later; cleared by reset."""
        if depth == 0:
            return value
        layout = token_layout(self.params)
        kind, params = delay_line(DelayLineParams(bits=layout.size, depth=depth, reset=True))
        m.submodules[name] = line = kind(params)
        m.d.comb += [line.advance.eq(self.advance), line.i.eq(value)]
        return data.View(layout, line.o)

    def resolve(self, width: int, *, addend: bool = False) -> ResolveParams:
        """What adds the words of a column's pair up, into a word of `width` bits."""
        products = self.params.rows if self.params.dataflow == Dataflow.WS else 0
        excess = products * self.top.arithmetic.excess
        return ResolveParams(pair=self.result, width=width, excess=excess, addend=addend)

    def straightened(self, m: Module, width: int) -> Value:
        """`north`, all columns of one row in the same step; words of `width`, if made here."""
        p = self.params
        lanes, bits = self.north, self.lane_bits
        if self.steps.column:
            words = []
            for col in range(p.cols):
                m.submodules[f"resolve_{col}"] = column = ColumnResolve(self.resolve(width))
                m.d.comb += column.advance.eq(self.advance)
                m.d.comb += column.i.eq(self.north.word_select(col, bits))
                words.append(column.o)
            lanes, bits = Cat(words), width
        drains_complete = p.dataflow == Dataflow.OS and not p.double_buffer
        if drains_complete or not self.steps.col:
            return lanes
        deskew = Skew(SkewParams(bits=bits, first=p.cols - 1, last=0))
        m.submodules.deskew = deskew
        m.d.comb += [deskew.advance.eq(self.advance), deskew.i.eq(lanes)]
        return deskew.o


class OutputStationaryCollector(Collector):
    """After a tile's last operands, its `rows` rows leave the array, one per step.

    The first is on `o` rows + cols + mac_stages steps after the step that admitted those operands;
    for arrays other than the plain one see `Steps`. Without double buffering the sums climb
    (`drain`) while they leave; they are all complete by then, so that no column is late.
    """

    def elaborate(self, platform: Any) -> Module:
        p, m, steps = self.params, Module(), self.steps
        arrives = steps.spread + 1 + steps.element + steps.add
        token = self.delayed(m, "latency", self.token, arrives)
        rows_left = Signal(range(p.rows + 1))
        is_final = Signal()
        leaving = Signal() if steps.column else self.o.valid
        leaves_last = Signal() if steps.column else self.o.payload.last
        with m.If(self.advance):
            with m.If(token.end):
                m.d.sync += [rows_left.eq(p.rows), is_final.eq(token.final)]
            with m.Elif(leaving):
                m.d.sync += rows_left.eq(rows_left - 1)
        m.d.comb += [
            leaving.eq(rows_left != 0),
            self.o.payload.c.eq(self.results(m)),
            leaves_last.eq(is_final & (rows_left == 1)),
        ]
        if steps.column:
            valid, last = Signal(), Signal()
            with m.If(self.advance):
                m.d.sync += [valid.eq(leaving), last.eq(leaves_last)]
            m.d.comb += [self.o.valid.eq(valid), self.o.payload.last.eq(last)]
        if not p.double_buffer:
            m.d.comb += self.free.eq(self.advance & (rows_left == 1))
        if self.shared(p):
            m.d.comb += self.drain.eq(leaving)
        return m

    def results(self, m: Module) -> Value:
        """One row of results."""
        p = self.params
        lanes = self.straightened(m, p.acc_bits)
        if not isinstance(self.result, Pair) or self.steps.column:
            return lanes
        words = []
        for col in range(p.cols):
            m.submodules[f"resolve_{col}"] = resolve = Resolve(self.resolve(p.acc_bits))
            m.d.comb += resolve.i.eq(lanes.word_select(col, self.lane_bits))
            words.append(resolve.o)
        return Cat(words)


class WeightStationaryCollector(Collector):
    """Adds partial sums of one row of results over the k-tiles, in a memory of `acc_rows` rows.

    A row is on `o` rows + cols + mac_stages + 1 steps after the step that admitted its last
    activations. Each row is read one step before it is added; a row that is read while its sum is
    still being formed, which happens when a block has one row, takes the sum instead (`forward`).
    `read`, `write`: accesses to the memory.
    """

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        # The step in which the array lets go of its weights, and the step in which a sum is read.
        steps = self.steps
        leaving = self.delayed(m, "latency", self.token, steps.spread)
        if not p.double_buffer:
            m.d.comb += self.free.eq(self.advance & leaving.end)
        reading = self.delayed(m, "tail", leaving, 1 + steps.element + steps.column)

        row = Signal(range(p.acc_rows))
        adding = Signal(token_layout(p))
        adding_row = Signal(range(p.acc_rows))
        forward = Signal()
        with m.If(self.advance):
            m.d.sync += [
                adding.eq(reading),
                adding_row.eq(row),
                forward.eq(adding.row & (row == adding_row)),
            ]
            with m.If(reading.row):
                m.d.sync += row.eq(Mux(reading.end, 0, row + 1))

        row_bits = c_layout(p).size
        sums = Signal(row_bits)
        totals = Signal(row_bits, reset_less=True)
        memory = Scratchpad(ScratchpadParams(words=p.acc_rows, bits=row_bits))
        m.submodules.accumulators = memory
        stored = Signal.like(sums)
        m.d.comb += stored.eq(Mux(adding.first, 0, Mux(forward, totals, memory.read_data)))
        psums = self.straightened(m, p.psum_bits)
        m.d.comb += sums.eq(Cat(self.total(m, stored, psums, col) for col in range(p.cols)))
        valid = Signal()
        last = Signal()
        with m.If(self.advance):
            m.d.sync += [
                valid.eq(adding.row & adding.last),
                last.eq(adding.end & adding.final),
            ]
            with m.If(adding.row):
                m.d.sync += totals.eq(sums)
        m.d.comb += [
            memory.read_enable.eq(self.advance & reading.row & ~reading.first),
            memory.read_address.eq(row),
            memory.write_enable.eq(self.advance & adding.row & ~adding.last),
            memory.write_address.eq(adding_row),
            memory.write_data.eq(sums),
            self.o.valid.eq(valid),
            self.o.payload.c.eq(totals),
            self.o.payload.last.eq(last),
        ]
        if probed(platform):
            m.d.comb += [
                self.events["accumulator_reads"].eq(memory.read_enable),
                self.events["accumulator_writes"].eq(memory.write_enable),
            ]
        return m

    def total(self, m: Module, stored: Value, psums: Value, col: int) -> Value:
        """The sum of a column: what is stored, and its partial sum."""
        p = self.params
        before = stored.word_select(col, p.acc_bits)
        if isinstance(self.result, Pair) and not self.steps.column:
            resolve = Resolve(self.resolve(p.acc_bits, addend=True))
            m.submodules[f"total_{col}"] = resolve
            psum = psums.word_select(col, self.lane_bits)
            m.d.comb += [resolve.addend.eq(before), resolve.i.eq(psum)]
            return resolve.o
        psum = psums.word_select(col, p.psum_bits)
        total = Signal(p.acc_bits, name=f"total_{col}")
        m.d.comb += total.eq(before + (psum.as_signed() if p.acc_signed else psum))
        return total


COLLECTORS: dict[Dataflow, type[Collector]] = {
    Dataflow.OS: OutputStationaryCollector,
    Dataflow.WS: WeightStationaryCollector,
}
"""Dataflow to the collector above its array."""
