"""Arrays: rows of elements, wired by the names of their signals.

Text grows with rows + cols: all elements with the same neighbours are one module, and so are all
rows.
"""

from dataclasses import dataclass

from amaranth.hdl import Shape
from amaranth.lib.wiring import In

from designs.systolic import SystolicParams
from hwgen.structure import Parts, Structure, Wire, Wiring
from hwgen.systolic.element import ElementParams, Group, ports
from hwgen.systolic.elements import ELEMENTS

Groups = dict[str, Group]
ADVANCE = (Wire("", "advance", 0, 1),)


def packed(group: Group, count: int) -> Group:
    """A group of signals, each `count` times side by side."""
    return {signal: width(shape) * count for signal, shape in group.items()}


def width(shape: Shape | int) -> int:
    """Bits of a shape."""
    return Shape.cast(shape).width


@dataclass(frozen=True, kw_only=True, slots=True)
class RowParams:
    """Row `row` of the array of `system`, or one like it."""

    system: SystolicParams
    row: int

    @classmethod
    def of(cls, system: SystolicParams) -> "list[RowParams]":
        """The rows of an array, from the top: each as the highest row that is like it."""
        alike: dict[ElementParams, int] = {}
        return [
            cls(system=system, row=alike.setdefault(ElementParams.of(system, row, 0), row))
            for row in range(system.grid_rows)
        ]

    def element(self, col: int) -> ElementParams:
        """The element at column `col`."""
        return ElementParams.of(self.system, self.row, col)

    def element_groups(self, col: int = 0) -> Groups:
        """Signal groups of the element at column `col`."""
        return ELEMENTS[self.system.dataflow].groups(self.element(col))

    def groups(self) -> Groups:
        """Signal groups of the row."""
        return {
            name: packed(group, self.system.cols) if name in ("south", "north") else group
            for name, group in self.element_groups().items()
            if name != "east"
        }


class Row(Structure):
    """`cols` elements in a row; what runs along it reaches column c after c steps.

    west: as of one element. south, north: as of one element, times `cols`. shared: to all elements.
    """

    reset_less = True
    params: RowParams

    def __init__(self, params: RowParams) -> None:
        super().__init__(params, {"advance": In(1)} | ports(params.groups()))

    @property
    def label(self) -> str:
        return "row" + self.params.element(0).edges_label

    def parts(self) -> Parts:
        kind = ELEMENTS[self.params.system.dataflow]
        return {
            f"pe_{col}": (kind, self.params.element(col)) for col in range(self.params.system.cols)
        }

    def wiring(self) -> Wiring:
        groups, wiring = self.params.element_groups(), Wiring()
        cols = range(self.params.system.cols)
        hands_on = groups.get("east", {})
        for col in cols:
            pe = f"pe_{col}"
            wiring[pe, "advance"] = ADVANCE
            for signal, shape in groups["west"].items():
                by_neighbour = col > 0 and signal in hands_on
                west, port = (f"pe_{col - 1}", "east") if by_neighbour else ("", "west")
                wiring[pe, f"west__{signal}"] = (Wire(west, f"{port}__{signal}", 0, width(shape)),)
            for signal, shape in groups["south"].items():
                bits = width(shape)
                wiring[pe, f"south__{signal}"] = (Wire("", f"south__{signal}", col * bits, bits),)
            for signal, shape in groups.get("shared", {}).items():
                wire = Wire("", f"shared__{signal}", 0, width(shape))
                wiring[pe, f"shared__{signal}"] = (wire,)
        for signal, shape in groups["north"].items():
            port = f"north__{signal}"
            wiring["", port] = tuple(Wire(f"pe_{col}", port, 0, width(shape)) for col in cols)
        return wiring


class Array(Structure):
    """`rows` x `cols` elements; row 0 is at the top, weights enter below the last row and climb.

    west: per row, what an element has at its west edge. south: w per column. north: the results
    that leave the top row, per column. shared: to all elements.
    """

    reset_less = True
    params: SystolicParams

    def __init__(self, params: SystolicParams) -> None:
        self.rows = RowParams.of(params)
        west: Group = {}
        for row in dict.fromkeys(self.rows):
            west |= row.groups()["west"]
        groups = self.rows[0].groups()
        groups |= {"west": packed(west, len(self.rows)), "south": self.rows[-1].groups()["south"]}
        super().__init__(params, {"advance": In(1)} | ports(groups))

    def parts(self) -> Parts:
        return {f"row_{index}": (Row, row) for index, row in enumerate(self.rows)}

    def wiring(self) -> Wiring:
        wiring = Wiring()
        for index, row in enumerate(self.rows):
            name, groups = f"row_{index}", row.groups()
            below = self.rows[index + 1].groups()["north"] if index + 1 < len(self.rows) else {}
            wiring[name, "advance"] = ADVANCE
            for signal, shape in groups["west"].items():
                bits, port = width(shape), f"west__{signal}"
                wiring[name, port] = (Wire("", port, index * bits, bits),)
            for signal, bits in groups["south"].items():
                south = (f"row_{index + 1}", "north") if signal in below else ("", "south")
                wire = Wire(south[0], f"{south[1]}__{signal}", 0, bits)
                wiring[name, f"south__{signal}"] = (wire,)
            for signal, shape in groups.get("shared", {}).items():
                port = f"shared__{signal}"
                wiring[name, port] = (Wire("", port, 0, width(shape)),)
        for signal, bits in self.rows[0].groups()["north"].items():
            wiring["", f"north__{signal}"] = (Wire("row_0", f"north__{signal}", 0, bits),)
        return wiring
