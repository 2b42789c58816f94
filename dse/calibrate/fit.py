"""Laws through measured points: the simplest that holds, and how far it is off.

A law is a sum of terms of the two widths. Its coefficients minimise the squares of the relative
error. Its residual is honest: every point is estimated by the law through all the others
(leave-one-out), which linear least squares gives in closed form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from archmodels.technology import FittedPrice, Range, Residual, Statistics, Term
from archmodels.technology.prices import OF_BITS_ALONE, TERMS

Points: TypeAlias = Mapping[tuple[int, int], float]
"""(bits, other_bits) to what was measured there."""
Law: TypeAlias = tuple[Term, ...]

LIMIT_PERCENT = 5.0
"""A law holds if it misses no point by more, and the first that holds is taken."""
ALIKE = 1.1
"""Where no law holds: the first that misses by no more than this times the least of all."""
DIGITS = 6
"""Significant digits of everything written: more than is known, fewer than platforms differ in."""
LISTED_DIGITS = 4
"""The same of a point in a table, of which there are hundreds."""
FULL_LEVERAGE = 1 - 1e-9
"""A point that the law goes through whatever is measured there says nothing about the law."""


class FitError(ValueError):
    """Points through which no law goes: one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A law, its coefficients, and its leave-one-out residuals in percent, by point."""

    law: Law
    coefficients: tuple[float, ...]
    residuals: tuple[float, ...]

    @property
    def worst_percent(self) -> float:
        return max(map(abs, self.residuals), default=0.0)

    @property
    def mean_percent(self) -> float:
        return float(np.mean(np.abs(self.residuals))) if self.residuals else 0.0


def fit(points: Points, law: Law) -> Fit | None:
    """The law through the points; None where they do not determine it.

    A law of one term may go through a single point, of which it then has no residual.
    """
    values = np.array(list(points.values()))
    matrix = design(points, law) / values[:, None]
    if len(points) == 1 and len(law) == 1:
        return Fit(law=law, coefficients=rounded([1 / matrix[0, 0]]), residuals=())
    if len(points) <= len(law) or np.linalg.matrix_rank(matrix) < len(law):
        return None
    inverse = np.linalg.pinv(matrix)
    leverage = np.einsum("ij,ji->i", matrix, inverse)
    if np.any(leverage > FULL_LEVERAGE):
        return None
    coefficients = inverse @ np.ones(len(points))
    residuals = 100 * (matrix @ coefficients - 1) / (1 - leverage)
    return Fit(
        law=law,
        coefficients=rounded(coefficients),
        residuals=tuple(float(residual) for residual in residuals),
    )


def design(points: Points, law: Law) -> NDArray[np.float64]:
    """The value of each term (columns) at each point (rows)."""
    bits, other = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    return np.stack([np.broadcast_to(TERMS[term](bits, other), bits.shape) for term in law], axis=1)


def best(points: Points, laws: Sequence[Law]) -> tuple[Fit, str]:
    """The first of the laws, simplest first, that holds, else that misses hardly more than any.

    And why, as a sentence.

    A law that would make something cost nothing, or less, within the range is none.
    """
    if not points or min(points.values()) <= 0:
        raise FitError(f"a price must be fitted to positive points, not {dict(points)}")
    tried: list[tuple[Fit, str]] = []
    for law in laws:
        fitted = fit(points, law)
        name = " + ".join(law)
        if fitted is None or least(fitted, points) <= 0:
            continue
        tried.append((fitted, name))
        if fitted.worst_percent <= LIMIT_PERCENT:
            break
    if not tried:
        raise FitError(
            f"a law must go through {len(points)} points and stay above 0, and none of "
            f"{len(laws)} does"
        )
    enough = max(LIMIT_PERCENT, ALIKE * min(fitted.worst_percent for fitted, _ in tried))
    chosen = next(fitted for fitted, _ in tried if fitted.worst_percent <= enough)
    return chosen, _reason(chosen, tried)


def least(fitted: Fit, points: Points) -> float:
    """The least price at any widths between those of the points.

    Where the second width is part of the first at every point, it is so everywhere, and what is
    left of the first is as much as at some point.
    """
    rest = min(bits - other for bits, other in points)
    corners = {
        (bits, other): 1.0
        for bits in _span([bits for bits, _ in points])
        for other in _span([other for _, other in points])
        if rest <= 0 or bits - other >= rest
    }
    return float(np.min(design(corners, fitted.law) @ np.array(fitted.coefficients)))


def _span(widths: Sequence[int]) -> list[int]:
    low, high = min(widths), max(widths)
    return sorted({*np.linspace(low, high, 64).astype(int).tolist(), *widths})


def _reason(chosen: Fit, tried: Sequence[tuple[Fit, str]]) -> str:
    if not chosen.residuals:
        return "One point, which nothing can check."
    worse = [f"{name} {other.worst_percent:.1f}" for other, name in tried if other is not chosen]
    if chosen.worst_percent <= LIMIT_PERCENT:
        rule = f"The simplest law within {LIMIT_PERCENT:g} % at each point left out"
        return f"{rule}; simpler ones miss by (%): {', '.join(worse)}." if worse else f"{rule}."
    least_percent = min(fitted.worst_percent for fitted, _ in tried)
    rank = (
        "this one misses least"
        if chosen.worst_percent == least_percent
        else f"this one is the simplest of those that miss by at most {ALIKE:g} times the least"
    )
    rule = f"No law is within {LIMIT_PERCENT:g} % at each point left out, {rank}"
    return f"{rule}; others miss by (%): {', '.join(worse)}." if worse else f"{rule}."


def price(
    points: Points,
    laws: Sequence[Law],
    note: str,
    *,
    statistics: Statistics | None = None,
    derived: bool = False,
    may_list: bool = False,
) -> FittedPrice:
    """The fitted price through `points`; `note` says what was measured. Raises FitError.

    With `may_list`, points at every pair of widths are listed where no law holds.
    """
    fitted, reason = best(points, laws)
    is_listed = may_list and fitted.worst_percent > LIMIT_PERCENT
    if is_listed:
        reason += (
            " So the table has what was measured; the law and its residual are for widths beyond."
        )
    uses_other = is_listed or not OF_BITS_ALONE.issuperset(fitted.law)
    widths, others = zip(*points, strict=True)
    return FittedPrice(
        law=fitted.law,
        coefficients=fitted.coefficients,
        range=Range(
            bits=(min(widths), max(widths)),
            other_bits=(min(others), max(others)) if uses_other else None,
        ),
        residual=Residual(
            mean_percent=round(fitted.mean_percent, 1), worst_percent=round(fitted.worst_percent, 1)
        ),
        source="calibration",
        note=f"{note} {reason}",
        derived=derived,
        statistics=statistics,
        table=table(points) if is_listed else None,
        axes=axes(points) if is_listed else None,
    )


def table(points: Points) -> tuple[tuple[float, ...], ...]:
    """Points at every pair of widths: rows by the first, columns by the second."""
    widths, others = (sorted(set(column)) for column in zip(*points, strict=True))
    return tuple(
        rounded([points[bits, other] for other in others], LISTED_DIGITS) for bits in widths
    )


def axes(points: Points) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The widths of such a table; None where they are every one of their range."""
    bits, other = (tuple(sorted(set(column))) for column in zip(*points, strict=True))
    is_whole = all(own == tuple(range(own[0], own[-1] + 1)) for own in (bits, other))
    return None if is_whole else (bits, other)


