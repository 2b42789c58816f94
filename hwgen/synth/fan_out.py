"""Fan-out trees on nets that ABC does not buffer: from registers, ports and between modules.

ABC sees one module, from its registers and ports to its registers and ports, and buffers what is
in between. A register's output, or a port that a thousand elements share, is one net to it.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from hwgen.synth.cells import Cell, is_timed_buffer
from hwgen.synth.liberty import LibertyError, Library
from hwgen.synth.netlist import Bit, Instance, Mapped, Module

LIMIT = 16
"""Sinks that a net may have."""
SETTLED_ROUNDS = 20
PREFIX = "fan_out_"
PORT_PREFIX = f"{PREFIX}port_"


def buffer_delay_ps(cell: Cell) -> float:
    """Delay of a buffer that drives `LIMIT` of its own kind, and is driven by one that does."""
    load = LIMIT * cell.inputs[0].capacitance_ff
    arc = cell.outputs[0].arcs[0]
    slew = 0.0
    for _ in range(SETTLED_ROUNDS):
        edges = (arc.rise_transition, arc.fall_transition)
        slew = max(float(edge.at(slew, load)) for edge in edges if edge)
    return max(float(edge.at(slew, load)) for edge in (arc.rise, arc.fall) if edge)


def chosen_buffer(library: Library) -> Cell:
    """The buffer of trees, and what drives ports: the least product of area and that delay.

    Raises `LibertyError` where no buffer has a delay.
    """
    buffers = [cell for cell in library.cells.values() if is_timed_buffer(cell)]
    if not buffers:
        raise LibertyError(f"{library.name}: a buffer must have delays, and none has")
    return min(buffers, key=lambda cell: (cell.area_um2 * buffer_delay_ps(cell), cell.name))


@dataclass(frozen=True, slots=True)
class Sink:
    """What a net drives: a pin's bit, and how many sinks it stands for."""

    instance: str
    pin: str
    place: int
    weight: int


def with_trees(mapped: Mapped, library: Library) -> Mapped:
    """The netlist with a tree of buffers on each net of more than `LIMIT` sinks.

    The sinks that a port has inside, after the trees in there, count; clocks are left alone. A net
    that leaves its module by several ports, to more sinks than `LIMIT` in all, has a buffer at each
    of these ports.
    """
    buffer = chosen_buffer(library)
    treed, loads = _all_with_trees(mapped, library, buffer)
    outside = _outside(treed, loads)
    parted = {
        name: _parted(module, loads[name], outside[name], buffer)
        for name, module in mapped.modules.items()
    }
    if parted == mapped.modules:
        return treed
    return _all_with_trees(Mapped(mapped.top, parted), library, buffer)[0]


def _all_with_trees(
    mapped: Mapped, library: Library, buffer: Cell
) -> tuple[Mapped, dict[str, dict[Bit, int]]]:
    """The netlist with trees, and of each module net to its sinks after them, ports left out."""
    weights: dict[str, dict[str, list[int]]] = {}
    modules, loads = {}, {}
    for name in reversed(mapped.order):
        module = _with_trees(mapped.modules[name], weights, library, buffer)
        modules[name] = module
        totals: dict[Bit, int] = {}
        for net, sinks in _sinks(module, weights, library).items():
            totals[net] = sum(sink.weight for sink in sinks)
        loads[name] = totals
        weights[name] = {
            port: [totals.get(bit, 0) for bit in bits] for port, bits in module.inputs.items()
        }
    return Mapped(mapped.top, {name: modules[name] for name in mapped.modules}), loads


Outputs: TypeAlias = "dict[tuple[str, int], int]"
"""Output port and its bit to the sinks behind it, the most of all instances."""


def _outside(mapped: Mapped, loads: Mapping[str, Mapping[Bit, int]]) -> dict[str, Outputs]:
    """Of each module, the sinks behind its output ports."""
    outside: dict[str, Outputs] = {name: {} for name in mapped.modules}
    for name in mapped.order:
        module, nets = mapped.modules[name], dict(loads[name])
        for port, bits in module.outputs.items():
            for place, bit in enumerate(bits):
                nets[bit] = nets.get(bit, 0) + outside[name].get((port, place), 0)
        for instance in module.cells.values():
            if instance.kind in outside:
                found = outside[instance.kind]
                for port in mapped.modules[instance.kind].outputs:
                    for place, bit in enumerate(instance.pins.get(port, ())):
                        found[port, place] = max(found.get((port, place), 0), nets.get(bit, 0))
    return outside


