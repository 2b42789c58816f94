"""From the groups of a Liberty file to cells in our units."""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.synth import function
from hwgen.synth.cells import Arc, Cell, Floats, Pin, Power, Register, Table
from hwgen.synth.liberty_groups import Group, GroupError

EXPONENTS = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3}
KINDS = {
    "combinational_rise": "combinational",
    "combinational_fall": "combinational",
    "rising_edge": "clock",
    "falling_edge": "clock",
    "setup_rising": "setup",
    "setup_falling": "setup",
    "hold_rising": "hold",
    "hold_falling": "hold",
}
LOADS = ("total_output_net_capacitance", "equal_or_opposite_output_net_capacitance")
SLEWS = ("input_net_transition", "input_transition_time", "constrained_pin_transition")
UNUSED = (
    "dont_use",
    "dont_touch",
    "clock_gating_integrated_cell",
    "is_level_shifter",
    "is_isolation_cell",
    "is_filler_cell",
    "is_decap_cell",
    "is_tap_cell",
    "antenna_diode_type",
    "pad_cell",
)


@dataclass(frozen=True, slots=True)
class Units:
    """What a file's numbers are multiplied by to be ps, fF, V and nW."""

    time: float
    capacitance: float
    voltage: float
    leakage: float

    @property
    def energy(self) -> float:
        """To fJ: internal power is in capacitance times voltage squared."""
        return self.capacitance * self.voltage**2

    @classmethod
    def of(cls, library: Group) -> "Units":
        number, _, unit = (
            library.complexes.get("capacitive_load_unit", "1,pf").replace('"', "").partition(",")
        )
        return cls(
            time=_size(library.attributes.get("time_unit", "1ns"), "s", "p"),
            capacitance=_size(number.strip() + unit.strip(), "f", "f"),
            voltage=_size(library.attributes.get("voltage_unit", "1V"), "v", ""),
            leakage=_size(library.attributes.get("leakage_power_unit", "1nW"), "w", "n"),
        )


def _size(text: str, base: str, prefix: str) -> float:
    """A quantity such as 10ps in multiples of `prefix` and `base`, exact for powers of ten."""
    match = re.fullmatch(rf"([\d.eE+-]+)\s*([fpnumk]?){base}", text.strip().lower())
    if match is None:
        raise GroupError(f"units must be a number and a unit such as 1p{base}, not {text!r}")
    return float(match[1]) * float(f"1e{EXPONENTS[match[2]] - EXPONENTS[prefix]}")


@dataclass(frozen=True, slots=True)
class Templates:
    """The table templates of a file, by name."""

    groups: dict[str, Group]

    @classmethod
    def of(cls, library: Group) -> "Templates":
        found = library.of("lu_table_template", "power_lut_template")
        return cls({group.name: group for group in found})

    def table(self, group: Group, slew_unit: float, load_unit: float, unit: float) -> Table:
        """A table, whatever the order of its axes.

        An axis that is neither a slew nor a load of a constraint is the other pin's slew.
        """
        template = self.groups.get(group.name)
        values = numbers(group.complexes.get("values", "")) * unit
        axes: list[tuple[bool, Floats]] = []
        for place in ("1", "2"):
            variable = template.attributes.get(f"variable_{place}") if template else None
            text = group.complexes.get(f"index_{place}")
            if text is None and template and variable:
                text = template.complexes.get(f"index_{place}")
            if variable and text:
                axes.append((variable in SLEWS, _points(text)))
        if len(values) != np.prod([len(points) for _, points in axes], dtype=int):
            raise GroupError(f"table of template {group.name!r} must have a value per point")
        shaped = values.reshape([len(points) for _, points in axes] or [1, 1])
        if len(axes) == 2 and not axes[0][0]:
            shaped, axes = shaped.T, axes[::-1]
        slews = next((points * slew_unit for is_slew, points in axes if is_slew), None)
        loads = next((points * load_unit for is_slew, points in axes if not is_slew), None)
        shape = (1 if slews is None else len(slews), 1 if loads is None else len(loads))
        return Table(slews, loads, np.ascontiguousarray(shaped).reshape(shape))


@functools.lru_cache(maxsize=1024)
def _points(text: str) -> Floats:
    """The points of an axis, of which a library has many equal ones."""
    points = numbers(text)
    points.flags.writeable = False
    return points


def numbers(text: str) -> Floats:
    """The numbers of a list with commas."""
    try:
        return np.fromiter(
            map(float, text.replace(",", " ").replace('"', " ").split()), dtype=np.float64
        )
    except ValueError as error:
        raise GroupError(f"values must be numbers, not {text[:40]!r}") from error


def number(group: Group, name: str, default: str | None = None) -> float:
    """An attribute that is a number."""
    text = group.attributes[name] if default is None else group.attributes.get(name, default)
    try:
        return float(text)
    except ValueError as error:
        raise GroupError(f"{name} of {group.name} must be a number, not {text!r}") from error


