"""A skid buffer: cuts the path from the consumer's ready to the producer's."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class SkidParams:
    """`bits` of payload."""

    bits: int


class Skid(Component):
    """`o` is `i` with a registered `i.ready`.

    Latency 0, one transfer per cycle. A transfer that `o` refuses is kept, and `i.ready` stays low
    until it has left. Members: `i`, `o`: streams of `bits`.
    """

    params: SkidParams

    def __init__(self, params: SkidParams) -> None:
        payload = stream.Signature(params.bits)
        super().__init__(params, {"i": In(payload), "o": Out(payload)})

    @property
    def label(self) -> str:
        return f"skid_{self.params.bits}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        full = Signal()
        kept = Signal(self.params.bits, reset_less=True)
        m.d.comb += [
            self.i.ready.eq(~full),
            self.o.valid.eq(full | self.i.valid),
            self.o.payload.eq(Mux(full, kept, self.i.payload)),
        ]
        m.d.sync += full.eq(self.o.valid & ~self.o.ready)
        with m.If(~full):
            m.d.sync += kept.eq(self.i.payload)
        return m
