"""The way of the running maximum: from a lane back to the top of its column."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.rules import clog2
from hwgen.attention.interface import ring_entries
from hwgen.buffers import DelayLineParams, delay_line
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.ring import ring_place


class ReturnPath(Component):
    """`return_registers` registers from a lane to the top; the last is one of a ring.

    A maximum is in the ring `return_registers` cycles after `valid`, as the next of its
    `ring_entries`, and stays there until as many have followed.

    Members: valid, lane: a maximum, in the cycle in which the lane has it; entry: which is asked
    for, where there are several; maximum: that one, in the same cycle.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        super().__init__(
            params,
            {
                "valid": In(1),
                "lane": In(params.score_bits),
                "entry": In(clog2(ring_entries(params))),
                "maximum": Out(params.score_bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        entries = ring_entries(p)
        valid, maximum = self.valid, self.lane
        if p.return_registers > 1:
            lines = {
                "valid": DelayLineParams(bits=1, depth=p.return_registers - 1, reset=True),
                "maximum": DelayLineParams(bits=p.score_bits, depth=p.return_registers - 1),
            }
            arrived = []
            for (name, line), entering in zip(lines.items(), (valid, maximum), strict=True):
                kind, line_params = delay_line(line)
                m.submodules[f"{name}_delay"] = delay = kind(line_params)
                m.d.comb += [delay.advance.eq(1), delay.i.eq(entering)]
                arrived.append(delay.o)
            valid, maximum = arrived
        ring = [
            Signal(p.score_bits, name=f"ring_{entry}", reset_less=True) for entry in range(entries)
        ]
        following = ring_place(m, "following", entries, valid)
        with m.If(valid):
            for entry, register in enumerate(ring):
                with m.If(following == entry):
                    m.d.sync += register.eq(maximum)
        m.d.comb += self.maximum.eq(choose(ring, self.entry))
        return m
