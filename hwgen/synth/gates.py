"""The gates of one module: what drives a bit, what reads it, and what is behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hwgen.synth.cells import Cell
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Bit, Module


@dataclass(frozen=True, slots=True)
class Gate:
    """A library cell in a module, its pins one bit each."""

    name: str
    cell: Cell
    pins: Mapping[str, Bit]


@dataclass(slots=True)
class Gates:
    """The gates of a module, memories left out: what drives and what reads each bit."""

    gates: list[Gate] = field(default_factory=list)
    drivers: dict[int, int] = field(default_factory=dict)
    readers: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    clocked: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, module: Module, library: Library) -> "Gates":
        found = cls()
        for name, instance in module.cells.items():
            cell = library.cells.get(instance.kind)
            if cell is None:
                continue
            number = len(found.gates)
            found.gates.append(Gate(name, cell, {p: bits[0] for p, bits in instance.pins.items()}))
            clocks = cell.register.clock_pins if cell.register else ()
            for pin, bit in found.gates[-1].pins.items():
                if not isinstance(bit, int):
                    continue
                if cell.pins[pin].is_output:
                    found.drivers[bit] = number
                elif pin in clocks:
                    found.clocked.add(bit)
                else:
                    found.readers.setdefault(bit, []).append((number, pin))
        return found

    def pins_at(self, bit: int) -> list[tuple[str, str]]:
        """The cells and pins that read a bit."""
        readers = self.readers.get(bit, ())
        return sorted((self.gates[reader].cell.name, pin) for reader, pin in readers)

    def cone(self, bits: Iterable[int]) -> tuple[set[int], set[int]]:
        """The gates behind some bits back to registers, and the bits where they get no further."""
        gates: set[int] = set()
        ends: set[int] = set()
        waiting, seen = [*bits], set(bits)
        while waiting:
            bit = waiting.pop()
            number = self.drivers.get(bit)
            if number is None:
                ends.add(bit)
                continue
            gates.add(number)
            gate = self.gates[number]
            if gate.cell.register:
                continue
            for pin, source in gate.pins.items():
                if isinstance(source, int) and source not in seen and pin not in outputs_of(gate):
                    seen.add(source)
                    waiting.append(source)
        return gates, ends

    def chain(self, bit: int) -> tuple[list[int], tuple[object, ...]] | None:
        """The bits of a chain of one-input gates back to a register or elsewhere, and what it is.

        None where the logic behind the bit is no chain.
        """
        bits, shape = [bit], []
        while (number := self.drivers.get(bit)) is not None:
            gate = self.gates[number]
            shape.append((gate.cell.name, *self.pins_at(bit)))
            if gate.cell.register:
                return bits, tuple(shape)
            outputs = outputs_of(gate)
            (source, *others) = [its for pin, its in gate.pins.items() if pin not in outputs]
            if others or not isinstance(source, int):
                return None
            bit = source
            bits.append(bit)
        return bits, tuple(shape)


def outputs_of(gate: Gate) -> tuple[str, ...]:
    return tuple(pin.name for pin in gate.cell.outputs)
