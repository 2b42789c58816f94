"""The sequencer of output-stationary engines."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from designs.systolic import SystolicParams
from hwgen.component import probed
from hwgen.gemm import count_high, lanes_within, tile_walk
from hwgen.systolic.sequencer import Sequencer
from hwgen.systolic.timing import Steps


class OutputStationarySequencer(Sequencer):
    """For m-tile, for n-tile, for k: admits a step of `a` and `w` in every cycle that has both.

    Lanes past k are admitted as zeros in `a`, so that it does not matter what they are in `w`.

    With double buffering the last operands of two tiles are at least `rows` steps apart, since the
    first tile's results take so long to climb; without it a tile waits for `free`.
    """

    @staticmethod
    def controls(params: SystolicParams) -> tuple[str, ...]:
        if not params.double_buffer:
            return ("first",)
        shifts_on_command = params.rows > 2 and not params.broadcast
        return ("first", "last") + (("shift",) if shifts_on_command else ())

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        accept = Signal()
        clear = Signal()
        walk = tile_walk(m, self.job, {"k": p.depth, "n": p.cols, "m": p.rows}, accept)
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
        useful: Value = count_high(self.a_lanes) * count_high(self.w_lanes)
        if p.depth > 1:
            m.d.comb += self.k_lanes.eq(lanes_within(walk.ranks["k"].left, p.depth))
            useful *= count_high(self.k_lanes)
        self.pace(m, clear, at_last)
        self.climb(m, accept & walk.first)
        if probed(platform):
            m.d.comb += [
                self.events["mac_slots"].eq(Mux(accept, p.mac_slots_per_cycle, 0)),
                self.events["mac_useful"].eq(useful),
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

        Bit d of a wave is d rows above the bottom, once the operands have become sums. The results
        of a column climb in lockstep, so each row holds its result from its own `last` until the
        `last` of the top row. Where operands are broadcast all rows are in the same step.
        """
        p, steps = self.params, Steps.of(self.params)
        waves = {"first": (first, steps.element)}
        if p.double_buffer:
            waves["last"] = (self.token.end, steps.element + steps.add)
        climbed = (p.rows - 1) * steps.row + 1
        for name, (source, later) in waves.items():
            wave = Signal(climbed + later, name=f"{name}_wave")
            with m.If(self.advance):
                m.d.sync += wave.eq(Cat(source, wave))
            rows = wave[: -p.rows - 1 : -1] if steps.row else wave[-1].replicate(p.rows)
            m.d.comb += getattr(self, name).eq(rows)
        if "shift" in self.controls(p):
            hold = Signal(p.rows - 2)  # of the rows between top and bottom
            with m.If(self.advance):
                m.d.sync += hold.eq(Mux(self.last[0], 0, hold | self.last[1:-1]))
            m.d.comb += self.shift.eq(Cat(0, ~hold))
