"""What ternary cores are compared with behind 6.4, 25.6 and 102.4 GB/s: the papers' points."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archmodels import dram, technology
from archmodels.supply import Supply
from archmodels.technology import Technology
from benchmarks.ternary_systems import Measures, Reals, Swept, measures, swept
from designs.bitnet import BitnetModel
from designs.configs import load_model
from designs.grid import Grid
from designs.lut_ternary import Activation, Build, LutTernaryParams
from designs.ternary import WeightFormat
from dse.space import Axis, SearchSpace, load_space

MEMORY = "lpddr5x"
BANDWIDTHS = (6.4, 25.6, 102.4, math.inf)
PROMPT_TOKENS = 64
VITALLM_LANES = 256
PUBLISHED_SIDE = 32
ALIKE = 0.01
LEVELS = (0, 1, 2)
"""Values of `adder_levels` of the space, all of which the papers' points are given as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """A use of a model: tokens at once, the space that is swept for it, and what lies on chip."""

    name: str
    space: str
    tokens: int
    on_chip: frozenset[str]

    def supplies(self) -> list[Supply]:
        """The memories, by bandwidth."""
        memory = dram.load(MEMORY)
        return [Supply(dram=memory, gb_per_s=one, on_chip=self.on_chip) for one in BANDWIDTHS]


PHASES = (
    Phase(name="decode", space="ternary_decode", tokens=1, on_chip=frozenset({"a", "o"})),
    Phase(name="prefill", space="ternary_prefill", tokens=PROMPT_TOKENS, on_chip=frozenset()),
)


def powers(least: int, most: int) -> Iterator[int]:
    """Powers of two from one to the other."""
    while least <= most:
        yield least
        least *= 2


def published(activation: Activation) -> list[LutTernaryParams]:
    """The published generator's cores of 32 x 32 lanes, or as near as groups allow.

    Of int8 the one with pairs; of fp16 with every group, for the paper does not say which is best.
    """
    groups = (2,) if activation == Activation.INT8 else (1, 2, 3, 4)
    return [
        LutTernaryParams(
            mu=mu, tables=round(PUBLISHED_SIDE / mu), ports=PUBLISHED_SIDE, activation=activation,
            build=Build.REFERENCE, adder_levels=levels, max_k=8640,
        )
        for mu in groups for levels in LEVELS
    ]  # fmt: skip


def vitallm(phase: Phase) -> list[LutTernaryParams]:
    """256 lanes without tables that take codes of 2 bits, in every shape of powers of two.

    The paper does not say how lanes are arranged; in prefill, rows may share weights.
    """
    rows_max = 1 if phase.tokens == 1 else PROMPT_TOKENS
    return [
        LutTernaryParams(
            mu=1, tables=tables, ports=VITALLM_LANES // rows // tables, rows=rows,
            weight_format=WeightFormat.CODE2, adder_levels=levels, max_k=8640,
        )
        for rows in powers(1, rows_max)
        for tables in powers(1, VITALLM_LANES // rows)
        for levels in LEVELS
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """One design, where a table names it, and what it does behind one of the memories."""

    title: str
    params: LutTernaryParams
    found: Measures


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """One phase of one model in one technology: all points, and others to compare them with."""

    phase: Phase
    model: BitnetModel
    prices: Technology
    every: Swept
    floats: Swept | None = None

    def winner(self, place: int) -> Chosen:
        """The point with the best score behind one of the memories."""
        return _best(self.every, place, "winner", self.every.found[place].score)

    def fastest(self, place: int) -> Chosen:
        """The smallest of the points that are within ALIKE of the fastest."""
        found = self.every.found[place]
        fast = found.tokens_per_s >= (1 - ALIKE) * found.tokens_per_s.max()
        return _best(self.every, place, "fastest", np.where(fast, 1 / found.area_mm2, 0.0))

    def others(self, place: int) -> list[Chosen]:
        """The papers' points, each the best of its candidates there, and our best of fp16."""
        groups = {
            "published generator, int8": published(Activation.INT8),
            "VitaLLM's lanes": vitallm(self.phase),
            "published generator, fp16": published(Activation.FP16),
        }
        chosen = [self._best_of(title, some, place) for title, some in groups.items()]
        if self.floats is None:
            return chosen
        score = self.floats.found[place].score
        return [*chosen, _best(self.floats, place, "best of fp16", score)]

    def _best_of(self, title: str, some: Sequence[LutTernaryParams], place: int) -> Chosen:
        grid = grid_of(some)
        found = measures(grid, self.model, self.phase.tokens, self.prices, self.phase.supplies())
        best = int(np.argmax(found[place].score))
        return Chosen(title=title, params=some[best], found=found[place].at(best))


def grid_of(some: Sequence[LutTernaryParams]) -> Grid:
    """The same designs as one object."""
    names = ("mu", "tables", "ports", "rows", "activation", "build", "weight_format",
             "adder_levels", "max_k")  # fmt: skip
    return Grid(
        LutTernaryParams,
        {name: np.array([int(getattr(one, name)) for one in some]) for name in names},
        len(some),
    )


def study(phase: Phase, model: str, tech: str, *, floats: bool = False) -> Study:
    """Sweep the phase's space, and with `floats` its points for fp16 as well."""
    shapes, prices, space = load_model(model), technology.load(tech), load_space(phase.space)

    def every(space: SearchSpace) -> Swept:
        return swept(space, shapes, phase.tokens, prices, phase.supplies())

    fp16 = Axis(name="activation", values=(int(Activation.FP16),))
    others = replace(space, axes=(fp16, *space.axes))
    return Study(
        phase=phase, model=shapes, prices=prices, every=every(space),
        floats=every(others) if floats else None,
    )  # fmt: skip


def _best(some: Swept, place: int, title: str, merit: Reals) -> Chosen:
    best = int(np.argmax(merit))
    params: Any = some.space.params(int(some.points[best]))
    return Chosen(title=title, params=params, found=some.found[place].at(best))
