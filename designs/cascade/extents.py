"""How far the ranks of a cascade go, once its families have sizes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from designs.cascade.cascade import Cascade
from designs.document import not_among
from designs.rules import Int, RuleError, anywhere, ceil_div, minimum


@dataclass(frozen=True, kw_only=True, slots=True)
class Extents:
    """The extents of a cascade's ranks and families, of ints or of arrays.

    sizes: elements of every family, and of every rank of a split one but its outermost

    A family need not fill its last tile: the points past its end do not exist. An iteration that
    stops before the end of its rank ends the family there.
    """

    cascade: Cascade
    sizes: Mapping[str, Int]

    def __post_init__(self) -> None:
        needed = needs(self.cascade)
        for name, size in self.sizes.items():
            if name not in needed:
                raise RuleError("sizes", not_among("size", name, needed))
            if anywhere(size < 1):
                raise RuleError("sizes", f"{name} must be at least 1, not {size}")
        for name in needed:
            if name not in self.sizes:
                raise RuleError("sizes", f"{name} must have a size (needed: {', '.join(needed)})")

    def of(self, name: str) -> Int:
        """Coordinates of a rank, or points of a whole family."""
        if name in self.cascade.families:
            return self._family(name)
        own = self.cascade.own(name)
        family = self.cascade.family_of(own)
        if own in self.sizes:
            return self.sizes[own]
        inner = self._inner(family)
        return ceil_div(self._family(family), inner)

    def stride(self, rank: str) -> Int:
        """Points of its family that one step along a rank goes."""
        own = self.cascade.own(rank)
        ranks = self.cascade.families[self.cascade.family_of(own)]
        return math.prod((self.sizes[one] for one in ranks[ranks.index(own) + 1 :]), start=1)

    def _inner(self, family: str) -> Int:
        return self.stride(self.cascade.families[family][0])

    def _family(self, family: str) -> Int:
        outer = self.cascade.families[family][0]
        size = self.sizes[family]
        for one in self.cascade.iterations:
            if one.rank == outer and one.stop is not None:
                size = minimum(size, one.stop * self._inner(family))
        return size


def needs(cascade: Cascade) -> tuple[str, ...]:
    """What must have a size: every family, and the ranks inside the outermost one of each."""
    return tuple(
        name for family, ranks in cascade.families.items() for name in (family, *ranks[1:])
    )
