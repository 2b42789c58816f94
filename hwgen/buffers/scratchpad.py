"""A scratchpad: a memory with one read and one write port, kept in a module of its own.

A synthesis flow that has SRAM macros replaces this module by one of the same ports.
"""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.module import Interface, Written, vector


@dataclass(frozen=True, kw_only=True, slots=True)
class ScratchpadParams:
    """`words` >= 2 of `bits` each."""

    words: int
    bits: int


class Scratchpad(Written):
    """Words of memory, undefined until written.

    `read_data` is the word at `read_address` of the last clock edge with `read_enable` high, as it
    was before that edge; it holds while `read_enable` is low.
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
                "write_enable": In(1),
                "write_address": In(address_bits),
                "write_data": In(params.bits),
            },
        )

    @property
    def label(self) -> str:
        return f"scratchpad_{self.params.words}x{self.params.bits}"

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=self.params.bits, depth=self.params.words, init=[]
        )
        read, write = memory.read_port(), memory.write_port()
        m.d.comb += [
            read.en.eq(self.read_enable),
            read.addr.eq(self.read_address),
            self.read_data.eq(read.data),
            write.en.eq(self.write_enable),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
        ]
        return m

    def body(self, own: Interface, parts: dict[str, Interface]) -> str:
        word = vector(self.params.bits)
        return (
            f"  reg {word}memory [0:{self.params.words - 1}];\n"
            f"  reg {word}word;\n"
            "  assign read_data = word;\n"
            "  always @(posedge clk) begin\n"
            "    if (write_enable) memory[write_address] <= write_data;\n"
            "    if (read_enable) word <= memory[read_address];\n"
            "  end\n"
        )
