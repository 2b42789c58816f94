"""What a systolic engine computes, bit for bit."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from designs.operands import operand_range
from sim.golden.operands import check_shapes, check_values

Ints = NDArray[np.int64]


class Exact(Protocol):
    """What the params of a machine that multiplies and adds integers say of them."""

    @property
    def max_k(self) -> int: ...
    @property
    def a_bits(self) -> int: ...
    @property
    def a_signed(self) -> bool: ...
    @property
    def w_bits(self) -> int: ...
    @property
    def w_signed(self) -> bool: ...


def gemm(params: Exact, a: Ints, w: Ints) -> Ints:
    """C = A @ W in exact integers: a (m, k), w (k, n), result (m, n), all int64.

    Nothing overflows: `acc_bits` holds any sum of `max_k` products, and fits int64 for every legal
    params.

    Raises ValueError for shapes that do not match, more than `max_k` products, or an operand that
    its `a_bits` or `w_bits` cannot hold.
    """
    check_shapes(a, w, params.max_k)
    check_values("a", a, operand_range(params.a_bits, params.a_signed))
    check_values("w", w, operand_range(params.w_bits, params.w_signed))
    return a.astype(np.int64) @ w.astype(np.int64)