def factors(samples: Sequence[tuple[float, float, float]]) -> Statistics:
    """The law of energy in toggle density and fraction of zeros, from (toggle, zeros, factor).

    A factor is an energy over that on random operands, where the law is 1: base + toggle / 2 = 1.
    """
    table = np.array(samples)
    matrix = np.stack([table[:, 0] - 0.5, table[:, 1]], axis=1)
    used = np.any(matrix != 0, axis=0)
    slopes = np.zeros(2)
    slopes[used] = np.linalg.lstsq(matrix[:, used], table[:, 2] - 1, rcond=None)[0]
    toggle, zeros = (round(float(slope), 4) for slope in slopes)
    return Statistics(base=round(1 - toggle / 2, 4), toggle=toggle, zeros=zeros)


def constant(value: float, points: Points, note: str) -> FittedPrice:
    """A price that does not depend on widths and is stated, not fitted."""
    widths, others = zip(*points, strict=True)
    return FittedPrice(
        law=(Term.ONE,),
        coefficients=rounded([value]),
        range=Range(bits=(min(widths), max(widths)), other_bits=None),
        residual=Residual(mean_percent=0.0, worst_percent=0.0),
        source="calibration",
        note=note,
        derived=True,
    )


def rounded(
    values: Sequence[float] | NDArray[np.float64], digits: int = DIGITS
) -> tuple[float, ...]:
    """To what is written."""
    return tuple(float(f"{value:.{digits}g}") for value in np.asarray(values, dtype=float))
