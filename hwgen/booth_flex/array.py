"""Columns side by side: they share their activations."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.booth_flex import BoothFlexParams
from hwgen.booth_flex.column import Column, controls
from hwgen.component import Component


class Array(Component):
    """`cols` columns. Of a whole weight's digits each takes the activation of the first.

    Members: as of a column, with the weights of all columns, lowest first, and all their sums.
    """

    params: BoothFlexParams
    reset_less = True

    def __init__(self, params: BoothFlexParams) -> None:
        p = params
        super().__init__(
            params,
            {
                **{name: In(1) for name in ("step", "first", *controls(p))},
                "a": In(data.ArrayLayout(signed(p.a_bits), p.a_lanes)),
                "w": In(data.ArrayLayout(p.w_lane_bits, p.cols * p.elements)),
                "c": Out(data.ArrayLayout(p.acc_bits, p.cols)),
            },
        )

    @property
    def label(self) -> str:
        return "flexible_array"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        lanes = Signal(self.a.shape())
        for lane in range(p.a_lanes):
            first = lane - lane % p.digits_per_step
            is_first = lane == first
            chosen = self.a[lane] if is_first else Mux(self.narrow, self.a[lane], self.a[first])
            m.d.comb += lanes[lane].eq(chosen)
        weights = self.w.as_value()
        for index in range(p.cols):
            m.submodules[f"column_{index}"] = column = Column(p)
            m.d.comb += [
                column.a.eq(lanes),
                column.w.eq(weights.word_select(index, p.elements * p.w_lane_bits)),
                self.c[index].eq(column.c),
                *(
                    getattr(column, name).eq(getattr(self, name))
                    for name in ("step", "first", *controls(p))
                ),
            ]
        return m
