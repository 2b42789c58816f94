"""A scratchpad: a memory with one read and one write port, kept in a module of its own.

A synthesis flow that has SRAM macros replaces this module by one of the same ports.
"""

from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any

from amaranth.hdl import Module
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.module import Interface, Written, vector


@dataclass(frozen=True, kw_only=True, slots=True)
class ScratchpadParams:
    """`words` >= 2 of `bits` each.

    `fields`: widths of the parts of a word, lowest first, that are written each by itself; none if
    a word is written as a whole.
    """

    words: int
    bits: int
    fields: tuple[int, ...] = ()


class Scratchpad(Written):
    """Words of memory, undefined until written.

    `read_data` is the word at `read_address` of the last clock edge with `read_enable` high, as it
    was before that edge; it holds while `read_enable` is low. `write_enable` has a bit per field.
    """

    clocks = ("clk",)
    reset_less = True
    params: ScratchpadParams

    def __init__(self, params: ScratchpadParams) -> None:
        address_bits = clog2(params.words)
        super().__init__(
            params,
            {
                "read_enable": In(1),
                "read_address": In(address_bits),
                "read_data": Out(params.bits),
                "write_enable": In(len(params.fields) or 1),
                "write_address": In(address_bits),
                "write_data": In(params.bits),
            },
        )

    @property
    def label(self) -> str:
        p = self.params
        runs = [f"{len(list(equal))}x{bits}" for bits, equal in groupby(p.fields)]
        widths = "".join(f"_{run}" for run in runs)
        return f"scratchpad_{p.words}x{p.bits}{widths}"

    def fields(self) -> list[tuple[int, int]]:
        """First bit and width of each field of a word."""
        widths = self.params.fields or (self.params.bits,)
        return list(zip(accumulate(widths, initial=0), widths, strict=False))

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        fields = self.fields()
        for number, (start, bits) in enumerate(fields):
            memory = Memory(shape=bits, depth=self.params.words, init=[])
            m.submodules["memory" if len(fields) == 1 else f"memory_{number}"] = memory
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.en.eq(self.read_enable),
                read.addr.eq(self.read_address),
                self.read_data[start : start + bits].eq(read.data),
                write.en.eq(self.write_enable[number]),
                write.addr.eq(self.write_address),
                write.data.eq(self.write_data[start : start + bits]),
            ]
        return m

    def body(self, own: Interface, parts: dict[str, Interface]) -> str:
        word = vector(self.params.bits)
        if len(self.fields()) == 1:
            writes = "    if (write_enable) memory[write_address] <= write_data;\n"
        else:
            writes = "".join(
                f"    if (write_enable[{number}]) memory[write_address][{part}]"
                f" <= write_data[{part}];\n"
                for number, (start, bits) in enumerate(self.fields())
                for part in (f"{start + bits - 1}:{start}" if bits > 1 else f"{start}",)
            )
        return (
            f"  reg {word}memory [0:{self.params.words - 1}];\n"
            f"  reg {word}word;\n"
            "  assign read_data = word;\n"
            "  always @(posedge clk) begin\n"
            f"{writes}"
            "    if (read_enable) word <= memory[read_address];\n"
            "  end\n"
        )
