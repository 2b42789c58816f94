"""The array: rows of elements; sums and maxima fall from row 0 to the lanes below the last one."""

from amaranth.hdl import Shape
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from hwgen.attention.element import west_members
from hwgen.attention.row import Row, links
from hwgen.structure import Parts, Structure, Wire, Wiring


class Array(Structure):
    """`side` x `side` elements, see `IntegerElement`.

    What enters row i from the west in cycle t meets in column j what enters that column from the
    north in cycle t + j - i; what the element there makes of both is at the south in cycle
    t + j - i + side. Commands and operands never wait.

    Members: west, command: per row, see `Row`; north, south: per column.
    """

    reset_less = True
    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        west = {
            name: In(data.ArrayLayout(shape, params.side))
            for name, shape in west_members(params, params.splits).items()
        }
        super().__init__(params, {**west, "north": In(links(params)), "south": Out(links(params))})

    def parts(self) -> Parts:
        return {f"row_{row}": (Row, self.params) for row in range(self.params.side)}

    def wiring(self) -> Wiring:
        p, wiring = self.params, Wiring()
        bits = p.side * p.link_bits
        for row in range(p.side):
            for name, shape in west_members(p, p.splits).items():
                width = Shape.cast(shape).width
                wiring[f"row_{row}", name] = (Wire("", name, row * width, width),)
            above, port = (f"row_{row - 1}", "south") if row else ("", "north")
            wiring[f"row_{row}", "north"] = (Wire(above, port, 0, bits),)
        wiring["", "south"] = (Wire(f"row_{p.side - 1}", "south", 0, bits),)
        return wiring
