"""Bit-slice baselines: cycles of machines that skip parts of operands, on given operand tensors.

Every estimator counts the cycles of one unit that walks along the last axis of its operands in
groups and starts a group when the one before is done. A short last group counts as a whole one,
filled up with zeros; a group with nothing to do takes one cycle. Left out everywhere: filling and
draining, buffers and their bandwidth, and units that wait for each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from designs.digits import Encoding, encode
from designs.rules import Ints, ceil_div

LANES = 16
SLICE_BITS = 3


def term_counts(encoding: Encoding, values: Ints, bits: int) -> Ints:
    """Signed powers of two of each two's complement value: its nonzero digits."""
    counts: Ints = np.count_nonzero(encode(encoding, values, bits, True), axis=-1).astype(np.int64)
    return counts


def magnitude_bits(values: Ints, bits: int) -> Ints:
    """The bits of each magnitude, least significant first, on a new last axis."""
    planes: Ints = (np.abs(values)[..., None] >> np.arange(bits)) & 1
    return planes


def laconic(a_terms: Ints, w_terms: Ints, lanes: int = LANES) -> Ints:
    """Cycles of each group of `lanes` products, of shape (..., groups); from counts of terms.

    Each lane forms the product of one term of `a` and one of `w` per cycle, t(a) t(w) in all. Sync:
    the lanes start a group together, so that it takes the maximum over the lanes. Elements that
    share operands wait for each other: give the maximum of their counts. Source: Sharify et al.,
    Laconic, ISCA 2019. Excluded: the encoding of terms, and the pipeline of an element.
    """
    products = _grouped(a_terms * w_terms, lanes)
    return _at_least_one(products.max(axis=-1))


def pragmatic(a_terms: Ints, lanes: int = LANES) -> Ints:
    """Cycles of each group of `lanes` products, of shape (..., groups); from counts of terms.

    Each lane shifts and adds a whole `w` for one term of `a` per cycle. Sync: the lanes start a
    group together, so that it takes the maximum over the lanes. Source: Albericio et al.,
    Bit-Pragmatic, MICRO 2017. Excluded: the narrow first shifter, whose lanes also wait where
    their exponents lie far apart, and the waiting of a pallet of windows.
    """
    return _at_least_one(_grouped(a_terms, lanes).max(axis=-1))


def slices(a: Ints, bits: int, w_bits: int, lanes: int = LANES) -> Ints:
    """Cycles of each group of `lanes` products, of shape (..., groups).

    Both operands are signed slices: three bits of the magnitude, with the sign. Each lane
    multiplies two slices per cycle. Sync: a vector of `a` slices of one weight is skipped when it
    is zero in all lanes; each other one meets every slice of `w`, one per cycle. Source: Im et al.,
    Sibia, HPCA 2023, whose core chooses the operand that skips more: take the lesser of both ways.
    Excluded: the compression of zero vectors and the indices that it takes.
    """
    count, other_count = ceil_div(bits, SLICE_BITS), ceil_div(w_bits, SLICE_BITS)
    parts = np.abs(a)[..., None] >> SLICE_BITS * np.arange(count) & (2**SLICE_BITS - 1)
    vectors = _grouped(np.moveaxis(parts, -1, 0), lanes).any(axis=-1)
    return _at_least_one(vectors.sum(axis=0) * other_count)


def interleave(a: Ints, bits: int, group: int) -> Ints:
    """Cycles of each group of `group` products, of shape (..., groups).

    One lane for each bit of the magnitude of `a`: it adds, one per cycle, the `w` of those operands
    of the group that have its bit. Sync: the lanes start a group together, so that it takes as long
    as the fullest bit. Source: Lu et al., Bitlet, MICRO 2021. Excluded: the search for the next
    operand, and that `w` is fetched from anywhere in the group.
    """
    planes = np.moveaxis(magnitude_bits(a, bits), -1, 0)
    return _at_least_one(_grouped(planes, group).sum(axis=-1).max(axis=0))


def column(a: Ints, bits: int, group: int) -> Ints:
    """Cycles of each group of `group` products, of shape (..., groups).

    Each lane adds its `w` where its `a` has the one bit, of one weight for all lanes, that is the
    column of the cycle. Sync: all lanes take the same column; columns without a one in the whole
    group are skipped. Signs are at hand and take no cycle. Source: Shi et al., BitWave, HPCA 2024.
    Excluded: the index of nonzero columns and its decoding.
    """
    planes = np.moveaxis(magnitude_bits(a, bits), -1, 0)
    return _at_least_one(_grouped(planes, group).any(axis=-1).sum(axis=0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Throughput:
    """What one unit did: `macs` products in `cycles`, with `lanes` that work side by side.

    A lane is what a cycle has one of: a product of two terms or of two slices, or an addition.
    """

    macs: int
    cycles: int
    lanes: int

    @property
    def macs_per_cycle(self) -> float:
        return self.macs / self.cycles

    @property
    def macs_per_lane_cycle(self) -> float:
        """Of one lane: what makes units of different size comparable."""
        return self.macs / (self.cycles * self.lanes)


def compare(
    a: Ints, w: Ints, bits: int, encoding: Encoding = Encoding.NAF
) -> dict[str, Throughput]:
    """All baselines on the products of two tensors of one shape, `bits` each, one unit apiece.

    Terms are those of `encoding`; `a` is the operand whose zeros a one-sided machine skips.
    """
    a_terms, w_terms = term_counts(encoding, a, bits), term_counts(encoding, w, bits)
    taken: Mapping[str, tuple[Ints, int]] = {
        "laconic": (laconic(a_terms, w_terms), LANES),
        "pragmatic": (pragmatic(a_terms), LANES),
        "slices": (np.minimum(slices(a, bits, bits), slices(w, bits, bits)), LANES),
        "interleave": (interleave(a, bits, 64), bits),
        "column": (column(a, bits, LANES), LANES),
    }
    return {
        name: Throughput(macs=a.size, cycles=int(cycles.sum()), lanes=lanes)
        for name, (cycles, lanes) in taken.items()
    }


def _at_least_one(cycles: Ints) -> Ints:
    """A group takes a cycle even where it has nothing to do."""
    taken: Ints = np.maximum(cycles, 1)
    return taken


def _grouped(values: Ints, group: int) -> Ints:
    """The last axis as (groups, group), filled up with zeros."""
    missing = -values.shape[-1] % group
    widths = [(0, 0)] * (values.ndim - 1) + [(0, missing)]
    return np.pad(values, widths).reshape(*values.shape[:-1], -1, group)