def _parted(module: Module, loads: Mapping[Bit, int], outside: Outputs, buffer: Cell) -> Module:
    """The module with a buffer at each port of a net that drives too much by several of them."""
    ports: dict[Bit, list[tuple[str, int]]] = {}
    for port, bits in module.outputs.items():
        for place, bit in enumerate(bits):
            if isinstance(bit, int):
                ports.setdefault(bit, []).append((port, place))
    outputs = {port: [*bits] for port, bits in module.outputs.items()}
    cells = dict(module.cells)
    free = _greatest_net(module)
    (data_in,), (data_out,) = buffer.inputs, buffer.outputs
    for net, places in ports.items():
        behind = loads.get(net, 0) + sum(outside.get(place, 0) for place in places)
        if len(places) == 1 or behind <= LIMIT:
            continue
        for port, place in places:
            free += 1
            pins: dict[str, tuple[Bit, ...]] = {data_in.name: (net,), data_out.name: (free,)}
            cells[f"{PORT_PREFIX}{port}_{place}"] = Instance(buffer.name, pins)
            outputs[port][place] = free
    return replace(
        module,
        outputs={port: tuple(bits) for port, bits in outputs.items()},
        cells=cells,
    )


def _greatest_net(module: Module) -> int:
    """The greatest number of a net."""
    words = [bits for instance in module.cells.values() for bits in instance.pins.values()]
    words += [*module.inputs.values(), *module.outputs.values()]
    return max((bit for bits in words for bit in bits if isinstance(bit, int)), default=0)


def _sinks(
    module: Module, weights: Mapping[str, Mapping[str, list[int]]], library: Library
) -> dict[Bit, list[Sink]]:
    """Net to what it drives, in order; an output port counts as one sink and is listed as none."""
    sinks: dict[Bit, list[Sink]] = {}
    for name, instance in module.cells.items():
        for pin, place, bit, weight in _loads(instance, weights, library):
            if weight and isinstance(bit, int):
                sinks.setdefault(bit, []).append(Sink(name, pin, place, weight))
    return sinks


def _loads(
    instance: Instance, weights: Mapping[str, Mapping[str, list[int]]], library: Library
) -> Iterator[tuple[str, int, Bit, int]]:
    cell = library.cells.get(instance.kind)
    for pin, bits in instance.pins.items():
        for place, bit in enumerate(bits):
            if instance.kind in weights:
                inside = weights[instance.kind].get(pin)
                yield pin, place, bit, inside[place] if inside else 0
            elif cell is None:  # a memory
                yield pin, place, bit, int(not pin.endswith("CLK") and pin != "RD_DATA")
            elif not cell.pins[pin].is_output:
                is_clock = cell.register is not None and pin in cell.register.clock_pins
                yield pin, place, bit, int(not is_clock)


def _with_trees(
    module: Module,
    weights: Mapping[str, Mapping[str, list[int]]],
    library: Library,
    buffer: Cell,
) -> Module:
    pins = {
        name: {pin: [*bits] for pin, bits in instance.pins.items()}
        for name, instance in module.cells.items()
    }
    kinds = {name: instance.kind for name, instance in module.cells.items()}
    free = _greatest_net(module)
    (data_in,), (data_out,) = buffer.inputs, buffer.outputs
    taken = {*kinds, *module.inputs, *module.outputs}
    names = (name for count in itertools.count() if (name := f"{PREFIX}{count}") not in taken)
    for net, sinks in _sinks(module, weights, library).items():
        while sum(sink.weight for sink in sinks) > LIMIT:
            above = []
            for group in _groups(sinks):
                free += 1
                name = next(names)
                for sink in group:
                    pins[sink.instance][sink.pin][sink.place] = free
                kinds[name] = buffer.name
                pins[name] = {data_in.name: [net], data_out.name: [free]}
                above.append(Sink(name, data_in.name, 0, 1))
            sinks = above
    return Module(
        name=module.name,
        inputs=module.inputs,
        outputs=module.outputs,
        cells={
            name: Instance(
                kinds[name],
                {pin: tuple(own) for pin, own in pins[name].items()},
                module.cells[name].parameters if name in module.cells else {},
            )
            for name in kinds
        },
    )


def _groups(sinks: list[Sink]) -> Iterator[list[Sink]]:
    """Sinks in their order, in the fewest even groups of at most `LIMIT`."""
    total = sum(sink.weight for sink in sinks)
    share = total / -(-total // LIMIT)
    group: list[Sink] = []
    weight = 0
    for sink in sinks:
        if group and (weight + sink.weight > LIMIT or weight >= share):
            yield group
            group, weight = [], 0
        group.append(sink)
        weight += sink.weight
    yield group
