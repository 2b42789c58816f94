"""A large netlist made small for timing, without changing its critical path.

A 64 x 64 array has 4096 elements in two dozen different surroundings. Two instances of a module
have the same timing inside if the same things drive their inputs, through the same logic from the
same kinds of registers, and if their outputs have the same loads. One of each is kept, with the
logic that drives it back to registers, and with every load on a net that is kept.
"""

from collections.abc import Mapping

from hwgen.synth.gates import Gate, Gates, outputs_of
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Bit, Instance, Mapped, Module
from hwgen.synth.placed import Placed, place


class UnfoldableError(ValueError):
    """The netlist has a loop, or a clock that is no port: it has to be timed whole."""


class Folding:
    """The netlist of one design, and what is alike in it."""

    def __init__(self, mapped: Mapped, library: Library, clock: str) -> None:
        self.placed: Placed = place(mapped)
        clocks = {net for (port, _), net in self.placed.inputs.items() if port == clock}
        self.gates = {name: Gates.of(mapped.modules[name], library) for name in mapped.order}
        self.driver: dict[int, tuple[int, int]] = {}
        self.readers: dict[int, list[tuple[int, int]]] = {}
        for number, node in enumerate(self.placed.nodes):
            gates = self.gates[node.module]
            for bit, net in node.nets.items():
                if bit in gates.drivers:
                    self.driver[net] = (number, bit)
                if bit in gates.readers:
                    self.readers.setdefault(net, []).append((number, bit))
                if bit in gates.clocked and net not in clocks:
                    raise UnfoldableError(f"{node.path} has a clock that is no port")
        self.outputs: dict[int, list[tuple[str, int]]] = {}
        for port, net in self.placed.outputs.items():
            self.outputs.setdefault(net, []).append(port)
        self.input_ports = {net: port for port, net in self.placed.inputs.items()}
        self.classes: dict[object, int] = {}
        self.loads: dict[int, int] = {}
        self.drives: dict[tuple[int, int], int] = {}
        self.cones: dict[tuple[str, int], tuple[set[int], set[int]]] = {}
        self.chains: dict[tuple[str, int], tuple[list[int], tuple[object, ...]] | None] = {}

    def class_of(self, what: object) -> int:
        """A number for each different thing."""
        return self.classes.setdefault(what, len(self.classes))

    def load(self, net: int) -> int:
        """The class of what a net drives: pins of cells, and ports of the design."""
        if net not in self.loads:
            pins = []
            for number, bit in self.readers.get(net, ()):
                pins += self.gates[self.placed.nodes[number].module].pins_at(bit)
            ports = len(self.outputs.get(net, ()))
            self.loads[net] = self.class_of(("load", *sorted(pins), ports))
        return self.loads[net]

    def own_loads(self, number: int) -> int:
        """The class of all that a node drives."""
        node = self.placed.nodes[number]
        drivers = self.gates[node.module].drivers
        own = [self.load(net) for bit, net in node.nets.items() if bit in drivers]
        return self.class_of((node.module, *own))

    def cone(self, number: int, bit: int) -> tuple[set[int], set[int]]:
        module = self.placed.nodes[number].module
        if (module, bit) not in self.cones:
            self.cones[module, bit] = self.gates[module].cone([bit])
        return self.cones[module, bit]

    def logic(self, number: int, bit: int) -> tuple[object, ...]:
        """What the gates behind a bit are, with their loads.

        Chains, such as the branches of a fan-out tree, are alike if they are of the same gates.
        """
        node = self.placed.nodes[number]
        if (node.module, bit) not in self.chains:
            self.chains[node.module, bit] = self.gates[node.module].chain(bit)
        chain = self.chains[node.module, bit]
        if chain is None:
            return "logic", bit, self.own_loads(number)
        bits, shape = chain
        loads = [self.load(node.nets[its]) if its in node.nets else -1 for its in bits]
        return "chain", shape, *loads

    def sources(self, number: int, bit: int) -> list[int]:
        """Nets through which other nodes drive a bit without a register in between."""
        nets = self.placed.nodes[number].nets
        return [nets[end] for end in sorted(self.cone(number, bit)[1]) if end in nets]

    def drive(self, net: int) -> int:
        """The class of what drives a net: its gates, their loads, and what drives those."""
        waiting, begun = [net], set()
        while waiting:
            last = waiting[-1]
            key = self.driver.get(last)
            if key is None or key in self.drives:
                waiting.pop()
                continue
            missing = [
                source
                for source in self.sources(*key)
                if (other := self.driver.get(source)) is not None and other not in self.drives
            ]
            if not missing:
                sources = [self.known(source) for source in self.sources(*key)]
                self.drives[key] = self.class_of((*self.logic(*key), *sources))
                waiting.pop()
            elif key in begun:
                raise UnfoldableError("the netlist has a loop without a register")
            else:
                begun.add(key)
                waiting += missing
        return self.known(net)

    def known(self, net: int) -> int:
        key = self.driver.get(net)
        if key is not None:
            return self.drives[key]
        source = "port" if net in self.input_ports else self.placed.constants.get(net, "none")
        return self.class_of((source, self.load(net)))

    def node_class(self, number: int) -> int:
        """The class of a node: two of one have the same paths."""
        node = self.placed.nodes[number]
        gates = self.gates[node.module]
        read = [
            self.drive(net)
            for bit, net in node.nets.items()
            if bit in gates.readers and bit not in gates.drivers
        ]
        return self.class_of(("node", self.own_loads(number), *read))

    def kept(self) -> dict[int, set[int]]:
        """Node to its gates that are kept: of each class one node whole, and what drives it."""
        first: dict[int, int] = {}
        for number in range(len(self.placed.nodes)):
            first.setdefault(self.node_class(number), number)
        kept: dict[int, set[int]] = {}
        waiting: list[int] = []
        for number in first.values():
            node = self.placed.nodes[number]
            kept[number] = {*range(len(self.gates[node.module].gates))}
            waiting += node.nets.values()
        seen: set[int] = set()
        while waiting:
            net = waiting.pop()
            if net in seen or net not in self.driver:
                continue
            seen.add(net)
            number, bit = self.driver[net]
            kept.setdefault(number, set()).update(self.cone(number, bit)[0])
            waiting += self.sources(number, bit)
        return kept


