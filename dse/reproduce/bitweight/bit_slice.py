"""Machines that skip zeros: OPT4C and OPT4E against Laconic, and the baselines' cycles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import archmodels
from archmodels import bit_slice
from archmodels.counts import Kind
from designs import Gemm
from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded, Encoding
from designs.laconic import LaconicParams
from designs.operands import Operands
from dse.reproduce.bitweight.digits import BITS, cycles_per_operand, normal
from dse.reproduce.bitweight.published import ABSTRACT
from dse.reproduce.engine import Engine, energy_per_mac_fj
from dse.reproduce.figures import prices, ratio
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row

SECTION = "Bit-slice engines, 256 lanes each, sigma 25"
SIGMA = 25
MAX_K = 128
WORKLOAD = Gemm(m=32, k=MAX_K, n=16, operands=Operands(a=normal(SIGMA), w=normal(SIGMA)))

AREA_GAIN, ENERGY_GAIN = 2.85, 12.10
"""Of the paper, of OPT4E over Laconic."""

SAMPLES = 2**17
SEED = 0

OURS = ("opt4c", "opt4e")
ENGINES: Mapping[str, Engine] = {
    "opt4c": Engine(
        name="opt4c",
        params=DigitSerialParams(rows=8, cols=32, lanes=1, encoded=Encoded.W, max_k=MAX_K),
        workload=WORKLOAD,
        array=None,
        alike=(1,),
    ),
    "opt4e": Engine(
        name="opt4e",
        params=DigitSerialParams(rows=2, cols=32, lanes=4, encoded=Encoded.W, max_k=MAX_K),
        workload=WORKLOAD,
        array=None,
        alike=(1,),
    ),
    "laconic": Engine(
        name="laconic",
        params=LaconicParams(rows=4, cols=4, lanes=16, max_k=MAX_K),
        workload=WORKLOAD,
        array=None,
        alike=(0, 1),
    ),
}
"""Engines of as many lanes, on the same GEMM; a lane is a digit, or a pair of terms, per cycle."""

SAME_GEMM = (
    "both synthesised and simulated in cells on one GEMM, whole engines at their own shortest "
    "period, operand buffers left out; our Laconic is the least that its paper describes, and what "
    "the paper's authors compared with is not public"
)
BUFFERED = "the same with the operand buffers, priced by the model; Laconic has none"
PER_LANE = (
    "cycle models on the same operands, not RTL: products per lane and cycle, a lane being one "
    "addition, or one product of two terms or slices, per cycle"
)


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """Gains over Laconic by technology, then products per lane and cycle of all baselines."""
    for technology in technologies:
        for name in OURS:
            for has_memories, reason in ((False, SAME_GEMM), (True, BUFFERED)):
                suffix = ", buffers included" if has_memories else ""
                ours, other = (
                    Cost.of(measurements, technology, one, has_memories)
                    for one in (name, "laconic")
                )
                for metric, paper in (("area", AREA_GAIN), ("energy", ENERGY_GAIN)):
                    is_paper = name == "opt4e" and not has_memories
                    yield Row(
                        section=SECTION,
                        what=f"{GAINS[metric]}, {name} over laconic{suffix}",
                        technology=technology,
                        paper=paper if is_paper else None,
                        source=ABSTRACT if is_paper else "",
                        ours=ratio(getattr(other, metric, None), getattr(ours, metric, None)),
                        reason=reason,
                    )
    yield from _lane_rows()


GAINS = {"area": "throughput per area", "energy": "operations per energy"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a product costs: area times time in um2 ps, and energy in fJ."""

    area: float
    energy: float

    @classmethod
    def of(
        cls, measurements: Measurements, technology: str, name: str, has_memories: bool
    ) -> "Cost | None":
        """Of an engine; None where it was not measured."""
        found = measurements.figures(technology, name)
        if found is None:
            return None
        macs = WORKLOAD.mac_count
        area_um2, energy_fj = found["area_um2"], energy_per_mac_fj(found, macs)
        if has_memories:
            more_um2, more_pj = memory_costs(ENGINES[name], technology)
            area_um2, energy_fj = area_um2 + more_um2, energy_fj + 1000 * more_pj / macs
        return cls(area_um2 * found["cycles"] * found["delay_ps"] / macs, energy_fj)


def memory_costs(engine: Engine, technology: str) -> tuple[float, float]:
    """Area and energy of an engine's memories on its workload, by the model."""
    cost = archmodels.estimate(engine.params, engine.workload, prices(technology))
    memories = (Kind.MEMORY, Kind.MEMORY_READ_REGISTER)
    areas, energies = cost.area_breakdown_um2, cost.energy_breakdown_pj
    counts: Any = cost.counts
    return (
        sum(float(areas[key]) for key in areas if counts.inventory[key].kind in memories),
        sum(float(energies[key]) for key in energies if _is_of_memory(counts, key, memories)),
    )


def _is_of_memory(counts: Any, key: str, memories: Sequence[Kind]) -> bool:
    """Whether an event costs the energy of a memory."""
    event = counts.activity.get(key)
    return event is not None and any(one.kind in memories for one in event.operations)


def _lane_rows() -> Iterator[Row]:
    random = np.random.default_rng(SEED)
    a, w = (normal(SIGMA).draw(random, (SAMPLES,), BITS, True) for _ in range(2))
    for name, found in bit_slice.compare(a, w, BITS).items():
        yield _lane_row(name, found.macs_per_lane_cycle)
    for group in (4, 8):
        cycles = cycles_per_operand(Encoding.ENT, SIGMA, group)
        yield _lane_row(f"opt4c, opt4e, ent, groups of {group}", 1 / cycles)


def _lane_row(name: str, value: float) -> Row:
    return Row(
        section=SECTION,
        what=f"products per lane and cycle, {name}",
        ours=value,
        reason=PER_LANE,
    )
