"""How long a GEMM takes on a digit-serial engine and how much it reads: expected.

What happens on given operands, exactly: `archmodels.digit_serial.schedule`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from archmodels.digit_serial.expectation import Tile, expected
from archmodels.digit_serial.schedule import Totals
from archmodels.digit_serial.shape import CLEAR, FETCH, PIPELINE, Shape
from archmodels.distinct import distinct
from archmodels.gemm import Problem
from designs.digits import Encoded
from designs.operands import Operand
from designs.rules import Int, Real, ceil_div, to_real, where, where_real

FRACTION = 2**20
"""Parts of a cycle, a group or a digit in which expectations per tile are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """Tiles of X and of Y, transfers that load a tile of either, and rows of X."""

    x_tiles: Int
    y_tiles: Int
    steps: Int
    x_rows: Int
    y_cols: Int

    @classmethod
    def of(cls, params: Shape, gemm: Problem) -> "Tiling":
        """How a GEMM is cut."""
        encodes_a = params.encoded == Encoded.A
        x_rows, y_cols = where(encodes_a, gemm.m, gemm.n), where(encodes_a, gemm.n, gemm.m)
        return cls(
            x_tiles=ceil_div(x_rows, params.rows),
            y_tiles=ceil_div(y_cols, params.cols),
            steps=ceil_div(gemm.k, params.lanes),
            x_rows=x_rows,
            y_cols=y_cols,
        )


def expected_totals(params: Shape, gemm: Problem) -> Totals:
    """Means over the distribution of the operands, rounded to whole numbers."""
    tiling = Tiling.of(params, gemm)
    left = tiling.x_rows - (tiling.x_tiles - 1) * params.rows
    whole, last = _tile(params, gemm, params.rows), _tile(params, gemm, left)
    y_tiles, more = to_real(tiling.y_tiles), to_real(tiling.x_tiles - 1)

    def over_all(of_whole: Real, of_last: Real) -> Int:
        return rounded(y_tiles * (more * of_whole + of_last))

    steps = to_real(tiling.steps)
    drain = to_real(PIPELINE + params.rows * params.resolve_steps)
    between = _greater(drain + (CLEAR - 1.0), PIPELINE + FETCH + 0.0)

    def interval(selects: Real) -> Real:
        """From the first digit of a tile to that of the next one, whose operands must be in."""
        loaded = where_real(params.double_buffer, steps + 2.0, selects + steps + (FETCH + 1.0))
        return _greater(selects + between, loaded)

    cycles = y_tiles * (more * interval(whole.cycles) + interval(last.cycles))
    cycles = cycles - interval(last.cycles) + last.cycles + steps + drain + (FETCH + 0.0)
    return Totals(
        cycles=rounded(cycles),
        selecting=over_all(whole.cycles, last.cycles),
        groups=over_all(whole.groups, last.groups),
        digits=over_all(whole.digits, last.digits),
    )


@dataclass(frozen=True, slots=True)
class _Means:
    """Of one tile."""

    cycles: Real
    groups: Real
    digits: Real


def _tile(params: Shape, gemm: Problem, active: Int) -> _Means:
    """A tile with so many rows of X."""
    columns = (
        where(params.encoded == Encoded.A, 1, 0),
        params.encoding,
        params.x_bits,
        params.x_signed,
        params.group,
        params.skip_groups,
        params.sparse,
        params.lanes,
        params.stream_count,
        params.rows,
        params.row_banks,
        params.bank_count,
        gemm.k,
        active,
    )
    cycles, groups, digits = distinct(_means_of(gemm.operands.a, gemm.operands.w), *columns)
    return _Means(
        cycles=to_real(cycles) / FRACTION,
        groups=to_real(groups) / FRACTION,
        digits=to_real(digits) / FRACTION,
    )


def _means_of(a: Operand, w: Operand) -> Callable[..., tuple[int, int, int]]:
    """The function of one design point that gives the means of a tile, in parts of FRACTION."""

    def means(encodes_a: int, *sizes: int) -> tuple[int, int, int]:
        found = expected(Tile(*sizes), a if encodes_a else w)
        cycles, groups, digits = found.cycles, found.groups, found.digits
        return round(FRACTION * cycles), round(FRACTION * groups), round(FRACTION * digits)

    return means


def _greater(a: Real, b: Real) -> Real:
    greater: Real = np.maximum(a, b)
    return greater if isinstance(greater, np.ndarray) else float(greater)


def rounded(value: Real) -> Int:
    """The nearest whole number, the even one of two."""
    return np.rint(value).astype(np.int64) if isinstance(value, np.ndarray) else round(value)
