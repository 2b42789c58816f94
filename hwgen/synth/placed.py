"""A hierarchical netlist as nodes and nets: whose gates meet whose, without flattening the gates.

A node is an instance of a module that has cells of its own. Nets run through the modules that have
none. That is enough to tell which instances are alike in all that timing depends on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hwgen.synth.netlist import Bit, Mapped, Module


@dataclass(frozen=True, slots=True)
class Node:
    """An instance with gates: its path, its module, and net of each bit that leaves the gates."""

    path: str
    module: str
    nets: Mapping[int, int]


@dataclass(slots=True)
class Nets:
    """Nets by number, some of which turn out to be the same, or constant."""

    parents: list[int] = field(default_factory=list)
    constants: dict[int, str] = field(default_factory=dict)

    def new(self) -> int:
        self.parents.append(len(self.parents))
        return len(self.parents) - 1

    def root(self, net: int) -> int:
        while self.parents[net] != net:
            self.parents[net] = self.parents[self.parents[net]]
            net = self.parents[net]
        return net

    def join(self, first: int, second: int) -> None:
        first, second = self.root(first), self.root(second)
        if first != second:
            self.parents[second] = first
            if second in self.constants:
                self.constants[first] = self.constants.pop(second)


@dataclass(frozen=True, slots=True)
class Placed:
    """All nodes, and the top's ports as (port, place) to net; roots only."""

    nodes: tuple[Node, ...]
    inputs: Mapping[tuple[str, int], int]
    outputs: Mapping[tuple[str, int], int]
    constants: Mapping[int, str]


def own_bits(module: Module, modules: Mapping[str, Module]) -> frozenset[int]:
    """Bits at the module's own cells."""
    return frozenset(
        bit
        for cell in module.cells.values()
        if cell.kind not in modules
        for bits in cell.pins.values()
        for bit in bits
        if isinstance(bit, int)
    )


def place(mapped: Mapped) -> Placed:
    """The nodes and nets of a design."""
    placing = _Placing(mapped)
    top = mapped.modules[mapped.top]
    nets = placing.nets
    ports = {bit: nets.new() for bit in sorted(_port_bits(top))}
    placing.walk(mapped.top, "", ports)

    def of(side: Mapping[str, tuple[Bit, ...]]) -> Iterator[tuple[tuple[str, int], int]]:
        for port, bits in side.items():
            for number, bit in enumerate(bits):
                if isinstance(bit, int):
                    yield (port, number), nets.root(ports[bit])

    nodes = [
        Node(path, module, {bit: nets.root(net) for bit, net in bits.items()})
        for path, module, bits in placing.nodes
    ]
    constants = {nets.root(net): value for net, value in nets.constants.items()}
    return Placed(tuple(nodes), dict(of(top.inputs)), dict(of(top.outputs)), constants)


def _port_bits(module: Module) -> set[int]:
    sides = (*module.inputs.values(), *module.outputs.values())
    return {bit for bits in sides for bit in bits if isinstance(bit, int)}


class _Placing:
    def __init__(self, mapped: Mapped) -> None:
        self.modules = mapped.modules
        self.nets = Nets()
        self.nodes: list[tuple[str, str, dict[int, int]]] = []
        self.own: dict[str, frozenset[int]] = {}
        self.links: dict[str, list[tuple[str, str, list[tuple[Bit, Bit]]]]] = {}
        wanted: dict[str, set[Bit]] = {}
        for name in reversed(mapped.order):
            module = self.modules[name]
            self.own[name] = own_bits(module, self.modules)
            self.links[name] = [
                (inner, cell.kind, pairs)
                for inner, cell in module.cells.items()
                if cell.kind in wanted
                and (pairs := self._pairs(self.modules[cell.kind], cell.pins, wanted[cell.kind]))
            ]
            linked = {bit for _, _, pairs in self.links[name] for _, bit in pairs}
            wanted[name] = self._wanted(module, linked | self.own[name])

    @staticmethod
    def _wanted(module: Module, used: set[Bit]) -> set[Bit]:
        """Bits of ports that gates inside meet, that pass through, or that are constant."""
        seen: set[Bit] = set()
        wanted: set[Bit] = set()
        for bits in (*module.inputs.values(), *module.outputs.values()):
            for bit in bits:
                if bit in used or bit in seen or isinstance(bit, str):
                    wanted.add(bit)
                seen.add(bit)
        return wanted

    @staticmethod
    def _pairs(
        child: Module, pins: Mapping[str, tuple[Bit, ...]], wanted: set[Bit]
    ) -> list[tuple[Bit, Bit]]:
        """(bit in the child, bit in the parent) of an instance."""
        sides = {**child.inputs, **child.outputs}
        return [
            (inside, outside)
            for pin, bits in pins.items()
            for inside, outside in zip(sides[pin], bits, strict=True)
            if inside in wanted
        ]

    def walk(self, name: str, path: str, ports: dict[int, int]) -> None:
        """Adds the nodes of an instance whose port bits have nets."""
        nets = dict(ports)
        for inner, kind, pairs in self.links[name]:
            inside: dict[int, int] = {}
            for bit, outer in pairs:
                net = self._net(outer, nets)
                if isinstance(bit, str):
                    self.nets.constants[self.nets.root(net)] = bit
                elif bit in inside:
                    self.nets.join(inside[bit], net)
                else:
                    inside[bit] = net
            self.walk(kind, f"{path}{inner}/", inside)
        if self.own[name]:
            meeting = {bit: nets[bit] for bit in sorted(self.own[name] & nets.keys())}
            self.nodes.append((path, name, meeting))

    def _net(self, bit: Bit, nets: dict[int, int]) -> int:
        if isinstance(bit, str):
            net = self.nets.new()
            self.nets.constants[net] = bit
            return net
        if bit not in nets:
            nets[bit] = self.nets.new()
        return nets[bit]
