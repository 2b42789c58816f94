"""Published accelerators under one footing: technology, workload, decoders and bandwidth alike."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import archmodels
from archmodels import dram
from archmodels.supply import Supply, supplied
from designs import load
from designs.bitnet import workloads
from designs.configs import load_model
from designs.lut_ternary import LutTernaryParams
from dse.reproduce.figures import prices, ratio
from dse.reproduce.lut_ternary.cores import Core
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row

SECTION = "Published accelerators, decoding BitNet b1.58 3B at 500 MHz"

MODEL = "bitnet_3b"
CLOCK_MHZ = 500.0
MEMORY = "lpddr5x"
BANDWIDTHS_GB_PER_S = (6.4, 25.6, 102.4)
MIDDLE_GB_PER_S = 25.6
UNLIMITED = 1e9
"""GB/s of a memory that nothing waits for."""

NAMES = (
    "tint16", "lut32_int8", "published_int8", "tenet_like", "tellme_like",
    "lut_fp16", "published_fp16", "lut_tensor_core_like",
)  # fmt: skip
"""Shipped designs; those of fp16 do more than those of int8, and stand apart."""

FOOTING = (
    "area by synthesis, decoders of weights in it; cycles of all ternary layers by the model, "
    "which are the RTL's; activations and results on chip, weights from memory as they arrive; "
    "the presets are the nearest points of this family, not the authors' layouts"
)
CLOCK = "by synthesis, 500 MHz at most: chains of floating-point adders do not get there"
LIMITED = "the same behind that bandwidth: whoever waits for weights gains nothing by its lanes"
ENERGY = "core by calibrated prices, leakage and waiting in it, and LPDDR5X; no on-chip buffers"
NEEDED = "weights of a step in each cycle at 500 MHz: what the area per lane does not say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """One token: seconds, and joules of core and memory."""

    seconds: float
    joules: float


def cores() -> list[Core]:
    """The presets."""
    return [Core(name=name, params=_params(name), is_timed=True) for name in NAMES]


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """What needs no technology, then density, speed and energy in each."""
    for name in NAMES:
        yield Row(
            section=SECTION,
            what=f"{name}: bandwidth wanted",
            unit="GB/s",
            ours=needed_gb_per_s(_params(name)),
            reason=NEEDED,
        )
    for technology in technologies:
        for name in NAMES:
            yield from _rows(measurements, technology, name)


def needed_gb_per_s(params: LutTernaryParams) -> float:
    """Weights per cycle at the clock of the comparison."""
    return params.ports * params.column_bits * CLOCK_MHZ / 8000


def clock_mhz(delay_ps: float) -> float:
    """The clock of the comparison, or a core's own where that is less."""
    return min(CLOCK_MHZ, 1e6 / delay_ps)


def _rows(measurements: Measurements, technology: str, name: str) -> Iterator[Row]:
    area_um2 = measurements.figure(technology, name, "area_um2")
    delay_ps = measurements.figure(technology, name, "delay_ps")
    area_mm2 = None if area_um2 is None else area_um2 * 1e-6
    found: dict[str, tuple[str, float | None, str]] = {"area": ("mm2", area_mm2, FOOTING)}
    if delay_ps is not None:
        clock = clock_mhz(delay_ps)
        free = 1 / decoding(name, technology, clock, UNLIMITED).seconds
        found |= {
            "clock": ("MHz", clock, CLOCK),
            "tokens per second, unlimited bandwidth": ("1/s", free, FOOTING),
            "tokens per second and mm2": ("1/s/mm2", ratio(free, area_mm2), FOOTING),
        }
        for limit in BANDWIDTHS_GB_PER_S:
            rate = 1 / decoding(name, technology, clock, limit).seconds
            found[f"tokens per second, {limit:g} GB/s"] = ("1/s", rate, LIMITED)
        joules = decoding(name, technology, clock, MIDDLE_GB_PER_S).joules
        found[f"energy per token, {MIDDLE_GB_PER_S:g} GB/s"] = ("mJ", joules * 1e3, ENERGY)
    for what, (unit, ours, reason) in found.items():
        yield Row(
            section=SECTION,
            what=f"{name}: {what}",
            unit=unit,
            technology=technology,
            ours=ours,
            reason=reason,
        )


@cache
def decoding(name: str, technology: str, clock_mhz: float, gb_per_s: float) -> Decoding:
    """A token on a preset at a clock, behind a memory of this bandwidth."""
    supply = Supply(
        dram=dram.load(MEMORY),
        gb_per_s=gb_per_s,
        on_chip=frozenset({"a", "o"}),
        clock_mhz=clock_mhz,
    )
    table = replace(prices(technology), delay_prices=None)
    seconds = joules = 0.0
    for layer in workloads(load_model(MODEL), 1).values():
        params = _params(name)
        cost = archmodels.estimate(params, layer.gemm, table)
        bits = archmodels.transferred_bits(params, cost.counts)
        report = supplied(cost, bits, supply)
        seconds += layer.count * float(report.time_ns) * 1e-9
        joules += layer.count * float(report.energy_pj) * 1e-12
    return Decoding(seconds=seconds, joules=joules)


def _params(name: str) -> LutTernaryParams:
    params = load(name).params
    if not isinstance(params, LutTernaryParams):
        raise TypeError(f"{name} must be a design of lut_ternary, not {type(params).__name__}")
    return params
