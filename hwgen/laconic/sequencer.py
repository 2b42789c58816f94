"""The sequencer of a Laconic engine: which operands enter, which terms meet, what leaves."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.laconic import LaconicParams
from hwgen.buffers import DelayLineParams, delay_line
from hwgen.component import Component, probed
from hwgen.gemm import Walk, count_high, job_layout, lanes_within, tile_walk
from hwgen.laconic.element import STEPS
from hwgen.laconic.interface import token_layout

FLAGS = ("coming_some", "coming_more", "rest_more")
"""What terms say of their lanes, see `Terms`."""


class Sequencer(Component):
    """Takes operands for a step of `lanes` k at a time, and the next once all their terms have met.

    In each lane every term of the activations meets every term of the weights; rows take their next
    term together, and so do columns, so that a lane is through with a step after as many cycles as
    its row with the most terms has, times its column with the most. A step ends when all lanes are
    through, after one cycle if none has anything to do. In the cycle in which it ends the operands
    of the next are taken, but for those of another tile, which wait for its `rows` rows to leave.

    Members: advance: a step of the pipeline; a_valid, w_valid, ready: the operands' streams;
    load: operands enter; rows, cols, lanes: those of them that belong to the problem;
    a_<flag>, w_<flag>: see `Terms`, of any row, any column; a_step, w_step, w_restart: see `Terms`;
    update, drain: see `Element`; with `drain` a row of results is at the top, with `o_last` the
    job's last.
    """

    params: LaconicParams

    def __init__(self, params: LaconicParams) -> None:
        p = params
        flags = {f"{operand}_{flag}": In(p.lanes) for operand in "aw" for flag in FLAGS}
        steps = {name: Out(p.lanes) for name in ("a_step", "w_step", "w_restart")}
        outputs = ("ready", "load", "update", "drain", "o_last")
        super().__init__(
            params,
            {
                "advance": In(1),
                "job": In(stream.Signature(job_layout(p))),
                "a_valid": In(1),
                "w_valid": In(1),
                "rows": Out(p.rows),
                "cols": Out(p.cols),
                "lanes": Out(p.lanes),
                **flags,
                **steps,
                **{name: Out(1) for name in outputs},
            },
        )
        slots = p.mac_slots_per_cycle
        self.events = {
            "mac_slots": Signal(range(slots + 1)),
            "mac_useful": Signal(range(slots + 1)),
            "tiles": Signal(),
            "term_cycles": Signal(),
        }

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        accept = Signal()
        walk = tile_walk(m, self.job, {"k": p.lanes, "n": p.cols, "m": p.rows}, accept)
        issuing = Signal()
        at_end = Signal()  # the operands at hand are their tile's last
        is_final = Signal()
        is_through = Signal()
        willing = self.advance & walk.active & self.clear(m, is_through & at_end)
        m.d.comb += [
            self.ready.eq(willing & (~issuing | (is_through & ~at_end))),
            accept.eq(self.ready & self.a_valid & self.w_valid),
            self.load.eq(accept),
            self.rows.eq(lanes_within(walk.ranks["m"].left, p.rows)),
            self.cols.eq(lanes_within(walk.ranks["n"].left, p.cols)),
            self.lanes.eq(lanes_within(walk.ranks["k"].left, p.lanes)),
            is_through.eq(issuing & self.meet(m, issuing, accept)),
        ]
        with m.If(accept):
            m.d.sync += [
                issuing.eq(1),
                at_end.eq(walk.ranks["k"].last),
                is_final.eq(walk.final),
            ]
        with m.Elif(self.advance & is_through):
            m.d.sync += issuing.eq(0)

        token = Signal(token_layout())
        m.d.comb += [
            token.update.eq(issuing),
            token.end.eq(is_through & at_end),
            token.final.eq(is_final),
        ]
        self.leave(m, token)
        if probed(platform):
            self.probe(m, walk, accept, issuing)
        return m

    def meet(self, m: Module, issuing: Value, accept: Value) -> Value:
        """Move every lane to its next pair of terms; whether all lanes show their last.

        What is left in a lane is known from registers: the next operands wait for it.
        """
        lanes = self.params.lanes
        a_some, a_more, w_some, w_more, w_all_more = (
            Signal(lanes, name=name, reset_less=True)
            for name in ("a_some", "a_more", "w_some", "w_more", "w_all_more")
        )
        busy, through = Signal(lanes), Signal(lanes)
        m.d.comb += [
            busy.eq(a_some & w_some & issuing.replicate(lanes)),
            through.eq(~busy | ~(a_more | w_more)),
            self.w_step.eq(busy & w_more),
            self.w_restart.eq(busy & ~w_more),
            self.a_step.eq(self.w_restart),
        ]
        with m.If(accept):
            m.d.sync += [
                a_some.eq(self.a_coming_some),
                a_more.eq(self.a_coming_more),
                w_some.eq(self.w_coming_some),
                w_more.eq(self.w_coming_more),
                w_all_more.eq(self.w_coming_more),
            ]
        with m.Elif(self.advance):
            for lane in range(lanes):
                with m.If(self.w_step[lane]):
                    m.d.sync += w_more[lane].eq(self.w_rest_more[lane])
                with m.If(self.w_restart[lane]):
                    m.d.sync += [
                        a_some[lane].eq(a_more[lane]),
                        a_more[lane].eq(self.a_rest_more[lane]),
                        w_more[lane].eq(w_all_more[lane]),
                    ]
        return through.all()

    def clear(self, m: Module, ends: Value) -> Value:
        """Whether the last tile's results will have left before the sums of a step that starts now.

        `ends`: the tile's last terms are handed out.
        """
        rows = self.params.rows
        if rows == 1:
            return Const(1)
        waiting = Signal(range(rows))
        with m.If(self.advance & ends):
            m.d.sync += waiting.eq(rows - 1)
        with m.Elif(self.advance & (waiting != 0)):
            m.d.sync += waiting.eq(waiting - 1)
        return waiting == 0

    def leave(self, m: Module, token: data.View) -> None:
        """Follow the sums through the elements; when a tile's last is added, let its rows climb."""
        rows = self.params.rows
        kind, params = delay_line(
            DelayLineParams(bits=token_layout().size, depth=STEPS, reset=True)
        )
        m.submodules.latency = line = kind(params)
        adding = data.View(token_layout(), line.o)
        rows_left = Signal(range(rows + 1))
        is_final = Signal()
        with m.If(self.advance):
            with m.If(adding.end):
                m.d.sync += [rows_left.eq(rows), is_final.eq(adding.final)]
            with m.Elif(self.drain):
                m.d.sync += rows_left.eq(rows_left - 1)
        m.d.comb += [
            line.advance.eq(self.advance),
            line.i.eq(token),
            self.update.eq(adding.update),
            self.drain.eq(rows_left != 0),
            self.o_last.eq(is_final & (rows_left == 1)),
        ]

    def probe(self, m: Module, walk: Walk, accept: Value, issuing: Value) -> None:
        """What happens in this cycle."""
        useful = count_high(self.rows) * count_high(self.cols) * count_high(self.lanes)
        m.d.comb += [
            self.events["mac_slots"].eq(Mux(accept, self.params.mac_slots_per_cycle, 0)),
            self.events["mac_useful"].eq(Mux(accept, useful, 0)),
            self.events["tiles"].eq(accept & walk.ranks["k"].last),
            self.events["term_cycles"].eq(self.advance & issuing),
        ]
