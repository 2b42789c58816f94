"""Columns of the three-pass engine: what enters one from the top, and what leaves it below."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from designs.attention.choices import OUTPUT_FRACTION_BITS, WEIGHT_FRACTION_BITS, Masking
from designs.attention.schedule import PeOp
from designs.attention.unfused import UnfusedParams
from designs.rules import clog2
from hwgen.arith.float_parts import held
from hwgen.attention.bank import memory, write_layout
from hwgen.attention.exponential import Exponential, ExponentialParams
from hwgen.attention.interface import bound_bits
from hwgen.attention.lane import Access, state
from hwgen.attention.mantissa import FACTOR_BITS
from hwgen.attention.output import RATIO_BITS, clipped
from hwgen.attention.reciprocal import (
    DIVISOR_BITS,
    QUOTIENT_BITS,
    Reciprocal,
    ReciprocalParams,
)
from hwgen.attention.unfused.interface import (
    back_command,
    back_words,
    front_command,
    query_words,
)
from hwgen.component import Component

QUOTIENT_PLACE = 2 * DIVISOR_BITS - 1 - WEIGHT_FRACTION_BITS
"""Bits that are dropped of a numerator times a quotient."""

DROPPED_BITS = WEIGHT_FRACTION_BITS - OUTPUT_FRACTION_BITS
"""Fraction bits of a sum of products beyond those of an output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneParams:
    """A lane of `engine`; `has_next`: its commands go on to another one."""

    engine: UnfusedParams
    has_next: bool


