"""The lanes below the array, side by side, each with its output where it does not divide."""

from amaranth.hdl import Shape
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.elements import Element
from designs.rules import clog2
from hwgen.attention.combiner import Combiner, IntegerCombiner, combine_command
from hwgen.attention.float_combiner import FloatCombiner
from hwgen.attention.float_lane import FloatLane
from hwgen.attention.float_output import FloatOutput
from hwgen.attention.integer_lane import IntegerLane
from hwgen.attention.interface import lane_command
from hwgen.attention.lane import Lane, numerator_words, staged_bits
from hwgen.attention.numerators import Numerators
from hwgen.attention.output import IntegerOutput, reading, steps
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

COMBINERS: dict[Element, type[Combiner]] = {
    Element.INT8: IntegerCombiner,
    Element.FP16: FloatCombiner,
    Element.BF16: FloatCombiner,
}
"""Format of the elements to what makes the results of several groups of lanes one."""


class Lanes(Structure):
    """The lanes of all columns; a command reaches that of column j after j cycles. Beside each the
    outputs of its columns, unless lanes divide, or with `splits` groups behind those of columns j,
    j + `split_columns` .. a combiner with an output.

    With `numerator_lanes` above 1, beside so many lanes the memory of their running numerators.

    Members: command: of lane 0; north: see `Lane`, of all lanes; read_enable, read_address: to all
    staging memories; combine: to all combiners, where there are any; advance, shift_half,
    scale_half: to all outputs (in). command_out: of the last lane; done: of the last that divides;
    rm_valid, rm: of all columns, values: of all outputs. Column 0 is lowest.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p, command = params, lane_command(params)
        super().__init__(
            params,
            {
                "command": In(command),
                "north": In(p.side * p.link_bits),
                **{name: In(width) for name, width in (reading(p) | steps(p)).items()},
                "command_out": Out(command),
                "rm_valid": Out(p.side),
                "rm": Out(p.side * p.score_bits),
                "done": Out(p.result_tiles),
                "values": Out(p.split_columns * p.out_bits),
                **({"combine": In(combine_command(p))} if p.splits > 1 else {}),
            },
        )

    def divided(self, j: int, port: str, width: int) -> Wire:
        """What a port of the part whose numerators output j divides has for it."""
        if self.params.splits > 1:
            return Wire(f"combiner_{j}", port, 0, width)
        lane, column = divmod(j, self.params.columns_per_lane)
        return Wire(f"lane_{lane}", port, column * width, width)

    def parts(self) -> Parts:
        p = self.params
        parts: Parts = {f"lane_{k}": (LANES[p.element], p) for k in range(p.lanes)}
        parts |= {name: (Numerators, p) for name in self.sharing()}
        if p.divides:
            return parts
        if p.splits > 1:
            combiner = COMBINERS[p.element]
            parts |= {f"combiner_{j}": (combiner, p) for j in range(p.split_columns)}
        return parts | {f"output_{j}": (OUTPUTS[p.element], p) for j in range(p.split_columns)}

    def sharing(self) -> dict[str, range]:
        """Shared memories of running numerators to the lanes that share each; none of one lane."""
        count = self.params.numerator_lanes
        starts = range(0, self.params.lanes, count) if count > 1 else range(0)
        return {f"numerators_{start // count}": range(start, start + count) for start in starts}

    def wiring(self) -> Wiring:
        p = self.params
        last = f"lane_{p.lanes - 1}"
        command_bits = Shape.cast(lane_command(p)).width
        north_bits = p.columns_per_lane * p.link_bits
        wiring: Wiring = {}
        for k in range(p.lanes):
            lane = f"lane_{k}"
            west = Wire(f"lane_{k - 1}", "command_out", 0, command_bits)
            wiring[lane, "command"] = (west if k else Wire("", "command", 0, command_bits),)
            wiring[lane, "north"] = (Wire("", "north", k * north_bits, north_bits),)
            for port, width in reading(p).items():
                wiring |= {(lane, port): (Wire("", port, 0, width),)} if width else {}
        for j in range(0 if p.divides else p.split_columns):
            wiring |= self.results(j)
        lanes = [f"lane_{j // p.columns_per_lane}" for j in range(p.side)]
        wiring["", "rm"] = tuple(Wire(lane, "rm", 0, p.score_bits) for lane in lanes)
        wiring["", "rm_valid"] = tuple(
            Wire(lane, "rm_valid", j % p.columns_per_lane, 1) for j, lane in enumerate(lanes)
        )
        output, value = ("lane", "numerator") if p.divides else ("output", "value")
        wiring["", "values"] = tuple(
            Wire(f"{output}_{j}", value, 0, p.out_bits) for j in range(p.split_columns)
        )
        wiring["", "command_out"] = (Wire(last, "command_out", 0, command_bits),)
        wiring["", "done"] = (self.divided(p.split_columns - 1, "done", p.result_tiles),)
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

    def results(self, j: int) -> Wiring:
        """What drives output j, and the combiner before it."""
        p, output = self.params, f"output_{j}"
        reciprocal_bits = p.result_tiles * Shape.cast(reciprocal_layout(p)).width
        wiring: Wiring = {
            (output, "numerator"): (self.divided(j, "numerator", p.numerator_bits),),
            (output, "reciprocals"): (self.divided(j, "reciprocals", reciprocal_bits),),
        }
        for port, width in steps(p).items():
            if width:
                wiring[output, port] = (Wire("", port, 0, width),)
        if p.splits > 1:
            combiner = f"combiner_{j}"
            combine_bits = Shape.cast(combine_command(p)).width
            wiring[combiner, "command"] = (Wire("", "combine", 0, combine_bits),)
            wiring[combiner, "words"] = tuple(
                Wire(f"lane_{lane}", "numerator", 0, staged_bits(p))
                for lane in range(j, p.side, p.split_columns)
            )
        return wiring
