"""How often the digits of an operand are zero, alone and two of them together."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from designs.digits import Encoding, encode
from designs.operands import Operand, operand_range, probabilities

Reals = NDArray[np.float64]


@lru_cache(maxsize=256)
def joint_zeros(encoding: Encoding, operand: Operand, bits: int, signed: bool) -> Reals:
    """Probability that digits i and j are both zero, (digits, digits), exactly.

    On the diagonal: that digit i is zero. Digits of one operand depend on each other.
    """
    low, high = operand_range(bits, signed)
    is_zero = (encode(encoding, np.arange(low, high + 1), bits, signed) == 0).astype(np.float64)
    both: Reals = (is_zero * probabilities(operand, bits, signed)[:, None]).T @ is_zero
    return both


def nonzero_count(encoding: Encoding, operand: Operand, bits: int, signed: bool) -> float:
    """Mean nonzero digits of an operand: the cycles that an ideal digit-serial engine takes.

    Source: HPCA 2025, "average partial products".
    """
    return float(np.sum(1.0 - np.diag(joint_zeros(encoding, operand, bits, signed))))


def nonzero_histogram(encoding: Encoding, operand: Operand, bits: int, signed: bool) -> Reals:
    """Probability of 0, 1, ... nonzero digits in an operand."""
    low, high = operand_range(bits, signed)
    counts = np.count_nonzero(encode(encoding, np.arange(low, high + 1), bits, signed), axis=1)
    weights = probabilities(operand, bits, signed)
    return np.bincount(counts, weights=weights).astype(np.float64)
