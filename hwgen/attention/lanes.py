"""The lanes below the array, side by side, each with its output."""

from amaranth.hdl import Shape
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams, Element
from designs.rules import clog2
from hwgen.attention.float_lane import FloatLane
from hwgen.attention.float_output import FloatOutput
from hwgen.attention.integer_lane import IntegerLane
from hwgen.attention.interface import lane_command
from hwgen.attention.lane import Lane, numerator_words, staging_address_bits
from hwgen.attention.numerators import Numerators
from hwgen.attention.output import IntegerOutput
from hwgen.attention.reciprocal import reciprocal_layout
from hwgen.component import Component
from hwgen.structure import Parts, Structure, Wire, Wiring

LANES: dict[Element, type[Lane]] = {
    Element.INT8: IntegerLane,
    Element.FP16: FloatLane,
    Element.BF16: FloatLane,
}
"""Format of the elements to the lane that takes their sums."""

OUTPUTS: dict[Element, type[Component]] = {
    Element.INT8: IntegerOutput,
    Element.FP16: FloatOutput,
    Element.BF16: FloatOutput,
}
"""Format of the elements to what divides a lane's results."""


class Lanes(Structure):
    """`side` lanes; a command reaches lane j after j cycles. Beside each lane its output.

    With `numerator_lanes` above 1, beside so many lanes the memory of their running numerators.

    Members: command: of lane 0; north: see `Lane`, of all lanes; read_enable, read_address: to all
    staging memories; advance, shift_half, scale_half: to all outputs (in). command_out, done: of
    the last lane; rm_valid, rm, values: of all lanes. Lane 0 is lowest.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p, command = params, lane_command(params)
        super().__init__(
            params,
            {
                "command": In(command),
                "north": In(p.side * p.link_bits),
                "read_enable": In(1),
                "read_address": In(staging_address_bits(p)),
                "advance": In(1),
                "shift_half": In(clog2(p.result_tiles)),
                "scale_half": In(clog2(p.result_tiles)),
                "command_out": Out(command),
                "rm_valid": Out(p.side),
                "rm": Out(p.side * p.score_bits),
                "done": Out(p.result_tiles),
                "values": Out(p.side * p.out_bits),
            },
        )

    def parts(self) -> Parts:
        p = self.params
        lanes: Parts = {f"lane_{j}": (LANES[p.element], p) for j in range(p.side)}
        shared: Parts = {name: (Numerators, p) for name in self.sharing()}
        outputs: Parts = {f"output_{j}": (OUTPUTS[p.element], p) for j in range(p.side)}
        return lanes | shared | outputs

    def sharing(self) -> dict[str, range]:
        """Shared memories of running numerators to the lanes that share each; none of one lane."""
        count = self.params.numerator_lanes
        starts = range(0, self.params.side, count) if count > 1 else range(0)
        return {f"numerators_{start // count}": range(start, start + count) for start in starts}

    def wiring(self) -> Wiring:
        p = self.params
        last = f"lane_{p.side - 1}"
        command_bits = Shape.cast(lane_command(p)).width
        reciprocal_bits = p.result_tiles * Shape.cast(reciprocal_layout(p)).width
        wiring: Wiring = {}
        for j in range(p.side):
            lane, output = f"lane_{j}", f"output_{j}"
            west = Wire(f"lane_{j - 1}", "command_out", 0, command_bits)
            wiring[lane, "command"] = (west if j else Wire("", "command", 0, command_bits),)
            north = Wire("", "north", j * p.link_bits, p.link_bits)
            wiring[lane, "north"] = (north,)
            for part, port, width in (
                (lane, "read_enable", 1),
                (lane, "read_address", staging_address_bits(p)),
                (output, "advance", 1),
                (output, "shift_half", clog2(p.result_tiles)),
                (output, "scale_half", clog2(p.result_tiles)),
            ):
                if width:
                    wiring[part, port] = (Wire("", port, 0, width),)
            wiring[output, "numerator"] = (Wire(lane, "numerator", 0, p.numerator_bits),)
            wiring[output, "reciprocals"] = (Wire(lane, "reciprocals", 0, reciprocal_bits),)
        for port, part, width in (
            ("rm_valid", "lane", 1),
            ("rm", "lane", p.score_bits),
            ("values", "output", p.out_bits),
        ):
            source = port.removesuffix("s")
            wiring["", port] = tuple(Wire(f"{part}_{j}", source, 0, width) for j in range(p.side))
        wiring["", "command_out"] = (Wire(last, "command_out", 0, command_bits),)
        wiring["", "done"] = (Wire(last, "done", 0, p.result_tiles),)
        return wiring | self.numerators()

    def numerators(self) -> Wiring:
        """Between shared memories of running numerators and their lanes."""
        p, wiring = self.params, Wiring()
        address, word = clog2(numerator_words(p)), p.numerator_bits
        for memory, lanes in self.sharing().items():
            for port, lane, width in (
                ("read", lanes[0], 1),
                ("read_address", lanes[0], address),
                ("write", lanes[-1], 1),
                ("write_address", lanes[-1], address),
            ):
                if width:  # one word has no address
                    wire = Wire(f"lane_{lane}", f"numerator_{port}", 0, width)
                    wiring[memory, port] = (wire,)
            wiring[memory, "data"] = tuple(
                Wire(f"lane_{lane}", "numerator_data", 0, word) for lane in lanes
            )
            for place, lane in enumerate(lanes):
                wire = Wire(memory, "word", place * word, word)
                wiring[f"lane_{lane}", "numerator_word"] = (wire,)
        return wiring
