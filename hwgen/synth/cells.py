"""What a cell library says of its cells, in one set of units: ps, fF, fJ, nW, um2, V."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwgen.synth import function

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A value over the slew of an input and the load of an output.

    slews_ps, loads_ff: the points of either axis, or None where the value does not depend on it.
    values: slews by loads, 1 where the axis is None. In a constraint (setup, hold) `slews_ps` are
    of the data pin and `loads_ff` are slews too: of the clock.
    """

    slews_ps: Floats | None
    loads_ff: Floats | None
    values: Floats

    def at(self, slew_ps: ArrayLike, load_ff: ArrayLike) -> Floats:
        """Bilinear between points, linear beyond them; for numbers or arrays."""
        row, row_part = _place(self.slews_ps, slew_ps)
        column, column_part = _place(self.loads_ff, load_ff)
        next_row = np.minimum(row + 1, self.values.shape[0] - 1)
        next_column = np.minimum(column + 1, self.values.shape[1] - 1)
        low = self.values[row, column] * (1 - column_part)
        low = low + self.values[row, next_column] * column_part
        high = self.values[next_row, column] * (1 - column_part)
        high = high + self.values[next_row, next_column] * column_part
        return np.asarray(low * (1 - row_part) + high * row_part)


def _place(axis: Floats | None, value: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
    """The point of an axis at or below a value, and how far it is to the next, as a part."""
    asked = np.asarray(value, dtype=np.float64)
    if axis is None or len(axis) == 1:
        return np.zeros(asked.shape, dtype=np.int64), np.zeros(asked.shape)
    point = np.clip(np.searchsorted(axis, asked, side="right") - 1, 0, len(axis) - 2)
    return point, (asked - axis[point]) / (axis[point + 1] - axis[point])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arc:
    """Timing between two pins.

    kind: "combinational", "clock" (to an output), "setup" and "hold" (of an input, its related pin
    is the clock), or Liberty's `timing_type` for anything else.
    sense: "positive_unate", "negative_unate", "non_unate" or "". when: the condition, or "".
    rise, fall: delay to that edge of the pin, or the constraint on it; None where there is none.
    rise_transition, fall_transition: slew of that edge.
    """

    related_pin: str
    kind: str
    sense: str
    when: str
    rise: Table | None
    fall: Table | None
    rise_transition: Table | None
    fall_transition: Table | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Power:
    """Energy in fJ inside the cell for one edge of the pin, its load's not included.

    related_pin: the input that causes it, None for an input pin's own. when: condition or None.
    supply: the power pin that it is drawn from, None where the library does not say.
    """

    related_pin: str | None
    when: str | None
    supply: str | None
    rise: Table
    fall: Table


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pin:
    """A signal pin. function: of an output, as Liberty writes it; see `hwgen.synth.function`."""

    name: str
    is_output: bool
    capacitance_ff: float
    function: str | None
    is_clock: bool
    arcs: tuple[Arc, ...]
    powers: tuple[Power, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A flip-flop: at the rising edge of `clock` its state becomes `next_state`.

    state: names of the state and its inverse, which may occur in functions.
    outputs: output pin to whether it shows the inverse. clear, preset: functions or None.
    """

    clock: str
    next_state: str
    state: tuple[str, str]
    outputs: Mapping[str, bool]
    clear: str | None
    preset: str | None

    @property
    def is_plain(self) -> bool:
        """Whether it is a D flip-flop of the rising edge, without clear, preset and enable."""
        is_rising = isinstance(function.parse(self.clock), str)
        data = function.names(function.parse(self.next_state))
        return is_rising and len(data) == 1 and not self.clear and not self.preset

    @property
    def shows_data(self) -> bool:
        """Whether an output shows what the data input was, and not only its inverse."""
        next_state = function.parse(self.next_state)
        inverts = isinstance(next_state, tuple) and next_state[0] == "~"
        return any(is_inverse == inverts for is_inverse in self.outputs.values())

    @property
    def clock_pins(self) -> frozenset[str]:
        return function.names(function.parse(self.clock))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """A cell that a netlist may use. leakage_nw: over its states, each as likely as the other."""

    name: str
    area_um2: float
    leakage_nw: float
    pins: Mapping[str, Pin]
    register: Register | None = field(default=None)

    @property
    def inputs(self) -> tuple[Pin, ...]:
        return tuple(pin for pin in self.pins.values() if not pin.is_output)

    @property
    def outputs(self) -> tuple[Pin, ...]:
        return tuple(pin for pin in self.pins.values() if pin.is_output)

    @property
    def is_buffer(self) -> bool:
        return self.computes((0, 1))

    @property
    def is_inverter(self) -> bool:
        return self.computes((1, 0))

    def computes(self, truth: Sequence[int]) -> bool:
        """Whether the one output has this truth table; the first input counts 1, the next 2 ..."""
        if self.register or len(self.outputs) != 1 or self.outputs[0].function is None:
            return False
        expression = function.parse(self.outputs[0].function)
        names = [pin.name for pin in self.inputs]
        if 2 ** len(names) != len(truth) or function.names(expression) != {*names}:
            return False
        points = [
            {name: point >> place & 1 for place, name in enumerate(names)}
            for point in range(len(truth))
        ]
        return [function.evaluate(expression, point) for point in points] == [*truth]


def is_timed_buffer(cell: Cell) -> bool:
    """Whether a cell is a buffer whose delay and slew the library has for some edge."""
    if not cell.is_buffer or not cell.outputs[0].arcs:
        return False
    arc = cell.outputs[0].arcs[0]
    has_delay = arc.rise is not None or arc.fall is not None
    return has_delay and (arc.rise_transition is not None or arc.fall_transition is not None)
