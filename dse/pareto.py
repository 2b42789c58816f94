"""Pareto fronts: the points that no other point beats."""

import numpy as np
from numpy.typing import NDArray


def pareto_front(objectives: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mask of the points of `objectives` [points, d], all to be minimised, that none dominates.

    A point dominates another if it is at most as large in every objective and smaller in one; of
    equal points none dominates. O(points * log points) for two objectives; else O(points * front).
    Raises ValueError for what is not a number.
    """
    if objectives.ndim != 2 or np.isnan(objectives).any():
        raise ValueError("objectives must be numbers of shape [points, objectives]")
    rows, group = np.unique(objectives, axis=0, return_inverse=True)
    kept = _front_of_two(rows) if rows.shape[1] == 2 else _front_of_many(rows)
    mask = np.zeros(len(rows), dtype=np.bool_)
    mask[kept] = True
    return mask[group.reshape(-1)]


def balanced_point(objectives: NDArray[np.float64]) -> int:
    """Index of the point with the least product of all objectives (each above 0); first if equal.

    It is on the front, and no choice of units changes it.
    """
    return int(np.argmin(np.log(objectives).sum(axis=1)))


def _front_of_two(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of distinct rows in ascending order: those lower in the second than all before them."""
    lowest_before = np.minimum.accumulate(np.append(np.inf, rows[:-1, 1]))
    kept = rows[:, 1] < lowest_before
    kept[:1] = True
    return np.flatnonzero(kept)


def _front_of_many(rows: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of distinct rows: each survivor in turn strikes out what it dominates.

    Those of low rank in all objectives come first, for they strike out most.
    """
    ranks = np.argsort(np.argsort(rows, axis=0), axis=0)
    left = np.argsort(ranks.sum(axis=1), kind="stable")
    turn = 0
    while turn < len(left):
        better_somewhere = (rows[left] < rows[left[turn]]).any(axis=1)
        better_somewhere[turn] = True
        left = left[better_somewhere]
        turn = int(np.count_nonzero(better_somewhere[:turn])) + 1
    return left
