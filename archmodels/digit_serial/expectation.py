"""How long the rows of a tile select digits, expected over the distribution of the operands.

The sum of two parts. The first is the time if each visit to a bank took its mean. The second is
what waiting adds: rows and lanes are sums of many groups, so it is that of normal variables in the
same ring, tabulated by `waiting` once for each shape of ring.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archmodels.digit_serial.digits import joint_zeros
from archmodels.digit_serial.load import Grouping, Load, load
from archmodels.digit_serial.maxima import greatest_normal
from archmodels.digit_serial.schedule import phase_ends
from archmodels.digit_serial.waiting import Ring, waiting
from designs.digits import Encoding
from designs.operands import Operand
from designs.rules import ceil_div

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tile:
    """What the time of a tile depends on: codes and sizes of one design point and one problem.

    `active`: rows that hold a row of X, 1 to `rows`. The others are zero, and walk all the same.
    """

    encoding: int
    bits: int
    signed: int
    group: int
    skip_groups: int
    sparse: int
    lanes: int
    streams: int
    rows: int
    row_banks: int
    banks: int
    k: int
    active: int

    @property
    def steps(self) -> int:
        """Operands of a lane, of the longest."""
        return ceil_div(self.k, self.lanes)

    @property
    def groups(self) -> int:
        """Groups of a lane."""
        return ceil_div(self.steps, self.group)

    @property
    def depth(self) -> int:
        """Groups of the first bank."""
        return ceil_div(self.groups, self.banks)

    def bank_sizes(self) -> list[int]:
        """Groups of each bank."""
        return [
            min(max(self.groups - bank * self.depth, 0), self.depth) for bank in range(self.banks)
        ]


@dataclass(frozen=True, slots=True)
class Expected:
    """Means of one tile: cycles in which it selects digits, groups and nonzero digits read."""

    cycles: float
    groups: float
    digits: float


@lru_cache(maxsize=65536)
def expected(tile: Tile, operand: Operand) -> Expected:
    """Means of a tile whose active rows hold values of `operand`."""
    sizes, encoding, signed = tile.bank_sizes(), Encoding(tile.encoding), bool(tile.signed)
    short = tile.steps - (tile.groups - 1) * tile.group
    grouping = Grouping(
        group=tile.group, skip_groups=tile.skip_groups, locked=tile.lanes // tile.streams
    )
    whole = load(encoding, operand, tile.bits, signed, grouping)
    ragged = load(encoding, operand, tile.bits, signed, replace(grouping, group=short))
    nonzero = 1.0 - np.diag(joint_zeros(encoding, operand, tile.bits, signed))
    last = sum(size > 0 for size in sizes) - 1
    visits = [
        _visit(size, whole, ragged if bank == last else whole) for bank, size in enumerate(sizes)
    ]
    means = np.array([mean for mean, _ in visits])
    # Of the last transfer only some lanes have an operand.
    means[last] -= (tile.steps - tile.k / tile.lanes) * nonzero
    idle = np.array([float(ceil_div(size, tile.skip_groups + 1)) for size in sizes])
    each = tile.streams * np.array(
        [sum(read.sum() for _, read in visits), idle.sum() * len(nonzero)]
    )
    return Expected(
        cycles=_cycles(tile, means[:, ::-1], np.maximum(idle, 1.0), whole),
        groups=float(each @ (tile.active, tile.rows - tile.active)),
        digits=tile.active * tile.k * float(nonzero.sum()),
    )


def _cycles(tile: Tile, means: Reals, idle: Reals, whole: Load) -> float:
    """Of a tile whose visits have these means, (bank, phase); of rows without data: `idle`.

    No visit takes longer than all digits of its groups do, as they do without `sparse`.
    """
    full = np.maximum([float(size * tile.group) for size in tile.bank_sizes()], 1.0)[:, None]
    most = _in_step(tile, np.broadcast_to(full, means.shape), full)
    if not tile.sparse:
        return most
    return min(_in_step(tile, means, idle[:, None]) + _waited(tile, means, whole), most)


def _visit(size: int, whole: Load, first: Load) -> tuple[Reals, Reals]:
    """Mean cycles of a visit to a bank of `size` groups, and groups read, by digit.

    The walk starts with the bank's last group, whose digits are those of `first`.
    """
    if size == 0:
        return np.ones_like(whole.busy), np.zeros_like(whole.busy)
    passed = whole.empty_read(size - 1)
    cycles = first.busy + first.empty + (size - 1) * whole.busy + passed
    return cycles, 1.0 + (size - 1) * (1.0 - whole.empty) + passed


def _in_step(tile: Tile, means: Reals, idle: Reals) -> float:
    """Time of a tile whose visits take their means, (bank, phase); `idle`: of rows without data."""
    banks, phases = means.shape
    if tile.rows == 1 or (tile.groups % tile.banks == 0 and tile.active == tile.rows):
        return float(means.sum())
    cycles = np.empty((1, tile.rows, 1, phases, banks))
    cycles[:, : tile.active] = means.T
    cycles[:, tile.active :] = np.broadcast_to(idle, means.shape).T
    return float(phase_ends(cycles, tile.row_banks)[-1].max())


def _waited(tile: Tile, means: Reals, whole: Load) -> float:
    """What waiting for the slowest adds; the slowest is among the fullest banks.

    With one bank per row lateness is handed on from visit to visit, from bank to bank of a row or
    from row to row of a bank, whichever is later. Where there are fewer full banks or active rows
    than the ring has, such a chain cannot choose freely: of `visits` at most so many can be of one
    sort. It then gains as the greatest sum over a path in a rectangle does, as 2 sqrt(f (1 - f)).
    """
    deviations = np.sqrt(np.maximum(np.diag(whole.covariance)[::-1], 0.0) * tile.depth)
    full, phases = tile.groups / tile.depth, len(deviations)
    ring = Ring(
        rows=tile.rows,
        row_banks=tile.row_banks,
        streams=tile.streams,
        phases=phases,
        visits=tile.banks,
    )
    fewer = replace(ring, rows=max(min(tile.active, round(full / tile.row_banks)), 1))
    few = waiting(fewer, means[0], deviations) + _dependence(tile, whole)
    if tile.row_banks > 1:
        return few
    chained = waiting(ring, means[0], deviations) + _dependence(tile, whole)
    for count, most in ((full, tile.banks), (tile.active, tile.rows)):
        if count < most:
            part = min(count / (tile.banks * phases), 0.5)
            chained *= 2.0 * math.sqrt(part * (1.0 - part))
    return min(few, chained)


def _dependence(tile: Tile, whole: Load) -> float:
    """What a row is later for being late in all phases alike, or earlier.

    The digits of an operand depend on each other, and the tables are of phases that do not. Where
    rows hardly wait but at the end of a tile, the deviation of all phases together counts, of the
    latest stream. Where they wait all the time others take over; some of it is left to lanes that
    do not: a fit, for operands half of which are zero.
    """
    greatest, variance = greatest_normal()
    together = math.sqrt(max(float(whole.covariance.sum()), 0.0))
    apart = math.sqrt(max(float(np.trace(whole.covariance)), 0.0))
    part = 0.6 * (1.0 - 1.0 / tile.streams)
    if tile.row_banks > 1:
        part = math.sqrt(variance[tile.streams] / tile.streams)
    return part * float(greatest[tile.active]) * math.sqrt(tile.groups) * (together - apart)
