"""What the engine costs: area, power and energy by the calibrated prices, and the DRAM's energy."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import archmodels
from archmodels import dram
from archmodels.counts import Counts, memory_bits
from archmodels.report import LEAKAGE, CostReport
from archmodels.vitallm import inventory
from dse.reproduce.figures import prices
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row
from dse.reproduce.vitallm.memory import FORMATS, token_bytes
from dse.reproduce.vitallm.published import (
    AREA_MM2,
    CLOCK_HZ,
    CONTEXT,
    JOURNAL,
    KEEP,
    MEMORY_KB,
    MERIT,
    POWER_MW,
    SHORT,
    TOKENS_PER_S,
    model,
    preset,
)
from dse.reproduce.vitallm.speed import tokens_per_s

CHIP = "Area, power and energy at 1 GHz, by the calibrated model"
SYSTEM = "The same with the DRAM"
NODE, DRAM = "asap7", "lpddr5x"

PRICED = (
    "cells and SRAM of a 7 nm library, where the authors have 16 nm; without wires, clock tree and "
    "the streams' interfaces"
)
BITS = "bits of all memories of the preset; the authors give 120 KB"
DERIVED = "power over products per second; the authors' from their power and speed"
CLOCK = (
    "the slowest path, a float32 product in one cycle: at 1 GHz VECTOR would need registers there"
)
CORES = "the slowest path of TINT and BOOTH; adder_levels puts registers into TINT"
MERIT_ONE = (
    "one operation for a multiply-accumulate, which is what the authors' 17.4 come of; in "
    "7 nm, not 16 nm, in which both area and power are a multiple"
)
MERIT_TWO = "two operations for a multiply-accumulate, as others count"
MERIT_DRAM = "one operation, and the energy of the DRAM's reads and writes in the power"
READ = "LPDDR5X-8533: all bytes of a token, at two bits per weight"
BOTH = "the DRAM's energy over that of DRAM and engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of the engine in one technology: area, energy of a token, that of the DRAM beside it, and the
    slowest paths, of all and of the cores.
    """

    area_mm2: float
    token_uj: float
    dram_uj: float
    period_ps: float
    cores_ps: float

    @property
    def power_mw(self) -> float:
        """At the speed of enough bandwidth."""
        return self.token_uj * 1e-3 * tokens_per_s(preset())

    def merit(self, operations: int, with_dram: bool = False) -> float:
        """TOPS per mm2 and W."""
        tops = operations * model().ternary_mac_count * tokens_per_s(preset()) * 1e-12
        token_uj = self.token_uj + (self.dram_uj if with_dram else 0.0)
        return tops / self.area_mm2 / (token_uj * 1e-6 * tokens_per_s(preset()))


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """Of the technology nearest to the authors'; measurements are not needed."""
    if NODE not in technologies:
        return _memory()
    return [*_chip(NODE), *_memory(), *_system(NODE)]


@cache
def cost(technology: str) -> Cost:
    """Of decoding with enough bandwidth, at the authors' clock."""
    block = model().block(CONTEXT, KEEP)
    report: CostReport = archmodels.estimate(preset(), block, prices(technology))
    parts = report.energy_breakdown_pj
    moving_pj = sum(float(energy) for key, energy in parts.items() if key != LEAKAGE)
    leakage_pj = 1e9 * float(report.leakage_mw or 0.0) * int(report.cycles) / CLOCK_HZ
    delays = {name: float(delay) for name, delay in report.path_delays_ps.items()}
    cores = [delay for name, delay in delays.items() if name.startswith(("tint.", "booth."))]
    return Cost(
        area_mm2=float(report.area_um2) * 1e-6,
        token_uj=model().num_hidden_layers * (moving_pj + leakage_pj) * 1e-6,
        dram_uj=dram_uj(FORMATS["2 bits"]),
        period_ps=max(delays.values()),
        cores_ps=max(cores),
    )


def dram_uj(weight_bits: Fraction) -> float:
    """Energy of the DRAM for one token."""
    read, written = (round(8 * amount) for amount in token_bytes(weight_bits))
    return float(dram.load(DRAM).traffic(read, written).energy_pj) * 1e-6


def _chip(technology: str) -> list[Row]:
    found = cost(technology)

    def row(what: str, unit: str, paper: float | None, ours: float, reason: str) -> Row:
        return Row(
            section=CHIP, what=what, unit=unit, paper=paper, ours=ours, reason=reason,
            technology=technology, source=JOURNAL if paper else "",
        )  # fmt: skip

    per_mac = 1e6 / model().ternary_mac_count
    paper_pj = POWER_MW * 1e9 / (TOKENS_PER_S * model().ternary_mac_count)
    mhz = CLOCK_HZ * 1e-6
    return [
        row("area", "mm2", AREA_MM2, found.area_mm2, PRICED),
        row("power, decoding", "mW", POWER_MW, found.power_mw, PRICED),
        row("energy per product", "pJ", paper_pj, found.token_uj * per_mac, DERIVED),
        row("figure of merit", "TOPS/mm2/W", MERIT, found.merit(1), MERIT_ONE),
        row("figure of merit, two operations", "TOPS/mm2/W", None, found.merit(2), MERIT_TWO),
        row("clock of all that was modelled", "MHz", mhz, 1e6 / found.period_ps, CLOCK),
        row("clock of the cores", "MHz", mhz, 1e6 / found.cores_ps, CORES),
    ]


def _memory() -> list[Row]:
    bits = memory_bits(Counts(inventory=inventory(preset()), activity={}, cycles=0))
    return [
        Row(section=CHIP, what="memory on chip", unit="KB", ours=int(bits) / 8 / 1024,
            paper=MEMORY_KB, source=SHORT, reason=BITS)
    ]  # fmt: skip


def _system(technology: str) -> list[Row]:
    found = cost(technology)
    share = found.dram_uj / (found.dram_uj + found.token_uj)

    def row(what: str, unit: str, ours: float, reason: str) -> Row:
        return Row(
            section=SYSTEM, what=what, unit=unit, ours=ours, reason=reason, technology=technology
        )

    return [
        row("energy of a token, engine", "uJ", found.token_uj, PRICED),
        row("energy of a token, DRAM", "uJ", found.dram_uj, READ),
        row("part of the DRAM", "", share, BOTH),
        row("figure of merit with the DRAM", "TOPS/mm2/W", found.merit(1, True), MERIT_DRAM),
    ]
