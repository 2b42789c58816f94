"""Digit-serial elements alone: OPT4C and OPT4E against OPT1 and multiply-accumulates."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from designs.digit_serial import DigitSerialParams
from designs.digits import Encoding
from dse.reproduce.bitweight.digits import PAPER_SIGMA, cycles_per_operand
from dse.reproduce.bitweight.elements import PAPER_DELAY_PS, STYLES
from dse.reproduce.bitweight.published import NOTE
from dse.reproduce.bitweight.trees import area_um2
from dse.reproduce.circuit import Circuit, between_registers
from dse.reproduce.figures import Figures, product, ratio
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Limit, Row, at_most
from hwgen.arith import PairParams
from hwgen.digit_serial.element import Element, ElementParams

SECTION = "Digit-serial elements alone"
PHASE_BITS = 26
"""Bits of a sum of the digits of one bit weight, as the authors have it."""
LANES = {"opt4c": 1, "opt4e": 4}

PAPER_AREA = {"opt4c": 81.27 / 246, "opt4e": 3.0}
"""Of an element of OPT4C in parallel MACs, and of OPT4E's four lanes in elements of OPT4C."""
PAPER_GAIN = {"opt4c": 2.7, "opt4e": 3.6}
"""Throughput of the area of a MAC, at 2.22 digits per operand, 2 GHz against 1 GHz."""

ONE_LEVEL = (
    "a select, two 3:2 levels and no encoder are left between registers, whose own delay is now "
    "the larger part"
)
MORE_LEVELS = "six words go through three 3:2 levels instead of three words through one"
TREE = "four lanes share one pair of registers; ours injects the hot ones for nothing"
REGISTERS = (
    "operand, digit and 51 bits of the pair are registers; with those the paper's 81 um2 do not "
    "hold at 28 nm, so its figure must leave some out"
)
EACH_CLOCK = (
    "at each one's shortest period and with the cycles of empty groups; selection, banks and "
    "waiting, which the engines have, left out"
)
HORNER = "our sum is shifted when the bit weight changes, so that no SIMD unit adds phases up"


def circuits() -> Sequence[Circuit]:
    """Elements of a phase, as the paper's, and one that goes on through all phases, as ours."""
    phases = [_circuit(name, PHASE_BITS, lanes, False) for name, lanes in LANES.items()]
    return [*phases, _circuit("opt4c_all", PHASE_BITS, 1, True)]


def _circuit(name: str, bits: int, lanes: int, shifts: bool) -> Circuit:
    def part() -> tuple[Any, Any]:
        params: Any = ElementParams.of(DigitSerialParams(lanes=lanes), has_south=False)
        return Element, replace(params, pair=PairParams(width=bits), shifts=shifts)

    return between_registers(f"{name}_{bits}", part, still={"clear": 0, "shift": 0})


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """Delays, areas, and throughput per area, in each technology."""
    for technology in technologies:
        found = Figures(measurements, technology)
        yield from _delays(found)
        yield from _areas(found)
        yield from _gains(found)


def _delays(found: Figures) -> Iterator[Row]:
    paper = PAPER_DELAY_PS
    opt4c, opt4e = found.delay_ps("opt4c_26"), found.delay_ps("opt4e_26")
    yield _row(
        found,
        "shortest period of opt4c over opt1",
        ratio(opt4c, found.delay_ps("opt1_32")),
        ONE_LEVEL,
        paper["opt4c"] / paper["opt1"],
        at_most(0.75),
    )
    yield _row(
        found,
        "shortest period of opt4e over opt4c",
        ratio(opt4e, opt4c),
        MORE_LEVELS,
        paper["opt4e"] / paper["opt4c"],
    )
    all_phases = found.delay_ps("opt4c_all_26")
    yield _row(
        found, "shortest period of opt4c, all phases, over one", ratio(all_phases, opt4c), HORNER
    )


def _areas(found: Figures) -> Iterator[Row]:
    opt4c, opt4e = area_um2(found, "opt4c_26"), area_um2(found, "opt4e_26")
    yield _row(
        found,
        "area of opt4e over opt4c, four lanes",
        ratio(opt4e, opt4c),
        TREE,
        PAPER_AREA["opt4e"],
        at_most(2.4),
    )
    mac = found.area_um2(*STYLES)
    yield _row(
        found,
        "area of opt4c over the smallest MAC",
        ratio(opt4c, mac),
        REGISTERS,
        PAPER_AREA["opt4c"],
    )
    all_phases = area_um2(found, "opt4c_all_26")
    yield _row(found, "area of opt4c, all phases, over one", ratio(all_phases, opt4c), HORNER)


def _gains(found: Figures) -> Iterator[Row]:
    cycles = cycles_per_operand(Encoding.ENT, PAPER_SIGMA)
    for name, lanes in LANES.items():
        area, delay_ps = area_um2(found, f"{name}_26"), found.delay_ps(f"{name}_26")
        yield _row(
            found,
            f"throughput per area of {name} over the best of three MACs",
            ratio(product(found.cost(*STYLES), lanes / cycles), product(area, delay_ps)),
            EACH_CLOCK,
            PAPER_GAIN[name],
        )


def _row(
    found: Figures,
    what: str,
    ours: float | None,
    reason: str,
    paper: float | None = None,
    limit: Limit | None = None,
) -> Row:
    return Row(
        section=SECTION,
        what=what,
        technology=found.technology,
        ours=ours,
        reason=reason,
        paper=paper,
        source=NOTE if paper else "",
        limit=limit,
    )
