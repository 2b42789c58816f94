"""The element of output-stationary arrays."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

from hwgen.systolic.arithmetic import Sum
from hwgen.systolic.element import ElementParams, Group, ProcessingElement, lane_values, present
from hwgen.systolic.resolve import Resolve, ResolveParams


class OutputStationary(ProcessingElement):
    """Accumulates one result: c = sum of a * w over the operands from `first` to `last`.

    `first` and `last` come with the operands, as many steps later as their sum takes. With double
    buffering the finished sum moves to a register of its own, and results climb while `shift` is
    high; without it the sums themselves climb while `drain` is high. Where operands are broadcast
    all sums are finished in the same step, and results climb in every other.

    west: a; first: start a new sum; last: the sum is complete; shift: take the result from the
    south.
    south: w; c: result of the element below. north: w; c: the result held here.
    """

    result_name = "c"
    w_steps = 1

    @staticmethod
    def groups(params: ElementParams) -> dict[str, Group]:
        west: Group = {"a": params.a, "first": 1}
        if params.double_buffer:
            # The bottom row never shifts, and the top row whenever it can: results leave there.
            shifts_on_command = params.has_south and params.has_north and not params.broadcast
            west |= {"last": 1} | ({"shift": 1} if shifts_on_command else {})
        drains = params.has_south and not params.double_buffer
        passes_w = params.has_north and not params.broadcast
        return present(
            west=west,
            east=west if params.has_east else {},
            south={"w": params.w} | ({"c": params.sums.below.layout} if params.has_south else {}),
            north={"c": params.sums.result.layout} | ({"w": params.w} if passes_w else {}),
            shared={"drain": 1} if drains else {},
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        groups = self.groups(p)
        a, w = self.west.a, self.south.w
        holds_operands = p.arithmetic.stages == 2
        a_held = self.register(m, a, "a_q") if "east" in groups or holds_operands else None
        w_held = self.register(m, w, "w_q") if "w" in groups["north"] or holds_operands else None
        self.pass_east(m, a_held)
        if "w" in groups["north"]:
            m.d.comb += self.north.w.eq(w_held)

        acc = Signal(p.sums.own.layout, reset_less=True)
        operands = (a_held, w_held) if holds_operands else (a, w)
        total = self.total(m, *operands, Mux(self.west.first, 0, acc))
        adds_up = p.sums.result != p.sums.own
        if not p.double_buffer:
            following = total
            if p.has_south:
                # A word from below becomes a pair again, of which c is zero.
                below = self.south.c.as_unsigned() if adds_up else self.south.c
                following = Mux(self.shared.drain, below, total)
            with m.If(self.advance):
                m.d.sync += acc.eq(following)
            m.d.comb += self.north.c.eq(self.added_up(m, acc) if adds_up else acc)
            return m

        result = Signal(p.sums.result.layout, reset_less=True)
        with m.If(self.advance):
            m.d.sync += acc.eq(total)
            with m.If(self.west.last):
                m.d.sync += result.eq(self.added_up(m, acc) if adds_up else total)
            if p.has_south:
                with m.Elif(self.west.shift if "shift" in groups["west"] else 1):
                    m.d.sync += result.eq(self.south.c)
        m.d.comb += self.north.c.eq(result)
        return m

    def total(self, m: Module, a: Value, w: Value, running: Value) -> Value:
        """The products of all lanes and the running sum."""
        p = self.params
        products = list(zip(lane_values(a, p.lanes), lane_values(w, p.lanes), strict=True))
        sums: list[tuple[Sum, Any]] = [(p.sums.own, running)]
        if not p.sums.lanes:
            return self.adder.total(m, products, sums, p.sums.own)
        climbing: list[tuple[Sum, Any]] = []
        for lane, made in enumerate(p.sums.lanes):
            partial = self.adder.total(m, [products[lane]], climbing, made, f"lane_{lane}")
            climbing = [(made, self.register(m, partial, f"lane_{lane}_q"))]
        return self.adder.total(m, [], sums + climbing, p.sums.own, owing=p.lanes)

    def added_up(self, m: Module, pair: Any) -> Value:
        """The two words of the running sum as one."""
        own = self.params.sums.own
        m.submodules.resolve = resolve = Resolve(ResolveParams(pair=own, width=own.width))
        m.d.comb += resolve.i.eq(pair)
        return resolve.o
