"""What three-pass engines compute, bit for bit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from designs.attention import Attention
from designs.attention.choices import OUTPUT_FRACTION_BITS, WEIGHT_FRACTION_BITS
from designs.attention.unfused import UnfusedParams
from designs.rules import Ints, bit_length
from sim.golden.attention.integer import DIVISOR_BITS, RECIPROCAL_BITS, Integers
from sim.golden.attention.tensors import Inputs, check, seen


def attention(
    params: UnfusedParams, workload: Attention, inputs: Inputs
) -> dict[str, NDArray[Any]]:
    """What leaves an engine, for the inputs of `sim.golden.attention.attention` of int8.

    s (batch * heads, queries, keys) int32: scores, the least number of `score_bits` where a key is
    not seen. sn (same shape) uint16: 2 to the distance of a score to the query's greatest one, with
    15 fraction bits, see `Integers.weights`. o (batch * heads, queries, f) int16: the averages of
    values, saturated, with 8 fraction bits; a query that sees no key has zeros.

    A = SN / SD is in units of the power of two by which SD exceeds 16 bits, with 15 fraction bits,
    rounded to the nearest, halves up: SN times 2**31 // m, of which 16 bits are dropped, where m is
    SD cut to the 16 bits from its leading one. The sum of A V over all keys is exact, is shifted
    right by that power of two, rounded down, and then loses 7 fraction bits, rounded to the
    nearest, halves up.

    Raises ValueError for a tensor of another shape, or a value that is not legal.
    """
    check(params.engine, workload, inputs)
    integers = Integers.of(params.engine, workload, inputs)
    q, k, v = (inputs[name].astype(np.int64) for name in ("q", "k", "v"))
    k, v = (np.repeat(tensor, workload.share, axis=0) for tensor in (k, v))
    visible = seen(workload, np.arange(workload.keys))
    scores = np.where(visible, integers.scores(q, k), integers.masked)
    numerators = integers.weights(scores.max(axis=-1), scores)
    return {
        "s": scores.astype(np.int32),
        "sn": numerators.astype(np.uint16),
        "o": outputs(params, integers, numerators, v).astype(np.int16),
    }


def outputs(params: UnfusedParams, integers: Integers, numerators: Ints, v: Ints) -> Ints:
    """The averages of values by these weights."""
    bits = params.engine.denominator_bits
    sums = integers.total(numerators)
    left, right = bits - np.asarray(bit_length(sums)), bits - DIVISOR_BITS
    m = np.maximum(sums << left >> right, 1)
    inverse = ((1 << RECIPROCAL_BITS) // m)[..., None]
    drop = RECIPROCAL_BITS - WEIGHT_FRACTION_BITS
    shares = numerators * inverse + (1 << (drop - 1)) >> drop
    ratio = integers.weighed(shares, v) << left[..., None] >> right
    drop = WEIGHT_FRACTION_BITS - OUTPUT_FRACTION_BITS
    rounded = ratio + (1 << (drop - 1)) >> drop
    saturated: Ints = np.clip(rounded, -(1 << 15), (1 << 15) - 1)
    return saturated
