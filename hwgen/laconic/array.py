"""Rows of elements: a row shares its terms of activations, a column those of weights."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hwgen.component import Component
from hwgen.gemm import c_layout
from hwgen.laconic.element import Element, ElementParams
from hwgen.laconic.interface import term_layout


class Row(Component):
    """`cols` elements with the same activations; `w`, `south` and `c` have one part per column.

    Other members, and all timing, as of one element.
    """

    params: ElementParams

    def __init__(self, params: ElementParams) -> None:
        p = params.engine
        w_terms = data.ArrayLayout(term_layout(p.w_bits), p.cols * p.lanes)
        super().__init__(
            params,
            {
                "advance": In(1),
                "update": In(1),
                "drain": In(1),
                "a": In(data.ArrayLayout(term_layout(p.a_bits), p.lanes)),
                "w": In(w_terms),
                **({"south": In(c_layout(p))} if params.has_south else {}),
                "c": Out(c_layout(p)),
            },
        )

    @property
    def label(self) -> str:
        return "row" if self.params.has_south else "row_bottom"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params.engine, Module()
        for col in range(p.cols):
            m.submodules[f"pe_{col}"] = pe = Element(self.params)
            m.d.comb += [
                pe.advance.eq(self.advance),
                pe.update.eq(self.update),
                pe.drain.eq(self.drain),
                pe.a.eq(self.a),
                pe.w.eq(self.w.as_value().word_select(col, pe.w.as_value().shape().width)),
                self.c[col].eq(pe.c),
            ]
            if self.params.has_south:
                m.d.comb += pe.south.eq(self.south[col])
        return m
