"""The edges of an array, where operands are put into the steps in which its elements take them."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from amaranth.lib.wiring import In, Out

from hwgen.buffers import DelayLineParams, Skew, SkewParams, delay_line
from hwgen.component import Component
from hwgen.structure import Parts, Structure, Wire, Wiring


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgeParams:
    """`count` elements along an edge, each with `lanes` operands of `bits`.

    The operands of the first element are `first` steps late, those of the last `last` steps, each
    between one step more, or less, than the one before; if both are equal, so are all. Each lane of
    an element is `lane_step` steps behind the one before it.
    """

    bits: int
    count: int
    lanes: int
    first: int
    last: int
    lane_step: int

    @property
    def element_bits(self) -> int:
        """Width of the operands of one element."""
        return self.bits * self.lanes


def edge(params: EdgeParams) -> tuple[type[Component], Any]:
    """The component whose `o` is `i`, each operand as late as `params` say, and its params."""
    p = params
    if p.lane_step and p.lanes > 1:
        return Edge, p
    if p.first != p.last or p.count == 1:
        return Skew, SkewParams(bits=p.element_bits, first=p.first, last=p.last)
    if p.first > 0:
        return delay_line(DelayLineParams(bits=p.count * p.element_bits, depth=p.first))
    return Edge, p


class Edge(Structure):
    """Delays the operands of each element along an edge, and those of each of its lanes.

    Members: `advance`; `i`, `o`: the operands side by side, element by element.
    """

    params: EdgeParams
    reset_less = True

    def __init__(self, params: EdgeParams) -> None:
        width = params.count * params.element_bits
        super().__init__(params, {"advance": In(1), "i": In(width), "o": Out(width)})

    @property
    def label(self) -> str:
        p = self.params
        return f"edge_{p.bits}x{p.lanes}x{p.count}_by_{p.first}_to_{p.last}_{p.lane_step}"

    def parts(self) -> Parts:
        p, parts = self.params, Parts()
        if p.first or p.last:
            parts["elements"] = edge(dataclasses.replace(p, lane_step=0))
        if p.lane_step:
            lanes = SkewParams(bits=p.bits, first=0, last=p.lanes - 1)
            parts |= {f"lanes_{element}": (Skew, lanes) for element in range(p.count)}
        return parts

    def wiring(self) -> Wiring:
        p, parts, bits = self.params, self.parts(), self.params.element_bits
        wiring: Wiring = {(part, "advance"): (Wire("", "advance", 0, 1),) for part in parts}
        source = ("", "i")
        if "elements" in parts:
            wiring["elements", "i"] = (Wire("", "i", 0, p.count * bits),)
            source = ("elements", "o")
        outputs = [Wire(*source, element * bits, bits) for element in range(p.count)]
        if p.lane_step:
            for element, wire in enumerate(outputs):
                wiring[f"lanes_{element}", "i"] = (wire,)
            outputs = [Wire(f"lanes_{element}", "o", 0, bits) for element in range(p.count)]
        wiring["", "o"] = tuple(outputs)
        return wiring
