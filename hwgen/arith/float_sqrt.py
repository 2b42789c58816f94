"""Square roots of floating point numbers, digit by digit."""

from dataclasses import dataclass
from typing import Any, ClassVar

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.arith.float_parts import Fields, held, leading, named
from hwgen.arith.float_recurrence import RecurrenceParams
from hwgen.arith.float_result import FloatResult, FloatResultParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatSquareRootParams(RecurrenceParams):
    """The format, and how many bits of the root a cycle makes: one or more.

    The recurrence makes one bit more than the precision, to round by; the first is before the point
    and set.
    """

    extra_bits: ClassVar[int] = 1

    @property
    def result(self) -> FloatResultParams:
        """Half the exponent: its field is half the sum of field and bias, which is odd."""
        number = self.format
        least = 1 - (number.mantissa_bits if number.subnormals else 0)
        return FloatResultParams(
            format=number,
            bits=self.digit_bits + 1,
            reach=0,
            least_room=(least + number.bias) // 2 - 1,
            most_room=((1 << number.exponent_bits) - 1 + number.bias) // 2 - 1,
        )


class FloatSquareRoot(Component):
    """`root` is the square root of a, `step_count` + 1 cycles after `start`.

    Restoring recurrence, as by hand: two bits of the radicand come down to the remainder; four
    times the root, and one, is taken off where it fits, which is a bit of the root. What remains in
    the end is sticky. Algorithm: Muller et al., 7.7; Ercegovac and Lang, "Division and Square
    Root", 1994. The root of -0 is -0, that of any other number below zero is NaN.

    Members: `start`: takes `a`, whatever is under way; `done`: nothing is under way; `root`: of the
    last start, while done.
    """

    params: FloatSquareRootParams

    def __init__(self, params: FloatSquareRootParams) -> None:
        bits = params.format.bits
        super().__init__(params, {"start": In(1), "a": In(bits), "done": Out(1), "root": Out(bits)})

    @property
    def latencies(self) -> dict[str, int]:
        return {"start_to_root": self.params.latency_cycles}

    @property
    def label(self) -> str:
        return f"float_square_root_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        p = self.params
        a = Fields.of(p.format, self.a)
        word, scale = leading(m, "a", a)
        left = Signal(range(p.step_count + 1))
        radicand = Signal(len(word) + 1, reset_less=True)
        root = Signal(p.digit_bits, reset_less=True)
        remainder = Signal(p.digit_bits + 1, reset_less=True)  # at most twice the root
        next_radicand, next_root, next_remainder = self.step(m, radicand, root, remainder)
        with m.If(self.start):
            # The bias is odd, so that an even field is an odd exponent.
            m.d.sync += radicand.eq(Mux(scale[0], word, word << 1))
            m.d.sync += [root.eq(0), remainder.eq(0), left.eq(p.step_count)]
        with m.Elif(~self.done):
            m.d.sync += [radicand.eq(next_radicand), root.eq(next_root)]
            m.d.sync += [remainder.eq(next_remainder), left.eq(left - 1)]
        m.submodules.result = result = FloatResult(p.result)
        room = ((scale + p.format.bias) >> 1) - 1
        m.d.comb += [
            result.sign.eq(held(m, "sign", self.start, a.sign)),
            result.significand.eq(Cat(remainder.any(), root)),
            result.room.eq(held(m, "room", self.start, room[: len(result.room)])),
            result.is_nan.eq(held(m, "is_nan", self.start, a.is_nan | (a.sign & ~a.is_zero))),
            result.is_infinite.eq(held(m, "is_infinite", self.start, a.is_infinite)),
            self.done.eq(left == 0),
            self.root.eq(result.pattern),
        ]
        return m

    def step(
        self, m: Module, radicand: Value, root: Value, remainder: Value
    ) -> tuple[Value, Value, Value]:
        """Radicand, root and remainder a cycle later."""
        for place in range(self.params.bits_per_cycle):
            down = Cat(radicand[-2:], remainder)
            rest = named(m, f"rest_{place}", down - Cat(Const(1, 2), root))
            remainder = named(m, f"remainder_{place}", Mux(rest[-1], down, rest)[: len(remainder)])
            root = Cat(~rest[-1], root)[: len(root)]
            radicand = Cat(Const(0, 2), radicand)[: len(radicand)]
        return radicand, root, remainder
