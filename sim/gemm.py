"""What the benches of GEMM machines of integers share: their operands."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from designs.workload import Gemm

Ints = NDArray[np.int64]


class Operated(Protocol):
    """What params say of integer operands."""

    @property
    def a_bits(self) -> int: ...
    @property
    def w_bits(self) -> int: ...
    @property
    def a_signed(self) -> bool: ...
    @property
    def w_signed(self) -> bool: ...


def operands(params: Operated, workload: Gemm, seed: int) -> tuple[Ints, Ints]:
    """Operands of a GEMM, distributed as the workload says: a (m, k), w (k, n)."""
    random, given = np.random.default_rng(seed), workload.operands
    a = given.a.draw(random, (workload.m, workload.k), params.a_bits, params.a_signed)
    w = given.w.draw(random, (workload.k, workload.n), params.w_bits, params.w_signed)
    return a, w
