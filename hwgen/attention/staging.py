"""Room for results: which halves of the staging memories are in use, and where jobs end."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class StagingParams:
    """Nothing to choose."""


class Staging(Component):
    """Counts the query tiles whose results wait, two at most, and knows which of them ends a job.

    Members: is_empty: none waits; is_free: there is room for one more; reserve: it is taken,
    is_final: by the last one of a job; freed: the oldest has left; ended: and it was the last of
    its job, in the same cycle.
    """

    params: StagingParams

    def __init__(self, params: StagingParams) -> None:
        inputs, outputs = ("reserve", "is_final", "freed"), ("is_empty", "is_free", "ended")
        super().__init__(
            params, {name: In(1) for name in inputs} | {name: Out(1) for name in outputs}
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        used = Signal(2)  # one bit each, the oldest lowest
        ends = Signal(2, reset_less=True)
        left = Signal(2)
        left_ends = Signal(2)
        m.d.comb += [
            self.is_empty.eq(~used[0]),
            self.is_free.eq(~used[1]),
            self.ended.eq(self.freed & ends[0]),
            left.eq(Mux(self.freed, used[1], used)),
            left_ends.eq(Mux(self.freed, ends[1], ends)),
        ]
        m.d.sync += [used.eq(left), ends.eq(left_ends)]
        with m.If(self.reserve):
            m.d.sync += [
                used.eq(Cat(1, left[0])),
                ends.eq(Mux(left[0], Cat(left_ends[0], self.is_final), self.is_final)),
            ]
        return m
