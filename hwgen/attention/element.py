"""Elements: scores, weights, and products of weights with values, on one multiplier and adder."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from designs.attention.choices import SHIFT_BITS, Masking
from designs.attention.params import AttentionParams
from designs.attention.schedule import PeOp
from designs.rules import clog2
from hwgen.attention.exponential import Exponential, ExponentialParams
from hwgen.attention.interface import least_score, pe_command
from hwgen.choose import choose
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementParams:
    """An element of the array of `engine`; `has_east`: someone takes on what comes from west.

    words: of those that come, one for each group of columns from its own on; ends_group: the next
    element is of the next group, which takes all but the lowest.
    """

    engine: AttentionParams
    has_east: bool
    words: int = 1
    ends_group: bool = False

    @classmethod
    def of(cls, engine: AttentionParams, column: int) -> "ElementParams":
        """That of an element in a column."""
        group, place = divmod(column, engine.split_columns)
        return cls(
            engine=engine,
            has_east=column < engine.side - 1,
            words=engine.splits - group,
            ends_group=group < engine.splits - 1 and place == engine.split_columns - 1,
        )


def west_members(params: AttentionParams, words: int = 1) -> dict[str, Any]:
    """What passes along a row, to its shape: so many words, and a command."""
    return {"west": words * params.west_bits, "command": pe_command(params)}


class ArrayElement(Component):
    """What elements of every format share: their ports, and what they hand on. No reset.

    Members: see `IntegerElement`.
    """

    reset_less = True
    params: ElementParams

    def __init__(self, params: ElementParams) -> None:
        p = params.engine
        link = Shape(p.link_bits, signed=True)
        east = west_members(p, params.words - params.ends_group) if params.has_east else {}
        east = {f"{name}_out": Out(shape) for name, shape in east.items()}
        members = {name: In(shape) for name, shape in west_members(p, params.words).items()}
        super().__init__(params, {**members, "north": In(link), "south": Out(link), **east})

    @property
    def label(self) -> str:
        p = self.params
        if not p.has_east:
            return "pe_right"
        words = f"_{p.words}" if p.words > 1 else ""
        return f"pe{words}_end" if p.ends_group else f"pe{words}"

    def hidden(self, m: Module) -> Signal:
        """Whether the command masks the score: the row is at the bound, or not, as its op says."""
        p, op = self.params.engine, self.command.op
        hides = Signal()
        if p.masking != Masking.NONE:
            beyond = Signal()
            bound_bits = clog2(p.side + 1)
            number = self.west[: min(bound_bits, p.west_bits)]
            m.d.comb += [
                beyond.eq(number >= self.north[:bound_bits]),
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
        """Hand on what comes from the west, a cycle later, where someone takes it; without the word
        that nobody in the east is for."""
        for name in ("west", "command"):
            if f"{name}_out" in self.signature.members:
                going = getattr(self, name)
                if name == "west" and self.params.ends_group:
                    going = going[self.params.engine.west_bits :]
                kept = Signal.like(going, name=f"{name}_q", reset_less=True)
                m.d.sync += kept.eq(going)
                m.d.comb += getattr(self, f"{name}_out").eq(kept)


class IntegerElement(ArrayElement):
    """An element for int8: executes one `PeOp` per cycle, as `command` says.

    What comes from the west and the north is used in the cycle in which it is there; it leaves a
    cycle later. An element holds a score for each of `accumulators` tiles, and one weight, on whose
    way it shares the multiplier and the adder. A score whose highest bits are 10 is masked.

    No register has a reset: a score begins with `fresh`, a weight with SUBTRACT.

    Members: command, west: a value of K or V in the lowest 8 bits, in mask slots the row's number,
    with SUBTRACT the shift of scores to exponents, and above it the same for the groups of columns
    further east; north: a value of Q, a bound, a maximum, a sum
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
