"""The Laconic core: a complete tensor engine between four streams."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from designs.laconic import LaconicParams
from hwgen.buffers import Skid, SkidParams
from hwgen.component import Component, probed
from hwgen.gemm import count_high, o_layout
from hwgen.laconic.array import Row
from hwgen.laconic.element import STEPS, ElementParams
from hwgen.laconic.interface import streams
from hwgen.laconic.sequencer import FLAGS, Sequencer
from hwgen.laconic.terms import Terms, TermsParams


class LaconicCore(Component):
    """C[m, n] = sum over k of A[m, k] * W[k, n], tile by tile in the order of `params.mapping()`.

    For each GEMM one transfer on `job`, then, per tile, one on `a` and on `w`, both in the same
    cycle, for each `lanes` k (`a` lane r * lanes + l: A[m0 + r, k0 + l]; `w` lane c * lanes + l:
    W[k0 + l, n0 + c]); then exactly `rows` transfers on `o`, m ascending. Lanes and rows past the
    edge of the problem are ignored on input and zero on output. `o.last` marks the last transfer of
    a job. The next job is taken once the last operands of this one are in.

    Operands are encoded as they enter, terms are handed out per row and per column, and every
    element multiplies the terms of its row by those of its column. A step of `lanes` k takes

        max(1, max over lanes of (max over rows of t(a)) * (max over columns of t(w)))

    cycles, t being the number of terms. The first row of a tile is on `o` STEPS + 1 cycles after
    its last terms were handed out, and the next tile starts once its rows are out of the way,
    `rows` cycles later than it could else.

    Stalls: when `o` is not taken everything freezes. `a.ready` and `w.ready` depend on each other's
    valid, `o.valid` on no input of the same cycle.

    Members: job, a, w (in), o (out): streams, payloads as in `hwgen.laconic.interface`.
    """

    params: LaconicParams

    def __init__(self, params: LaconicParams) -> None:
        super().__init__(params, streams(params))
        self.events = {"term_products": Signal(range(params.mac_slots_per_cycle + 1))}

    @property
    def latencies(self) -> dict[str, int]:
        """From the last terms of a tile to its first transfer on `o`."""
        return {"terms_to_results": STEPS + 1}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.sequencer = sequencer = Sequencer(p)
        m.submodules.skid = skid = Skid(SkidParams(bits=o_layout(p).size))
        advance = skid.i.ready
        m.d.comb += [
            sequencer.advance.eq(advance),
            sequencer.job.payload.eq(self.job.payload),
            sequencer.job.valid.eq(self.job.valid),
            self.job.ready.eq(sequencer.job.ready),
            sequencer.a_valid.eq(self.a.valid),
            sequencer.w_valid.eq(self.w.valid),
            self.a.ready.eq(sequencer.ready & self.w.valid),
            self.w.ready.eq(sequencer.ready & self.a.valid),
        ]
        rows = self.terms(m, "a", p.rows, p.a_bits, repeats=False)
        cols = self.terms(m, "w", p.cols, p.w_bits, repeats=True)
        used = [*zip(rows, sequencer.rows, strict=True), *zip(cols, sequencer.cols, strict=True)]
        for terms, belongs in used:
            m.d.comb += [
                terms.advance.eq(advance),
                terms.load.eq(sequencer.load),
                terms.enters.eq(sequencer.lanes & belongs.replicate(p.lanes)),
            ]
        m.d.comb += [terms.step.eq(sequencer.a_step) for terms in rows]
        m.d.comb += [terms.step.eq(sequencer.w_step) for terms in cols]
        m.d.comb += [terms.restart.eq(sequencer.w_restart) for terms in cols]
        for operand, sides in (("a", rows), ("w", cols)):
            for flag in FLAGS:
                anywhere = reduce(or_, (getattr(side, flag) for side in sides))
                m.d.comb += getattr(sequencer, f"{operand}_{flag}").eq(anywhere)
        top = self.array(m, sequencer, advance, rows, cols)
        result = Signal(o_layout(p))
        m.d.comb += [
            result.c.eq(top),
            result.last.eq(sequencer.o_last),
            skid.i.payload.eq(result),
            skid.i.valid.eq(sequencer.drain),
            self.o.payload.eq(skid.o.payload),
            self.o.valid.eq(skid.o.valid),
            skid.o.ready.eq(self.o.ready),
        ]
        self.events |= sequencer.events
        if probed(platform):
            met = sum(
                count_high(Cat(row.events["pending"][lane] for row in rows))
                * count_high(Cat(col.events["pending"][lane] for col in cols))
                for lane in range(p.lanes)
            )
            issuing = sequencer.events["term_cycles"]
            m.d.comb += self.events["term_products"].eq(Mux(issuing, met, 0))
        return m

    def terms(
        self, m: Module, operand: str, count: int, bits: int, *, repeats: bool
    ) -> list[Terms]:
        """The terms of each row of activations, or of each column of weights."""
        p = self.params
        payload = Value.cast(getattr(self, operand).payload)
        params = TermsParams(lanes=p.lanes, bits=bits, encoding=p.encoding, repeats=repeats)
        parts = [Terms(params) for _ in range(count)]
        for index, terms in enumerate(parts):
            m.submodules[f"{operand}_terms_{index}"] = terms
            m.d.comb += terms.operand.eq(payload.word_select(index, p.lanes * bits))
        return parts

    def array(
        self,
        m: Module,
        sequencer: Sequencer,
        advance: Value,
        rows: list[Terms],
        cols: list[Terms],
    ) -> data.View:
        """The rows of elements, from the bottom up; returns what is at the top."""
        p, below = self.params, None
        for index in reversed(range(p.rows)):
            row = Row(ElementParams(engine=p, has_south=below is not None))
            m.submodules[f"row_{index}"] = row
            m.d.comb += [
                row.advance.eq(advance),
                row.update.eq(sequencer.update),
                row.drain.eq(sequencer.drain),
                row.a.eq(rows[index].term),
                row.w.eq(Cat(col.term for col in cols)),
            ]
            if below is not None:
                m.d.comb += row.south.eq(below)
            below = row.c
        return below
