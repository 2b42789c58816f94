"""Attention engines side by side on an area, behind memories of finite bandwidth."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

import archmodels
from archmodels import dram
from archmodels.supply import Supply, supplied
from archmodels.technology import Technology
from designs.attention import Attention, AttentionParams, Element, ExpMethod, Masking, Pattern
from designs.grid import Grid
from designs.rules import ceil_div

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

MEMORY = "hbm2"
MAX_KEYS = 2**20

SIDES = (4, 8, 16, 32, 64, 128, 256)
EXPONENTIALS = (
    (ExpMethod.PWL, 1),
    (ExpMethod.PWL, 2),
    (ExpMethod.PWL, 3),
    (ExpMethod.POLYNOMIAL, 5),
)
"""Method, and stages or degree: 1 to 7 slots of an epoch."""

FMA = (False, True)
QUERY_TILES = (1, 2, 4)
KV_TILES = (2, 4)
ELEMENTS = (Element.INT8,)
"""Formats; those of floating-point numbers come in as their parts are counted."""

ALIKE = 0.01
"""Engines whose times differ by no more are as fast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A layer's attention: `batch` sequences; one query each when decoding, else all."""

    name: str
    batch: int
    heads: int
    kv_heads: int
    width: int
    decodes: bool
    pattern: Pattern
    masking: Masking
    groups: tuple[int, ...]

    @property
    def jobs(self) -> int:
        """Heads of keys of all sequences, which engines share."""
        return self.batch * self.kv_heads

    def tokens(self, length: int) -> int:
        """Tokens that come out of one pass."""
        return self.batch * (1 if self.decodes else length)

    def work(self, lengths: Ints, jobs: Ints) -> Grid:
        """So many heads of keys with all of their queries, at a length, for each point."""
        columns: dict[str, Any] = {
            "heads": jobs * (self.heads // self.kv_heads),
            "kv_heads": jobs,
            "queries": np.ones_like(lengths) if self.decodes else lengths,
            "keys": lengths,
            "e": self.width,
            "f": self.width,
            "pattern": self.pattern,
        }
        return Grid(Attention, columns, len(lengths))


def engines(scenario: Scenario) -> Grid:
    """All engines that are tried on a scenario."""
    queries = QUERY_TILES[:1] if scenario.decodes else QUERY_TILES
    axes = (SIDES, EXPONENTIALS, FMA, queries, KV_TILES, ELEMENTS, scenario.groups)
    names = ("side", "exp", "fma_lanes", "query_tiles", "kv_tiles", "element", "group")
    points = [dict(zip(names, point, strict=True)) for point in itertools.product(*axes)]
    same = {"e": scenario.width, "f": scenario.width, "masking": scenario.masking}
    columns: dict[str, Any] = {
        name: np.array([point[name] for point in points]) for name in names if name != "exp"
    }
    columns |= {
        "exp_method": np.array([point["exp"][0] for point in points]),
        "exp_stages": np.array([_or(point["exp"], ExpMethod.PWL, 3) for point in points]),
        "exp_degree": np.array([_or(point["exp"], ExpMethod.POLYNOMIAL, 3) for point in points]),
        "max_keys": MAX_KEYS,
    }
    grid = Grid(AttentionParams, columns | same, len(points))
    if not grid.valid().all():
        raise ValueError(f"engines must all be legal, those of {scenario.name} are not")
    return grid


def _or(exponential: tuple[ExpMethod, int], method: ExpMethod, default: int) -> int:
    """Its number where it is of a method, else that field's default."""
    return exponential[1] if exponential[0] == method else default


def params(grid: Grid, place: int) -> AttentionParams:
    """One engine of a grid."""
    values = {item.name: getattr(grid, item.name)[place] for item in fields(AttentionParams)}
    return AttentionParams(
        **{
            item.name: item.type(values[item.name])
            if isinstance(item.type, type)
            else int(values[item.name])
            for item in fields(AttentionParams)
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measures:
    """Of engines that share an area and a memory, an element each; infinite time where none fits.

    count: engines. used: useful products of what the arrays could do. waiting: part
    of the time that they wait for memory.
    """

    time_ms: Reals
    energy_mj: Reals
    area_mm2: Reals
    count: Ints
    clock_mhz: Reals
    used: Reals
    waiting: Reals


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Swept:
    """All engines of a scenario at one length on one area; `found` by bandwidth."""

    scenario: Scenario
    length: int
    budget_mm2: float
    design: Any
    found: Sequence[Measures]

    def throughput(self, place: int) -> Reals:
        """Tokens of a layer per second and mm2 of the area that is allowed."""
        tokens = self.scenario.tokens(self.length)
        return 1e3 * tokens / self.found[place].time_ms / self.budget_mm2


def swept(
    scenario: Scenario,
    length: int,
    budget_mm2: float,
    bandwidths: Sequence[float],
    prices: Technology,
) -> Swept:
    """Every engine, as often as it fits; heads of keys are shared out evenly."""
    design = engines(scenario)
    ones = np.ones(design.size, dtype=np.int64)
    alone_mm2 = 1e-6 * area_um2(scenario, prices)
    count = np.minimum(np.floor(budget_mm2 / alone_mm2).astype(np.int64), scenario.jobs)
    jobs = ceil_div(scenario.jobs * ones, np.maximum(count, 1))
    work: Any = scenario.work(length * ones, jobs)
    costs = archmodels.estimate(design, work, prices)
    bits = archmodels.transferred_bits(design, costs.counts)
    busy = scenario.jobs / jobs
    found = []
    for gb_per_s in bandwidths:
        share: Any = gb_per_s / busy
        system = supplied(costs, bits, Supply(dram=dram.load(MEMORY), gb_per_s=share))
        core_part = np.asarray(system.core_ns / system.time_ns)
        found.append(
            Measures(
                time_ms=np.where(count > 0, 1e-6 * system.time_ns, np.inf),
                energy_mj=1e-9 * busy * np.asarray(system.energy_pj),
                area_mm2=count * alone_mm2,
                count=count,
                clock_mhz=system.clock_mhz * ones,
                used=costs.utilisation * core_part,
                waiting=1 - core_part,
            )
        )
    return Swept(
        scenario=scenario, length=length, budget_mm2=budget_mm2, design=design, found=found
    )


def area_um2(scenario: Scenario, prices: Technology) -> Reals:
    """Of each engine alone, its memories included; of any workload, for it depends on none."""
    design = engines(scenario)
    ones = np.ones(design.size, dtype=np.int64)
    work: Any = scenario.work(design.side, ones)
    return archmodels.estimate(design, work, prices).area_um2 * ones
