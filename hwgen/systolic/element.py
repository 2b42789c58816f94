"""Processing elements: one multiply-accumulate each, and the registers that pass operands on.

An element talks to its neighbours through four groups of signals, named by the edge they cross:
`west` in and `east` out run along a row, `south` in and `north` out climb a column. A fifth,
`shared`, is common to all elements. An array wires groups by name and knows nothing else of an
element.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from designs.systolic import Dataflow, SystolicParams
from hwgen.component import Component

Group = dict[str, Any]
INPUT_GROUPS = ("west", "south", "shared")


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementParams:
    """One element: the shapes it computes in, and which neighbours it has.

    `has_east`: someone takes its operands on. `has_south`: results arrive from below. `has_north`:
    someone takes its weights.
    """

    a: Shape
    w: Shape
    product: Shape
    result: Shape
    mac_stages: int
    double_buffer: bool
    has_east: bool
    has_south: bool
    has_north: bool

    @classmethod
    def of(cls, params: SystolicParams, row: int, col: int) -> "ElementParams":
        """The element at `row`, `col` of the array that `params` describes."""
        signed = params.acc_signed
        result_bits = params.acc_bits if params.dataflow == Dataflow.OS else params.psum_bits
        return cls(
            a=Shape(params.a_bits, signed=params.a_signed),
            w=Shape(params.w_bits, signed=params.w_signed),
            product=Shape(params.product_bits, signed=signed),
            result=Shape(result_bits, signed=signed),
            mac_stages=params.mac_stages,
            double_buffer=params.double_buffer,
            has_east=col < params.cols - 1,
            has_south=row < params.rows - 1,
            has_north=row > 0,
        )


def present(**groups: Group) -> dict[str, Group]:
    """The groups that have a signal at all."""
    return {name: group for name, group in groups.items() if group}


def ports(groups: dict[str, Group]) -> dict[str, Any]:
    """Signature members for groups of signals."""
    return {
        name: (In if name in INPUT_GROUPS else Out)(
            wiring.Signature({signal: Out(shape) for signal, shape in group.items()})
        )
        for name, group in groups.items()
    }


class Element(Component):
    """What every element has: neighbours, registers that move on `advance`, and a multiplier.

    With `advance` high everything moves by one step per clock edge, else everything stands still.
    No register has a reset: what an element holds before its first operands reaches no result.
    """

    reset_less = True
    params: ElementParams

    result_name: ClassVar[str]
    """The north signal that is a result where it leaves the array."""
    w_steps: ClassVar[int]
    """Steps from a weight's admission to the south edge of column 0."""

    def __init__(self, params: ElementParams) -> None:
        super().__init__(params, {"advance": In(1)} | ports(self.groups(params)))

    @staticmethod
    def groups(params: ElementParams) -> dict[str, Group]:
        """Group to its signals, signal to its shape."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        p = self.params
        edges = [
            name
            for name, present in (
                ("bottom", not p.has_south),
                ("top", not p.has_north),
                ("right", not p.has_east),
            )
            if present
        ]
        return "_".join(["pe", *edges])

    def register(self, m: Module, value: Value, name: str, shape: Shape | None = None) -> Signal:
        """`value`, one step later."""
        register = Signal(value.shape() if shape is None else shape, name=name, reset_less=True)
        with m.If(self.advance):
            m.d.sync += register.eq(value)
        return register

    def pass_east(self, m: Module, operand: Signal | None = None) -> None:
        """Hand the west group on, one step later; `operand` is a register that holds `a`."""
        if self.params.has_east:
            for name in self.groups(self.params)["east"]:
                value = getattr(self.west, name)
                held = (
                    self.register(m, value, f"{name}_q")
                    if name != "a" or operand is None
                    else operand
                )
                m.d.comb += getattr(self.east, name).eq(held)

    def product(self, m: Module, a: Value, w: Value) -> Signal:
        """a * w, registered with `mac_stages` >= 1."""
        product = Signal(self.params.product)
        m.d.comb += product.eq(a * w)
        if self.params.mac_stages == 0:
            return product
        return self.register(m, product, "product_q")


class OutputStationary(Element):
    """Accumulates one result: c = sum of a * w over the operands from `first` to `last`.

    `first` and `last` come with the operands, `mac_stages` steps later. With double buffering the
    finished sum moves to a register of its own, and results climb while `shift` is high; without it
    the sums themselves climb while `drain` is high.

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
            shifts_on_command = params.has_south and params.has_north
            west |= {"last": 1} | ({"shift": 1} if shifts_on_command else {})
        drains = params.has_south and not params.double_buffer
        return present(
            west=west,
            east=west if params.has_east else {},
            south={"w": params.w} | ({"c": params.result} if params.has_south else {}),
            north={"c": params.result} | ({"w": params.w} if params.has_north else {}),
            shared={"drain": 1} if drains else {},
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        a, w = self.west.a, self.south.w
        a_held = self.register(m, a, "a_q") if p.has_east or p.mac_stages == 2 else None
        w_held = self.register(m, w, "w_q") if p.has_north or p.mac_stages == 2 else None
        self.pass_east(m, a_held)
        if p.has_north:
            m.d.comb += self.north.w.eq(w_held)

        acc = Signal(p.result, reset_less=True)
        total = Signal(p.result)
        product = self.product(m, a_held, w_held) if p.mac_stages == 2 else self.product(m, a, w)
        m.d.comb += total.eq(Mux(self.west.first, 0, acc) + product)
        if not p.double_buffer:
            following = Mux(self.shared.drain, self.south.c, total) if p.has_south else total
            with m.If(self.advance):
                m.d.sync += acc.eq(following)
            m.d.comb += self.north.c.eq(acc)
            return m

        result = Signal(p.result, reset_less=True)
        with m.If(self.advance):
            m.d.sync += acc.eq(total)
            with m.If(self.west.last):
                m.d.sync += result.eq(total)
            if p.has_south:
                with m.Elif(self.west.shift if p.has_north else 1):
                    m.d.sync += result.eq(self.south.c)
        m.d.comb += self.north.c.eq(result)
        return m


class WeightStationary(Element):
    """Adds one product to the partial sum that climbs past: north.psum = south.psum + a * weight.

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
        return present(
            west=west,
            east=west if params.has_east else {},
            south={"w": params.w} | ({"psum": params.result} if params.has_south else {}),
            north={"psum": params.result} | ({"w": params.w} if params.has_north else {}),
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        loaded = Signal(p.w, reset_less=True)
        with m.If(self.advance & self.west.load):
            m.d.sync += loaded.eq(self.south.w)
        if p.has_north:
            m.d.comb += self.north.w.eq(loaded)
        weight = loaded
        if p.double_buffer:
            weight = Signal(p.w, reset_less=True)
            with m.If(self.advance & self.west.switch):
                m.d.sync += weight.eq(loaded)

        a = self.west.a
        a_held = self.register(m, a, "a_q") if p.has_east or p.mac_stages == 2 else None
        self.pass_east(m, a_held)
        if p.mac_stages == 2:
            product = self.product(m, a_held, self.register(m, weight, "w_q"))
        else:
            product = self.product(m, a, weight)
        # The bottom row has nothing to add, and its sums are no wider than a product.
        total = Signal(p.result if p.has_south else p.product)
        m.d.comb += total.eq(self.south.psum + product if p.has_south else product)
        m.d.comb += self.north.psum.eq(self.register(m, total, "psum_q"))
        return m


ELEMENTS: dict[Dataflow, type[Element]] = {
    Dataflow.OS: OutputStationary,
    Dataflow.WS: WeightStationary,
}
"""Dataflow to the element that an array of it is made of."""
