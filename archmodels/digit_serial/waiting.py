"""What rows and lanes lose by waiting for each other: normal variables in a ring, tabulated.

No closed form is known for a ring in which each row waits for the next. Its mean is a number for
each shape of ring, as the mean of the greatest of n normals is for each n, and is had by sampling
(with a fixed seed) the same recurrence that the exact schedule is.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archmodels.digit_serial.schedule import phase_ends

Reals = NDArray[np.float64]

SAMPLES = 2**14
"""Streams that are sampled for each table: its error is below 1 % of what waiting costs."""

SLACKS = (1.5, 3.0, 6.0, 12.0, 24.0)
"""Means of a visit, in deviations, at which rings with room between rows are tabulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """`rows` of `streams`, each with `phases` of `visits` to banks, `row_banks` apart."""

    rows: int
    row_banks: int
    streams: int
    phases: int
    visits: int


def waiting(ring: Ring, means: Reals, deviations: Reals) -> float:
    """Cycles that the slowest row is later than the mean, all phases together.

    means, deviations: of one visit, by phase. A table is of equal phases; the time lost until one
    phase counts for the next as that number of its own phases that lose as much.
    """
    late = 0.0
    if ring.rows * ring.streams == 1:
        return late
    for mean, deviation in zip(means.tolist(), deviations.tolist(), strict=True):
        if deviation > 1e-9 * mean:
            table = _table(ring, mean / deviation)
            counts = np.arange(len(table), dtype=np.float64)
            passed = _beyond(late / deviation, table, counts)
            late = deviation * _beyond(passed + 1.0, counts, table)
    return late


def _beyond(at: float, points: Reals, values: Reals) -> float:
    """Between points by a straight line, beyond the last on the line through the last two."""
    if at <= points[-1]:
        return float(np.interp(at, points, values))
    slope = (values[-1] - values[-2]) / (points[-1] - points[-2])
    return float(values[-1] + slope * (at - points[-1]))


def _table(ring: Ring, slack: float) -> Reals:
    """Deviations of a visit lost after 0, 1, ... phases."""
    if ring.row_banks == 1 or ring.rows == 1:  # rows wait for each visit: its mean is no matter
        return _sampled(ring, SLACKS[-1])
    place = float(np.interp(np.log(slack), np.log(SLACKS), np.arange(len(SLACKS))))
    low = min(int(place), len(SLACKS) - 2)
    part = place - low
    return (1 - part) * _sampled(ring, SLACKS[low]) + part * _sampled(ring, SLACKS[low + 1])


@lru_cache(maxsize=1024)
def _sampled(ring: Ring, mean: float) -> Reals:
    """By drawing visits of a mean and deviation 1."""
    tiles = min(max(SAMPLES // (ring.rows * ring.streams), 16), 2048)
    random = np.random.default_rng(1)
    shape = tiles, ring.rows, ring.streams, ring.phases, ring.visits
    ends = phase_ends(mean + random.standard_normal(shape), ring.row_banks)
    slowest = ends.max(axis=(2, 3)).mean(axis=1)
    due = mean * ring.visits * np.arange(1, ring.phases + 1)
    return np.maximum.accumulate(np.concatenate([[0.0], slowest - due]))
