"""The systolic core: a complete tensor engine between four streams."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Value

from designs.systolic import Dataflow, SystolicParams
from hwgen.buffers import Skew, SkewParams, Skid, SkidParams
from hwgen.component import Component
from hwgen.systolic.array import Array
from hwgen.systolic.collector import COLLECTORS
from hwgen.systolic.element import ELEMENTS
from hwgen.systolic.interface import o_layout, streams
from hwgen.systolic.output_stationary import OutputStationarySequencer
from hwgen.systolic.sequencer import Sequencer
from hwgen.systolic.weight_stationary import WeightStationarySequencer

SEQUENCERS: dict[Dataflow, type[Sequencer]] = {
    Dataflow.OS: OutputStationarySequencer,
    Dataflow.WS: WeightStationarySequencer,
}
"""Dataflow to the sequencer that drives its array."""


class SystolicCore(Component):
    """C[m, n] = sum over k of A[m, k] * W[k, n], tile by tile in the order of `params.mapping()`.

    For each GEMM one transfer on `job`, then, per tile:

    os: k = 0 .. K-1 on `a` (lane r: A[m0 + r, k]) and `w` (lane c: W[k, n0 + c]), both in the same
    cycle; then exactly `rows` transfers on `o`, m ascending.

    ws: exactly `rows` transfers on `w` (k ascending from k0), and one on `a` per m of the block
    (lane r: A[m, k0 + r]); after the last k-tile of a block one transfer on `o` per m.

    Lanes and rows past the edge of the problem are ignored on input and zero on output. `o.last`
    marks the last transfer of a job. The next job is taken once the last operands of this one are
    in.

    Latency: one step from operands to the array, then one step per row and column, see the
    collectors; the cycle count of a GEMM is derived in `archmodels.systolic` and tested.
    Throughput: a tile each max(K, rows) (os) or max(M, rows) (ws) cycles with double buffering.

    Stalls: missing operands leave bubbles, which carry zeros and add nothing. When `o` is not taken
    the whole array freezes (`advance` low). `a.ready` and `w.ready` depend on each other's valid
    (os), `o.valid` on no input of the same cycle.

    Members: job, a, w (in), o (out): streams, payloads as in `hwgen.systolic.interface`.
    """

    params: SystolicParams

    def __init__(self, params: SystolicParams) -> None:
        super().__init__(params, streams(params))

    @property
    def latencies(self) -> dict[str, int]:
        """From a tile's last transfer on `a` to its first (os) or its last (ws) on `o`."""
        p = self.params
        extra_steps = {Dataflow.OS: 0, Dataflow.WS: 1}[p.dataflow]
        return {"operands_to_results": p.rows + p.cols + p.mac_stages + extra_steps}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        element = ELEMENTS[p.dataflow]
        m.submodules.sequencer = sequencer = SEQUENCERS[p.dataflow](p)
        m.submodules.array = array = Array(p)
        m.submodules.collector = collector = COLLECTORS[p.dataflow](p)
        m.submodules.skid = skid = Skid(SkidParams(bits=o_layout(p).size))
        advance = skid.i.ready
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
        m.submodules.a_skew = a_skew = Skew(SkewParams(bits=p.a_bits, first=p.rows, last=1))
        m.submodules.w_skew = w_skew = Skew(
            SkewParams(bits=p.w_bits, first=element.w_steps, last=element.w_steps + p.cols - 1)
        )
        for skew, operand, lanes, edge in (
            (a_skew, self.a, sequencer.a_lanes, array.west.a),
            (w_skew, self.w, sequencer.w_lanes, array.south.w),
        ):
            m.d.comb += [skew.advance.eq(advance), edge.eq(skew.o)]
            admitted = [
                Mux(enters, Value.cast(operand.payload[lane]).as_unsigned(), 0)
                for lane, enters in enumerate(lanes)
            ]
            m.d.comb += skew.i.eq(Cat(admitted))
        for name in sequencer.controls(p):
            m.d.comb += getattr(array.west, name).eq(getattr(sequencer, name))
        for name in collector.shared(p):
            m.d.comb += getattr(array.shared, name).eq(getattr(collector, name))
        m.d.comb += [
            collector.token.eq(sequencer.token),
            collector.north.eq(getattr(array.north, element.result_name)),
            skid.i.payload.eq(collector.o.payload),
            skid.i.valid.eq(collector.o.valid),
            self.o.payload.eq(skid.o.payload),
            self.o.valid.eq(skid.o.valid),
            skid.o.ready.eq(self.o.ready),
        ]
        if not p.double_buffer:
            m.d.comb += sequencer.free.eq(collector.free)
        self.events = sequencer.events | collector.events
        return m
