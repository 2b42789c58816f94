"""Ternary cores behind memories of finite bandwidth, on the layers of a BitNet model."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

import archmodels
from archmodels.supply import Supply, supplied
from archmodels.technology import Technology
from designs import Gemm
from designs.bitnet import BitnetModel, workloads
from designs.grid import Grid
from dse.space import SearchSpace
from dse.sweep import CHUNK_POINTS

Reals = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Measures:
    """What designs do with the ternary layers of a model, an element for each design.

    waiting: part of the time that the core waits for memory
    """

    tokens_per_s: Reals
    area_mm2: Reals
    mj_per_token: Reals
    waiting: Reals
    clock_mhz: Reals
    lanes: NDArray[np.int64]

    @property
    def tokens_per_s_mm2(self) -> Reals:
        """Tokens per second and area."""
        return self.tokens_per_s / self.area_mm2

    @property
    def score(self) -> Reals:
        """Tokens per second, per mm2, and per mJ of a token: what a balanced choice maximises."""
        return self.tokens_per_s_mm2 / self.mj_per_token

    def at(self, place: int) -> "Measures":
        """Those of one design."""
        return Measures(**{item.name: getattr(self, item.name)[[place]] for item in fields(self)})


def measures(
    grid: Grid, model: BitnetModel, tokens: int, prices: Technology, supplies: Sequence[Supply]
) -> list[Measures]:
    """Of the designs of a grid, behind each of the memories; prices must have delays."""
    layers: Counter[Gemm] = Counter()
    for layer in workloads(model, tokens).values():
        layers[layer.gemm] += layer.count
    design: Any = grid
    time_ns, core_ns, energy_pj = (np.zeros((len(supplies), grid.size)) for _ in range(3))
    for gemm, count in layers.items():
        cost = archmodels.estimate(design, gemm, prices)
        bits = archmodels.transferred_bits(design, cost.counts)
        for place, supply in enumerate(supplies):
            system = supplied(cost, bits, supply)
            time_ns[place] += count * system.time_ns
            core_ns[place] += count * system.core_ns
            energy_pj[place] += count * system.energy_pj
    ones = np.ones(grid.size)
    return [
        Measures(
            tokens_per_s=1e9 * tokens / time,
            area_mm2=1e-6 * cost.area_um2 * ones,
            mj_per_token=1e-9 * energy / tokens,
            waiting=1 - core / time,
            clock_mhz=cost.frequency_mhz * ones,
            lanes=design.mac_slots_per_cycle * ones.astype(np.int64),
        )
        for time, core, energy in zip(time_ns, core_ns, energy_pj, strict=True)
    ]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Swept:
    """All valid points of a space, and their measures behind each of the memories."""

    space: SearchSpace
    points: NDArray[np.int64]
    found: list[Measures]

    def columns(self) -> Grid:
        """The params of all points."""
        return self.space.grid(self.points)


def swept(
    space: SearchSpace,
    model: BitnetModel,
    tokens: int,
    prices: Technology,
    supplies: Sequence[Supply],
) -> Swept:
    """Every valid point of a space, through the model."""
    parts = list(_parts(space, model, tokens, prices, supplies))
    return Swept(
        space=space,
        points=np.concatenate([points for points, _ in parts]),
        found=[_joined([found[place] for _, found in parts]) for place in range(len(supplies))],
    )


def _parts(
    space: SearchSpace,
    model: BitnetModel,
    tokens: int,
    prices: Technology,
    supplies: Sequence[Supply],
) -> Iterator[tuple[NDArray[np.int64], list[Measures]]]:
    for start in range(0, space.point_count, CHUNK_POINTS):
        stop = min(start + CHUNK_POINTS, space.point_count)
        points = space.valid_points(np.arange(start, stop, dtype=np.int64))
        if len(points):
            yield points, measures(space.grid(points), model, tokens, prices, supplies)


def _joined(parts: Sequence[Measures]) -> Measures:
    return Measures(
        **{
            item.name: np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(Measures)
        }
    )