def folded(mapped: Mapped, library: Library, clock: str) -> Mapped:
    """A netlist of one module that has the same critical path. Raises UnfoldableError.

    clock: the port that clocks every register. Bit 3 of port `a` is the port `a__3__`.
    """
    folding = Folding(mapped, library, clock)
    writing = _Writing(folding)
    kept = folding.kept()
    for number, gates in kept.items():
        for gate in sorted(gates):
            writing.keep(number, gate)
    for number, gates in kept.items():
        for gate in sorted(gates):
            writing.keep_loads(number, gate)
    return Mapped(mapped.top, {mapped.top: writing.module(mapped.top)})


class _Writing:
    """The module of the gates that are kept."""

    def __init__(self, folding: Folding) -> None:
        self.folding = folding
        self.bits: dict[object, int] = {}
        self.pins: dict[tuple[int, int], dict[str, Bit]] = {}

    def bit(self, number: int, bit: Bit) -> Bit:
        """The bit of the whole for a bit of a node."""
        if isinstance(bit, str):
            return bit
        net = self.folding.placed.nodes[number].nets.get(bit)
        if net is not None and net in self.folding.placed.constants:
            return self.folding.placed.constants[net]
        key: object = (number, bit) if net is None else net
        return self.bits.setdefault(key, len(self.bits) + 2)

    def gate(self, number: int, gate: int) -> Gate:
        return self.folding.gates[self.folding.placed.nodes[number].module].gates[gate]

    def keep(self, number: int, gate: int) -> None:
        pins = self.gate(number, gate).pins
        self.pins[number, gate] = {pin: self.bit(number, bit) for pin, bit in pins.items()}

    def keep_loads(self, number: int, gate: int) -> None:
        """Everything that the gate drives, connected with nothing but the pins that it drives."""
        found = self.gate(number, gate)
        node = self.folding.placed.nodes[number]
        for pin in outputs_of(found):
            bit = found.pins.get(pin)
            if not isinstance(bit, int):
                continue
            ends = [(number, bit)]
            if bit in node.nets:
                ends += self.folding.readers.get(node.nets[bit], [])
            for other, its in ends:
                module = self.folding.placed.nodes[other].module
                for reader, its_pin in self.folding.gates[module].readers.get(its, ()):
                    self.pins.setdefault((other, reader), {})[its_pin] = self.bit(other, its)

    def module(self, name: str) -> Module:
        nodes = self.folding.placed.nodes
        cells = {}
        for (number, gate), pins in self.pins.items():
            found = self.gate(number, gate)
            connected = {pin: (bit,) for pin, bit in pins.items()}
            cells[nodes[number].path + found.name] = Instance(found.cell.name, connected)
        return Module(
            name=name,
            inputs=self.ports(self.folding.placed.inputs),
            outputs=self.ports(self.folding.placed.outputs),
            cells=cells,
        )

    def ports(self, side: Mapping[tuple[str, int], int]) -> dict[str, tuple[Bit, ...]]:
        """A port of one bit for each bit of a port whose net is kept."""
        return {
            port if (port, 0) in side and (port, 1) not in side else f"{port}__{place}__": (
                self.bits[net],
            )
            for (port, place), net in side.items()
            if net in self.bits
        }
