"""SRAM macros: what their Liberty files say of area, energy, leakage and access time."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from archmodels.counts import Kind
from archmodels.technology import FittedPrice, Input, Term
from dse.calibrate import fit
from hwgen.synth import function
from hwgen.synth.liberty_groups import Group, GroupError, parse

GROUPS = frozenset(
    "cell memory pin bus timing internal_power rise_power fall_power cell_rise cell_fall".split()
)
ACTIVE = 0.5
"""A state of the clock is an access if its power is more than this part of the greatest."""

AREA_LAWS = (
    (Term.PRODUCT,),
    (Term.ONE, Term.PRODUCT),
    (Term.BITS, Term.PRODUCT),
    (Term.BITS, Term.OTHER_BITS, Term.PRODUCT),
    (Term.ONE, Term.BITS, Term.OTHER_BITS, Term.PRODUCT),
)
ENERGY_LAWS = ((Term.ONE,), (Term.BITS,), (Term.ONE, Term.BITS), *AREA_LAWS[2:])
DELAY_LAWS = (
    (Term.ONE,),
    (Term.ONE, Term.LOG2_OTHER_BITS),
    (Term.ONE, Term.OTHER_BITS),
    (Term.ONE, Term.BITS, Term.OTHER_BITS),
)
PORTS = "Macros of one port; a memory that reads and writes in one cycle is larger than its price."


class MacroError(ValueError):
    """A folder or a file of SRAM macros that cannot be used: one sentence, the file first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """An SRAM of `words` words of `bits` each. read_fj, write_fj: of an access, clock alone."""

    source: Input
    bits: int
    words: int
    supply_v: float
    area_um2: float
    read_fj: float
    write_fj: float
    leakage_nw: float
    access_ps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The prices of `Kind.MEMORY`."""

    area_um2: FittedPrice
    energy_pj: FittedPrice
    leakage_nw: FittedPrice
    delay_ps: FittedPrice


def read(folder: Path, pattern: str = "*.lib") -> tuple[Macro, ...]:
    """The macros of a folder, in the order of their names. Raises MacroError."""
    if not folder.is_dir():
        raise MacroError(f"--sram {folder}: folder must exist, and it does not")
    macros = tuple(_macro(path) for path in sorted(folder.glob(pattern)))
    if not macros:
        raise MacroError(f"--sram {folder}: folder must have files {pattern}, and it has none")
    supplies = sorted({macro.supply_v for macro in macros})
    if len(supplies) > 1:
        listed = ", ".join(f"{supply:g} V" for supply in supplies)
        raise MacroError(
            f"--sram {folder}: macros must be of one supply, not {listed}; "
            "choose with --sram-pattern"
        )
    return macros


def _macro(path: Path) -> Macro:
    text = path.read_text(encoding="utf-8", errors="replace")
    digest = hashlib.sha256(text.encode()).hexdigest()
    try:
        library = parse(text, GROUPS)
        cell = library.first("cell")
        memory = cell.first("memory") if cell else None
        if cell is None or memory is None:
            raise MacroError(f"{path}: file must hold a memory cell, and it does not")
        read_fj, write_fj = _accesses_fj(cell, _unit(library, "capacitive_load_unit"))
        return Macro(
            source=Input(file=path.name, sha256=digest),
            bits=int(memory.attributes["word_width"]),
            words=2 ** int(memory.attributes["address_width"]),
            supply_v=float(library.attributes["nom_voltage"]),
            area_um2=float(cell.attributes["area"]),
            read_fj=read_fj,
            write_fj=write_fj,
            leakage_nw=float(cell.attributes["cell_leakage_power"])
            * _unit(library, "leakage_power_unit"),
            access_ps=_access_ps(cell) * _unit(library, "time_unit"),
        )
    except KeyError as error:
        raise MacroError(f"{path}: macro must say {error.args[0]}, and it does not") from None
    except (GroupError, ValueError) as error:
        raise MacroError(
            str(error) if str(error).startswith(str(path)) else f"{path}: {error}"
        ) from None


def _unit(library: Group, name: str) -> float:
    """In our units: power of nW, time of ps, and for a load the energy in fJ at its volts."""
    scales = {
        "leakage_power_unit": {"1pw": 1e-3, "1nw": 1.0, "1uw": 1e3, "1mw": 1e6},
        "time_unit": {"1ps": 1.0, "10ps": 10.0, "100ps": 100.0, "1ns": 1e3},
        "capacitive_load_unit": {"1,pf": 1e3, "1,ff": 1.0, "1000,ff": 1e3},
    }[name]
    written = library.attributes.get(name) or library.complexes[name]
    unit = "".join(written.lower().split()).replace("1.0,", "1,")
    if unit not in scales:
        raise ValueError(f"{name} must be one of {', '.join(scales)}, not {written}")
    return scales[unit]


def _accesses_fj(cell: Group, unit_fj: float) -> tuple[float, float]:
    """Energy of a read and of a write: both edges of the clock, in the states that access.

    Where the tables do not tell read from write both are the same.
    """
    clock = next((pin for pin in cell.of("pin") if pin.attributes.get("clock") == "true"), None)
    if clock is None:
        raise ValueError("macro must have a clock pin, and it has none")
    states = {
        power.attributes.get("when", "1"): unit_fj
        * sum(fmean(_values(edge)) for edge in power.of("rise_power", "fall_power"))
        for power in clock.of("internal_power")
    }
    if not states or max(states.values()) <= 0:
        raise ValueError("clock of the macro must have internal power, and it has none")
    greatest = max(states.values())
    active = {when: energy for when, energy in states.items() if energy > ACTIVE * greatest}
    fewest = min(map(_enables, active))
    single = sorted(energy for when, energy in active.items() if _enables(when) == fewest)
    return single[0], single[-1]


def _enables(when: str) -> int:
    """Signals that a condition wants high: fewest where an access reads alone or writes alone."""
    expression = function.parse(when)
    operands = (
        expression[1:] if isinstance(expression, tuple) and expression[0] == "&" else (expression,)
    )
    return sum(isinstance(operand, str) for operand in operands)


def _access_ps(cell: Group) -> float:
    """From the clock to the word, in the unit of the file: the middle of the slowest table."""
    delays = [
        median(_values(table))
        for bus in cell.of("bus", "pin")
        for pin in (bus, *bus.of("pin"))
        for timing in pin.of("timing")
        if timing.attributes.get("timing_type") == "rising_edge"
        for table in timing.of("cell_rise", "cell_fall")
    ]
    if not delays:
        raise ValueError("macro must have a delay from its clock, and it has none")
    return max(delays)


def _values(group: Group) -> list[float]:
    return [float(value) for value in re.sub(r'["\\,]', " ", group.complexes["values"]).split()]


def prices(macros: Sequence[Macro], supply_v: float) -> Prices:
    """Laws in words and bits. Macros of another supply are of another process: energy scales."""
    at = {(macro.bits, macro.words): macro for macro in macros}
    own = macros[0].supply_v
    derived = abs(own - supply_v) > 1e-6
    about = f"{len(at)} SRAM macros. {PORTS}"
    if derived:
        about = f"Taken from {len(at)} SRAM macros of another process, {own:g} V. {PORTS}"

    def law(values: Iterator[float], laws: Sequence[fit.Law], note: str) -> FittedPrice:
        points = dict(zip(at, values, strict=True))
        if len(set(points.values())) == 1 and len(points) > 1:
            note += " All macros state the same number, which is a placeholder rather than data."
        return fit.price(points, laws, f"{about} {note}", derived=derived)

    scale = (supply_v / own) ** 2
    scaled = f" Scaled to {supply_v:g} V by the square of the supply." if derived else ""
    every = at.values()
    return Prices(
        area_um2=law((macro.area_um2 for macro in every), AREA_LAWS, "Periphery included."),
        energy_pj=law(
            (scale * (macro.read_fj + macro.write_fj) / 2000 for macro in every),
            ENERGY_LAWS,
            "Mean of a read and a write, both edges of the clock; address and data pins, about "
            f"1 %, left out.{scaled}",
        ),
        leakage_nw=law(
            (macro.leakage_nw for macro in every), (*AREA_LAWS[:1], *ENERGY_LAWS), "Whole macro."
        ),
        delay_ps=law((macro.access_ps for macro in every), DELAY_LAWS, "From clock to word."),
    )


def read_register(memory: FittedPrice) -> FittedPrice:
    """The price 0: the macro holds the word that it read."""
    return FittedPrice(
        law=(Term.BITS,),
        coefficients=(0.0,),
        range=memory.range,
        residual=memory.residual,
        source=memory.source,
        note=f"Inside the macro: part of {Kind.MEMORY}.",
        derived=True,
    )
