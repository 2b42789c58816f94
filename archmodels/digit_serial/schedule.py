"""When things happen in a digit-serial engine on given operands: exactly, by recurrences.

A row walks the groups of digits of all k once for each bit weight (a phase), the most significant
first. Groups lie in banks: in each phase a row visits all banks in a ring, and waits for the row
that is still in the bank it wants. Lanes that walk by themselves (streams) have banks of their own
and join after each phase. Every row and tile is stepped at once; the loops here are over the
visits of a tile and over the tiles of a GEMM.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from archmodels.digit_serial.shape import CLEAR, FETCH, PIPELINE, Shape
from designs.digits import Encoded, Encoding, encode
from designs.rules import Int, Ints, ceil_div

N = TypeVar("N", np.int64, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """What each tile of X takes, whatever it is multiplied by.

    cycles: by (tile, row, stream, phase, bank) of a visit to a bank
    groups, digits: read, by tile: groups that streams look at, nonzero digits of all lanes
    """

    cycles: Ints
    groups: Ints
    digits: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """One GEMM: `cycles`, and sums over all tiles.

    selecting: cycles in which digits are selected. groups, digits: groups and nonzero digits read.
    """

    cycles: Int
    selecting: Int
    groups: Int
    digits: Int


def schedule(params: Shape, a: Ints, w: Ints) -> Totals:
    """What happens for C = A @ W, a (m, k), w (k, n)."""
    x, y_count = (a, w.shape[1]) if params.encoded == Encoded.A else (w.T, a.shape[0])
    found = walks(params, x)
    selecting = phase_ends(found.cycles, int(params.row_banks))[-1].max(axis=(1, 2))
    repeats = ceil_div(y_count, int(params.cols))
    steps = ceil_div(x.shape[1], int(params.lanes))
    return Totals(
        cycles=total_cycles(params, selecting.tolist(), repeats, steps),
        selecting=int(selecting.sum()) * repeats,
        groups=int(found.groups.sum()) * repeats,
        digits=int(found.digits.sum()) * repeats,
    )


def walks(params: Shape, x: Ints) -> Walks:
    """The visits of all tiles of `x` (p, k)."""
    counts = _counts(params, x)
    tiles, rows, streams, lanes, phases, groups = counts.shape
    banks = int(params.bank_count)
    depth = ceil_div(groups, banks)
    whole = np.zeros((tiles, rows, streams, phases, banks * depth), dtype=np.int64)
    whole[..., :groups] = counts.max(axis=3)
    exists = np.zeros(banks * depth, dtype=np.bool_)
    exists[:groups] = True
    busiest = whole.reshape(tiles, rows, streams, phases, banks, depth)
    visited = _visited(busiest > 0, exists.reshape(banks, depth), int(params.skip_groups))
    each = np.maximum(busiest, 1) if params.sparse else np.full_like(busiest, params.group)
    cycles = (each * visited).sum(axis=-1)
    return Walks(
        cycles=np.maximum(cycles, 1),  # a bank without groups is passed in one
        groups=visited.sum(axis=(1, 2, 3, 4, 5)),
        digits=counts.sum(axis=(1, 2, 3, 4, 5)),
    )


def _counts(params: Shape, x: Ints) -> Ints:
    """Nonzero digits of each group: (tile, row, stream, lane, phase, group).

    Most significant phase first; rows and k beyond the edge are zero.
    """
    rows, lanes, group = int(params.rows), int(params.lanes), int(params.group)
    tiles, steps = ceil_div(x.shape[0], rows), ceil_div(x.shape[1], lanes)
    groups, streams = ceil_div(steps, group), int(params.stream_count)
    padded = np.zeros((tiles * rows, groups * group * lanes), dtype=np.int64)
    padded[: x.shape[0], : x.shape[1]] = x
    encoding, signed = Encoding(int(params.encoding)), bool(params.x_signed)
    nonzero = encode(encoding, padded, int(params.x_bits), signed)[..., ::-1] != 0
    shape = tiles, rows, groups, group, streams, lanes // streams, nonzero.shape[-1]
    counts: Ints = nonzero.reshape(shape).sum(axis=3, dtype=np.int64)
    return counts.transpose(0, 1, 3, 4, 5, 2)


def _visited(
    busy: NDArray[np.bool_], exists: NDArray[np.bool_], skip_groups: int
) -> NDArray[np.bool_]:
    """Which groups of each bank (last axis) are looked at, from the last one down.

    The first is, empty or not; with each that is, up to `skip_groups` empty ones below are passed.
    """
    visited = np.zeros_like(busy)
    left = np.zeros(busy.shape[:-1], dtype=np.int64)
    for place in reversed(range(busy.shape[-1])):
        skipped = ~busy[..., place] & (left > 0)
        visited[..., place] = exists[:, place] & ~skipped
        left = np.where(skipped, left - 1, np.where(exists[:, place], skip_groups, left))
    return visited


def phase_ends(cycles: NDArray[N], row_banks: int) -> NDArray[N]:
    """When each stream is through with each phase: (phase, tile, row, stream), from the start on.

    cycles: by (tile, row, stream, phase, bank) of a visit to a bank. A row starts `row_banks` banks
    before the next row, and enters a bank once that one has left it; lanes join after each phase.
    """
    tiles, rows, streams, phases, banks = cycles.shape
    ahead = row_banks
    first = ahead * np.arange(rows) if banks > 1 else np.zeros(rows, dtype=np.int64)
    end = np.zeros((tiles, rows, streams), dtype=cycles.dtype)
    ends: list[NDArray[N]] = []
    for visit in range(phases * banks):
        phase, place = divmod(visit, banks)
        start = end
        if place == 0:
            start = np.broadcast_to(end.max(axis=2, keepdims=True), end.shape)
        if visit >= ahead and rows > 1:
            start = np.maximum(start, np.roll(ends[visit - ahead], -1, axis=1))
        bank = (first + place) % banks
        end = start + cycles[:, np.arange(rows), :, phase, bank].transpose(1, 0, 2)
        ends.append(end)
    return np.stack(ends[banks - 1 :: banks])


def total_cycles(params: Shape, selecting: list[int], repeats: int, steps: int) -> int:
    """Cycles from the first operand transfer to the last result transfer.

    selecting: select cycles of each tile of X, all of which go by `repeats` tiles of Y; `steps`
    transfers load a tile of either. A tile is taken when its operands are there and the sums of the
    one before are complete, PIPELINE cycles after its last digit. Its first digits are selected
    FETCH cycles later, and not before CLEAR cycles after the last results of the one before.

    A new tile of Y is never waited for: it is loaded beside its first tile of X, or before.
    """
    drain = PIPELINE + int(params.rows) * int(params.resolve_steps)
    load_from = 0
    end, last = -CLEAR, -PIPELINE - 1
    for selects in selecting * repeats:
        start = max(last + PIPELINE + 1, load_from + steps)
        last = max(start + FETCH, end + CLEAR) + selects - 1
        end = last + drain
        load_from = start + 2 if params.double_buffer else last + 2
    return end + 1
