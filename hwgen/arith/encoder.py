"""From an operand to its radix-4 digits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.digits import Encoding, digit_count
from hwgen.arith.digit import digit_array
from hwgen.component import Component

Digit = dict[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitEncoderParams:
    """The operand's width in bits, at least 2, and which of its digit strings is wanted."""

    encoding: Encoding
    bits: int
    signed: bool

    @property
    def count(self) -> int:
        """Digits of the operand."""
        return digit_count(self.bits, self.signed)


class DigitEncoder(Component):
    """The digits that `designs.digits.encode` gives, without state.

    Each digit of BOOTH depends on three bits; those of ENT and NAF wait for a carry, which passes
    one gate per digit and per bit.

    Members: `i`: the operand; `o`: its digits, least significant first.
    """

    params: DigitEncoderParams
    inline = True

    def __init__(self, params: DigitEncoderParams) -> None:
        operand = Shape(params.bits, signed=params.signed)
        super().__init__(params, {"i": In(operand), "o": Out(digit_array(params.count))})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        p = self.params
        # One bit more than the digits take: the next one decides about a run of ones.
        extended = Signal(2 * p.count + 1)
        m.d.comb += extended.eq(self.i)
        sign = self.i[-1] if p.signed else Const(0, 1)
        for k, digit in enumerate(ENCODINGS[p.encoding](m, extended, sign)):
            m.d.comb += [self.o[k][name].eq(value) for name, value in digit.items()]
        return m


def booth(m: Module, bits: Signal, sign: Value) -> list[Digit]:
    """Each digit from a pair of bits and the bit below the pair."""
    digits = []
    for at in range(0, len(bits) - 1, 2):
        low, high = bits[at], bits[at + 1]
        below = bits[at - 1] if at > 0 else Const(0, 1)
        one = low ^ below
        digits.append(
            {"one": one, "two": (high ^ low) & ~one, "neg": high & ~(low & below)},
        )
    return digits


def ent(m: Module, bits: Signal, sign: Value) -> list[Digit]:
    """Pairs of bits of the magnitude, each with the carry of the pair below.

    The magnitude of a negative operand is its complement and one. That one is the first carry:
    no pair has both a carry of the increment and one of the encoding.
    """
    digits = []
    magnitude = Signal(len(bits))
    m.d.comb += magnitude.eq(bits ^ sign.replicate(len(bits)))
    carry = sign
    for at in range(0, len(bits) - 1, 2):
        low, high = magnitude[at], magnitude[at + 1]
        one = low ^ carry
        two = (high ^ low) & ~one
        digits.append({"one": one, "two": two, "neg": (one & (high ^ sign)) | (two & sign)})
        following = Signal(name=f"carry_{at + 2}")
        m.d.comb += following.eq(high & (low | carry))
        carry = following
    return digits


def naf(m: Module, bits: Signal, sign: Value) -> list[Digit]:
    """Pairs of binary digits: of two neighbours one at most is nonzero."""
    nonzero, negative = Signal(len(bits) - 1), Signal(len(bits) - 1)
    carry: Value = Const(0, 1)
    for at in range(len(bits) - 1):
        m.d.comb += nonzero[at].eq(bits[at] ^ carry)
        following = Signal(name=f"carry_{at + 1}")
        m.d.comb += following.eq((bits[at] & carry) | (nonzero[at] & bits[at + 1]))
        carry = following
    m.d.comb += negative.eq(nonzero & bits[1:])
    return [
        {"one": nonzero[at], "two": nonzero[at + 1], "neg": Cat(negative[at : at + 2]).any()}
        for at in range(0, len(bits) - 1, 2)
    ]


ENCODINGS: dict[Encoding, Callable[[Module, Signal, Value], list[Digit]]] = {
    Encoding.BOOTH: booth,
    Encoding.ENT: ent,
    Encoding.NAF: naf,
}
"""Encoding to the function that forms its digits.

It takes the operand's bits, extended by at least one, and its sign.
"""
