"""The codes that a core takes step by step, over and over, once for each tile."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class WalkParams:
    """Addresses of `address_bits`, up to `2**k_bits - 1` codes, at most `step_k` in a step."""

    address_bits: int
    k_bits: int
    step_k: int


class CodeWalk(Component):
    """Reads the words of `k` codes from an address on, and then the same again, without end.

    The first word is there a cycle after `start`, the next a cycle after `take`. `left` says how
    many of the k codes the word at hand begins, so that those past the last can be masked.

    Members: start; base, k, size: first address, codes, and codes in a word; stable while in use;
    take; read_enable, read_address; left.
    """

    params: WalkParams

    @property
    def label(self) -> str:
        p = self.params
        return f"code_walk_{p.address_bits}_{p.k_bits}_{p.step_k}"

    def __init__(self, params: WalkParams) -> None:
        p = params
        super().__init__(
            params,
            {
                "start": In(1),
                "base": In(p.address_bits),
                "k": In(p.k_bits),
                "size": In(range(p.step_k + 1)),
                "take": In(1),
                "read_enable": Out(1),
                "read_address": Out(p.address_bits),
                "left": Out(p.k_bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        at = Signal(self.params.address_bits, reset_less=True)
        left = Signal(self.params.k_bits, reset_less=True)
        again = Signal()
        m.d.comb += [
            again.eq(self.start | (left <= self.size)),
            self.read_enable.eq(self.start | self.take),
            self.read_address.eq(Mux(again, self.base, at + 1)),
            self.left.eq(left),
        ]
        with m.If(self.read_enable):
            m.d.sync += [at.eq(self.read_address), left.eq(Mux(again, self.k, left - self.size))]
        return m
