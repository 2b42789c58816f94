"""The west edge of the three-pass engine: operands as they come, row by row a cycle later."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.choices import Masking
from designs.attention.schedule import PeOp
from designs.attention.unfused import UnfusedParams
from hwgen.attention.interface import pe_command, values_layout
from hwgen.buffers import Skew, SkewParams
from hwgen.component import Component

LEAD_CYCLES = 2
"""From a slot to the first row, which columns take to read their memories."""


class UnfusedWest(Component):
    """What row i is given, i + 2 cycles after the slot.

    Members: command: of the slot; index: of the row that leaves, or is loaded; k, v: operands (in);
    commands, west: per row: the command, and a value of K with SCORE, of V with WEIGH, the row's
    number with UPPER and LOWER, whether it is the one with DRAIN and LOAD.
    """

    reset_less = True
    params: UnfusedParams

    def __init__(self, params: UnfusedParams) -> None:
        p = params.engine
        super().__init__(
            params,
            {
                "command": In(pe_command(p)),
                "index": In(range(max(p.e, p.f, p.side))),
                "k": In(values_layout(p, p.side)),
                "v": In(values_layout(p, p.side)),
                "commands": Out(data.ArrayLayout(pe_command(p), p.side)),
                "west": Out(data.ArrayLayout(p.west_bits, p.side)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params.engine, Module()
        skew = Skew(SkewParams(bits=p.west_bits, first=LEAD_CYCLES, last=LEAD_CYCLES + p.side - 1))
        m.submodules.skew = skew
        command, words = Value.cast(self.command), []
        for row in range(LEAD_CYCLES + p.side - 1):
            register = Signal(len(command), name=f"command_{row}", reset_less=True)
            m.d.sync += register.eq(command)
            command = register
            if row >= LEAD_CYCLES - 1:
                m.d.comb += Value.cast(self.commands[row - LEAD_CYCLES + 1]).eq(register)
        for row in range(p.side):
            word = Signal(p.west_bits, name=f"word_{row}")
            with m.Switch(self.command.op):
                with m.Case(PeOp.WEIGH):
                    m.d.comb += word.eq(self.v[row])
                with m.Case(PeOp.DRAIN, PeOp.LOAD):
                    m.d.comb += word.eq(self.index == row)
                if p.masking != Masking.NONE:
                    with m.Case(PeOp.UPPER, PeOp.LOWER):
                        m.d.comb += word.eq(row)
                with m.Default():
                    m.d.comb += word.eq(self.k[row])
            words.append(word)
        m.d.comb += [
            skew.advance.eq(1),
            skew.i.eq(Cat(words)),
            Value.cast(self.west).eq(skew.o),
        ]
        return m
