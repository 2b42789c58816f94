"""Reciprocals of denominators, digit by digit."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.rules import ceil_div, clog2
from hwgen.arith.float_parts import held, led
from hwgen.arith.float_recurrence import divided
from hwgen.choose import choose
from hwgen.component import Component

DIVISOR_BITS = 16
"""Bits of a denominator that count, from its leading one on."""

DIVIDEND_PLACE = 2 * DIVISOR_BITS - 1
"""Place of the one bit of the dividend: its quotient by a divisor is at least 2**15."""

QUOTIENT_BITS = DIVISOR_BITS + 1
"""Width of a quotient: 2**16 if only the highest bit of the divisor is set."""

BITS_PER_CYCLE = 2
"""Bits of a quotient that are made in each cycle."""

STEP_COUNT = ceil_div(QUOTIENT_BITS, BITS_PER_CYCLE)
"""Cycles of the recurrence."""

DIGIT_BITS = STEP_COUNT * BITS_PER_CYCLE
"""Bits that it makes, the first of which is zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReciprocalParams:
    """`bits` >= 16 of a denominator; `halves`: results that are kept, at least 1."""

    bits: int
    halves: int

    @property
    def layout(self) -> data.StructLayout:
        """A reciprocal: `quotient` is 2**31 // m, where m is the highest 16 bits of the
        denominator shifted left by `shift`, until its highest bit is set.
        """
        return data.StructLayout({"quotient": QUOTIENT_BITS, "shift": clog2(self.bits)})


def reciprocal_layout(params: AttentionParams) -> Any:
    """What a lane hands to its output: of integers see `ReciprocalParams`, else a float32."""
    if params.is_float:
        return params.numerator_bits
    return ReciprocalParams(bits=params.denominator_bits, halves=params.result_tiles).layout


def reciprocal_ports(params: AttentionParams) -> dict[str, Any]:
    """The ports of what makes reciprocals, see `Lane`."""
    layout = data.ArrayLayout(reciprocal_layout(params), params.result_tiles)
    return {"reciprocals": Out(layout), "done": Out(params.result_tiles)}


class Reciprocal(Component):
    """`reciprocals[half]` is that of `denominator`, STEP_COUNT + 2 cycles after `start`.

    A cycle to shift the denominator, then the restoring recurrence of `FloatDivider`. The next may
    start STEP_COUNT + 1 cycles after this one. Of zero there is no reciprocal: what then results is
    any number.

    Members: start, half, denominator (in); reciprocals: one for each half; done: bit h is low from
    two cycles after a start for half h until its reciprocal is there.
    """

    reset_less = True
    params: ReciprocalParams

    def __init__(self, params: ReciprocalParams) -> None:
        super().__init__(
            params,
            {
                "start": In(1),
                "half": In(clog2(params.halves)),
                "denominator": In(params.bits),
                "reciprocals": Out(data.ArrayLayout(params.layout, params.halves)),
                "done": Out(params.halves),
            },
        )

    @property
    def latencies(self) -> dict[str, int]:
        return {"start_to_reciprocal": STEP_COUNT + 2}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        aligns = Signal(reset_less=True)
        busy = Signal()
        half = held(m, "half_q", self.start, self.half)
        word = Signal(p.bits, reset_less=True)
        half_remainder = Signal(DIVISOR_BITS, reset_less=True)
        # A one above the bits of a quotient counts the steps: it is out when all are made.
        quotients = [
            Signal(QUOTIENT_BITS, name=f"quotient_{h}", reset_less=True) for h in range(p.halves)
        ]
        done = Signal(p.halves, reset_less=True)
        leading, zeros = led(m, "leading", word)
        divisor = word[-DIVISOR_BITS:]
        remainder = Cat(Const(0, 1), half_remainder)
        digits = Cat(choose(quotients, half), Const(0, BITS_PER_CYCLE))
        next_remainder, next_digits = divided(m, BITS_PER_CYCLE, remainder, divisor, digits)
        m.d.comb += [busy.eq(~choose(list(done), half)), self.done.eq(done)]
        m.d.sync += aligns.eq(self.start)
        with m.If(self.start):
            m.d.sync += word.eq(self.denominator)
        with m.Elif(aligns):
            m.d.sync += [
                divisor.eq(leading[-DIVISOR_BITS:]),
                half_remainder.eq(1 << (DIVIDEND_PLACE - DIGIT_BITS)),
            ]
        with m.Elif(busy):
            m.d.sync += half_remainder.eq(next_remainder[1:])
        for h in range(p.halves):
            with m.If(half == h):
                with m.If(aligns):
                    m.d.sync += [quotients[h].eq(1), done[h].eq(0)]
                with m.Elif(busy):
                    m.d.sync += [quotients[h].eq(next_digits), done[h].eq(next_digits[-1])]
            shift = held(m, f"shift_{h}", aligns & (half == h), zeros)
            m.d.comb += [
                self.reciprocals[h].quotient.eq(quotients[h]),
                self.reciprocals[h].shift.eq(shift),
            ]
        return m


@dataclass(frozen=True, slots=True, eq=False)
class Divided:
    """Where reciprocals go: ports of a host, see `Lane`, and what names of its parts end in."""

    params: AttentionParams
    reciprocals: Any
    done: Any
    suffix: str = ""


def divide_integers(
    m: Module, host: Divided, start: Value, half: Value, denominator: Value
) -> None:
    """Drive the reciprocals of a host, and say when they are done."""
    p = host.params
    params = ReciprocalParams(bits=p.denominator_bits, halves=p.result_tiles)
    reciprocal = Reciprocal(params)
    m.submodules[f"reciprocal{host.suffix}"] = reciprocal
    m.d.comb += [
        reciprocal.start.eq(start),
        reciprocal.half.eq(half),
        reciprocal.denominator.eq(denominator),
        host.reciprocals.eq(reciprocal.reciprocals),
        host.done.eq(reciprocal.done),
    ]
