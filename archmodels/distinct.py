"""Functions of one point, applied to a grid: once for each distinct combination of arguments."""

from collections.abc import Callable, Sequence

import numpy as np

from designs.rules import Int, Real, to_real

FRACTION = 2.0**-40
"""The unit in which reals are counted."""


def distinct(
    function: Callable[..., Sequence[int]], *arguments: "Int | bool | np.ndarray"
) -> tuple[Int, ...]:
    """The results of `function`, ints for ints; arrays where any argument is one.

    `function` takes ints (of flags 0 or 1) and gives as many ints at every point. For what no
    closed form covers: the time goes with the number of distinct combinations.
    """
    if not any(isinstance(argument, np.ndarray) for argument in arguments):
        return tuple(function(*(int(argument) for argument in arguments)))
    columns = np.broadcast_arrays(*(np.asarray(argument, dtype=np.int64) for argument in arguments))
    rows, where = np.unique(np.stack(columns), axis=1, return_inverse=True)
    results = np.array([function(*row) for row in rows.T.tolist()], dtype=np.int64)
    return tuple(results[where.reshape(-1)].T)


def distinct_reals(
    function: Callable[..., Sequence[float]], *arguments: "Int | bool | np.ndarray"
) -> tuple[Real, ...]:
    """As `distinct`, for a function that gives reals: to the nearest FRACTION."""

    def counted(*point: int) -> list[int]:
        return [round(value / FRACTION) for value in function(*point)]

    return tuple(to_real(found) * FRACTION for found in distinct(counted, *arguments))
