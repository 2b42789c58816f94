"""Attention engines side by side on an area, behind memories of finite bandwidth."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import archmodels
from archmodels import dram
from archmodels.attention import Epoch, Tiles
from archmodels.attention.activity import activity
from archmodels.counts import Counts
from archmodels.report import CostReport, report
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

STEPPED_TILES = 8
"""Key tiles of a causal sequence from which on, and in multiples of which, its cycles are a
polynomial of the second degree in the length: each query tile more waits as the one before it."""


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


class Pace:
    """Cycles of engines on a scenario, for any length and number of heads.

    Long causal sequences are not stepped through, nor many heads of them: their cycles follow,
    exactly, from those of three shorter lengths and of two and three heads.
    """

    def __init__(self, design: Any, scenario: Scenario) -> None:
        self.design, self.scenario = design, scenario
        self.is_causal = scenario.pattern == Pattern.CAUSAL and not scenario.decodes
        self.known: dict[tuple[int, int, int], Ints] = {}

    def cycles(self, length: int, jobs: Ints) -> Ints:
        """Of each engine with so many heads of keys."""
        if not self.is_causal:
            return self._model(np.full_like(jobs, length), jobs)
        one, two, three = (self._heads(length, heads) for heads in (1, 2, 3))
        return np.where(jobs == 1, one, two + (jobs - 2) * (three - two))

    def _heads(self, length: int, heads: int) -> Ints:
        """As `cycles`, of so many heads on all engines."""
        unit = STEPPED_TILES * self.design.side
        far = length > 3 * unit
        first, second, third = (self._stepped(length, times, heads) for times in (1, 2, 3))
        steps = np.where(far, length // unit - 1, 0)
        bend = third - 2 * second + first
        return first + steps * (second - first) + steps * (steps - 1) // 2 * bend

    def _stepped(self, length: int, times: int, heads: int) -> Ints:
        """Of a long sequence that of a multiple of the unit, of a short one its own."""
        unit = STEPPED_TILES * self.design.side
        far = length > 3 * unit
        key = (0 if far.all() else length, times if far.any() else 1, heads)
        if key not in self.known:
            jobs = np.full(self.design.size, heads)
            self.known[key] = self._model(np.where(far, times * unit, length), jobs)
        return self.known[key]

    def _model(self, lengths: Ints, jobs: Ints) -> Ints:
        work = self.scenario.work(lengths, jobs)
        return np.asarray(archmodels.MODELS[AttentionParams](self.design, work).cycles)


def cost(pace: Pace, length: int, jobs: Ints, prices: Technology) -> CostReport:
    """What each engine costs with so many heads of keys."""
    design, scenario = pace.design, pace.scenario
    few = archmodels.MODELS[AttentionParams](design, scenario.work(design.side, np.ones_like(jobs)))
    work: Any = scenario.work(np.full_like(jobs, length), jobs)
    epoch, tiles = Epoch.of(design), Tiles.of(design, work)
    took = pace.cycles(length, jobs)
    done = activity(design, work, epoch, tiles, few.inventory)
    ticks = replace(few.activity["clock.cycles"], count=took)
    counts = Counts(
        inventory=few.inventory,
        activity={**done, "clock.cycles": ticks},
        cycles=took,
        paths=few.paths,
    )
    return report(
        counts,
        prices,
        useful_macs=work.mac_count,
        peak_macs_per_cycle=design.mac_slots_per_cycle,
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
    pace: Pace, length: int, budget_mm2: float, bandwidths: Sequence[float], prices: Technology
) -> Swept:
    """Every engine, as often as it fits; heads of keys are shared out evenly."""
    design, scenario = pace.design, pace.scenario
    ones = np.ones(design.size, dtype=np.int64)
    alone_mm2 = 1e-6 * area_um2(pace, prices) * ones
    count = np.minimum(np.floor(budget_mm2 / alone_mm2).astype(np.int64), scenario.jobs)
    jobs = ceil_div(scenario.jobs * ones, np.maximum(count, 1))
    costs = cost(pace, length, jobs, prices)
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


def area_um2(pace: Pace, prices: Technology) -> Reals:
    """Of each engine alone, its memories included; of any workload, for it depends on none."""
    ones = np.ones(pace.design.size, dtype=np.int64)
    work: Any = pace.scenario.work(pace.design.side, ones)
    return archmodels.estimate(pace.design, work, prices).area_um2 * ones
