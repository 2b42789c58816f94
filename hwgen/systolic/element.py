"""Processing elements: multiply-accumulates, and the registers that pass operands on.

An element talks to its neighbours through four groups of signals, named by the edge they cross:
`west` in and `east` out run along a row, `south` in and `north` out climb a column. A fifth,
`shared`, is common to all elements. An array wires groups by name and knows nothing else of an
element.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Module, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from designs.systolic import SystolicParams
from hwgen.component import Component
from hwgen.systolic.adders import ADDERS
from hwgen.systolic.arithmetic import ArithmeticParams, Pair
from hwgen.systolic.sums import ElementSums

Group = dict[str, Any]
INPUT_GROUPS = ("west", "south", "shared")


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementParams:
    """One element: the shapes it computes in, and which neighbours it has.

    `sums`: those that it forms and hands on. `lanes`: products per step. `broadcast`: operands
    reach it from the edge of the array. `has_east`: someone takes its operands on. `has_south`:
    results arrive from below. `has_north`: there is an element above.
    """

    arithmetic: ArithmeticParams
    sums: ElementSums
    lanes: int
    double_buffer: bool
    broadcast: bool
    has_east: bool
    has_south: bool
    has_north: bool

    @classmethod
    def of(cls, params: SystolicParams, row: int, col: int) -> "ElementParams":
        """The element at `row`, `col` of the array that `params` describes."""
        return cls(
            arithmetic=ArithmeticParams.of(params),
            sums=ElementSums.of(params, row),
            lanes=params.lanes,
            double_buffer=params.double_buffer,
            broadcast=params.broadcast,
            has_east=col < params.cols - 1 and not params.broadcast,
            has_south=row < params.grid_rows - 1,
            has_north=row > 0,
        )

    @property
    def a(self) -> Any:
        """Shape of the activations of a step."""
        return side_by_side(self.arithmetic.a_wire, self.lanes)

    @property
    def w(self) -> Any:
        """Shape of the weights of all lanes."""
        return side_by_side(self.arithmetic.w_wire, self.lanes)

    @property
    def edges_label(self) -> str:
        """What its row is called: by what it lacks, and by the widths of a pair that climbs."""
        sums = self.sums
        climbs = isinstance(sums.own, Pair) and sums.own.exact and self.has_south
        widths = f"_{sums.below.bits}_to_{sums.own.bits}" if climbs else ""
        return ("" if self.has_south else "_bottom") + ("" if self.has_north else "_top") + widths


def side_by_side(shape: Any, count: int) -> Any:
    """`count` values of a shape; one is just the value."""
    return shape if count == 1 else data.ArrayLayout(shape, count)


def lane_values(values: Any, count: int) -> list[Any]:
    """The values that are `side_by_side`."""
    return [values] if count == 1 else [values[lane] for lane in range(count)]


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


class ProcessingElement(Component):
    """What every element has: neighbours, registers that move on `advance`, an adder.

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
        self.adder = ADDERS[params.arithmetic.element](params.arithmetic, self.register)

    @staticmethod
    def groups(params: ElementParams) -> dict[str, Group]:
        """Group to its signals, signal to its shape."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        p = self.params
        return f"pe{p.edges_label}" + ("" if p.has_east or p.broadcast else "_right")

    def register(self, m: Module, value: Value, name: str, shape: Shape | None = None) -> Signal:
        """`value`, one step later."""
        register = Signal(value.shape() if shape is None else shape, name=name, reset_less=True)
        with m.If(self.advance):
            m.d.sync += register.eq(value)
        return register

    def pass_east(self, m: Module, operand: Signal | None = None) -> None:
        """Hand the west group on, one step later; `operand` is a register that holds `a`."""
        for name in self.groups(self.params).get("east", {}):
            value = getattr(self.west, name)
            held = (
                self.register(m, value, f"{name}_q") if name != "a" or operand is None else operand
            )
            m.d.comb += getattr(self.east, name).eq(held)
