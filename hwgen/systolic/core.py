"""The systolic core: a complete tensor engine between four streams."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import Out

from designs.systolic import Dataflow, SystolicParams
from hwgen.arith import DigitEncoder, DigitEncoderParams
from hwgen.buffers import Skid, SkidParams
from hwgen.component import Component
from hwgen.gemm import o_layout
from hwgen.systolic.arithmetic import ArithmeticParams
from hwgen.systolic.array import Array
from hwgen.systolic.collector import COLLECTORS, collector_events
from hwgen.systolic.digits import packed_digits
from hwgen.systolic.edge import EdgeParams, edge
from hwgen.systolic.elements import ELEMENTS
from hwgen.systolic.interface import streams
from hwgen.systolic.output_stationary import OutputStationarySequencer
from hwgen.systolic.sequencer import Sequencer, sequencer_events
from hwgen.systolic.timing import Steps
from hwgen.systolic.weight_stationary import WeightStationarySequencer

SEQUENCERS: dict[Dataflow, type[Sequencer]] = {
    Dataflow.OS: OutputStationarySequencer,
    Dataflow.WS: WeightStationarySequencer,
}
"""Dataflow to the sequencer that drives its array."""


def core_events(params: SystolicParams) -> dict[str, Signal]:
    """What a core counts."""
    return sequencer_events(params) | collector_events(params)


class SystolicCore(Component):
    """C[m, n] = sum over k of A[m, k] * W[k, n], tile by tile in the order of `params.mapping()`.

    For each GEMM one transfer on `job`, then, per tile:

    os: k = 0 .. K-1 on `a` (lane r: A[m0 + r, k]) and `w` (lane c: W[k, n0 + c]), both in the same
    cycle, `depth` of them at a time (lane r * depth + y, lane c * depth + y: k0 + y); then exactly
    `rows` transfers on `o`, m ascending.

    ws: exactly `rows` transfers on `w` (k ascending from k0), and one on `a` per m of the block
    (lane r: A[m, k0 + r]); after the last k-tile of a block one transfer on `o` per m.

    Lanes and rows past the edge of the problem are ignored on input and zero on output. `o.last`
    marks the last transfer of a job. The next job is taken once the last operands of this one are
    in.

    Latency: one step from operands to the array, then one step per row and column unless operands
    reach all at once, see `Steps` and the collectors; the cycle count of a GEMM is derived in
    `archmodels.systolic` and tested. Throughput: a tile each max(K / depth, rows) (os) or
    max(M, rows) (ws) cycles with double buffering.

    Stalls: missing operands leave bubbles, which carry zeros and add nothing. When `o` is not taken
    the whole array freezes (`advance` low). `a.ready` and `w.ready` depend on each other's valid
    (os), `o.valid` on no input of the same cycle.

    Members: job, a, w (in), o (out): streams, payloads as in `hwgen.systolic.interface`.
    """

    params: SystolicParams

    def __init__(self, params: SystolicParams) -> None:
        super().__init__(params, streams(params))
        self.events = core_events(params)

    @property
    def latencies(self) -> dict[str, int]:
        """From a tile's last transfer on `a` to its first (os) or its last (ws) on `o`."""
        steps = Steps.of(self.params)
        extra_steps = {Dataflow.OS: 2, Dataflow.WS: 3}[self.params.dataflow]
        after = steps.element + steps.add + steps.column
        return {"operands_to_results": steps.spread + after + extra_steps}

    @property
    def a_edge(self) -> EdgeParams:
        """When activations enter the array: a step after their admission, rows one by one."""
        p, steps = self.params, Steps.of(self.params)
        return EdgeParams(
            bits=ArithmeticParams.of(p).a_wire.width,
            count=p.grid_rows,
            lanes=p.lanes,
            first=(p.grid_rows - 1) * steps.row + 1,
            last=1,
            lane_step=steps.lane,
        )

    @property
    def w_edge(self) -> EdgeParams:
        """When weights enter the array: with their activations (os), or to be loaded (ws)."""
        p, steps = self.params, Steps.of(self.params)
        first = ELEMENTS[p.dataflow].w_steps
        return EdgeParams(
            bits=ArithmeticParams.of(p).w_wire.width,
            count=p.cols,
            lanes=p.depth,
            first=first,
            last=first + (p.cols - 1) * steps.col,
            lane_step=steps.lane,
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        self.add_parts(m)
        m.submodules.skid = skid = Skid(SkidParams(bits=o_layout(self.params).size))
        results = self.pipeline(m, skid.i.ready)
        m.d.comb += [
            skid.i.payload.eq(results.payload),
            skid.i.valid.eq(results.valid),
            self.o.payload.eq(skid.o.payload),
            self.o.valid.eq(skid.o.valid),
            skid.o.ready.eq(self.o.ready),
        ]
        return m

    def add_parts(self, m: Module) -> None:
        """What operands pass on their way to results."""
        p = self.params
        m.submodules.sequencer = SEQUENCERS[p.dataflow](p)
        m.submodules.array = Array(p)
        m.submodules.collector = COLLECTORS[p.dataflow](p)

    def pipeline(self, m: Module, advance: Value) -> Any:
        """Connects the parts, which move where `advance` is high; the results as they come."""
        p = self.params
        element, arithmetic = ELEMENTS[p.dataflow], ArithmeticParams.of(p)
        sequencer, array, collector = (
            getattr(m.submodules, name) for name in ("sequencer", "array", "collector")
        )
        m.d.comb += [part.advance.eq(advance) for part in (sequencer, array, collector)]
        m.d.comb += [
            sequencer.job.payload.eq(self.job.payload),
            sequencer.job.valid.eq(self.job.valid),
            self.job.ready.eq(sequencer.job.ready),
            sequencer.a_valid.eq(self.a.valid),
            sequencer.w_valid.eq(self.w.valid),
            self.a.ready.eq(sequencer.a_ready),
            self.w.ready.eq(sequencer.w_ready),
        ]
        a_lanes, w_lanes = list(sequencer.a_lanes), list(sequencer.w_lanes)
        if p.depth > 1:
            a_lanes = [enters & within for enters in a_lanes for within in sequencer.k_lanes]
            w_lanes = [enters for enters in w_lanes for _ in range(p.depth)]
        for name, delays, operand, lanes, encoder, sink in (
            ("a_skew", self.a_edge, self.a, a_lanes, arithmetic.a_encoder, array.west.a),
            ("w_skew", self.w_edge, self.w, w_lanes, arithmetic.w_encoder, array.south.w),
        ):
            kind, params = edge(delays)
            m.submodules[name] = skew = kind(params)
            m.d.comb += [skew.advance.eq(advance), sink.eq(skew.o)]
            admitted = [
                Mux(enters, Value.cast(operand.payload[lane]).as_unsigned(), 0)
                for lane, enters in enumerate(lanes)
            ]
            if encoder:
                admitted = encoded(m, encoder, admitted, name)
            m.d.comb += skew.i.eq(Cat(admitted))
        for name in sequencer.controls(p):
            m.d.comb += getattr(array.west, name).eq(getattr(sequencer, name))
        for name in collector.shared(p):
            m.d.comb += getattr(array.shared, name).eq(getattr(collector, name))
        m.d.comb += [
            collector.token.eq(sequencer.token),
            collector.north.eq(getattr(array.north, element.result_name)),
        ]
        if not p.double_buffer:
            m.d.comb += sequencer.free.eq(collector.free)
        for part in (sequencer, collector):
            m.d.comb += [self.events[name].eq(event) for name, event in part.events.items()]
        return collector.o


class UnstalledSystolicCore(SystolicCore):
    """A systolic core whose results never wait, and which has no skid buffer for them.

    Members: those of `SystolicCore`; `o` has no ready.
    """

    def __init__(self, params: SystolicParams) -> None:
        results = Out(stream.Signature(o_layout(params), always_ready=True))
        Component.__init__(self, params, streams(params) | {"o": results})
        self.events = core_events(params)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        self.add_parts(m)
        results = self.pipeline(m, Const(1))
        m.d.comb += [self.o.payload.eq(results.payload), self.o.valid.eq(results.valid)]
        return m


def encoded(m: Module, params: DigitEncoderParams, operands: list[Value], name: str) -> list[Value]:
    """Operands as the digits that travel, each from an encoder of its own."""
    digits = []
    for lane, operand in enumerate(operands):
        m.submodules[f"{name}_encoder_{lane}"] = encoder = DigitEncoder(params)
        m.d.comb += encoder.i.eq(operand)
        digits.append(packed_digits(params, encoder.o))
    return digits
