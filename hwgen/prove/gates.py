"""A module as gates between named nets, and what its nets are for given values of others."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen import yosys

Net = int | str
"""A net by its number, or a constant: "0", "1" or "x"."""
Bools = NDArray[np.bool_]

TO_GATES = "proc\nflatten -noscopeinfo\npmuxtree\nsimplemap\nwrite_json\n"

GATES = {
    "$_BUF_": lambda a: a,
    "$_NOT_": lambda a: ~a,
    "$_AND_": lambda a, b: a & b,
    "$_NAND_": lambda a, b: ~(a & b),
    "$_OR_": lambda a, b: a | b,
    "$_NOR_": lambda a, b: ~(a | b),
    "$_XOR_": lambda a, b: a ^ b,
    "$_XNOR_": lambda a, b: ~(a ^ b),
    "$_ANDNOT_": lambda a, b: a & ~b,
    "$_ORNOT_": lambda a, b: a | ~b,
    "$_MUX_": lambda a, b, s: np.where(s, b, a),
}
"""Gate to its function of the nets at A, B and S."""

REGISTER = "$_DFF"


class UnknownNetError(ValueError):
    """A net depends on one whose value was not given."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate and the nets that it depends on."""

    kind: str
    inputs: tuple[Net, ...]


@dataclass(frozen=True, slots=True)
class Adder:
    """A word-level adder: its operands, extended to the width of its result, and the result."""

    a: tuple[Net, ...]
    b: tuple[Net, ...]
    y: tuple[Net, ...]


@dataclass(frozen=True, slots=True)
class Gates:
    """A module. `names`: signals; `registers`: output net to the net of the next value."""

    gates: Mapping[Net, Gate]
    adders: Mapping[Net, Adder]
    registers: Mapping[Net, Net]
    names: Mapping[str, tuple[Net, ...]]

    @classmethod
    def read(cls, rtlil: str, module: str) -> "Gates":
        """A module of RTLIL text; its instances of other modules are left out."""
        script = f"read_rtlil <<rtlil\n{rtlil}\nrtlil\ncd {module}\n{TO_GATES}"
        described = json.loads(yosys.run(script))["modules"][module]
        gates: dict[Net, Gate] = {}
        adders: dict[Net, Adder] = {}
        registers: dict[Net, Net] = {}
        for cell in described["cells"].values():
            kind, pins = cell["type"], cell["connections"]
            if kind in GATES:
                (y,) = pins["Y"]
                gates[y] = Gate(kind, tuple(net for pin in "ABS" for net in pins.get(pin, ())))
            elif kind.startswith(REGISTER):
                registers[pins["Q"][0]] = pins["D"][0]
            elif kind == "$add":
                adder = _adder(cell)
                adders |= dict.fromkeys(adder.y, adder)
        names = {name: tuple(net["bits"]) for name, net in described["netnames"].items()}
        return cls(gates, adders, registers, names)

    def values(self, nets: Iterable[Net], given: Mapping[Net, Bools]) -> dict[Net, Bools]:
        """The values of nets, in as many cases as the given ones have.

        Raises UnknownNetError where they do not follow from the given ones through gates.
        """
        (cases,) = {len(value) for value in given.values()} or {1}
        known: dict[Net, Bools] = {
            "0": np.zeros(cases, np.bool_), "1": np.ones(cases, np.bool_), **given
        }  # fmt: skip
        wanted = list(nets)
        waiting = list(wanted)
        while waiting:
            net = waiting[-1]
            if net in known:
                waiting.pop()
                continue
            if net not in self.gates:
                raise UnknownNetError(f"{self.name_of(net)} must not be needed")
            gate = self.gates[net]
            missing = [below for below in gate.inputs if below not in known]
            if missing:
                waiting += missing
            else:
                known[net] = GATES[gate.kind](*(known[below] for below in gate.inputs))
        return {net: known[net] for net in wanted}

    def support(self, net: Net, cut: frozenset[Net] = frozenset()) -> frozenset[Net]:
        """The nets that a net depends on within a cycle: of `cut`, registers and inputs.

        An adder's result depends on all lower bits of its operands.
        """
        found: set[Net] = set()
        seen: set[Net] = set()
        waiting = [net]
        while waiting:
            at = waiting.pop()
            if at in seen or isinstance(at, str):
                continue
            seen.add(at)
            if at in cut:
                found.add(at)
            elif at in self.gates:
                waiting += self.gates[at].inputs
            elif at in self.adders:
                adder = self.adders[at]
                upto = adder.y.index(at) + 1
                waiting += [*adder.a[:upto], *adder.b[:upto]]
            else:
                found.add(at)
        return frozenset(found)

    def name_of(self, net: Net) -> str:
        """Some name of a net, with its index."""
        named = (f"{name}[{bits.index(net)}]" for name, bits in self.names.items() if net in bits)
        return min(named, key=lambda name: ("$" in name, len(name), name), default=str(net))


def _adder(cell: Mapping[str, Any]) -> Adder:
    pins, parameters = cell["connections"], cell["parameters"]
    width = len(pins["Y"])

    def operand(pin: str) -> tuple[Net, ...]:
        nets = tuple(pins[pin])
        signed = int(parameters[f"{pin}_SIGNED"], 2)
        return (nets + (nets[-1] if signed else "0",) * width)[:width]

    return Adder(operand("A"), operand("B"), tuple(pins["Y"]))


def cases(words: Mapping[tuple[Net, ...], NDArray[Any]]) -> tuple[dict[Net, Bools], Bools]:
    """Values of nets by which words have the values in each case, and in which cases they can.

    A net that stands in two places, or a constant, rules cases out.
    """
    given: dict[Net, Bools] = {}
    possible: Bools | None = None
    for nets, value in words.items():
        for at, net in enumerate(nets):
            bit: Bools = (value >> at & 1).astype(np.bool_)
            if possible is None:
                possible = np.ones(len(bit), np.bool_)
            if isinstance(net, str):
                possible = possible & (bit == (net == "1"))
            elif net in given:
                possible = possible & (bit == given[net])
            else:
                given[net] = bit
    if possible is None:
        return {}, np.ones(1, np.bool_)
    return {net: bits[possible] for net, bits in given.items()}, possible


def number(nets: Iterable[Net], values: Mapping[Net, Bools]) -> NDArray[np.int64]:
    """The unsigned number that nets are, the lowest first, in each case."""
    total: Any = 0
    for at, net in enumerate(nets):
        total = total + (values[net].astype(np.int64) << at)
    return np.asarray(total, dtype=np.int64)
