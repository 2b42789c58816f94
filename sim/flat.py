"""A mapped hierarchy as arrays: every cell of every instance, by the numbers of its nets.

A module is laid out once; its instances are copies at an offset, so that a large array costs array
operations and not Python objects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwgen.synth.liberty import Library
from hwgen.synth.netlist import MEMORY, Bit, Bits, Mapped, Module

Nets = NDArray[np.int64]

CONSTANTS = {"0": 0, "1": 1, "x": 2}
"""Constant to its net, in every module and in the whole."""


class GateError(ValueError):
    """What keeps a netlist from being simulated, in one sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """All instances of one library cell.

    pins: names of its pins. nets: instances by pins. modules: of each instance the module it is in,
    as an index into `Flat.modules`.
    """

    pins: tuple[str, ...]
    nets: Nets
    modules: Nets


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """A netlist without hierarchy. Nets are numbered from 0; see `CONSTANTS`.

    inputs, outputs: nets of each port, lowest bit first. cells: by library cell. memories: the nets
    of each memory by pin.
    """

    net_count: int
    inputs: Mapping[str, Nets]
    outputs: Mapping[str, Nets]
    cells: Mapping[str, Cells]
    memories: tuple[Mapping[str, Nets], ...]
    modules: tuple[str, ...]

    def renumbered(self, order: Nets) -> "Flat":
        """The same with net `old` called `order[old]`."""
        return Flat(
            net_count=int(order.max()) + 1,
            inputs={port: order[nets] for port, nets in self.inputs.items()},
            outputs={port: order[nets] for port, nets in self.outputs.items()},
            cells={k: Cells(c.pins, order[c.nets], c.modules) for k, c in self.cells.items()},
            memories=tuple({p: order[nets] for p, nets in m.items()} for m in self.memories),
            modules=self.modules,
        )


@dataclass(slots=True)
class _Layout:
    """A module and everything in it, its nets numbered from 0."""

    net_count: int = len(CONSTANTS)
    ports: dict[str, Nets] = field(default_factory=dict)
    cells: dict[str, list[tuple[Nets, Nets]]] = field(default_factory=dict)
    memories: list[dict[str, Nets]] = field(default_factory=list)
    aliases: list[Nets] = field(default_factory=list)

    def fresh(self, count: int) -> range:
        first, self.net_count = self.net_count, self.net_count + count
        return range(first, self.net_count)

    def add(self, child: "_Layout", connected: Mapping[str, Nets]) -> None:
        """A copy of a module, with the nets of its ports connected to nets here."""
        offset = self.fresh(child.net_count).start
        constants = np.arange(len(CONSTANTS))
        self.aliases.append(np.stack([constants, constants + offset]))
        for port, nets in connected.items():
            self.aliases.append(np.stack([nets, child.ports[port] + offset]))
        self.aliases += [pairs + offset for pairs in child.aliases]
        for kind, blocks in child.cells.items():
            own = self.cells.setdefault(kind, [])
            own += [(nets + offset, modules) for nets, modules in blocks]
        self.memories += [{p: nets + offset for p, nets in m.items()} for m in child.memories]

    def gather(self) -> None:
        """Joins what copies have left in pieces."""
        for kind, blocks in self.cells.items():
            nets, modules = zip(*blocks, strict=True)
            self.cells[kind] = [(np.concatenate(nets), np.concatenate(modules))]
        if self.aliases:
            self.aliases = [np.concatenate(self.aliases, axis=1)]


def flatten(mapped: Mapped, library: Library) -> Flat:
    """All cells of a netlist. Raises `GateError` for one that neither library nor design has."""
    pins = {kind: tuple(cell.pins) for kind, cell in library.cells.items()}
    modules = tuple(mapped.order)
    layouts: dict[str, _Layout] = {}
    for name in reversed(modules):
        layouts[name] = _laid_out(mapped.modules[name], modules.index(name), layouts, pins)
    top = layouts[mapped.top]
    net = _merged(top)
    return Flat(
        net_count=int(net.max()) + 1,
        inputs={port: net[top.ports[port]] for port in mapped.modules[mapped.top].inputs},
        outputs={port: net[top.ports[port]] for port in mapped.modules[mapped.top].outputs},
        cells={
            kind: Cells(pins[kind], net[nets], owners)
            for kind, [(nets, owners)] in sorted(top.cells.items())
        },
        memories=tuple({pin: net[nets] for pin, nets in m.items()} for m in top.memories),
        modules=modules,
    )


def _laid_out(
    module: Module, index: int, layouts: Mapping[str, _Layout], pins: Mapping[str, tuple[str, ...]]
) -> _Layout:
    own = _Layout()
    numbers: dict[Bit, int] = {}
    numbers.update(CONSTANTS)

    def number(bits: Bits) -> Nets:
        for bit in bits:
            if bit not in numbers:
                numbers[bit] = own.fresh(1).start
        return np.fromiter((numbers[bit] for bit in bits), dtype=np.int64, count=len(bits))

    own.ports = {p: number(bits) for p, bits in (module.inputs | module.outputs).items()}
    rows: dict[str, list[list[int]]] = {}
    for name, cell in module.cells.items():
        if cell.kind in layouts:
            own.add(layouts[cell.kind], {p: number(bits) for p, bits in cell.pins.items() if bits})
        elif cell.kind == MEMORY:
            own.memories.append({pin: number(bits) for pin, bits in cell.pins.items()})
        elif cell.kind in pins:
            nets = (number(cell.pins.get(pin, ())) for pin in pins[cell.kind])
            row = [int(net[0]) if len(net) else own.fresh(1).start for net in nets]
            rows.setdefault(cell.kind, []).append(row)
        else:
            raise GateError(
                f"{module.name}.{name} must be a cell of the library or a module, not {cell.kind}"
            )
    for kind, own_rows in rows.items():
        owner = np.full(len(own_rows), index, dtype=np.int64)
        own.cells.setdefault(kind, []).append((np.array(own_rows, dtype=np.int64), owner))
    own.gather()
    return own


def _merged(top: _Layout) -> Nets:
    """Net of a layout to its number once aliases are one net and unused numbers are gone."""
    root = np.arange(top.net_count)
    for first, second in top.aliases:
        while True:
            low = np.minimum(root[first], root[second])
            high = np.maximum(root[first], root[second])
            if np.array_equal(low, high):
                break
            np.minimum.at(root, high, low)
            while not np.array_equal(root, further := root[root]):
                root = further
    used = np.zeros(top.net_count, dtype=bool)
    used[: len(CONSTANTS)] = True
    for nets in _nets_of(top):
        used[root[nets]] = True
    if not np.array_equal(root[: len(CONSTANTS)], np.arange(len(CONSTANTS))):
        raise GateError("a net must have one value, and one is both constants")
    return (np.cumsum(used) - 1)[root]


def _nets_of(layout: _Layout) -> Iterator[Nets]:
    yield from layout.ports.values()
    for [(nets, _)] in layout.cells.values():
        yield nets.ravel()
    for memory in layout.memories:
        yield from memory.values()
