"""The columns' lanes, side by side; commands pass from one to the next."""

from amaranth.hdl import Shape
from amaranth.lib.wiring import In, Out

from designs.attention.unfused import UnfusedParams
from designs.rules import clog2
from hwgen.attention.bank import write_layout
from hwgen.attention.unfused.interface import (
    back_command,
    back_words,
    front_command,
    query_words,
)
from hwgen.attention.unfused.lane import LaneParams, UnfusedLane
from hwgen.structure import Parts, Structure, Wire, Wiring


class UnfusedLanes(Structure):
    """`side` lanes; a command reaches lane j after j cycles.

    Members: front, back: of lane 0; queries, rows: for all lanes at once; positions, sum: of all
    lanes; read_enable, read_address: to all (in). north, row: of all lanes; front_out, back_out,
    done: of the last. Lane 0 is lowest.
    """

    params: UnfusedParams

    def __init__(self, params: UnfusedParams) -> None:
        p, side = params.engine, params.side
        super().__init__(
            params,
            {
                "front": In(front_command(params)),
                "back": In(back_command(params)),
                "queries": In(write_layout(query_words(params), side * p.element_bits)),
                "rows": In(write_layout(back_words(params), side * p.score_bits)),
                "positions": In(side * clog2(side)),
                "sum": In(side * p.link_bits),
                "read_enable": In(1),
                "read_address": In(clog2(params.row_slots)),
                "north": Out(side * p.link_bits),
                "row": Out(side * p.score_bits),
                "front_out": Out(front_command(params)),
                "back_out": Out(back_command(params)),
                "done": Out(1),
            },
        )

    def parts(self) -> Parts:
        p = self.params
        return {
            f"lane_{j}": (UnfusedLane, LaneParams(engine=p, has_next=j < p.side - 1))
            for j in range(p.side)
        }

    def wiring(self) -> Wiring:
        p, side = self.params.engine, self.params.side
        commands = {
            "front": Shape.cast(front_command(self.params)).width,
            "back": Shape.cast(back_command(self.params)).width,
        }
        writes = {
            "queries": (1 + clog2(query_words(self.params)), p.element_bits),
            "rows": (1 + clog2(back_words(self.params)), p.score_bits),
        }
        own = {"sum": ("sum", p.link_bits), "position": ("positions", clog2(side))}
        shared = {"read_enable": 1, "read_address": clog2(self.params.row_slots)}
        last = f"lane_{side - 1}"
        wiring: Wiring = {}
        for j in range(side):
            lane = f"lane_{j}"
            for port, width in commands.items():
                west, source = (f"lane_{j - 1}", f"{port}_out") if j else ("", port)
                wiring[lane, port] = (Wire(west, source, 0, width),)
            for port, (place_bits, bits) in writes.items():
                place = Wire("", port, 0, place_bits)
                wiring[lane, port] = (place, Wire("", port, place_bits + j * bits, bits))
            for port, (source, bits) in own.items():
                if bits:
                    wiring[lane, port] = (Wire("", source, j * bits, bits),)
            for port, width in shared.items():
                wiring[lane, port] = (Wire("", port, 0, width),)
        for port, bits in (("north", p.link_bits), ("row", p.score_bits)):
            wiring["", port] = tuple(Wire(f"lane_{j}", port, 0, bits) for j in range(side))
        for port, width in (
            *((f"{name}_out", bits) for name, bits in commands.items()),
            ("done", 1),
        ):
            wiring["", port] = (Wire(last, port, 0, width),)
        return wiring