def is_usable(cell: Group) -> bool:
    """Whether synthesis may use a cell: plain logic, or a plain flip-flop.

    Not one that the library says not to use, nor one with a tri-state output, a latch, a scan
    path, a clock gate, nor one without outputs.
    """
    if any(cell.attributes.get(name, "false").lower() != "false" for name in UNUSED):
        return False
    if cell.first("latch", "statetable", "test_cell", "ff_bank", "bus", "bundle"):
        return False
    outputs = [pin for pin in cell.of("pin") if pin.attributes.get("direction") != "input"]
    return bool(outputs) and all(
        pin.attributes.get("direction") == "output"
        and "function" in pin.attributes
        and "three_state" not in pin.attributes
        for pin in outputs
    )


def cell_of(group: Group, units: Units, templates: Templates) -> Cell:
    """A usable cell."""
    if "area" not in group.attributes:
        raise GroupError(f"cell {group.name} must have an area, and it has none")
    pins = {pin.name: _pin(pin, units, templates) for pin in group.of("pin")}
    for pin in pins.values():
        function.parse(pin.function or "0")  # so that a wrong one is found here
    flip_flop = group.first("ff")
    return Cell(
        name=group.name,
        area_um2=number(group, "area"),
        leakage_nw=_leakage(group) * units.leakage,
        pins=pins,
        register=_register(flip_flop, pins) if flip_flop else None,
    )


def _leakage(cell: Group) -> float:
    """What the file says of the cell; else of each supply, without condition; else the mean."""
    if "cell_leakage_power" in cell.attributes:
        return number(cell, "cell_leakage_power")
    plain: dict[str, float] = {}
    conditional: dict[str, list[float]] = {}
    for group in cell.of("leakage_power"):
        supply = group.attributes.get("related_pg_pin", "")
        value = number(group, "value", "0")
        if "when" in group.attributes:
            conditional.setdefault(supply, []).append(value)
        else:
            plain[supply] = value
    means = {supply: sum(values) / len(values) for supply, values in conditional.items()}
    return sum((means | plain).values())


def _register(flip_flop: Group, pins: dict[str, Pin]) -> Register:
    state, inverse = (name.strip() for name in flip_flop.arguments.split(","))
    outputs = {}
    for pin in pins.values():
        expression = function.parse(pin.function) if pin.function else ""
        if expression and function.names(expression) <= {state, inverse}:
            outputs[pin.name] = not function.evaluate(expression, {state: 1, inverse: 0})
    return Register(
        clock=flip_flop.attributes.get("clocked_on", ""),
        next_state=flip_flop.attributes.get("next_state", ""),
        state=(state, inverse),
        outputs=outputs,
        clear=flip_flop.attributes.get("clear"),
        preset=flip_flop.attributes.get("preset"),
    )


def _pin(group: Group, units: Units, templates: Templates) -> Pin:
    is_output = group.attributes.get("direction") == "output"
    return Pin(
        name=group.name,
        is_output=is_output,
        capacitance_ff=number(group, "capacitance", "0") * units.capacitance,
        function=group.attributes.get("function"),
        is_clock=group.attributes.get("clock", "false").lower() == "true",
        arcs=tuple(arc for timing in group.of("timing") for arc in _arcs(timing, units, templates)),
        powers=tuple(
            power
            for internal in group.of("internal_power")
            for power in _powers(internal, units, templates)
        ),
    )


def _arcs(timing: Group, units: Units, templates: Templates) -> Iterator[Arc]:
    kind = timing.attributes.get("timing_type", "combinational")
    is_constraint = timing.first("rise_constraint", "fall_constraint") is not None
    second = units.time if is_constraint else units.capacitance
    tables = {
        group.kind: templates.table(group, units.time, second, units.time)
        for group in timing.groups
    }
    for pin in timing.attributes.get("related_pin", "").split():
        yield Arc(
            related_pin=pin,
            kind=KINDS.get(kind, kind),
            sense=timing.attributes.get("timing_sense", ""),
            when=timing.attributes.get("when", ""),
            rise=tables.get("cell_rise") or tables.get("rise_constraint"),
            fall=tables.get("cell_fall") or tables.get("fall_constraint"),
            rise_transition=tables.get("rise_transition"),
            fall_transition=tables.get("fall_transition"),
        )


def _powers(internal: Group, units: Units, templates: Templates) -> Iterator[Power]:
    tables = {
        group.kind: templates.table(group, units.time, units.capacitance, units.energy)
        for group in internal.groups
    }
    nothing = Table(None, None, np.zeros((1, 1)))
    both = tables.get("power", nothing)
    related: Sequence[str | None] = internal.attributes.get("related_pin", "").split()
    for pin in related or [None]:
        yield Power(
            related_pin=pin,
            when=internal.attributes.get("when"),
            supply=internal.attributes.get("related_pg_pin"),
            rise=tables.get("rise_power", both),
            fall=tables.get("fall_power", both),
        )
