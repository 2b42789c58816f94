"""Performance counters: what a job has taken, reported at its end."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.rules import bit_length
from hwgen.attention.interface import counters_layout
from hwgen.component import Component

EVENTS = ("stall_cycles", "array_busy", "lanes_busy", "epochs", "q", "k", "v", "o")
"""What is counted where it happens."""


class Counters(Component):
    """Counts from one report to the next, and reports when a job has ended.

    `report` is valid from the cycle after `ended` on. While it waits, nothing is counted.

    Members: one for each of `EVENTS`: it happens; q_held, k_held, v_held: tiles that are there;
    ended: with the last transfer on o; report: see `counters_layout`.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        self.tiles = {
            "q": params.query_slots,
            "k": params.kv_tiles,
            "v": params.kv_tiles,
        }
        super().__init__(
            params,
            {
                **{name: In(1) for name in EVENTS},
                **{f"{name}_held": In(bit_length(count)) for name, count in self.tiles.items()},
                "ended": In(1),
                "report": Out(stream.Signature(counters_layout(params))),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        report = self.report.payload
        layout = counters_layout(self.params)
        counts = {name: Signal(item.shape, name=f"{name}_q") for name, item in layout}
        m.d.comb += [getattr(report, name).eq(count) for name, count in counts.items()]
        pending = Signal()
        restart = Signal()
        m.d.comb += [self.report.valid.eq(pending), restart.eq(pending & self.report.ready)]
        with m.If(self.ended):
            m.d.sync += pending.eq(1)
        with m.Elif(restart):
            m.d.sync += pending.eq(0)
        in_time = self.in_time(m)
        events = {name: getattr(self, name) for name in EVENTS} | {"cycles": in_time}
        events["stall_cycles"] &= in_time
        with m.If(~pending | restart):
            for name, event in events.items():
                m.d.sync += counts[name].eq(Mux(restart, 0, counts[name]) + event)
            for name in self.tiles:
                held, most = getattr(self, f"{name}_held"), counts[f"{name}_tiles"]
                with m.If(restart | (held > most)):
                    m.d.sync += most.eq(held)
        return m

    def in_time(self, m: Module) -> Signal:
        """Whether this cycle is one of a job."""
        active = Signal()
        moves = Signal()
        in_time = Signal()
        is_loaded = Cat(getattr(self, f"{name}_held") for name in self.tiles).any()
        m.d.comb += [moves.eq(self.q | self.k | self.v), in_time.eq(active | moves)]
        m.d.sync += active.eq(moves | Mux(self.ended, is_loaded, active))
        return in_time
