"""Verilog modules as text: what a parent knows of one, and how all of them are laid out."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Value
from amaranth.lib import wiring

from designs.names import RESERVED
from hwgen.component import Component

COMMENT_WIDTH = 97

Parts = dict[str, tuple[type[Component], Any]]
"""Instance name to (component type, its params)."""


def flat_ports(component: Component) -> Iterator[tuple[str, wiring.Member, Value]]:
    """Each port of a component as (Verilog name, member, signal).

    Constants have no port, and what has no bits neither.
    """
    for path, member, value in component.signature.flatten(component):
        signal = Value.cast(value)
        if len(signal) and not isinstance(signal, Const):
            yield "__".join(map(str, path)), member, signal


@dataclass(frozen=True, slots=True)
class Interface:
    """What a parent must know of a module: its name, its clk and rst, and (port, flow, width)."""

    name: str
    clocks: tuple[str, ...]
    ports: tuple[tuple[str, wiring.Flow, int], ...]

    @classmethod
    def of(
        cls, component: Component, name: str, clocks: tuple[str, ...], *, probes: bool = False
    ) -> "Interface":
        """The interface of a component whose module is called `name`; `probes` adds its events."""
        ports = [(port, member.flow, len(signal)) for port, member, signal in flat_ports(component)]
        if probes:
            ports += [
                (port, wiring.Out, len(signal)) for port, signal in event_ports(component).items()
            ]
        return cls(name, clocks, tuple(ports))


def event_ports(component: Component) -> dict[str, Any]:
    """The further outputs of a component with probes: Verilog name to signal."""
    return {f"event__{name}": Value.cast(event) for name, event in component.events.items()}


class Written(Component):
    """A component whose Verilog is written out here instead of converted from Amaranth's.

    `elaborate` and `body` describe the same hardware; tests hold them against each other.
    """

    clocks: tuple[str, ...] = ()
    """Which of clk and rst `body` uses itself, for other than its parts."""

    def parts(self) -> Parts:
        """The components that it is made of."""
        return {}

    def body(self, own: Interface, parts: dict[str, Interface]) -> str:
        """The Verilog below its ports; `own` is its interface, `parts` are those of its parts."""
        raise NotImplementedError


def module_verilog(
    component: Component, interface: Interface, body: str, registers: frozenset[str] = frozenset()
) -> str:
    """A module: what its component is, its ports, its body; `registers` are outputs that store."""
    header = [f"  input {clock}" for clock in interface.clocks]
    for port, flow, width in interface.ports:
        direction = "input" if flow == wiring.In else "output"
        storage = "reg " if port in registers else ""
        header.append(f"  {direction} {storage}{vector(width)}{port}")
    about = (inspect.getdoc(type(component)) or "").partition("\n\n")[0]
    return (
        comment(about)
        + f"module {interface.name} (\n"
        + ",\n".join(header)
        + f"\n);\n{body}endmodule\n"
    )


def comment(text: str) -> str:
    """Text as comment lines."""
    return "".join(f"// {line}\n" for line in textwrap.wrap(text, COMMENT_WIDTH))


def vector(width: int) -> str:
    """The range of a declaration."""
    return "" if width == 1 else f"[{width - 1}:0] "


def with_legal_names(rtlil: str) -> str:
    """RTLIL in which every public name is one that Verilog need not escape."""
    names = dict.fromkeys(re.findall(r"\\([^\s\"]+)", rtlil))
    taken = set(names)
    legal = {}
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in RESERVED:
            new = re.sub(r"\W", "_", name)
            while new in taken or new in RESERVED:
                new += "_"
            taken.add(new)
            legal[name] = new
    return re.sub(r"\\([^\s\"]+)", lambda match: "\\" + legal.get(match[1], match[1]), rtlil)


def with_synchronous_reset(rtlil: str) -> str:
    """RTLIL whose registers with asynchronous reset have a synchronous one instead."""

    def synchronous(cell: re.Match[str]) -> str:
        return cell[0].replace("$adff", "$sdff").replace(r"\ARST", r"\SRST")

    return re.sub(r"cell \$adff .*?\n\s*end\n", synchronous, rtlil, flags=re.DOTALL)


def split_verilog(verilog: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Module name to body, and the names that the body declares as registers, in Yosys' Verilog.

    A body has no declarations of ports. Yosys writes "is zero" as `! x`, which Verilator allows for
    one bit only.
    """
    modules = {}
    pattern = re.compile(r"^module (\w+)\(([^)]*)\);\n(.*?)^endmodule\n", re.DOTALL | re.MULTILINE)
    declaration = re.compile(r"^  (input|output|wire|reg) (?:\[\d+:0\] )?(\w+);\n", re.MULTILINE)
    for name, port_names, text in pattern.findall(verilog):
        ports = frozenset(re.findall(r"\w+", port_names))  # Yosys breaks long lines
        registers = {item for kind, item in declaration.findall(text) if kind == "reg"}
        body = declaration.sub(lambda item, ports=ports: "" if item[2] in ports else item[0], text)
        body = re.sub(r"= ! (.*);", r"= \1 == 0;", body.replace("{ ", "{").replace(" }", "}"))
        modules[name] = body, frozenset(registers)
    return modules
