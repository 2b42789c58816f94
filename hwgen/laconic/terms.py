"""Terms: operands as signed powers of two, handed out one per lane and cycle."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.digits import Encoding
from hwgen.arith import DigitEncoder, DigitEncoderParams, is_nonzero
from hwgen.choose import lowest, place
from hwgen.component import Component, probed
from hwgen.laconic.interface import term_layout


@dataclass(frozen=True, kw_only=True, slots=True)
class TermsParams:
    """`lanes` operands of `bits` each; those that repeat can hand out their terms several times."""

    lanes: int
    bits: int
    encoding: Encoding
    repeats: bool


class Terms(Component):
    """Holds one operand per lane, and shows the next term of each.

    Operands are encoded as they enter, with `load`: nonzero digits are terms. `term` is, one step
    later, the lowest term that is left. `step` removes it; `restart` brings all terms back.

    enters: lanes that take their operand; the others have no terms. coming_some, coming_more: lanes
    whose operand, if it entered now, has a term, has more than one. rest_more: lanes that have more
    than one term left after the one that is shown next. A step is a clock edge with `advance` high.
    """

    reset_less = True
    params: TermsParams

    def __init__(self, params: TermsParams) -> None:
        lanes = params.lanes
        super().__init__(
            params,
            {
                "advance": In(1),
                "load": In(1),
                "enters": In(lanes),
                "operand": In(data.ArrayLayout(signed(params.bits), lanes)),
                "step": In(lanes),
                **({"restart": In(lanes)} if params.repeats else {}),
                "term": Out(data.ArrayLayout(term_layout(params.bits), lanes)),
                "coming_some": Out(lanes),
                "coming_more": Out(lanes),
                "rest_more": Out(lanes),
            },
        )
        self.events = {"pending": Signal(lanes)}

    @property
    def label(self) -> str:
        p = self.params
        return f"terms_{p.lanes}x{p.bits}" + ("_repeated" if p.repeats else "")

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        left = [self.lane(m, lane) for lane in range(self.params.lanes)]
        if probed(platform):
            m.d.comb += self.events["pending"].eq(Cat(terms.any() for terms in left))
        return m

    def lane(self, m: Module, lane: int) -> Value:
        """One operand: its digits, and which of its terms are left."""
        p = self.params
        encoder = DigitEncoder(DigitEncoderParams(encoding=p.encoding, bits=p.bits, signed=True))
        m.submodules[f"encoder_{lane}"] = encoder
        m.d.comb += encoder.i.eq(self.operand[lane])
        digits = [encoder.o[index] for index in range(encoder.params.count)]
        nonzero = Cat(is_nonzero(digit) for digit in digits)

        def register(name: str, bits: int) -> Signal:
            return Signal(bits, name=f"{name}_{lane}", reset_less=True)

        two, negative, left = (register(name, len(digits)) for name in ("two", "negative", "left"))
        first, rest = lowest(left)
        entering = Mux(self.enters[lane], nonzero, 0)
        with m.If(self.advance & self.load):
            m.d.sync += [
                left.eq(entering),
                two.eq(Cat(digit.two for digit in digits)),
                negative.eq(Cat(digit.neg for digit in digits)),
            ]
        with m.Elif(self.advance & self.step[lane]):
            m.d.sync += left.eq(rest)
        if p.repeats:
            terms = register("terms", len(digits))
            with m.If(self.advance & self.load):
                m.d.sync += terms.eq(entering)
            with m.Elif(self.advance & self.restart[lane]):
                m.d.sync += left.eq(terms)

        term = Signal(term_layout(p.bits), name=f"term_{lane}", reset_less=True)
        with m.If(self.advance):
            m.d.sync += [
                term.valid.eq(left.any()),
                term.negative.eq((first & negative).any()),
                term.exponent.eq(Cat((first & two).any(), place(first))),
            ]
        m.d.comb += [
            self.term[lane].eq(term),
            self.coming_some[lane].eq(self.enters[lane] & nonzero.any()),
            self.coming_more[lane].eq(self.enters[lane] & lowest(nonzero)[1].any()),
            self.rest_more[lane].eq(lowest(rest)[1].any()),
        ]
        return left
