"""Attention engines side by side on an area, behind memories of finite bandwidth."""

import itertools
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Choice:
    """A value on an axis: its name in tables, and the fields of `AttentionParams` that it sets."""

    name: str
    fields: Mapping[str, int]


def _each(field: str, values: Sequence[int]) -> tuple[Choice, ...]:
    """One choice for each value of a field."""
    return tuple(Choice(str(value), {field: value}) for value in values)


def _stages(count: int) -> dict[str, int]:
    """Straight lines, in so many slots."""
    return {"exp_method": ExpMethod.PWL, "exp_stages": count}


AXES: dict[str, tuple[Choice, ...]] = {
    "N": _each("side", (4, 8, 16, 32, 64, 128, 256)),
    "format": tuple(Choice(one.name.lower(), {"element": one}) for one in Element),
    "exponential": (
        Choice("1 slot", _stages(1)),
        Choice("2 slots", _stages(2)),
        Choice("3 slots", _stages(3)),
        Choice("degree 5", {"exp_method": ExpMethod.POLYNOMIAL, "exp_degree": 5}),
    ),
    "lanes": (
        Choice("no FMA", {"fma_lanes": False}),
        Choice("FMA", {"fma_lanes": True}),
        Choice("FMA in 2 stages", {"fma_lanes": True, "lane_stages": 2}),
        Choice("half as many", {"fma_lanes": True, "lane_stages": 2, "columns_per_lane": 2}),
    ),
    "P1": _each("query_tiles", (1, 2, 4)),
    "rooms": tuple(
        Choice(f"{count} tiles", {"kv_tiles": count, "result_tiles": count}) for count in (2, 4)
    ),
}
"""Axis to what is chosen from; rooms: for tiles of keys, and of results."""

FORMAT = Element.INT8.name.lower()
"""Whose engines are shown, but where formats are compared."""

ALIKE = 0.01
"""Engines whose times differ by no more are as fast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A layer's attention: `batch` sequences; one query each when decoding, else all.

    groups, splits: heads of queries side by side, and groups of columns, that engines may have.
    """

    name: str
    batch: int
    heads: int
    kv_heads: int
    width: int
    decodes: bool
    pattern: Pattern
    masking: Masking
    groups: tuple[int, ...]
    splits: tuple[int, ...] = (1,)

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


@dataclass(frozen=True, slots=True, eq=False)
class Engines:
    """The engines that are tried on a scenario, and by axis the name of what each has there."""

    grid: Any
    names: Mapping[str, NDArray[np.str_]]


def engines(scenario: Scenario) -> Engines:
    """All combinations of choices that are legal."""
    axes = {
        **AXES,
        "G": _each("group", scenario.groups),
        "splits": _each("splits", scenario.splits),
    }
    if scenario.decodes:
        axes["P1"] = axes["P1"][:1]
    same = {
        "e": scenario.width,
        "f": scenario.width,
        "masking": scenario.masking,
        "max_keys": MAX_KEYS,
    }
    points = list(itertools.product(*axes.values()))
    chosen = [
        {name: value for one in point for name, value in one.fields.items()} for point in points
    ]
    varied = {name for point in chosen for name in point}
    default = {item.name: item.default for item in fields(AttentionParams)}
    columns = {
        name: np.array([point.get(name, default[name]) for point in chosen]) for name in varied
    }
    legal = Grid(AttentionParams, columns | same, len(points)).valid()
    if not legal.any():
        raise ValueError(f"some engine must be legal, of those for {scenario.name} none is")
    kept = {name: column[legal] for name, column in columns.items()}
    names = np.array([[one.name for one in point] for point in points])[legal].T
    return Engines(
        Grid(AttentionParams, kept | same, int(legal.sum())), dict(zip(axes, names, strict=True))
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
    engines: Engines
    found: Sequence[Measures]

    def time_ms(self, place: int, element: str = FORMAT) -> Reals:
        """Of the engines of a format, infinite for others."""
        return np.where(self.engines.names["format"] == element, self.found[place].time_ms, np.inf)

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
    tried = engines(scenario)
    design = tried.grid
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
        scenario=scenario, length=length, budget_mm2=budget_mm2, engines=tried, found=found
    )


def area_um2(scenario: Scenario, prices: Technology) -> Reals:
    """Of each engine alone, its memories included; of any workload, for it depends on none."""
    design = engines(scenario).grid
    ones = np.ones(design.size, dtype=np.int64)
    work: Any = scenario.work(design.side, ones)
    return archmodels.estimate(design, work, prices).area_um2 * ones
