"""What ternary cores with look-up tables compute, bit for bit."""

from functools import reduce
from itertools import product

import numpy as np

from designs.floats import FloatFormat
from designs.lut_ternary import FLOAT_FORMATS, Build, LutTernaryParams
from designs.operands import operand_range
from designs.rules import Ints, ceil_div, clog2
from designs.ternary import encode_keys, index_bits, patterns
from sim.golden import floats
from sim.golden.operands import check_shapes, check_values

Table = dict[tuple[int, ...], Ints]
"""Sums by the trits that they add up, as bit patterns."""


def gemm(params: LutTernaryParams, a: Ints, w: Ints) -> Ints:
    """C of a (m, k) and w (k, n), w in {-1, 0, 1}; result (m, n), all int64.

    Integers: A @ W exactly; nothing overflows, for `acc_bits` holds any sum of `max_k` activations
    of either sign. Floats: a and C are the unsigned bit patterns of `FLOAT_FORMATS`, and every
    adder of the core rounds, in this order. An entry of a table is put together from those of the
    two halves of its group, the first half the longer one (reference: see `_published_table`); what
    is read changes its sign for a negative key, and a group of zeros reads +0. Neighbouring groups
    of a step are added pairwise, an odd one last, until one sum is left (reference: from left to
    right); steps are added up in order, from +0. With multiply each activation is multiplied by 1,
    +0 or -1 instead, which makes NaN of infinity times 0. What is added to pad is zero.

    Raises ValueError for shapes that do not match, more than `max_k` activations, one that its
    type does not have, or a weight that is not a trit.
    """
    check_shapes(a, w, params.max_k)
    check_values("a", a, operand_range(params.a_bits, not params.is_float))
    keys = encode_keys(w, params.mu)
    if params.is_float:
        return _float_gemm(params, a.astype(np.int64), keys)
    return a.astype(np.int64) @ w.astype(np.int64)


def lut_gemm(a: Ints, keys: Ints, mu: int) -> Ints:
    """A @ W in exact integers as the tables have it: a (m, k), keys (ceil(k / mu), n) of W."""
    tables = _groups(a, mu) @ patterns(mu).astype(np.int64).T
    whole = np.pad(tables, [(0, 0), (0, 0), (0, 1)])
    index, negative = _parts(keys, mu)
    read = whole[:, np.arange(len(keys))[:, None], index]
    total: Ints = np.where(negative, -read, read).sum(axis=1)
    return total


def reference(params: LutTernaryParams, a: Ints, w: Ints) -> tuple[floats.Reals, floats.Reals]:
    """C of the patterns a of floats and w in float64, and how far `gemm` may be from it.

    Of a sum through d adders of precision p the error is at most (1 + 2**-p)**d - 1 times the sum
    of the magnitudes, as long as nothing overflows.
    """
    number = FLOAT_FORMATS[params.activation]
    reals, weights = floats.decode(number, a), w.astype(np.float64)
    tables = params.tables
    levels = tables - 1 if params.build == Build.REFERENCE else clog2(tables)
    depth = params.mu - 1 + levels + ceil_div(a.shape[1], params.step_k)
    part = (1 + 2.0**-number.precision) ** depth - 1
    return reals @ weights, part * (np.abs(reals) @ np.abs(weights))


def _float_gemm(params: LutTernaryParams, a: Ints, keys: Ints) -> Ints:
    """The adders of a core of floats, step by step."""
    number = FLOAT_FORMATS[params.activation]
    total = np.zeros((len(a), keys.shape[1]), dtype=np.int64)
    for start in range(0, len(keys), params.tables):
        step = slice(start, start + params.tables)
        groups = _groups(a[:, start * params.mu : step.stop * params.mu], params.mu)
        leaves = _leaves(params, groups, keys[step])
        missing = params.tables - leaves.shape[1]
        whole = np.pad(leaves, [(0, 0), (0, missing), (0, 0)])
        total = floats.add(number, total, _joined(params, list(whole.swapaxes(0, 1))))
    return total


def _joined(params: LutTernaryParams, leaves: list[Ints]) -> Ints:
    """The sum of the leaves of a step."""
    number = FLOAT_FORMATS[params.activation]
    if params.build == Build.REFERENCE:
        return reduce(lambda total, leaf: floats.add(number, total, leaf), leaves)
    while len(leaves) > 1:
        pairs = zip(leaves[::2], leaves[1::2], strict=False)
        odd = leaves[len(leaves) // 2 * 2 :]
        leaves = [floats.add(number, first, second) for first, second in pairs] + odd
    return leaves[0]


def _leaves(params: LutTernaryParams, groups: Ints, keys: Ints) -> Ints:
    """What the columns get of each group: (m, groups, n) of activations (m, groups, mu)."""
    number = FLOAT_FORMATS[params.activation]
    index, negative = _parts(keys, params.mu)
    if params.build == Build.MULTIPLY:
        weights = floats.from_integer(number, (1 - index) * (1 - 2 * negative))
        return floats.multiply(number, groups, weights[None])
    build = _published_table if params.build == Build.REFERENCE else _table
    sums = build(number, list(np.moveaxis(groups, -1, 0)))
    entries = [sums[tuple(pattern)] for pattern in patterns(params.mu).tolist()]
    whole = np.stack([*entries, np.zeros_like(groups[..., 0])], axis=-1)
    read: Ints = whole[:, np.arange(len(keys))[:, None], index]
    return read ^ (negative << (number.bits - 1))


def _table(number: FloatFormat, values: list[Ints]) -> Table:
    """The sum of `values` for every pattern whose first trit that is not zero is 1."""
    if len(values) == 1:
        return {(1,): values[0]}
    half = ceil_div(len(values), 2)
    heads, tails = _table(number, values[:half]), _table(number, values[half:])
    sums = {head + (0,) * (len(values) - half): value for head, value in heads.items()}
    sums |= {(0,) * half + tail: value for tail, value in tails.items()}
    for (head, first), (tail, second) in product(heads.items(), tails.items()):
        opposite = tuple(-trit for trit in tail)
        sums[head + tail] = floats.add(number, first, second)
        sums[head + opposite] = floats.add(number, first, _negative(number, second))
    return sums


def _published_table(number: FloatFormat, values: list[Ints]) -> Table:
    """As `_table`, but put together from a head, of the first two, and a tail, of all others.

    A tail is added up from left to right, from +0; one of zeros alone is added to the head too.
    """
    heads = _table(number, values[:2])
    if len(values) <= 2:
        return heads
    tails: Table = {(): np.zeros_like(values[0])}
    for value in values[2:]:
        signed = {1: value, -1: _negative(number, value)}
        tails = {
            (*tail, trit): floats.add(number, total, signed[trit]) if trit else total
            for tail, total in tails.items()
            for trit in (1, 0, -1)
        }
    sums = {(0, 0, *tail): total for tail, total in tails.items()}
    for (head, first), (tail, second) in product(heads.items(), tails.items()):
        sums[head + tail] = floats.add(number, first, second)
    return sums


def _negative(number: FloatFormat, patterns: Ints) -> Ints:
    return patterns ^ (1 << (number.bits - 1))


def _groups(a: Ints, mu: int) -> Ints:
    """(m, groups, mu) of activations (m, k), filled up with zeros."""
    whole = np.pad(a, [(0, 0), (0, -a.shape[1] % mu)])
    return whole.reshape(len(a), -1, mu)


def _parts(keys: Ints, mu: int) -> tuple[Ints, Ints]:
    """Index and sign of keys."""
    bits = index_bits(mu)
    return keys & ((1 << bits) - 1), keys >> bits
