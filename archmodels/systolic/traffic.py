"""What the values that pass a systolic engine are like: expectations, where counts are exact.

Energy depends on how many bits toggle. That follows exactly for independent operands
(`designs.operands`); for products and sums of them this module estimates it.
"""

from dataclasses import dataclass

import numpy as np

from archmodels.gemm import Problem
from archmodels.systolic.shape import Shape, Widths
from designs.digits import Encoded
from designs.rules import Flag, Int, Real, anywhere, ceil_div, to_real, where_real


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Toggle densities of what moves in the grid, mean over lanes, padding included.

    `zeros`: part of the multiplications that have a zero operand. `multiplier`: of both operands.
    `encoded`: of the one that is written in digits, if any.
    `sum`: of what the elements add up; `row`: of a row of partial sums or results that leaves.
    """

    a: Real
    w: Real
    zeros: Real
    multiplier: Real
    encoded: Real
    product: Real
    sum: Real
    row: Real


def traffic(params: Shape, gemm: Problem, widths: Widths, is_ws: Flag) -> Traffic:
    """Toggle densities of one GEMM.

    Lanes past the edge of the problem stand still at zero. Between two tiles of an os engine and
    between two rows of activations everything is taken as independent. Products of both signs, or
    none: each bit is high half of the time where the product is not zero.
    """
    a = gemm.operands.a.statistics(params.a_bits, params.a_signed)
    w = gemm.operands.w.statistics(params.w_bits, params.w_signed)
    lanes = where_real(is_ws, _used(gemm.k, params.rows), _used(gemm.m, params.rows))
    if anywhere(params.depth > 1):
        lanes = lanes * _used(gemm.k, params.depth)
    cols = _used(gemm.n, params.cols)
    a_toggle, w_toggle = lanes * a.toggle_density, cols * w.toggle_density
    # A weight that stands still toggles nothing, and where it is zero its products stay zero.
    w_moves = where_real(is_ws, 0.0, w_toggle)
    both = (1.0 - a.zero_fraction) * (1.0 - w.zero_fraction)
    changing = where_real(
        is_ws,
        (1.0 - a.zero_fraction * a.zero_fraction) * (1.0 - w.zero_fraction),
        both * (2.0 - both),
    )
    product = 0.5 * lanes * cols * changing
    square = a.mean_square * w.mean_square
    growing = _growing_toggle(gemm.k, widths.acc, square, a.mean * w.mean, params.acc_signed)
    return Traffic(
        a=a_toggle,
        w=w_toggle,
        zeros=1.0 - lanes * cols * both,
        multiplier=(params.a_bits * a_toggle + params.w_bits * w_moves)
        / (params.a_bits + params.w_bits),
        encoded=where_real(params.encoded == Encoded.A, a_toggle, w_moves),
        product=product,
        # ws: each step brings the sum of another row of activations, independent of the one before.
        sum=where_real(is_ws, 0.5 * cols, lanes * cols * growing),
        row=0.5 * cols,
    )


def _used(size: Int, tile: Int) -> Real:
    """Part of the lanes of all tiles that hold something of the problem."""
    return to_real(size) / to_real(ceil_div(size, tile) * tile)


def _growing_toggle(terms: Int, bits: Int, square: Real, mean: Real, signed: Flag) -> Real:
    """Toggle density of a register of `bits` in which `terms` independent products are summed.

    Of one product the mean square is `square`. A product moves the bits below its own magnitude
    half of the time, and by carries about two more; those above the sum are its sign, which a
    random walk of n steps changes 2 / (pi sqrt(n)) of the time, and a sum that drifts never.
    """
    magnitude = np.minimum(0.5 * np.log2(np.maximum(square, 1.0)) + 2.0, bits)
    above = np.maximum(bits - magnitude - 0.5 * np.log2(terms), 0.0)
    flips = np.minimum(2.0 / (np.pi * np.sqrt(terms)), 0.5)
    drifts = mean * mean * terms > square
    toggle: Real = (
        0.5 * magnitude + where_real(signed, 1.0, 0.0) * where_real(drifts, 0.0, flips) * above
    ) / bits
    return toggle if isinstance(toggle, np.ndarray) else float(toggle)
