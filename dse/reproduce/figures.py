"""Figures of circuits in one technology, and ratios of them; None where one is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from archmodels.technology import Technology, load
from dse.reproduce.measurements import Measurements


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured in a technology."""

    measurements: Measurements
    technology: str

    def of(self, name: str, key: str) -> float | None:
        """One figure of one subject."""
        return self.measurements.figure(self.technology, name, key)

    def least(self, key: str, *names: str) -> float | None:
        """The least that one of several subjects has."""
        return least([self.of(name, key) for name in names])

    def delay_ps(self, *names: str) -> float | None:
        """Shortest period, of the fastest where there are several."""
        return self.least("delay_ps", *names)

    def area_um2(self, *names: str) -> float | None:
        """Area, of the smallest where there are several."""
        return self.least("area_um2", *names)

    def cost(self, *names: str) -> float | None:
        """Area times shortest period, of the best where there are several."""
        return least([product(self.of(n, "area_um2"), self.of(n, "delay_ps")) for n in names])


def least(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return min(known) if known and len(known) == len(values) else None


def product(*values: float | None) -> float | None:
    found = 1.0
    for value in values:
        if value is None:
            return None
        found *= value
    return found


def ratio(value: float | None, other: float | None) -> float | None:
    return None if value is None or not other else value / other


@cache
def prices(technology: str) -> Technology:
    """A technology that ships, read once."""
    return load(technology)
