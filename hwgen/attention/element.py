"""Elements: scores, weights, and products of weights with values, on one multiplier and adder."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from designs.attention.params import SHIFT_BITS, AttentionParams, Masking
from designs.attention.schedule import PeOp
from designs.rules import clog2
from hwgen.attention.exponential import Exponential, ExponentialParams
from hwgen.attention.interface import least_score, pe_command
from hwgen.choose import choose
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementParams:
    """An element of the array of `engine`; `has_east`: someone takes on what comes from west."""

    engine: AttentionParams
    has_east: bool


def west_members(params: AttentionParams) -> dict[str, Any]:
    """What passes along a row, to its shape."""
    return {"west": params.west_bits, "command": pe_command(params)}


class ArrayElement(Component):
    """What elements of every format share: their ports, and what they hand on. No reset.

    Members: see `IntegerElement`.
    """

    reset_less = True
    params: ElementParams

    def __init__(self, params: ElementParams) -> None:
        p = params.engine
        west, link = west_members(p), Shape(p.link_bits, signed=True)
        east = {f"{name}_out": Out(shape) for name, shape in west.items() if params.has_east}
        members = {name: In(shape) for name, shape in west.items()}
        super().__init__(params, {**members, "north": In(link), "south": Out(link), **east})

    @property
    def label(self) -> str:
        return "pe" if self.params.has_east else "pe_right"

    def hidden(self, m: Module) -> Signal:
        """Whether the command masks the score: the row is at the bound, or not, as its op says."""
        p, op = self.params.engine, self.command.op
        hides = Signal()
        if p.masking != Masking.NONE:
            beyond = Signal()
            bound_bits = clog2(p.side + 1)
            m.d.comb += [
                beyond.eq(self.west[:bound_bits] >= self.north[:bound_bits]),
                hides.eq((op == PeOp.UPPER) & beyond),
            ]
            if p.masking == Masking.WINDOW:
                with m.If((op == PeOp.LOWER) & ~beyond):
                    m.d.comb += hides.eq(1)
        return hides

    def pass_south(self, m: Module, word: Value) -> None:
        """Hand a word on to the south, a cycle later."""
        south = Signal.like(self.south, name="south_q", reset_less=True)
        m.d.sync += south.eq(word)
        m.d.comb += self.south.eq(south)

    def pass_east(self, m: Module) -> None:
        """Hand on what comes from the west, a cycle later, where someone takes it."""
        for name in ("west", "command"):
            if f"{name}_out" in self.signature.members:
                kept = Signal.like(getattr(self, name), name=f"{name}_q", reset_less=True)
                m.d.sync += kept.eq(getattr(self, name))
                m.d.comb += getattr(self, f"{name}_out").eq(kept)


class IntegerElement(ArrayElement):
    """An element for int8: executes one `PeOp` per cycle, as `command` says.

    What comes from the west and the north is used in the cycle in which it is there; it leaves a
    cycle later. An element holds a score for each of `accumulators` tiles, and one weight, on whose
    way it shares the multiplier and the adder. A score whose highest bits are 10 is masked.

    No register has a reset: a score begins with `fresh`, a weight with SUBTRACT.

    Members: command, west: a value of K or V in the lowest 8 bits, in mask slots the row's number,
    with SUBTRACT the shift of scores to exponents; north: a value of Q, a bound, a maximum, a sum
    (in), the lowest bits as many as it has; south: a sum with WEIGH and SUM, the greater of north
    and score with MAXIMUM, else what came from the north; command_out, west_out: what came from the
    west, but for the last column. All outputs are registers.
    """

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params.engine, Module()
        op, exp = self.command.op, ExponentialParams.of(p)
        total = Signal(signed(max(p.link_bits, exp.total_bits)))
        score = kept_score(m, self, total)
        top = self.north[: p.score_bits].as_signed()
        below = Signal(signed(p.score_bits + 1))
        sums = Signal()
        flows = Signal()
        m.d.comb += [
            below.eq(top - score),
            sums.eq(op == PeOp.SUM),
            flows.eq(sums | (op == PeOp.WEIGH)),
        ]
        m.submodules.exponential = weight = Exponential(exp)
        m.d.comb += [
            weight.step.eq(Cat(op == PeOp.SUBTRACT + step for step in range(exp.slots))),
            weight.distance.eq(below),
            weight.masked.eq(score[-1] & ~score[-2]),
            weight.shift.eq(self.west[:SHIFT_BITS]),
            weight.total.eq(total),
        ]

        query = self.north[: p.element_bits].as_signed()
        value = self.west[: p.element_bits].as_signed()
        factor = Mux(op == PeOp.SCORE, query, weight.multiplicand)
        other = Mux(weight.calculating, weight.multiplier, Mux(sums, 1, value))
        addend = Mux(flows, self.north, Mux(self.command.fresh, 0, score))
        product = Signal(signed(len(factor) + len(other)))
        m.d.comb += [
            product.eq(factor * other),
            total.eq(Mux(weight.calculating, weight.addend, addend) + product),
        ]

        passed = Mux((op == PeOp.MAXIMUM) & (below < 0), score, self.north)
        self.pass_south(m, Mux(flows, total, passed))
        self.pass_east(m)
        return m


def kept_score(m: Module, element: ArrayElement, total: Signal) -> Value:
    """The score that an element's command is for; with SCORE it takes `total`."""
    p, command = element.params.engine, element.command
    scores = [
        Signal(signed(p.score_bits), name=f"score_{tile}", reset_less=True)
        for tile in range(p.accumulators)
    ]
    scoring = Signal()
    m.d.comb += scoring.eq(command.op == PeOp.SCORE)
    hides = element.hidden(m)
    following = Signal(p.score_bits)
    m.d.comb += following.eq(Mux(scoring, total, least_score(p)))
    for tile, score in enumerate(scores):
        with m.If((scoring | hides) & (command.acc == tile if len(scores) > 1 else 1)):
            m.d.sync += score.eq(following)
    if len(scores) == 1:
        return scores[0]
    chosen = Signal(signed(p.score_bits), name="score")
    m.d.comb += chosen.eq(choose(scores, command.acc))
    return chosen