class UnfusedLane(Component):
    """A lane and the top of its column: executes a command for each in every cycle.

    With the maximum GM of a query's scores, SN is 2**-x of the distance of a score to it, SD the
    sum of all SN. A row that comes back is a score, or SN, of which A = SN / SD is made, with 15
    fraction bits and the leading one of SD as its unit: A is at most 1, however many keys there
    are. Sums of A V over all tiles are kept, and shifted by that unit as outputs. Exponentials and
    A have one multiplier and one adder in common.

    A command comes a cycle before it is executed, for what it asks of memories.

    Members: front, back; queries, rows: see `write_layout`: a value of Q, a row that comes back;
    position: of the column; sum: what leaves the column below (in); north: for its first element;
    front_out, back_out: the commands that are executed; done: SD has a reciprocal. read_enable,
    read_address (in), row: a result, a cycle later.
    """

    params: LaneParams

    def __init__(self, params: LaneParams) -> None:
        self.unfused = engine = params.engine
        self.sizes = p = engine.engine
        front, back, link = front_command(engine), back_command(engine), signed(p.link_bits)
        super().__init__(
            params,
            {
                "front": In(front),
                "back": In(back),
                "queries": In(write_layout(query_words(engine), p.element_bits)),
                "rows": In(write_layout(back_words(engine), p.score_bits)),
                "position": In(clog2(p.side)),
                "sum": In(link),
                "north": Out(link),
                "front_out": Out(front),
                "back_out": Out(back),
                "done": Out(1),
                "read_enable": In(1),
                "read_address": In(clog2(engine.row_slots)),
                "row": Out(p.score_bits),
            },
        )

    @property
    def label(self) -> str:
        return "lane" if self.params.has_next else "lane_last"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.sizes, Module()
        self.executed(m, "front", ("op", "store"))
        self.executed(m, "back", ("drains", "weighs", "store"))
        front = self.front_out
        queries = memory(m, "query_memory", query_words(self.unfused), self.queries)
        rows = memory(m, "row_memory", back_words(self.unfused), self.rows)
        coming = self.front.op
        m.d.comb += [
            queries.read_enable.eq(coming == PeOp.SCORE),
            queries.read_address.eq(self.front.address),
            rows.read_enable.eq((coming == PeOp.SUBTRACT) | (coming == PeOp.LOAD)),
            rows.read_address.eq(self.front.address),
        ]
        returned = rows.read_data
        m.submodules.reciprocal = reciprocal = Reciprocal(
            ReciprocalParams(bits=p.denominator_bits, halves=1)
        )
        inverse = reciprocal.reciprocals[0]
        weight, share = self.shares(m, returned, inverse.quotient)
        below = self.distance(m, returned)
        m.d.comb += [weight.distance.eq(below), self.done.eq(reciprocal.done)]
        denominator = Signal(p.denominator_bits)
        total = held(m, "denominator_q", front.store, denominator)
        m.d.comb += [
            denominator.eq(Mux(front.first, 0, total) + weight.weight),
            reciprocal.start.eq(front.store & front.last),
            reciprocal.denominator.eq(denominator),
        ]
        self.results(m, weight.weight, self.result(m, inverse.shift))
        with m.Switch(front.op):
            with m.Case(PeOp.SCORE):
                m.d.comb += self.north.eq(queries.read_data.as_signed())
            with m.Case(PeOp.LOAD):
                m.d.comb += self.north.eq(share)
            if p.masking != Masking.NONE:
                with m.Case(PeOp.UPPER, PeOp.LOWER):
                    m.d.comb += self.north.eq(self.bound(m))
        return m

    def executed(self, m: Module, name: str, resets: tuple[str, ...]) -> None:
        """Keep a command, but for what neither this lane uses nor a next one."""
        command, executed = getattr(self, name), getattr(self, f"{name}_out")
        for field, _ in command.shape():
            bits = len(Value.cast(command[field]))
            if field == "address" and not self.params.has_next:
                bits = 0 if self.sizes.masking == Masking.NONE else bound_bits(self.sizes)
            register = Signal(bits, name=f"{name}_{field}", reset_less=field not in resets)
            m.d.sync += register.eq(command[field])
            m.d.comb += Value.cast(executed[field]).eq(register)

    def distance(self, m: Module, returned: Value) -> Value:
        """From the score that came back up to GM, which a score that leaves may raise."""
        bits, back = self.sizes.score_bits, self.back_out
        score = self.sum[:bits]
        maximum = Signal(signed(bits), reset_less=True)
        below = Signal(signed(bits + 1))
        compared = Mux(back.drains, score, returned).as_signed()
        m.d.comb += below.eq(maximum - compared)
        with m.If(back.drains & (back.first | below[-1])):
            m.d.sync += maximum.eq(score)
        return below

    def shares(self, m: Module, returned: Value, quotient: Value) -> tuple[Exponential, Value]:
        """SN of the score that came back, and A of the SN that did, on one multiplier."""
        front, params = self.front_out, ExponentialParams.of(self.sizes)
        m.submodules.exponential = weight = Exponential(params)
        product = Signal(signed(FACTOR_BITS + QUOTIENT_BITS))
        total = Signal(signed(FACTOR_BITS + QUOTIENT_BITS))
        numerator = returned[: FACTOR_BITS - 1]
        factor = Mux(weight.calculating, weight.multiplicand, numerator)
        other = Mux(weight.calculating, weight.multiplier, quotient)
        half = 1 << (QUOTIENT_PLACE - 1)
        m.d.comb += [
            weight.step.eq(Cat(front.op == PeOp.SUBTRACT + step for step in range(params.slots))),
            weight.masked.eq(returned[-1] & ~returned[-2]),
            weight.shift.eq(front.shift),
            weight.total.eq(total),
            product.eq(factor * other),
            total.eq(product + Mux(weight.calculating, weight.addend, half)),
        ]
        return weight, total[QUOTIENT_PLACE : QUOTIENT_PLACE + FACTOR_BITS - 1]

    def result(self, m: Module, shift: Value) -> Value:
        """The score that left a cycle ago, or the output whose last product did."""
        p, back = self.sizes, self.back_out
        total = Signal(signed(p.numerator_bits))
        left = Signal(max(p.score_bits, RATIO_BITS), reset_less=True)
        before = state(
            m,
            "totals",
            p.f,
            Access(
                self.back.weighs & ~self.back.first,
                self.back.index,
                back.weighs,
                back.index,
                total,
            ),
        )
        ratio = Signal(signed(RATIO_BITS))
        rounded = Signal(signed(RATIO_BITS - DROPPED_BITS + 1))
        m.d.comb += [
            total.eq(Mux(back.first, 0, before.as_signed()) + self.sum[: p.psum_bits].as_signed()),
            ratio.eq((total << shift) >> (p.denominator_bits - DIVISOR_BITS)),
            rounded.eq((left[:RATIO_BITS].as_signed() + (1 << DROPPED_BITS - 1)) >> DROPPED_BITS),
        ]
        m.d.sync += left.eq(Mux(back.drains, self.sum[: p.score_bits], ratio))
        return Mux(back.is_output, clipped(rounded, p.out_bits), left[: p.score_bits])

    def results(self, m: Module, numerator: Value, result: Value) -> None:
        """The memory of rows on their way out."""
        p, front, back = self.unfused, self.front_out, self.back_out
        row = state(
            m,
            "results",
            p.row_slots,
            Access(
                self.read_enable,
                self.read_address,
                front.store | back.store,
                Mux(front.store, front.place, back.place),
                Mux(front.store, numerator, result),
            ),
        )
        m.d.comb += self.row.eq(row)

    def bound(self, m: Module) -> Value:
        """The bound of this column, 0 to side."""
        p, front = self.sizes, self.front_out
        bound = Signal(signed(bound_bits(p) + 1))
        base = front.address[: bound_bits(p)].as_signed()
        if p.side > 1:
            m.d.comb += bound.eq(base + Mux(front.diagonal, self.position, 0))
        else:
            m.d.comb += bound.eq(base)
        return Mux(bound < 0, 0, Mux(bound > p.side, p.side, bound))
