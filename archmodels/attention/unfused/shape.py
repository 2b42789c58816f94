"""What the model of three-pass engines reads, and what many counts share."""

from dataclasses import dataclass
from typing import Protocol

from archmodels.attention import Epoch, Tiles
from archmodels.attention.shape import Problem
from archmodels.attention.shape import Shape as Engine
from designs.rules import Int


class Shape(Protocol):
    """The attributes of `UnfusedParams` that counts follow from."""

    @property
    def side(self) -> Int: ...
    @property
    def e(self) -> Int: ...
    @property
    def f(self) -> Int: ...
    @property
    def row_slots(self) -> Int: ...
    @property
    def mac_slots_per_cycle(self) -> Int: ...
    @property
    def engine(self) -> Engine: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to do, in slots.

    queries: query tiles of all heads. tiles: pairs of one and a tile of keys that it sees. scores,
    weights, outputs: slots of a tile in each phase. masks: of them hide keys. exp: make a weight.
    """

    queries: Int
    tiles: Int
    scores: Int
    weights: Int
    outputs: Int
    masks: Int
    exp: Int

    @classmethod
    def of(cls, params: Shape, workload: Problem) -> "Work":
        """The work of a workload on an engine, or of grids of both."""
        p = params
        tiles, epoch = Tiles.of(p.engine, workload), Epoch.of(p.engine)
        return cls(
            queries=tiles.queries,
            tiles=tiles.kept,
            scores=p.e + epoch.masks + p.side,
            weights=p.side * epoch.exp,
            outputs=p.side + p.f,
            masks=epoch.masks,
            exp=epoch.exp,
        )
