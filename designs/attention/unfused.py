"""The baseline of attention engines: three passes, with all scores written to memory and read back.

The cascade of Einsums that PyTorch and FLAT have (FuseMax, MICRO 2024, cascade 4): a query tile's
scores and their maxima GM, then all numerators SN and their sums SD, then A = SN / SD and A V, each
when the one before it is done. The array multiplies in the first and the last; the exponentials of
the second are for the lanes alone.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from designs.attention.choices import Binding, ExpMethod, Masking
from designs.attention.fit import AttentionFit
from designs.attention.params import AttentionParams
from designs.attention.tiles import Tile, tile_table
from designs.attention.workload import Attention
from designs.grid import Grid
from designs.rules import Rule, as_in, check


class Phase(enum.IntEnum):
    """What is done with a tile: scores leave, numerators leave, or products with values add up."""

    SCORES = 0
    NUMERATORS = 1
    OUTPUTS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class UnfusedParams:
    """Structure of one three-pass engine, for int8; see `AttentionParams` for what fields mean."""

    RULES: ClassVar[tuple[Rule["UnfusedParams"], ...]]

    side: int = as_in(AttentionParams, "side")
    e: int = as_in(AttentionParams, "e")
    f: int = as_in(AttentionParams, "f")
    exp_method: ExpMethod = as_in(AttentionParams, "exp_method")
    exp_segments: int = as_in(AttentionParams, "exp_segments")
    exp_degree: int = as_in(AttentionParams, "exp_degree")
    exp_stages: int = as_in(AttentionParams, "exp_stages")
    masking: Masking = as_in(AttentionParams, "masking")
    max_keys: int = as_in(AttentionParams, "max_keys")

    def __post_init__(self) -> None:
        check(self)

    @property
    def engine(self) -> AttentionParams:
        """The one-pass engine of the same sizes, one tile at a time: its widths are those here."""
        names = ("side", "e", "f", "masking", "max_keys")
        exponential = ("exp_method", "exp_segments", "exp_degree", "exp_stages")
        shared: dict[str, Any] = {name: getattr(self, name) for name in names + exponential}
        shared["binding"] = Binding.SEQUENTIAL
        if isinstance(self, UnfusedParams):
            return AttentionParams(**shared)
        points: Any = Grid(AttentionParams, shared, self.size)
        return points

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak multiply-accumulates per cycle."""
        return self.side * self.side

    @property
    def group(self) -> int:
        """Heads of queries side by side: columns are queries of one alone."""
        return 1

    @property
    def tile_keys(self) -> int:
        """Keys of a tile: as many as rows."""
        return self.side

    @property
    def row_slots(self) -> int:
        """Rows of results that can be on their way out: as many as that takes cycles, and one."""
        return 2 * self.side + 5


UnfusedParams.RULES = (
    Rule(
        key="exp_segments",
        holds=lambda p: p.exp_segments & (p.exp_segments - 1) == 0,
        sentence="exp_segments must be a power of two, not {p.exp_segments}",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnfusedFit:
    """Attention on a three-pass engine."""

    RULES: ClassVar[tuple[Rule["UnfusedFit"], ...]]

    params: UnfusedParams
    workload: Attention


def _fused(rule: Rule[AttentionFit]) -> Rule[UnfusedFit]:
    """What holds for the one-pass engine of the same sizes."""
    return Rule(
        key=rule.key,
        holds=lambda p: rule.holds(AttentionFit(params=p.params.engine, workload=p.workload)),
        sentence=rule.sentence,
        limit=rule.limit,
    )


UnfusedFit.RULES = tuple(_fused(rule) for rule in AttentionFit.RULES if rule.limit != "group")


@dataclass(frozen=True, slots=True)
class Pass:
    """A line of the table that the machine is told: what is done with which tile.

    first, last: of the query tile's tiles.
    """

    phase: Phase
    tile: Tile

    @property
    def first(self) -> bool:
        """Whether it begins the phase."""
        return self.tile.first

    @property
    def last(self) -> bool:
        """Whether it ends the phase."""
        return self.tile.last


def pass_table(params: UnfusedParams, workload: Attention) -> Iterator[Pass]:
    """The tiles of each query tile, three times over, in the order in which the machine works."""
    tiles: list[Tile] = []
    for tile in tile_table(params.engine, workload):
        tiles.append(tile)
        if tile.last:
            yield from (Pass(phase, each) for phase in Phase for each in tiles)
            tiles = []
