"""Addition of floating point numbers."""

import enum
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib.wiring import In, Out

from designs.floats import FloatFormat
from hwgen.arith.float_parts import Fields, aligned, is_less, named, plus, saturated
from hwgen.arith.float_result import FloatResult, FloatResultParams
from hwgen.component import Component


class FloatAdderStyle(enum.IntEnum):
    """How the sum is formed.

    COMPACT: the operands are swapped so that the smaller one is shifted and subtracted from the
    larger one, which leaves no negative sum; three bits (guard, round, sticky) below the last place
    are enough (Goldberg; Muller et al., 7.3).
    WIDE: as in FPnew, whose units have the shape of a fused multiply-add: each operand has a
    shifter, both are twice the precision and two bits wide, the sum is negated where it is
    negative, and all of its leading zeros are counted. Equal in every bit. Source: Mach et al.,
    "FPnew: An Open-Source Multiformat Floating-Point Unit Architecture for Energy-Proportional
    Transprecision Computing", IEEE Trans. VLSI Systems, 2021.
    """

    COMPACT = 0
    WIDE = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class FloatAdderParams:
    """Format of the operands and the sum, and how that is formed."""

    format: FloatFormat
    style: FloatAdderStyle = FloatAdderStyle.COMPACT

    @property
    def label(self) -> str:
        """Part of a module's name, another one for each params."""
        return f"{self.format.label}_{self.style.name.lower()}"


@dataclass(frozen=True, slots=True, eq=False)
class Total:
    """A sum before it is rounded. room: how far it may be shifted left, see `FloatResult`."""

    sign: Value
    significand: Value
    room: Value
    is_nan: Value
    is_infinite: Value


class FloatAdder(Component):
    """`sum` is a + b, without state. The difference is that of b with its sign inverted.

    Members: `a`, `b`, `sum`: patterns of the format.
    """

    params: FloatAdderParams

    def __init__(self, params: FloatAdderParams) -> None:
        bits = params.format.bits
        super().__init__(params, {"a": In(bits), "b": In(bits), "sum": Out(bits)})

    @property
    def label(self) -> str:
        return f"float_adder_{self.params.label}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        number = self.params.format
        is_compact = self.params.style == FloatAdderStyle.COMPACT
        total = self.compact(m) if is_compact else self.wide(m)
        m.submodules.result = result = FloatResult(
            FloatResultParams(
                format=number,
                bits=len(total.significand),
                reach=number.precision + 1 if is_compact else 0,
                least_room=0,
                most_room=(1 << len(total.room)) - 1,
                idle_bits=2,
            )
        )
        m.d.comb += [
            result.sign.eq(total.sign),
            result.significand.eq(total.significand),
            result.room.eq(total.room),
            result.is_nan.eq(total.is_nan),
            result.is_infinite.eq(total.is_infinite),
            self.sum.eq(result.pattern),
        ]
        return m

    def compact(self, m: Module) -> Total:
        number = self.params.format
        swap = named(m, "swap", is_less(self.a[:-1], self.b[:-1]))
        large = Fields.of(number, named(m, "large", Mux(swap, self.b, self.a)))
        small = Fields.of(number, named(m, "small", Mux(swap, self.a, self.b)))
        differ = named(m, "differ", large.sign ^ small.sign)
        distance = named(m, "distance", (large.scale - small.scale)[: number.exponent_bits])
        amount = named(m, "amount", saturated(distance, (number.precision + 2).bit_length()))
        word = aligned(m, "small", Cat(Const(0, 3), small.significand), amount)
        # The larger one has nothing in the three low places.
        sticky, round_, guard = word[:3]
        low = Cat(sticky, round_ ^ (differ & sticky), guard ^ (differ & (round_ | sticky)))
        high = plus(
            large.significand,
            word[3:] ^ differ.replicate(number.precision),
            differ & ~word[:3].any(),
        )
        total = named(m, "total", Cat(low, high[:-1], high[-1] & ~differ))
        # NaN is larger than infinity, as patterns go, and that than all numbers.
        is_nan = large.is_nan | (large.is_infinite & small.is_infinite & differ)
        return Total(
            sign=large.sign & ~(differ & ~total.any()),
            significand=total,
            room=large.scale,
            is_nan=is_nan,
            is_infinite=large.is_infinite,
        )

    def wide(self, m: Module) -> Total:
        number = self.params.format
        a, b = Fields.of(number, self.a), Fields.of(number, self.b)
        bits = 2 * number.precision + 2
        differ = named(m, "differ", a.sign ^ b.sign)
        a_less_b = named(m, "a_less_b", a.scale - b.scale)
        b_less_a = named(m, "b_less_a", b.scale - a.scale)
        is_behind = a_less_b[-1]
        words = []
        for name, one, distance, moves in (
            ("a", a, b_less_a, is_behind),
            ("b", b, a_less_b, ~is_behind),
        ):
            distance = distance[:-1] & moves.replicate(number.exponent_bits)
            amount = named(m, f"{name}_amount", saturated(distance, bits.bit_length()))
            word = Cat(Const(0, bits - number.precision), one.significand)
            words.append(aligned(m, f"{name}_aligned", word, amount))
        # With a sign on top, and a bit for the carry below it.
        signed = plus(
            Cat(words[0], Const(0, 2)),
            Cat(words[1], Const(0, 2)) ^ differ.replicate(bits + 2),
            differ,
        )
        is_negative = named(m, "is_negative", signed[bits + 1])
        total = named(m, "total", Mux(is_negative, -signed, signed)[: bits + 1])
        scale = named(m, "scale", Mux(is_behind, b.scale, a.scale))
        zeros = named(m, "zeros", leading_zeros(total))
        shift = named(m, "shift", Mux(zeros > scale, scale, zeros)[: len(zeros)])
        return Total(
            sign=(a.sign ^ is_negative) & ~(differ & ~total.any()),
            significand=(total << shift)[: bits + 1],
            room=(scale - shift)[: number.exponent_bits],
            is_nan=a.is_nan | b.is_nan | (a.is_infinite & b.is_infinite & differ),
            is_infinite=a.is_infinite | b.is_infinite,
        )


def leading_zeros(word: Value) -> Value:
    """The zeros above the highest set bit, by halves; all ones if there is no such bit."""
    bits = (len(word) - 1).bit_length()
    return _leading_zeros(Cat(Const(0, (1 << bits) - len(word)), word))[1]


def _leading_zeros(word: Value) -> tuple[Value, Value]:
    """Whether a bit is set, and the zeros above it."""
    if len(word) == 1:
        return word[0], Const(0, 0)
    half = len(word) // 2
    (low_set, low), (high_set, high) = _leading_zeros(word[:half]), _leading_zeros(word[half:])
    return low_set | high_set, Cat(Mux(high_set, high, low), ~high_set)
