"""Prices as functions of the widths of a primitive, on numbers and on arrays alike.

A price has one of two forms. A `PointPrice` goes through published points, a `FittedPrice` is a
sum of terms whose coefficients were fitted to measured points.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.rules import Flag, Int, Real, to_real


class Law(enum.StrEnum):
    """How a price that goes through points depends on the widths.

    Every law passes through the origin and through all the points of the price, is linear in its
    variable from each point to the next, and goes on with the last slope beyond the last point.

    - EACH_BIT: in `bits`, one cell for each; there is one point, of one bit.
    - EACH_PRODUCT: in `bits` * `other_bits`, one cell for each; one point, of one cell.
    - LINEAR_IN_BITS: in `bits`.
    - LINEAR_IN_PRODUCT: in `bits` * `other_bits`.
    - ROOT_OF_CAPACITY: in the square root of the capacity, `bits` * `other_bits`; points are
      accesses of `access_bits`, and an access costs in proportion to its `bits`.
    """

    EACH_BIT = "each_bit"
    EACH_PRODUCT = "each_product"
    LINEAR_IN_BITS = "linear_in_bits"
    LINEAR_IN_PRODUCT = "linear_in_product"
    ROOT_OF_CAPACITY = "root_of_capacity"


class Term(enum.StrEnum):
    """What one coefficient of a fitted price multiplies, in the two widths b and o of a primitive.

    ONE: 1. BITS: b. DIGITS: half of b, rounded up. OTHER_BITS: o. WIDTHS: b + o. PRODUCT: b o.
    LOG2_...: logarithms to base 2 of these, of a width of at least 1. ROOT_...: square roots.
    BITS_LOG2_BITS: b log2 b, a tree above each bit. BITS_LOG2_WAYS and LOG2_WAYS: with the o + 1
    ways of a mux or the words of a table. BITS_SQUARED: b b. LEAST and MOST: the lesser and the
    greater of b and o. BUFFER_LEVELS: levels of the tree of buffers, `FAN_OUT` sinks each, that a
    net of b sinks gets.
    """

    ONE = "one"
    BITS = "bits"
    DIGITS = "digits"
    OTHER_BITS = "other_bits"
    WIDTHS = "widths"
    PRODUCT = "product"
    BITS_SQUARED = "bits_squared"
    LEAST = "least"
    MOST = "most"
    LOG2_BITS = "log2_bits"
    LOG2_OTHER_BITS = "log2_other_bits"
    LOG2_WIDTHS = "log2_widths"
    LOG2_PRODUCT = "log2_product"
    LOG2_WAYS = "log2_ways"
    BITS_LOG2_BITS = "bits_log2_bits"
    BITS_LOG2_WAYS = "bits_log2_ways"
    ROOT_BITS = "root_bits"
    ROOT_OTHER_BITS = "root_other_bits"
    ROOT_PRODUCT = "root_product"
    BUFFER_LEVELS = "buffer_levels"


FAN_OUT = 16
"""Sinks of a net, as synthesis has it (`hwgen.synth.fan_out`); more get a tree."""


def _log2(size: Real) -> Real:
    logarithm: Real = np.log2(np.maximum(size, 1.0))
    return logarithm


TERMS: Mapping[Term, Callable[[Real, Real], Real]] = MappingProxyType(
    {
        Term.ONE: lambda bits, other: 1.0,
        Term.BITS: lambda bits, other: bits,
        Term.DIGITS: lambda bits, other: np.ceil(bits / 2),
        Term.OTHER_BITS: lambda bits, other: other,
        Term.WIDTHS: lambda bits, other: bits + other,
        Term.PRODUCT: lambda bits, other: bits * other,
        Term.BITS_SQUARED: lambda bits, other: bits * bits,
        Term.LEAST: lambda bits, other: np.minimum(bits, other),
        Term.MOST: lambda bits, other: np.maximum(bits, other),
        Term.LOG2_BITS: lambda bits, other: _log2(bits),
        Term.LOG2_OTHER_BITS: lambda bits, other: _log2(other),
        Term.LOG2_WIDTHS: lambda bits, other: _log2(bits + other),
        Term.LOG2_PRODUCT: lambda bits, other: _log2(bits * other),
        Term.LOG2_WAYS: lambda bits, other: _log2(other + 1),
        Term.BITS_LOG2_BITS: lambda bits, other: bits * _log2(bits),
        Term.BITS_LOG2_WAYS: lambda bits, other: bits * _log2(other + 1),
        Term.ROOT_BITS: lambda bits, other: np.sqrt(bits),
        Term.ROOT_OTHER_BITS: lambda bits, other: np.sqrt(other),
        Term.ROOT_PRODUCT: lambda bits, other: np.sqrt(bits * other),
        Term.BUFFER_LEVELS: lambda bits, other: np.maximum(
            np.ceil(_log2(bits) / np.log2(FAN_OUT)) - 1.0, 0.0
        ),
    }
)
"""The value of each term, from both widths."""

OF_BITS_ALONE = frozenset(
    {
        Term.ONE,
        Term.BITS,
        Term.DIGITS,
        Term.BITS_SQUARED,
        Term.LOG2_BITS,
        Term.BITS_LOG2_BITS,
        Term.ROOT_BITS,
        Term.BUFFER_LEVELS,
    }
)
"""The terms that the second width does not enter."""

PER_BIT = frozenset({Term.BITS, Term.PRODUCT, Term.BITS_LOG2_WAYS})
"""The terms in proportion to the first width: the price of a bit, times so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How the energy of an operation depends on its data: a factor on the price.

    The factor is base + toggle * t + zeros * z at a toggle density t and a fraction z of operations
    with a zero operand, at least 0, and 1 at t = 0.5 and z = 0, for which prices are given.
    """

    base: float
    toggle: float
    zeros: float

    def at(self, toggle: Real, zeros: Real) -> Real:
        """The factor for operands of these statistics."""
        factor: Real = np.maximum(self.base + self.toggle * toggle + self.zeros * zeros, 0.0)
        return _as_real(factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The widths that a price was calibrated on, least and greatest; None: it does not matter."""

    bits: tuple[int, int]
    other_bits: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """How far the law through the other calibration points misses each, mean and worst of all."""

    mean_percent: float
    worst_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PointPrice:
    """A law through points, where the points are from, and if they are `derived`.

    `points` are (size, price) pairs of ascending size. They are quoted from the source, or, with
    `derived`, computed from what it says in the way that `note` states. `access_bits` is the
    access that the points of ROOT_OF_CAPACITY are for, and 0 under other laws.
    """

    law: Law
    points: tuple[tuple[float, float], ...]
    source: str
    note: str
    derived: bool
    access_bits: int = 0
    statistics: Statistics | None = None

    def at(self, bits: Int, other_bits: Int = 0) -> Real:
        """The price of one instance or one operation of these widths."""
        price = self._along(self.points, self._size(bits, other_bits))
        if self.law is Law.ROOT_OF_CAPACITY:
            price = price * (to_real(bits) / self.access_bits)
        return price

    def is_interpolated(self, bits: Int, other_bits: Int = 0) -> bool:
        """Whether any of these widths is priced by the law or by derivation, not by a quotation."""
        if self.law in (Law.EACH_BIT, Law.EACH_PRODUCT):
            return self.derived
        quoted = np.isin(self._size(bits, other_bits), [size for size, _ in self.points])
        if self.law is Law.ROOT_OF_CAPACITY:
            quoted = quoted & np.equal(bits, self.access_bits)
        return self.derived or not bool(np.all(quoted))

    def is_outside(self, bits: Int, other_bits: Int = 0) -> Flag:
        """False: the law starts at the origin and a source sets no range."""
        return False

    def residuals_percent(self) -> dict[float, float]:
        """By size of each point: how far the law through the other points misses it.

        Empty for a single point, which nothing can check.
        """
        residuals: dict[float, float] = {}
        for size, price in self.points if len(self.points) > 1 else ():
            others = tuple(point for point in self.points if point[0] != size)
            estimate = self._along(others, size)
            residuals[size] = 100.0 * (float(estimate) / price - 1.0)
        return residuals

    def _along(self, points: tuple[tuple[float, float], ...], size: Real) -> Real:
        sizes, prices = (np.array(column) for column in zip((0.0, 0.0), *points, strict=True))
        if self.law is Law.ROOT_OF_CAPACITY:
            sizes, size = np.sqrt(sizes), np.sqrt(size)
        return _through(sizes, prices, size)

    def _size(self, bits: Int, other_bits: Int) -> Real:
        if self.law in (Law.EACH_BIT, Law.LINEAR_IN_BITS):
            return to_real(bits)
        return to_real(bits) * to_real(other_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPrice:
    """A sum of terms with fitted coefficients, the widths they were fitted on, and the residual.

    A primitive without bits costs nothing, and no price is below 0. Outside `range` the law goes
    on, and `is_outside` says so. `statistics` is None for what does not depend on data.

    Where no law holds, `table` has what was measured at every pair of widths in the range, rows by
    `bits`, columns by `other_bits` (one, of 0 bits, where there is no second width): within the
    range it is the price, outside it the law is. With `axes` it has only these widths, ascending,
    at least two of each, and the price is linear between them.
    """

    law: tuple[Term, ...]
    coefficients: tuple[float, ...]
    range: Range
    residual: Residual
    source: str
    note: str
    derived: bool
    statistics: Statistics | None = None
    table: tuple[tuple[float, ...], ...] | None = None
    axes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def at(self, bits: Int, other_bits: Int = 0) -> Real:
        """The price of one instance or one operation of these widths."""
        first, second = to_real(bits), to_real(other_bits)
        price: Real = 0.0
        for term, coefficient in zip(self.law, self.coefficients, strict=True):
            price = price + coefficient * TERMS[term](first, second)
        if self.table is not None and self.range.other_bits is not None:
            listed = self._listed(bits, other_bits)
            price = np.where(self.is_outside(bits, other_bits), price, listed)
        return _as_real(np.maximum(price, 0.0) * (first > 0))

    def _listed(self, bits: Int, other_bits: Int) -> Real:
        """What the table says; widths beyond it count as its last."""
        measured = np.array(self.table)
        if self.axes is None:
            low, left = self.range.bits[0], self.range.other_bits[0] if self.range.other_bits else 0
            row = np.clip(bits - low, 0, measured.shape[0] - 1)
            column = np.clip(other_bits - left, 0, measured.shape[1] - 1)
            return _as_real(measured[row, column])
        row, down = _place(self.axes[0], bits)
        column, across = _place(self.axes[1], other_bits)
        above, below = (
            measured[at, column] * (1 - across) + measured[at, column + 1] * across
            for at in (row, row + 1)
        )
        return _as_real(above * (1 - down) + below * down)

    def is_interpolated(self, bits: Int, other_bits: Int = 0) -> bool:
        """Whether any of these widths is priced by the law, not by a measured point."""
        if self.table is None or bool(np.any(self.is_outside(bits, other_bits))):
            return True
        if self.axes is None:
            return False
        pairs = zip((bits, other_bits), self.axes, strict=True)
        return not all(bool(np.all(np.isin(width, axis))) for width, axis in pairs)

    def is_outside(self, bits: Int, other_bits: Int = 0) -> Flag:
        """Whether a primitive of these widths exists and lies outside the calibrated range.

        What costs the same for each bit does so for any number of them.
        """
        low, high = self.range.bits
        outside = ((bits < low) | (bits > high)) & (bits != 0)
        if PER_BIT.issuperset(self.law) and self.table is None:
            outside = outside & False
        if self.range.other_bits is not None:
            low, high = self.range.other_bits
            outside = outside | (((other_bits < low) | (other_bits > high)) & (bits != 0))
        return outside


Price: TypeAlias = PointPrice | FittedPrice


def _place(axis: tuple[int, ...], width: Int) -> tuple[NDArray[np.int64], Real]:
    """Which step of an axis a width is in, and how far; beyond the axis at its end."""
    places = np.array(axis)
    step = np.clip(np.searchsorted(places, width, side="right") - 1, 0, len(places) - 2)
    part = (np.asarray(width) - places[step]) / (places[step + 1] - places[step])
    return step, np.clip(part, 0.0, 1.0)


def _as_real(value: Real) -> Real:
    """Numpy's scalars as Python's floats."""
    return value if isinstance(value, np.ndarray) else float(value)


def _through(sizes: NDArray[np.float64], prices: NDArray[np.float64], size: Real) -> Real:
    """Piecewise linear through all points, exact at each, with the last slope beyond the last."""
    slopes = np.diff(prices) / np.diff(sizes)
    slopes = np.append(slopes, slopes[-1])
    left = np.searchsorted(sizes, size, side="right") - 1
    price: NDArray[np.float64] = prices[left] + (size - sizes[left]) * slopes[left]
    return price if isinstance(size, np.ndarray) else float(price)
