"""The element of weight-stationary arrays."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

from hwgen.systolic.element import ElementParams, Group, ProcessingElement, lane_values, present


class WeightStationary(ProcessingElement):
    """Adds one product to the partial sum that climbs past: north.psum = south.psum + a * weight.

    With more lanes it adds one product of each, and nothing arrives from below: the element is a
    column, and its weights climb from lane to lane.

    Latency 1 + mac_stages steps from `a`. Weights climb while `load` is high. With double buffering
    they climb through a register of their own, and `switch` makes its content the weight.

    west: a; load: take the weight from the south; switch: start using the weight loaded last.
    south: w; psum: partial sum of the elements below. north: w; psum.
    """

    result_name = "psum"
    w_steps = 0

    @staticmethod
    def groups(params: ElementParams) -> dict[str, Group]:
        west: Group = {"a": params.a, "load": 1} | ({"switch": 1} if params.double_buffer else {})
        w = params.arithmetic.w_wire
        return present(
            west=west,
            east=west if params.has_east else {},
            south={"w": w} | ({"psum": params.sums.below.layout} if params.has_south else {}),
            north={"psum": params.sums.result.layout} | ({"w": w} if params.has_north else {}),
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        loaded = Signal(p.w, reset_less=True)
        weights = Value.cast(loaded)
        with m.If(self.advance & self.west.load):
            m.d.sync += loaded.eq(Cat(weights[len(self.south.w) :], self.south.w))
        if p.has_north:
            m.d.comb += self.north.w.eq(loaded)
        weight = loaded
        if p.double_buffer:
            weight = Signal(p.w, reset_less=True)
            with m.If(self.advance & self.west.switch):
                m.d.sync += weight.eq(loaded)

        a, w = self.west.a, weight
        holds_operands = p.arithmetic.stages == 2
        passes_a = "east" in self.groups(p)
        a_held = self.register(m, a, "a_q") if passes_a or holds_operands else None
        self.pass_east(m, a_held)
        if holds_operands:
            a, w = a_held, self.register(m, weight, "w_q")
        products = list(zip(lane_values(a, p.lanes), lane_values(w, p.lanes), strict=True))
        below = [(p.sums.below, self.south.psum)] if p.has_south else []
        total = self.adder.total(m, products, below, p.sums.own)
        m.d.comb += self.north.psum.eq(self.register(m, total, "psum_q"))
        return m
