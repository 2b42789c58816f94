"""A whole technology from a cell library and SRAM macros."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from archmodels.counts import Item, Kind
from archmodels.technology import Calibration, Input, Technology
from dse.calibrate import prices, sram, stages
from dse.calibrate.benches import MULTIPLY_ADDS
from dse.calibrate.measure import Workbench
from dse.calibrate.primitives import Circuit, accumulate, multiply_add, result
from dse.calibrate.sram import Macro
from hwgen.synth.flow import FASTEST_PS
from hwgen.synth.liberty import Library

RESULT_BITS = (16, 24, 32)
"""Widths at which a register with two sources is put together as a check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A circuit that no price was fitted to, beside the sum of the prices of its parts."""

    name: str
    area_um2: float
    priced_um2: float

    @property
    def error_percent(self) -> float:
        return 100 * (self.priced_um2 / self.area_um2 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What a calibration is of: a name, a node, cells, and perhaps macros."""

    name: str
    node_nm: int
    library: Library
    macros: Sequence[Macro]


def circuits() -> list[Circuit]:
    """All that a calibration synthesises, checks included."""
    return [*prices.circuits(), *map(result, RESULT_BITS)]


def technology(process: Process, bench: Workbench, progress: Callable[[int], None]) -> Technology:
    """The technology with all its prices; `progress` is told how many of `BENCHES` are done."""
    library = process.library
    area, energy = prices.areas(bench), prices.energies(bench, progress)
    leakage, delay = prices.leakages(bench), stages.path_delays(bench, library)
    if process.macros:
        memory = sram.prices(process.macros, library.supply_v)
        for table, price in (
            (area, memory.area_um2),
            (energy, memory.energy_pj),
            (leakage, memory.leakage_nw),
        ):
            table[Kind.MEMORY] = price
            table[Kind.MEMORY_READ_REGISTER] = sram.read_register(price)
        delay[Kind.MEMORY] = memory.delay_ps
    return Technology(
        name=process.name,
        node_nm=process.node_nm,
        supply_v=library.supply_v,
        sources={},
        area_prices=area,
        energy_prices=energy,
        leakage_prices=leakage,
        delay_prices=delay,
        calibration=Calibration(
            hwgen=version("hwgen"),
            tools=bench.synthesis.tools,
            liberty=tuple(
                Input(file=file.removesuffix(".gz"), sha256=sha256)
                for file, sha256 in library.files
            ),
            sram=tuple(macro.source for macro in process.macros),
            clock_ps=FASTEST_PS,
            points=len({circuit.name for circuit in circuits()}),
        ),
    )


def checks(made: Technology, bench: Workbench) -> list[Check]:
    """How well prices add up in circuits of several parts."""
    found = []
    for bits, sum_bits in MULTIPLY_ADDS:
        parts = {
            Kind.MULTIPLIER: (bits, bits),
            Kind.ADDER: (sum_bits, 0),
        }
        found.append(_check(multiply_add(bits, sum_bits), parts, made, bench))
        parts |= {Kind.FLIP_FLOP_ENABLE: (sum_bits, 0), Kind.GATE: (sum_bits, 0)}
        found.append(_check(accumulate(bits, sum_bits), parts, made, bench))
    for bits in RESULT_BITS:
        parts = {Kind.FLIP_FLOP_ENABLE: (bits, 0), Kind.MUX: (bits, 1)}
        found.append(_check(result(bits), parts, made, bench))
    return found


def _check(
    circuit: Circuit, parts: Mapping[Kind, tuple[int, int]], made: Technology, bench: Workbench
) -> Check:
    items = (
        Item(kind=kind, count=1, bits=bits, other_bits=other)
        for kind, (bits, other) in parts.items()
    )
    return Check(
        name=circuit.name,
        area_um2=bench.area_um2(circuit),
        priced_um2=float(sum(made.area_um2(item) for item in items)),
    )
