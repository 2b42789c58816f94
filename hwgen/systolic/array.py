"""Arrays: rows of elements, wired by the names of their signals.

Text grows with rows + cols: all elements with the same neighbours are one module, and so are all
rows.
"""

from dataclasses import dataclass

from amaranth.hdl import Shape
from amaranth.lib.wiring import In

from designs.systolic import SystolicParams
from hwgen.structure import Parts, Structure, Wire, Wiring
from hwgen.systolic.element import ELEMENTS, ElementParams, Group, ports

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
    """A row of the array of `system`, with or without rows below (south) and above (north)."""

    system: SystolicParams
    has_south: bool
    has_north: bool

    def element(self, col: int) -> ElementParams:
        """The element at column `col`."""
        row = 0 if not self.has_north else self.system.rows - 1 if not self.has_south else 1
        return ElementParams.of(self.system, row, col)

    def element_groups(self) -> Groups:
        """Signal groups of one element."""
        return ELEMENTS[self.system.dataflow].groups(self.element(0))

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
        p = self.params
        return "row" + ("" if p.has_south else "_bottom") + ("" if p.has_north else "_top")

    def parts(self) -> Parts:
        kind = ELEMENTS[self.params.system.dataflow]
        return {
            f"pe_{col}": (kind, self.params.element(col)) for col in range(self.params.system.cols)
        }

    def wiring(self) -> Wiring:
        groups, wiring = self.params.element_groups(), Wiring()
        cols = range(self.params.system.cols)
        for col in cols:
            pe = f"pe_{col}"
            wiring[pe, "advance"] = ADVANCE
            for signal, shape in groups["west"].items():
                west, port = (f"pe_{col - 1}", "east") if col else ("", "west")
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
        self.rows = [
            RowParams(system=params, has_south=row < params.rows - 1, has_north=row > 0)
            for row in range(params.rows)
        ]
        top, middle, bottom = (
            self.rows[index].groups() for index in (0, params.rows // 2, params.rows - 1)
        )
        west = top["west"] | middle["west"] | bottom["west"]
        groups = top | {"west": packed(west, params.rows), "south": bottom["south"]}
        super().__init__(params, {"advance": In(1)} | ports(groups))

    def parts(self) -> Parts:
        return {f"row_{index}": (Row, row) for index, row in enumerate(self.rows)}

    def wiring(self) -> Wiring:
        wiring = Wiring()
        for index, row in enumerate(self.rows):
            name, groups = f"row_{index}", row.groups()
            wiring[name, "advance"] = ADVANCE
            for signal, shape in groups["west"].items():
                bits, port = width(shape), f"west__{signal}"
                wiring[name, port] = (Wire("", port, index * bits, bits),)
            for signal, bits in groups["south"].items():
                below = (f"row_{index + 1}", "north") if row.has_south else ("", "south")
                wire = Wire(below[0], f"{below[1]}__{signal}", 0, bits)
                wiring[name, f"south__{signal}"] = (wire,)
            for signal, shape in groups.get("shared", {}).items():
                port = f"shared__{signal}"
                wiring[name, port] = (Wire("", port, 0, width(shape)),)
        for signal, bits in self.rows[0].groups()["north"].items():
            wiring["", f"north__{signal}"] = (Wire("row_0", f"north__{signal}", 0, bits),)
        return wiring
