"""Addresses of two loops, one inside the other."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class NestParams:
    """Addresses of `address_bits`, and up to `2**inner_bits` turns of the inner loop."""

    address_bits: int
    inner_bits: int


class Nest(Component):
    """base + outer + inner * stride, where `inner` runs from 0 to `last` for each `outer`.

    The outer loop has no end: it begins anew with `start`. Addresses wrap where they overflow.

    Members: start: at the first address; else step: at the next one. base, stride, last: stable
    while in use. at: the address; following: in a cycle with `start` or `step` the address of the
    next cycle, so that a memory can be read there at once. turns: the inner loop is at its last
    address.
    """

    params: NestParams

    @property
    def label(self) -> str:
        return f"nest_{self.params.address_bits}_{self.params.inner_bits}"

    def __init__(self, params: NestParams) -> None:
        p = params
        super().__init__(
            params,
            {
                "start": In(1),
                "step": In(1),
                "base": In(p.address_bits),
                "stride": In(p.address_bits),
                "last": In(p.inner_bits),
                "at": Out(p.address_bits),
                "following": Out(p.address_bits),
                "turns": Out(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        first = Signal(self.params.address_bits, reset_less=True)
        at = Signal(self.params.address_bits, reset_less=True)
        left = Signal(self.params.inner_bits, reset_less=True)
        begins = Signal()
        m.d.comb += [
            self.turns.eq(left == 0),
            begins.eq(self.start | self.turns),
            self.at.eq(at),
            self.following.eq(
                Mux(self.start, self.base, Mux(self.turns, first + 1, at + self.stride))
            ),
        ]
        with m.If(self.start | self.step):
            m.d.sync += [at.eq(self.following), left.eq(Mux(begins, self.last, left - 1))]
            with m.If(begins):
                m.d.sync += first.eq(self.following)
        return m
