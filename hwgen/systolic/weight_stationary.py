"""The sequencer of weight-stationary engines."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal

from designs.systolic import SystolicParams
from hwgen.component import probed
from hwgen.gemm import count_high, lanes_within, tile_walk
from hwgen.systolic.sequencer import Sequencer


class WeightStationarySequencer(Sequencer):
    """For n-tile, for m-block, for k-tile: loads `rows` steps of `w`, then admits one `a` per m.

    The loader fills the next tile's weights while the current tile streams (with double buffering;
    else after `free`). When both are through, `hand over`: the loaded tile becomes the one that
    streams.
    """

    @staticmethod
    def controls(params: SystolicParams) -> tuple[str, ...]:
        return ("load",) + (("switch",) if params.double_buffer else ())

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        hand_over = Signal()
        walk = tile_walk(m, self.job, {"k": p.rows, "m": p.acc_rows, "n": p.cols}, hand_over)
        ranks = walk.ranks
        tile_rows = Mux(ranks["m"].last, ranks["m"].left, p.acc_rows)
        tile_k_lanes = lanes_within(ranks["k"].left, p.rows)
        tile_n_lanes = lanes_within(ranks["n"].left, p.cols)

        # Loader: bit d of `loaded` says that d + 1 rows are in. Row d above the bottom keeps its
        # weight from then on, while the rows above it still wait for theirs.
        loaded = Signal(p.rows)
        w_accept = Signal()
        complete = Signal()
        blocked = Signal()
        m.d.comb += [
            self.w_ready.eq(self.advance & walk.active & ~loaded[-1] & ~blocked),
            w_accept.eq(self.w_ready & self.w_valid),
            complete.eq(loaded[-1] | (w_accept & Cat(Const(1, 1), loaded)[p.rows - 1])),
            self.w_lanes.eq(Mux(w_accept, tile_n_lanes, 0)),
            self.load.eq(Mux(w_accept, Cat(Const(1, 1), loaded)[: p.grid_rows], 0)[::-1]),
        ]
        with m.If(hand_over):
            m.d.sync += loaded.eq(0)
        with m.Elif(w_accept):
            m.d.sync += loaded.eq(Cat(Const(1, 1), loaded))

        # Streamer: what it must know of its tile is latched at the hand-over.
        rows_left = Signal(range(p.acc_rows + 1))
        k_lanes = Signal(p.rows)
        first = Signal()
        last = Signal()
        is_final = Signal()
        accept = Signal()
        at_last = rows_left == 1
        m.d.comb += [
            self.a_ready.eq(self.advance & (rows_left != 0)),
            accept.eq(self.a_ready & self.a_valid),
            hand_over.eq(
                self.advance & walk.active & complete & ((rows_left == 0) | (accept & at_last))
            ),
            self.a_lanes.eq(Mux(accept, k_lanes, 0)),
            self.token.row.eq(accept),
            self.token.first.eq(first),
            self.token.last.eq(last),
            self.token.end.eq(accept & at_last),
            self.token.final.eq(is_final),
        ]
        with m.If(hand_over):
            m.d.sync += [
                rows_left.eq(tile_rows),
                k_lanes.eq(tile_k_lanes),
                first.eq(walk.first),
                last.eq(ranks["k"].last),
                is_final.eq(walk.final),
            ]
        with m.Elif(accept):
            m.d.sync += rows_left.eq(rows_left - 1)

        if p.double_buffer:
            wave = Signal(p.grid_rows, name="switch_wave")
            with m.If(self.advance):
                m.d.sync += wave.eq(Cat(hand_over, wave))
            m.d.comb += self.switch.eq(wave[::-1])
        else:
            with m.If(hand_over):
                m.d.sync += blocked.eq(1)
            with m.Elif(self.free):
                m.d.sync += blocked.eq(0)
        if probed(platform):
            useful = tile_rows * count_high(tile_k_lanes) * count_high(tile_n_lanes)
            m.d.comb += [
                self.events["mac_slots"].eq(Mux(accept, p.mac_slots_per_cycle, 0)),
                self.events["mac_useful"].eq(Mux(hand_over, useful, 0)),
                self.events["tiles"].eq(hand_over),
            ]
        return m
