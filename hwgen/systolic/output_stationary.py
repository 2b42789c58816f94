"""The sequencer of output-stationary engines."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from designs.systolic import SystolicParams
from hwgen.component import probed
from hwgen.systolic.sequencer import Sequencer, count_high, lanes_within


class OutputStationarySequencer(Sequencer):
    """For m-tile, for n-tile, for k: admits a step of `a` and `w` in every cycle that has both.

    With double buffering the last operands of two tiles are at least `rows` steps apart, since the
    first tile's results take so long to climb; without it a tile waits for `free`.
    """

    @staticmethod
    def controls(params: SystolicParams) -> tuple[str, ...]:
        if not params.double_buffer:
            return ("first",)
        return ("first", "last") + (("shift",) if params.rows > 2 else ())

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        accept = Signal()
        clear = Signal()
        walk = self.walk(m, {"k": 1, "n": p.cols, "m": p.rows}, accept)
        at_last = walk.ranks["k"].last
        willing = self.advance & walk.active & clear
        m.d.comb += [
            accept.eq(willing & self.a_valid & self.w_valid),
            self.a_ready.eq(willing & self.w_valid),
            self.w_ready.eq(willing & self.a_valid),
            self.a_lanes.eq(Mux(accept, lanes_within(walk.ranks["m"].left, p.rows), 0)),
            self.w_lanes.eq(Mux(accept, lanes_within(walk.ranks["n"].left, p.cols), 0)),
            self.token.end.eq(accept & at_last),
            self.token.final.eq(walk.final),
        ]
        self.pace(m, clear, at_last)
        self.climb(m, accept & walk.first)
        if probed(platform):
            m.d.comb += [
                self.events["mac_slots"].eq(Mux(accept, p.mac_slots_per_cycle, 0)),
                self.events["mac_useful"].eq(count_high(self.a_lanes) * count_high(self.w_lanes)),
                self.events["tiles"].eq(self.token.end),
            ]
        return m

    def pace(self, m: Module, clear: Signal, at_last: Value) -> None:
        """`clear`: the array can take the next operands."""
        p = self.params
        if not p.double_buffer:
            full = Signal()
            with m.If(self.token.end):
                m.d.sync += full.eq(1)
            with m.Elif(self.free):
                m.d.sync += full.eq(0)
            m.d.comb += clear.eq(~full)
        elif p.rows == 1:
            m.d.comb += clear.eq(1)
        else:
            steps_to_go = Signal(range(p.rows))
            with m.If(self.token.end):
                m.d.sync += steps_to_go.eq(p.rows - 1)
            with m.Elif(self.advance & (steps_to_go != 0)):
                m.d.sync += steps_to_go.eq(steps_to_go - 1)
            m.d.comb += clear.eq(~at_last | (steps_to_go == 0))

    def climb(self, m: Module, first: Value) -> None:
        """Send `first` and `last` up the rows, a step per row; say when results may climb.

        Bit d of a wave is d rows above the bottom. The results of a column climb in lockstep, so
        each row holds its result from its own `last` until the `last` of the top row.
        """
        p = self.params
        waves = {"first": first}
        if p.double_buffer:
            waves["last"] = self.token.end
        for name, source in waves.items():
            wave = Signal(p.rows + p.mac_stages, name=f"{name}_wave")
            with m.If(self.advance):
                m.d.sync += wave.eq(Cat(source, wave))
            m.d.comb += getattr(self, name).eq(wave[: -p.rows - 1 : -1])
        if "shift" in self.controls(p):
            hold = Signal(p.rows - 2)  # of the rows between top and bottom
            with m.If(self.advance):
                m.d.sync += hold.eq(Mux(self.last[0], 0, hold | self.last[1:-1]))
            m.d.comb += self.shift.eq(Cat(0, ~hold))
