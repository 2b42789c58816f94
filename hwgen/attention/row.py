"""Rows of elements, wired by the names of their ports."""

from amaranth.hdl import Shape
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from hwgen.attention.element import ElementParams, west_members
from hwgen.attention.elements import ELEMENTS
from hwgen.structure import Parts, Structure, Wire, Wiring


def links(params: AttentionParams) -> data.ArrayLayout:
    """What passes from row to row: a number for each column."""
    return data.ArrayLayout(Shape(params.link_bits, signed=True), params.side)


class Row(Structure):
    """`side` elements in a row; what comes from the west reaches column c after c cycles.

    Members: west: a word for each group of columns, the first lowest, command: as of one element;
    north, south: per column.
    """

    reset_less = True
    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        west = {name: In(shape) for name, shape in west_members(params, params.splits).items()}
        super().__init__(params, {**west, "north": In(links(params)), "south": Out(links(params))})

    def parts(self) -> Parts:
        p = self.params
        return {
            f"pe_{col}": (ELEMENTS[p.element], ElementParams.of(p, col)) for col in range(p.side)
        }

    def wiring(self) -> Wiring:
        p, wiring = self.params, Wiring()
        for col in range(p.side):
            words = p.splits - col // p.split_columns
            for name, shape in west_members(p, words).items():
                part, port = (f"pe_{col - 1}", f"{name}_out") if col else ("", name)
                wiring[f"pe_{col}", name] = (Wire(part, port, 0, Shape.cast(shape).width),)
            north = Wire("", "north", col * p.link_bits, p.link_bits)
            wiring[f"pe_{col}", "north"] = (north,)
        wiring["", "south"] = tuple(
            Wire(f"pe_{col}", "south", 0, p.link_bits) for col in range(p.side)
        )
        return wiring
