"""What it costs that a multiplier can be four ternary ones: a column of 16 BoothFlex elements."""

from collections.abc import Sequence
from typing import Any

from designs.booth_flex import BoothFlexParams
from designs.lut_ternary import LutTernaryParams
from designs.ternary import WeightFormat
from dse.reproduce.circuit import Circuit, between_registers
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_most
from hwgen.booth_flex.array import Array
from hwgen.booth_flex.column import Column
from hwgen.lut_ternary.column import Column as TernaryColumn

SECTION = "A column of 16 BoothFlex elements"
ELEMENTS = 16
FLEXIBLE = BoothFlexParams(elements=ELEMENTS)
SERIAL = BoothFlexParams(elements=ELEMENTS, serial=True)
TERNARY = LutTernaryParams(mu=1, tables=FLEXIBLE.a_lanes, ports=1, weight_format=WeightFormat.CODE2)
NO_CIRCUIT = "the authors give no circuit; a reconstruction of one element in Nangate45 has {0}"
SHARED = (
    "logic without registers; rows of equal digits are added up over all elements before they are "
    "shifted or not, so one choice of place serves 16 elements. " + NO_CIRCUIT.format("0.87")
)
OVERHEAD = "what the ternary mode adds to int8 x int8; " + NO_CIRCUIT.format("1.56")
PER_LANE = (
    "why an engine has both kinds of cores: BoothFlex is for ternary layers only while it has "
    "nothing else to do; " + NO_CIRCUIT.format("1.98")
)
ONE_DIGIT = "one digit of each weight per cycle; " + NO_CIRCUIT.format("0.79 with its register")


UNIFIED, WHOLE, TRITS, DIGITS = "flexible_16", "whole_16", "ternary_64", "serial_16"


def circuits() -> Sequence[Circuit]:
    """A column for both, one for whole weights alone, one for trits alone, and a serial one."""
    return [
        between_registers(UNIFIED, lambda: (Array, FLEXIBLE), held={"step": 1}),
        between_registers(WHOLE, lambda: (Column, FLEXIBLE), held={"step": 1, "narrow": 0}),
        between_registers(TRITS, lambda: (TernaryColumn, TERNARY), held={"update": 1}),
        between_registers(DIGITS, lambda: (Column, SERIAL), held={"step": 1}),
    ]


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """Ratios of areas, per technology."""
    return [row for one in technologies for row in _rows(_areas(measurements, one), one)]


def _areas(measurements: Measurements, technology: str) -> dict[str, float | None]:
    """Area without registers, by circuit."""
    areas: dict[str, float | None] = {}
    for name in (UNIFIED, WHOLE, TRITS, DIGITS):
        found = measurements.figures(technology, name)
        areas[name] = None if found is None else found["area_um2"] - found["flip_flop_um2"]
    return areas


def _rows(areas: dict[str, float | None], technology: str) -> list[Row]:
    whole, trits = areas[WHOLE], areas[TRITS]
    both = None if whole is None or trits is None else whole + trits

    def row(what: str, above: float | None, below: float | None, reason: str, **more: Any) -> Row:
        ours = None if above is None or below is None else above / below
        return Row(
            section=SECTION, what=what, ours=ours, reason=reason, technology=technology, **more
        )

    return [
        row("BoothFlex / (int8 + 64 ternary)", areas[UNIFIED], both, SHARED, limit=at_most(0.92)),
        row("BoothFlex / int8 alone", areas[UNIFIED], whole, OVERHEAD),
        row("its ternary lane / TINT lane", areas[UNIFIED], trits, PER_LANE),
        row("serial / BoothFlex", areas[DIGITS], areas[UNIFIED], ONE_DIGIT),
    ]
