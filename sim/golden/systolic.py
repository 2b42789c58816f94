"""What a systolic engine computes, bit for bit."""

import numpy as np
from numpy.typing import NDArray

from designs.operands import operand_range
from designs.systolic import SystolicParams

Ints = NDArray[np.int64]


def gemm(params: SystolicParams, a: Ints, w: Ints) -> Ints:
    """C = A @ W in exact integers: a (m, k), w (k, n), result (m, n), all int64.

    Nothing overflows: `acc_bits` holds any sum of `max_k` products, and fits int64 for every legal
    params.

    Raises ValueError for shapes that do not match, more than `max_k` products, or an operand that
    its `a_bits` or `w_bits` cannot hold.
    """
    if a.ndim != 2 or w.ndim != 2 or a.shape[1] != w.shape[0]:
        raise ValueError(
            f"a and w must be of shapes (m, k) and (k, n), not {a.shape} and {w.shape}"
        )
    if a.shape[1] > params.max_k:
        raise ValueError(f"k must be at most max_k = {params.max_k}, not {a.shape[1]}")
    _check_operands("a", a, params.a_bits, params.a_signed)
    _check_operands("w", w, params.w_bits, params.w_signed)
    return a.astype(np.int64) @ w.astype(np.int64)


def _check_operands(name: str, values: Ints, bits: int, signed: bool) -> None:
    low, high = operand_range(bits, signed)
    outside = values[(values < low) | (values > high)]
    if outside.size:
        raise ValueError(f"{name} must be between {low} and {high}, not {outside.flat[0]}")
