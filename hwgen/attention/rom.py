"""Read-only memories, as a table that every tool makes logic, or a memory, of."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.module import Interface, Written, vector


@dataclass(frozen=True, kw_only=True, slots=True)
class RomParams:
    """`words` of `bits` each; `name` is what the memory's module is called."""

    name: str
    bits: int
    words: tuple[int, ...]


class Rom(Written):
    """`data` is the word at `address` of the last clock edge.

    In Verilog a case, for synthesis for ASICs knows no initial contents of memories.
    """

    clocks = ("clk",)
    reset_less = True
    params: RomParams

    def __init__(self, params: RomParams) -> None:
        address_bits = clog2(len(params.words))
        super().__init__(params, {"address": In(address_bits), "data": Out(params.bits)})

    @property
    def label(self) -> str:
        return self.params.name

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.words = words = Memory(shape=p.bits, depth=len(p.words), init=p.words)
        port = words.read_port()
        m.d.comb += [port.en.eq(1), port.addr.eq(self.address), self.data.eq(port.data)]
        return m

    def body(self, own: Interface, parts: dict[str, Interface]) -> str:
        p = self.params
        entries = "".join(
            f"      {len(self.address)}'d{at}: word = {p.bits}'h{word:x};\n"
            for at, word in enumerate(p.words)
        )
        return (
            f"  reg {vector(p.bits)}word;\n"
            f"  reg {vector(p.bits)}word_q;\n"
            "  assign data = word_q;\n"
            "  always @*\n"
            "    case (address)\n"
            f"{entries}"
            f"      default: word = {p.bits}'bx;\n"
            "    endcase\n"
            "  always @(posedge clk) word_q <= word;\n"
        )
