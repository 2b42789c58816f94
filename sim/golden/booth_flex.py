"""What a BoothFlex core computes, bit for bit."""

from designs.booth_flex import BoothFlexParams
from designs.rules import Ints
from sim.golden import systolic


def gemm(params: BoothFlexParams, a: Ints, w: Ints, weight_bits: int = 0) -> Ints:
    """C = A @ W in exact integers: a (m, k), w (k, n), result (m, n), all int64.

    `weight_bits`: width of the weights, 0 for that of the machine. A core is faster with narrow
    ones; its results are the same.

    Raises ValueError for shapes that do not match, more than `max_k` products, or an operand that
    its width cannot hold.
    """
    limit = 1 << ((weight_bits or params.w_bits) - 1)
    outside = w[(w < -limit) | (w >= limit)]
    if outside.size:
        raise ValueError(f"w must be between {-limit} and {limit - 1}, not {outside.flat[0]}")
    return systolic.gemm(params, a, w)
