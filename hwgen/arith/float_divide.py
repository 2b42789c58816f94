"""Division of floating point numbers, digit by digit."""

from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.arith.float_parts import Fields, held, leading
from hwgen.arith.float_recurrence import RecurrenceParams, divided
from hwgen.arith.float_result import FloatResult, FloatResultParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatDividerParams(RecurrenceParams):
    """The format, and how many bits of the quotient a cycle makes: one or more.

    The recurrence makes one bit before the point, and one to round by. A quotient of significands
    is more than a half, so that its first bit may be zero.

    reciprocal: the dividend is 1.
    """

    extra_bits: ClassVar[int] = 2

    reciprocal: bool = False

    @property
    def result(self) -> FloatResultParams:
        number = self.format
        highest = (1 << number.exponent_bits) - 1
        least = 1 - (number.mantissa_bits if number.subnormals else 0)
        return FloatResultParams(
            format=number,
            bits=self.digit_bits + 1,
            reach=1,
            least_room=least - highest + number.bias - 1,
            most_room=highest - least + number.bias - 1,
        )


class FloatDivider(Component):
    """`quotient` is a / b, `step_count` + 1 cycles after `start`.

    Restoring recurrence: the divisor is taken off the remainder where it fits, which is a bit of
    the quotient, and the remainder doubles. What remains in the end is sticky. Algorithm: Muller et
    al., 7.6; Ercegovac and Lang, "Division and Square Root", 1994.

    Members: `start`: takes `a` and `b`, whatever is under way; `done`: nothing is under way;
    `quotient`: of the last start, while done. Of a reciprocal `a` is 1, and no port.
    """

    params: FloatDividerParams

    def __init__(self, params: FloatDividerParams) -> None:
        bits = params.format.bits
        dividend = {} if params.reciprocal else {"a": In(bits)}
        super().__init__(
            params,
            {"start": In(1), **dividend, "b": In(bits)} | {"done": Out(1), "quotient": Out(bits)},
        )

    @property
    def latencies(self) -> dict[str, int]:
        return {"start_to_quotient": self.params.latency_cycles}

    @property
    def label(self) -> str:
        name = "reciprocal" if self.params.reciprocal else "divider"
        return f"float_{name}_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        p = self.params
        one = Const(p.format.one, p.format.bits)
        a = Fields.of(p.format, one if p.reciprocal else self.a)
        b = Fields.of(p.format, self.b)
        (a_word, a_scale), (b_word, b_scale) = leading(m, "a", a), leading(m, "b", b)
        dividend = Mux(b.is_infinite, 0, a_word)
        is_nan = (a.is_nan | b.is_nan) | (a.is_zero & b.is_zero) | (a.is_infinite & b.is_infinite)
        divisor = held(m, "divisor", self.start, b_word)
        # The lowest bit of a doubled remainder is low; that of 1 is too.
        low = 1 if p.reciprocal else 0
        kept = Signal(len(dividend) + 1 - low, name="remainder", reset_less=True)
        remainder = Cat(Const(0, low), kept)
        # A one above the bits of the quotient counts the steps: it is on top when all are made.
        digits = Signal(p.digit_bits + 1, init=1 << p.digit_bits)
        next_remainder, next_digits = divided(m, p.bits_per_cycle, remainder, divisor, digits)
        with m.If(self.start):
            m.d.sync += [kept.eq(dividend[low:]), digits.eq(1)]
        with m.Elif(~self.done):
            m.d.sync += [kept.eq(next_remainder[low:]), digits.eq(next_digits)]
        m.submodules.result = result = FloatResult(p.result)
        room = a_scale - b_scale + (p.format.bias - 1)
        m.d.comb += [
            result.sign.eq(held(m, "sign", self.start, a.sign ^ b.sign)),
            result.significand.eq(Cat(remainder.any(), digits[:-1])),
            result.room.eq(held(m, "room", self.start, room[: len(result.room)])),
            result.is_nan.eq(held(m, "is_nan", self.start, is_nan)),
            result.is_infinite.eq(held(m, "is_infinite", self.start, a.is_infinite | b.is_zero)),
            self.done.eq(digits[-1]),
            self.quotient.eq(result.pattern),
        ]
        return m
