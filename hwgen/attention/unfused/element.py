"""Elements of the three-pass engine, and the array of them."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, signed

from designs.attention.schedule import PeOp
from hwgen.attention.array import Array
from hwgen.attention.element import ArrayElement
from hwgen.attention.interface import least_score
from hwgen.attention.mantissa import FACTOR_BITS
from hwgen.attention.row import Row
from hwgen.structure import Parts


class UnfusedElement(ArrayElement):
    """An element that multiplies, and keeps a score or a weight: executes one `PeOp` per cycle.

    Exponentials are not computed here, and no maximum is taken: their ops do nothing. What comes
    from the west and the north is used in the cycle in which it is there; it leaves a cycle later.
    One register holds the score, and from LOAD on the weight. It has no reset.

    Members: as of `IntegerElement`.
    """

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params.engine, Module()
        op, north = self.command.op, self.north
        kept = Signal(signed(p.score_bits), reset_less=True)
        total = Signal(signed(p.link_bits))
        scoring = Signal()
        weighing = Signal()
        chosen = self.west[0]
        m.d.comb += [scoring.eq(op == PeOp.SCORE), weighing.eq(op == PeOp.WEIGH)]
        hides = self.hidden(m)
        with m.If(scoring):
            m.d.sync += kept.eq(total)
        with m.Elif(hides):
            m.d.sync += kept.eq(least_score(p))
        with m.Elif((op == PeOp.LOAD) & chosen):
            m.d.sync += kept.eq(north[:FACTOR_BITS].as_signed())

        query = north[: p.element_bits].as_signed()
        value = self.west[: p.element_bits].as_signed()
        factor = Mux(weighing, kept[:FACTOR_BITS].as_signed(), query)
        addend = Mux(weighing, north, Mux(self.command.fresh, 0, kept))
        product = Signal(signed(FACTOR_BITS + p.element_bits))
        m.d.comb += [product.eq(factor * value), total.eq(addend + product)]
        drained = Mux((op == PeOp.DRAIN) & chosen, kept, north)
        self.pass_south(m, Mux(weighing, total, drained))
        self.pass_east(m)
        return m


class UnfusedRow(Row):
    """`side` elements in a row, see `UnfusedElement`."""

    def parts(self) -> Parts:
        return {name: (UnfusedElement, params) for name, (_, params) in super().parts().items()}


class UnfusedArray(Array):
    """`side` x `side` elements, see `UnfusedElement`."""

    def parts(self) -> Parts:
        return {name: (UnfusedRow, params) for name, (_, params) in super().parts().items()}
