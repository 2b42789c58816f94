"""Room for results: how many parts of the staging memories are in use, and where jobs end."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class StagingParams:
    """`tiles` >= 1 for whose results there is room."""

    tiles: int


class Staging(Component):
    """Counts the query tiles whose results wait, `tiles` at most, and knows which ends a job.

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
        count, m = self.params.tiles, Module()
        used = Signal(count)  # one bit each, the oldest lowest
        ends = Signal(count, reset_less=True)
        left = Signal(count)
        left_ends = Signal(count)
        entered: Value = self.is_final
        for place in reversed(range(count - 1)):
            entered = Mux(left[place], Cat(left_ends[place], entered), self.is_final)
        m.d.comb += [
            self.is_empty.eq(~used[0]),
            self.is_free.eq(~used[-1]),
            self.ended.eq(self.freed & ends[0]),
            left.eq(Mux(self.freed, used[1:], used)),
            left_ends.eq(Mux(self.freed, ends[1:], ends)),
        ]
        m.d.sync += [used.eq(left), ends.eq(left_ends)]
        with m.If(self.reserve):
            m.d.sync += [
                used.eq(Cat(1, left[:-1])),
                ends.eq(entered),
            ]
        return m
