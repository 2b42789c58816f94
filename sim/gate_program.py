"""From cells to steps of numpy: gates by their depth, equal functions of a depth together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.synth import function
from hwgen.synth.cells import Cell, Register
from hwgen.synth.liberty import Library
from sim.flat import CONSTANTS, Flat, GateError, Nets

LANES = 64
Words = NDArray[np.uint64]
Step = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function of numpy and its arguments, of which the last array takes the result."""

ONES = np.uint64(2**LANES - 1)
OPERATORS = {"&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor}


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """Equal gates: their function, the nets of its inputs by name, and the nets of its output."""

    expression: function.Expression
    inputs: Mapping[str, Nets]
    output: Nets

    def renumbered(self, order: Nets) -> "Gates":
        inputs = {name: order[nets] for name, nets in self.inputs.items()}
        return Gates(self.expression, inputs, order[self.output])


@dataclass(frozen=True, slots=True, eq=False)
class Flops:
    """Equal flip-flops: the next state as a function of pins, and the nets of all pins.

    outputs: output pin to whether it shows the inverse.
    """

    kind: str
    clock: str
    expression: function.Expression
    pins: Mapping[str, Nets]
    outputs: Mapping[str, bool]

    @property
    def next_state(self) -> Gates:
        """As gates, whose output is no net."""
        names = sorted(function.names(self.expression))
        inputs = {name: self.pins[name] for name in names}
        return Gates(self.expression, inputs, self.pins[self.clock])

    def renumbered(self, order: Nets) -> "Flops":
        pins = {pin: order[nets] for pin, nets in self.pins.items()}
        return Flops(self.kind, self.clock, self.expression, pins, self.outputs)


def gates_of(flat: Flat, library: Library) -> tuple[list[Gates], list[Flops]]:
    """What a netlist is made of. Raises `GateError` for a cell that is neither."""
    gates, flops = [], []
    for kind, cells in flat.cells.items():
        cell = library.cells[kind]
        pins = dict(zip(cells.pins, cells.nets.T, strict=True))
        if cell.register:
            flops.append(_flops(cell, cell.register, pins))
            continue
        for pin in cell.outputs:
            if pin.function is None:
                raise GateError(f"{kind}.{pin.name} must have a function, and it has none")
            expression = function.parse(pin.function)
            names = sorted(function.names(expression))
            gates.append(Gates(expression, {name: pins[name] for name in names}, pins[pin.name]))
    return gates, flops


def _flops(cell: Cell, register: Register, pins: Mapping[str, Nets]) -> Flops:
    if register.clock not in pins:
        raise GateError(f"{cell.name} must have a clock that is a pin, not {register.clock!r}")
    for kind, text in (("clear", register.clear), ("preset", register.preset)):
        if text is None:
            continue
        expression = function.parse(text)
        values = {name: pins[name] for name in function.names(expression)}
        if any((nets > CONSTANTS["1"]).any() for nets in values.values()) or np.any(
            function.evaluate(expression, values)
        ):
            raise GateError(f"{cell.name} must have its asynchronous {kind} tied off")
    if set(register.outputs) != {pin.name for pin in cell.outputs}:
        raise GateError(f"{cell.name} must have its state on each output")
    shown, is_inverted = next(iter(register.outputs.items()))
    states: list[function.Expression] = [shown, ("~", shown)]
    states = states[::-1] if is_inverted else states
    expression = function.parse(register.next_state)
    expression = _substituted(expression, dict(zip(register.state, states, strict=True)))
    return Flops(cell.name, register.clock, expression, pins, register.outputs)


def _substituted(
    expression: function.Expression, names: Mapping[str, function.Expression]
) -> function.Expression:
    if isinstance(expression, str):
        return names.get(expression, expression)
    return (expression[0], *(_substituted(part, names) for part in expression[1:]))


def clock_of(flat: Flat, gates: Sequence[Gates], flops: Sequence[Flops]) -> int | None:
    """The net of the only clock, which is an input; None where there is no state."""
    clocks = [one.pins[one.clock] for one in flops]
    clocks += [memory[pin] for memory in flat.memories for pin in ("RD_CLK", "WR_CLK")]
    nets = np.unique(np.concatenate(clocks)) if clocks else np.zeros(0, dtype=np.int64)
    if not len(nets):
        return None
    logic = (net for gate in gates for net in gate.inputs.values())
    if len(nets) > 1 or any((net == nets[0]).any() for net in logic):
        raise GateError("a netlist must have one clock, straight from an input")
    if not any((port == nets[0]).any() for port in flat.inputs.values()):
        raise GateError("the clock must be an input, and it is not")
    return int(nets[0])


def levels_of(net_count: int, gates: Sequence[Gates]) -> Iterator[list[Gates]]:
    """Gates by depth: each level needs outputs of those before alone. One entry per function."""
    is_known = np.ones(net_count, dtype=bool)
    for gate in gates:
        is_known[gate.output] = False
    pending = list(gates)
    while pending:
        ready: dict[function.Expression, list[Gates]] = {}
        waiting = []
        for gate in pending:
            is_ready = np.ones(len(gate.output), dtype=bool)
            for nets in gate.inputs.values():
                is_ready &= is_known[nets]
            if is_ready.any():
                ready.setdefault(gate.expression, []).append(_rows(gate, is_ready))
            if not is_ready.all():
                waiting.append(_rows(gate, ~is_ready))
        if not ready:
            count = sum(len(gate.output) for gate in waiting)
            raise GateError(f"gates must not form a loop, and {count} do or hang on one")
        level = [_joined(same) for same in ready.values()]
        for gate in level:
            is_known[gate.output] = True
        pending = waiting
        yield level


def _rows(gate: Gates, rows: NDArray[np.bool_]) -> Gates:
    inputs = {name: nets[rows] for name, nets in gate.inputs.items()}
    return Gates(gate.expression, inputs, gate.output[rows])


def _joined(same: list[Gates]) -> Gates:
    names = same[0].inputs
    inputs = {name: np.concatenate([gate.inputs[name] for gate in same]) for name in names}
    return Gates(same[0].expression, inputs, np.concatenate([gate.output for gate in same]))


def order_of(flat: Flat, levels: Sequence[list[Gates]], flops: Sequence[Flops]) -> Nets:
    """Net to its new number, with the outputs of equal gates side by side; constants stay."""
    driven = [one.pins[pin] for one in flops for pin in one.outputs]
    driven += [gate.output for level in levels for gate in level]
    is_free = np.ones(flat.net_count, dtype=bool)
    for nets in driven:
        is_free[nets] = False
    placed = np.concatenate([np.flatnonzero(is_free), *driven])
    if len(placed) != flat.net_count or not is_free[: len(CONSTANTS)].all():
        raise GateError("a net must have one driver, and one has more")
    order = np.empty(flat.net_count, dtype=np.int64)
    order[placed] = np.arange(flat.net_count)
    return order


def steps_of(values: Words, gates: Sequence[Gates], outputs: Sequence[Words]) -> Iterator[Step]:
    """Steps from `values` to the outputs of gates that do not need each other."""
    nets = [net for gate in gates for net in gate.inputs.values()]
    index = np.concatenate(nets) if nets else np.zeros(0, dtype=np.int64)
    gathered = np.empty(len(index), dtype=np.uint64)
    yield np.take, (values, index, None, gathered, "clip")
    start = 0
    for gate, output in zip(gates, outputs, strict=True):
        count = len(gate.output)
        operands = {"0": np.zeros(1, dtype=np.uint64), "1": np.full(1, ONES)}
        for name in gate.inputs:
            operands[name] = gathered[start : start + count]
            start += count
        steps: list[Step] = []
        result = _expressed(gate.expression, operands, output, steps)
        yield from steps
        if result is not output:
            yield np.copyto, (output, result)


def _expressed(
    expression: function.Expression, operands: Mapping[str, Words], out: Words, steps: list[Step]
) -> Words:
    """Adds the steps of an expression; the array with its value, `out` unless it is an operand."""
    if isinstance(expression, str):
        return operands[expression]
    operator, first, *rest = expression
    result = _expressed(first, operands, out, steps)
    if operator == "~":
        steps.append((np.invert, (result, out)))
        return out
    for part in rest:
        is_name = isinstance(part, str)
        other = _expressed(part, operands, out if is_name else np.empty_like(out), steps)
        steps.append((OPERATORS[operator], (result, other, out)))
        result = out
    return out
