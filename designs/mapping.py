"""Mappings: how a workload is cut into tiles, and in which order the tiles go."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from designs.rules import ceil_div


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """One temporal loop: walk `rank` (a dimension of the workload) in steps of `tile` elements."""

    rank: str
    tile: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapping:
    """A loop nest over tiles, outermost loop first."""

    loops: tuple[Loop, ...]

    def tile_count(self, sizes: dict[str, int]) -> int:
        """Tiles of a workload whose dimensions are `sizes` (rank to elements)."""
        count = 1
        for loop in self.loops:
            count *= ceil_div(sizes[loop.rank], loop.tile)
        return count

    def tiles(self, sizes: dict[str, int]) -> Iterator[dict[str, range]]:
        """The tiles in execution order; each maps a rank to the elements that the tile covers."""
        cuts = [
            [
                range(start, min(start + loop.tile, sizes[loop.rank]))
                for start in range(0, sizes[loop.rank], loop.tile)
            ]
            for loop in self.loops
        ]
        ranks = [loop.rank for loop in self.loops]
        for tile in itertools.product(*cuts):
            yield dict(zip(ranks, tile, strict=True))
