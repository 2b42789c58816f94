"""The BoothFlex core: a complete tensor engine between four streams."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from designs.booth_flex import BoothFlexParams
from hwgen.booth_flex.array import Array
from hwgen.booth_flex.column import controls
from hwgen.booth_flex.interface import streams
from hwgen.component import Component, probed
from hwgen.gemm import Walk, count_high, lanes_within, tile_walk


class BoothFlexCore(Component):
    """C[m, n] = sum over k of A[m, k] * W[k, n], tile by tile in the order of `params.mapping()`.

    For each GEMM one transfer on `job`, whose `digits` say how wide its weights are. Then, per m
    and `cols` columns, all k in steps of one transfer on `a` and one on `w`, both in the same
    cycle; then one transfer on `o`, a cycle after the last step at the earliest.

    A step covers `elements` k. Weights of one digit, where elements are not serial, stand
    `digit_count` to an element, and a step covers as many times more. In a serial core a pass
    through all k takes one digit of each weight, the most significant in the first pass; both
    operands come again in each.

    Weights past the edge of the problem must be zero, and then it does not matter what activations
    past it are; columns past it are zero on `o`. `o.last` marks the last transfer of a job. The
    next job is taken in the cycle after the last step of this one.

    Stalls: while `o` is not taken everything waits. `a.ready` and `w.ready` depend on each other's
    valid and on `o.ready`, `o.valid` on no input of the same cycle.

    Members: job, a, w (in), o (out): streams, payloads as in `hwgen.booth_flex.interface`.
    """

    params: BoothFlexParams

    def __init__(self, params: BoothFlexParams) -> None:
        super().__init__(params, streams(params))
        slots = range(params.mac_slots_per_cycle + 1)
        self.events = {"mac_slots": Signal(slots), "mac_useful": Signal(slots), "tiles": Signal()}

    @property
    def latencies(self) -> dict[str, int]:
        """From the last step of a tile to its transfer on `o`."""
        return {"step_to_results": 1}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        step = Signal()
        advance = Signal()
        is_result = Signal()
        is_last = Signal()
        narrow = Signal()
        is_flexible = "narrow" in controls(p)
        tile_k = Mux(narrow, p.a_lanes, p.elements) if is_flexible else p.elements
        tiles = {"k": tile_k} | ({"digits": 1} if "shift" in controls(p) else {})
        walk = tile_walk(m, self.job, tiles | {"n": p.cols, "m": 1}, step)
        if is_flexible:
            with m.If(self.job.valid & self.job.ready):
                m.d.sync += narrow.eq(self.job.payload.digits == 1)
        is_last_pass = walk.ranks["digits"].last if "digits" in tiles else 1
        ends_tile = Signal()
        m.d.comb += [
            advance.eq(~is_result | self.o.ready),
            step.eq(walk.active & self.a.valid & self.w.valid & advance),
            self.a.ready.eq(walk.active & self.w.valid & advance),
            self.w.ready.eq(walk.active & self.a.valid & advance),
            ends_tile.eq(walk.ranks["k"].last & is_last_pass),
            self.o.valid.eq(is_result),
            self.o.payload.last.eq(is_last),
        ]
        with m.If(advance):
            m.d.sync += [is_result.eq(step & ends_tile), is_last.eq(walk.final)]
        control = {"first": walk.first}
        if is_flexible:
            control["narrow"] = narrow
        if "digits" in tiles:
            fresh = Signal(init=1)
            with m.If(step):
                m.d.sync += fresh.eq(ends_tile)
            control = {"first": fresh, "shift": walk.first}
        m.submodules.array = array = Array(p)
        m.d.comb += [
            array.step.eq(step),
            array.a.eq(self.a.payload),
            array.w.eq(self.w.payload),
            self.o.payload.c.eq(array.c),
            *(getattr(array, name).eq(value) for name, value in control.items()),
        ]
        if probed(platform):
            self.observe(m, step & is_last_pass, ends_tile & step, walk, narrow)
        return m

    def observe(
        self, m: Module, counts: Value, ends_tile: Value, walk: Walk, narrow: Value
    ) -> None:
        """Events: of serial products the last step counts."""
        p = self.params
        within = lanes_within(walk.ranks["k"].left, p.a_lanes)
        taken: Value | int = p.mac_slots_per_cycle
        if "narrow" in controls(p):
            within &= Cat(narrow | (lane < p.elements) for lane in range(p.a_lanes))
            taken = Mux(narrow, taken, p.elements * p.cols)
        across = lanes_within(walk.ranks["n"].left, p.cols)
        m.d.comb += [
            self.events["mac_useful"].eq(Mux(counts, count_high(within) * count_high(across), 0)),
            self.events["mac_slots"].eq(Mux(counts, taken, 0)),
            self.events["tiles"].eq(ends_tile),
        ]
