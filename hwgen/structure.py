"""Structures: components that are nothing but parts and the wires between them.

An array of 128 x 128 elements has a million wires. Amaranth follows each bit of each of them; a
structure says them once, as a table from which both its Amaranth module and its Verilog are made.
"""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring

from hwgen.module import Interface, Parts, Written, flat_ports, vector

__all__ = ["Parts", "Structure", "Wire", "Wiring"]


@dataclass(frozen=True, slots=True)
class Wire:
    """`width` bits, from bit `start`, of output `port` of a part; part "" means an own input."""

    part: str
    port: str
    start: int
    width: int


Wiring = dict[tuple[str, str], tuple[Wire, ...]]
"""(part, its input), or ("", own output), to what drives it, lowest bits first."""


class Structure(Written):
    """A component without logic of its own: override `parts` and `wiring`."""

    def parts(self) -> Parts:
        raise NotImplementedError

    def wiring(self) -> Wiring:
        """What drives each input of each part, and each output."""
        raise NotImplementedError

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        signals = {("", port): signal for port, _, signal in flat_ports(self)}
        for name, (kind, params) in self.parts().items():
            m.submodules[name] = part = kind(params)
            signals |= {(name, port): signal for port, _, signal in flat_ports(part)}
        for sink, wires in self.wiring().items():
            bits = [signals[w.part, w.port][w.start : w.start + w.width] for w in wires]
            m.d.comb += signals[sink].eq(Cat(bits))
        return m

    def body(self, own: Interface, parts: dict[str, Interface]) -> str:
        table = self.wiring()
        widths = {("", port): width for port, _, width in own.ports}
        for part, interface in parts.items():
            widths |= {(part, port): width for port, _, width in interface.ports}
        wires, cells = [], []
        for part, interface in parts.items():
            pins = [f"    .{clock}({clock})" for clock in interface.clocks]
            for port, flow, width in interface.ports:
                if flow == wiring.Out:
                    wires.append(f"  wire {vector(width)}{part}_{port};\n")
                    pins.append(f"    .{port}({part}_{port})")
                else:
                    pins.append(f"    .{port}({expression(table[part, port], widths)})")
            cells.append(f"  {interface.name} {part} (\n" + ",\n".join(pins) + "\n  );\n")
        assigns = [
            f"  assign {port} = {expression(table['', port], widths)};\n"
            for port, flow, _ in own.ports
            if flow == wiring.Out
        ]
        return "".join(wires + cells + assigns)


def expression(wires: tuple[Wire, ...], widths: dict[tuple[str, str], int]) -> str:
    """Wires as a Verilog expression, highest bits first."""
    terms = []
    for wire in reversed(wires):
        term = f"{wire.part}_{wire.port}" if wire.part else wire.port
        if wire.width != widths[wire.part, wire.port]:
            high = wire.start + wire.width - 1
            term += f"[{high}:{wire.start}]" if wire.width > 1 else f"[{high}]"
        terms.append(term)
    return terms[0] if len(terms) == 1 else "{" + ", ".join(terms) + "}"
