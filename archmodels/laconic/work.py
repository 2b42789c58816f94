"""What the terms of the operands ask of a Laconic engine: cycles and products of terms.

In each cycle an element multiplies one term of `a` and one of `w` in each lane. A row shows one
term per lane to all its elements, and so does a column, so that in a lane all terms of any row meet
all terms of any column: (max over rows of t(a)) * (max over columns of t(w)) cycles. The lanes
start together, and a step without terms takes one cycle.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archmodels.bit_slice import laconic, term_counts
from archmodels.distinct import distinct_reals
from archmodels.gemm import Problem
from archmodels.laconic.shape import Shape
from designs.digits import Encoding
from designs.operands import Operand, Operands, operand_range, probabilities
from designs.rules import Int, Ints, Real, ceil_div, minimum, to_real

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Cycles in which terms are handed out, and products of two terms formed, all elements."""

    term_cycles: Int
    term_products: Int


def exact_work(params: Shape, a: Ints, w: Ints) -> Work:
    """The work of one GEMM, a (m, k) times w (k, n); of one design point only."""
    encoding = Encoding(int(params.encoding))
    a_terms = term_counts(encoding, a, int(params.a_bits))
    w_terms = term_counts(encoding, w.T, int(params.w_bits))
    rows, cols = _tallest(a_terms, int(params.rows)), _tallest(w_terms, int(params.cols))
    lanes = int(params.lanes)
    return Work(
        term_cycles=sum(int(laconic(row, cols, lanes).sum()) for row in rows),
        term_products=int(a_terms.sum(axis=0) @ w_terms.sum(axis=0)),
    )


def _tallest(terms: Ints, tile: int) -> Ints:
    """Per tile and k the maximum over the vectors of the tile."""
    padded = np.pad(terms, [(0, -len(terms) % tile), (0, 0)])
    tallest: Ints = padded.reshape(-1, tile, terms.shape[1]).max(axis=1)
    return tallest


def expected_work(params: Shape, gemm: Problem) -> Work:
    """The expectation over the operands' distribution, rounded to integers."""
    operands = gemm.operands

    def step(rows: Int, cols: Int, lanes: Int) -> Real:
        """Cycles of a step of which so many rows, columns and lanes are used, at least one each."""

        def parts(*shape: int) -> tuple[float]:
            return (_step_cycles(operands, *shape),)

        widths = (params.encoding, params.a_bits, params.w_bits)
        (found,) = distinct_reals(parts, rows, cols, lanes, *widths)
        return found

    def mean(encoding: int, a_bits: int, w_bits: int) -> tuple[float]:
        a, w = _term_mass(operands.a, encoding, a_bits), _term_mass(operands.w, encoding, w_bits)
        return (float(a @ np.arange(len(a))) * float(w @ np.arange(len(w))),)

    cycles: Real = 0.0
    for m_tiles, rows in _cuts(gemm.m, params.rows):
        for n_tiles, cols in _cuts(gemm.n, params.cols):
            for steps, lanes in _cuts(gemm.k, params.lanes):
                cycles = cycles + to_real(m_tiles * n_tiles * steps) * step(rows, cols, lanes)
    (terms,) = distinct_reals(mean, params.encoding, params.a_bits, params.w_bits)
    return Work(
        term_cycles=_rounded(cycles),
        term_products=_rounded(to_real(gemm.mac_count) * terms),
    )


def _cuts(size: Int, tile: Int) -> tuple[tuple[Int, Int], tuple[Int, Int]]:
    """Full tiles and how much each covers; then the last one, full or not."""
    count = ceil_div(size, tile)
    return (count - 1, minimum(tile, size)), (1, size - (count - 1) * tile)


def _rounded(value: Real) -> Int:
    rounded = np.rint(value)
    return rounded.astype(np.int64) if isinstance(rounded, np.ndarray) else int(rounded)


@lru_cache(maxsize=4096)
def _step_cycles(
    operands: Operands, rows: int, cols: int, lanes: int, encoding: int, a_bits: int, w_bits: int
) -> float:
    """Expected cycles of a step, all its operands independent.

    The maximum of independent counts has the power of their distribution function.
    """
    a = np.cumsum(_term_mass(operands.a, encoding, a_bits)) ** rows
    w = np.cumsum(_term_mass(operands.w, encoding, w_bits)) ** cols
    a_mass = np.diff(a, prepend=0.0)
    bound = np.arange(1, (len(a) - 1) * (len(w) - 1))
    # P(product <= bound): for each count of a, no more of w than the bound allows.
    allowed = bound // np.arange(1, len(a))[:, None]
    below = a_mass[0] + a_mass[1:] @ w[np.minimum(allowed, len(w) - 1)]
    return float(1 + np.sum(1 - below**lanes))


@lru_cache(maxsize=1024)
def _term_mass(operand: Operand, encoding: int, bits: int) -> Reals:
    """Probability of each count of terms, from none to one per digit."""
    low, high = operand_range(bits, True)
    terms = term_counts(Encoding(encoding), np.arange(low, high + 1), bits)
    mass = np.bincount(terms, probabilities(operand, bits, True), minlength=bits // 2 + 1)
    return mass.astype(np.float64)
