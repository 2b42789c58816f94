"""What benches of tiled engines share: vectors as transfers, and transfers as a matrix again."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from designs.rules import ceil_div
from sim.packing import unpacked
from sim.streams import SimulationError

Ints = NDArray[np.int64]


class Tiled(Protocol):
    """The attributes of params that say what a transfer of results is."""

    @property
    def cols(self) -> int: ...
    @property
    def acc_bits(self) -> int: ...
    @property
    def acc_signed(self) -> bool: ...


def steps_of(vectors: Ints, size: int, lanes: int, filler: int = -1) -> Ints:
    """Vectors along k, (vectors, k), as transfers of `lanes` k each, (steps, size * lanes).

    Filled up to `size` vectors and to a whole last transfer.
    """
    count, k = vectors.shape
    steps = ceil_div(k, lanes)
    missing = [(0, size - count), (0, steps * lanes - k)]
    whole = np.pad(vectors, missing, constant_values=filler)
    return whole.reshape(size, steps, lanes).swapaxes(0, 1).reshape(steps, size * lanes)


def matrix_of(
    params: Tiled,
    words: list[int],
    tiles: Iterable[Mapping[str, range]],
    shape: tuple[int, int],
    tile_rows: int | None,
) -> Ints:
    """The matrix whose tiles leave on `o`, a row in each transfer.

    A tile is its rows, then its columns, by rank. It takes `tile_rows` transfers; None: one for
    each of its rows.

    Raises SimulationError where a lane past the edge is not zero, or `last` is not on the last
    transfer alone.
    """
    check_last(words, params.cols * params.acc_bits)
    lanes = unpacked(words, params.cols, params.acc_bits, params.acc_signed)
    matrix = np.zeros(shape, dtype=np.int64)
    start = 0
    for tile in tiles:
        rows, cols = tile.values()
        block = lanes[start : start + (tile_rows or len(rows))]
        start += len(block)
        inside = block[: len(rows), : len(cols)]
        if np.count_nonzero(block) != np.count_nonzero(inside):
            spot = ", ".join(f"{rank} {at.start}..{at.stop - 1}" for rank, at in tile.items())
            raise SimulationError(
                f"o: lanes past the edge must be zero, and in tile {spot} are not"
            )
        matrix[np.ix_(rows, cols)] = inside
    return matrix


def check_last(words: list[int], bits: int) -> None:
    """Raise SimulationError where `last`, above `bits`, is not on the last transfer alone."""
    lasts = [word >> bits for word in words]
    if lasts != [0] * (len(words) - 1) + [1]:
        places = [index for index, last in enumerate(lasts) if last]
        raise SimulationError(
            f"o: last must be high on transfer {len(words) - 1} alone, the last one, "
            f"not on {_listed(places)}"
        )


def _listed(places: list[int]) -> str:
    """The first few of `places`."""
    some = ", ".join(map(str, places[:4]))
    return f"{some} and {len(places) - 4} more" if len(places) > 4 else some or "none"
