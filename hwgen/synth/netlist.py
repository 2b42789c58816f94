"""A mapped netlist: modules of library cells, as Yosys' JSON says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

Bit: TypeAlias = "int | str"
"""A net by its number, which counts within its module, or the constant "0", "1" or "x"."""
Bits: TypeAlias = "tuple[Bit, ...]"
"""Lowest first."""

MEMORY = "$mem_v2"
"""The kind of a memory."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A cell in a module. kind: a library cell, a module, or a memory. pins: to nets.

    parameters: of a memory, as Yosys' JSON has them: mostly integers in binary.
    """

    kind: str
    pins: Mapping[str, Bits]
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Module:
    """A module: its ports, and its cells by instance name."""

    name: str
    inputs: Mapping[str, Bits]
    outputs: Mapping[str, Bits]
    cells: Mapping[str, Instance]


@dataclass(frozen=True, slots=False)
class Mapped:
    """A netlist of library cells; `modules` has each distinct module once.

    A cell whose kind is no key of `modules` is a library cell, or a memory that a macro supplies.
    """

    top: str
    modules: Mapping[str, Module]

    @cached_property
    def instance_counts(self) -> dict[str, int]:
        """How often the design has each module; the top once."""
        counts = dict.fromkeys(self.modules, 0)
        counts[self.top] = 1
        for name in self.order:
            for cell in self.modules[name].cells.values():
                if cell.kind in counts:
                    counts[cell.kind] += counts[name]
        return counts

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Names of the modules, each before those that it is made of."""
        seen: dict[str, None] = {}

        def visit(name: str) -> None:
            if name not in seen:
                for cell in self.modules[name].cells.values():
                    if cell.kind in self.modules:
                        visit(cell.kind)
                seen[name] = None

        visit(self.top)
        return tuple(reversed(seen))


def module_of(name: str, described: Mapping[str, Any]) -> Module:
    """A module from its description in Yosys' JSON."""
    ports = described["ports"]
    return Module(
        name=name,
        inputs={p: tuple(d["bits"]) for p, d in ports.items() if d["direction"] == "input"},
        outputs={p: tuple(d["bits"]) for p, d in ports.items() if d["direction"] == "output"},
        cells={
            cell: Instance(
                d["type"],
                {p: tuple(bits) for p, bits in d["connections"].items()},
                d["parameters"] if d["type"] == MEMORY else {},
            )
            for cell, d in described["cells"].items()
        },
    )
