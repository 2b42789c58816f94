"""Attention of int8 values in integers.

Widths hold whatever the inputs. A score is the sum of e products of at most 2**14, P and PRM are at
most 2**15. By induction over tiles, with n keys seen so far, RD is at most n * 2**15: what is added
is at most 2**15 for each new key, and PRM * RD / 2**15 rounds to no more than the integer RD. The
magnitude of RNV is at most n * 2**22 likewise, as values are at most 2**7. RD is at least 2**15
once a key is seen: one that sets the maximum has P = 2**15, and PRM is that where it stays. Of
groups of keys the same holds together, for the one with the greatest maximum weighs 2**15.
"""

from dataclasses import dataclass

import numpy as np

from designs.attention import Attention
from designs.attention.choices import OUTPUT_FRACTION_BITS
from designs.attention.params import AttentionParams
from designs.rules import Ints, bit_length
from sim.golden.attention.exponential import X_MAX, fraction, weights
from sim.golden.attention.tensors import Inputs

RECIPROCAL_BITS = 31
"""The reciprocal of a denominator m of 16 bits is 2**31 // m."""

DIVISOR_BITS = 16
"""Leading bits of a denominator that its reciprocal is computed from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Integers:
    """The arithmetic of an engine of int8 elements.

    shift: of each head of queries, (heads, 1, 1); an exponent is 2**-(8 + shift) times a score
    """

    params: AttentionParams
    shift: Ints

    @classmethod
    def of(cls, params: AttentionParams, workload: Attention, inputs: Inputs) -> "Integers":
        """With the shifts of the inputs."""
        shift = np.repeat(inputs["shift"], workload.share)
        return cls(params=params, shift=shift[:, None, None])

    @property
    def masked(self) -> int:
        """The least number of the width of a score."""
        return -(1 << (self.params.score_bits - 1))

    def scores(self, q: Ints, k: Ints) -> Ints:
        """Exact products."""
        return _product(q, k.swapaxes(1, 2))

    def maximum(self, before: Ints, scores: Ints) -> Ints:
        """With ones in the places that the shift drops, below the two that tell masked scores."""
        places = np.minimum(self.shift[..., 0], self.params.score_bits - 2)
        found: Ints = np.maximum(before, scores.max(axis=-1)) | (1 << places) - 1
        return found

    def weights(self, highest: Ints, scores: Ints) -> Ints:
        """With 15 fraction bits, of the distance shifted right."""
        distances = highest[..., None] - scores >> self.shift
        x = np.where(scores == self.masked, X_MAX, np.minimum(distances, X_MAX))
        return weights(self.params, x)

    def factors(self, highest: Ints, before: Ints) -> Ints:
        """As weights."""
        return self.weights(highest, before[..., None])[..., 0]

    def total(self, weights: Ints) -> Ints:
        """Exact sums."""
        found: Ints = weights.sum(axis=-1)
        return found

    def weighed(self, weights: Ints, v: Ints) -> Ints:
        """Exact sums."""
        return _product(weights, v)

    def accumulated(self, factors: Ints, state: Ints, part: Ints) -> Ints:
        """The product rounded to the nearest integer, halves up."""
        return part + fraction(factors * state)

    def joined(self, weights: Ints, state: Ints, others: Ints) -> Ints:
        """As accumulated: the product of each group is rounded before it is added."""
        return self.accumulated(weights, state, others)

    def quotients(self, rd: Ints, rnv: Ints) -> Ints:
        """With 8 fraction bits, saturated to 16 bits.

        RD is cut to the 16 bits from its leading one, m; RNV loses as many places, rounded down;
        their quotient is that times 2**31 // m, rounded to the nearest, halves up.
        """
        bits = self.params.denominator_bits
        left, right = bits - np.asarray(bit_length(rd)), bits - DIVISOR_BITS
        m = np.maximum(rd << left >> right, 1)
        n = rnv << left[..., None] >> right
        drop = RECIPROCAL_BITS - OUTPUT_FRACTION_BITS
        product = n * ((1 << RECIPROCAL_BITS) // m)[..., None]
        rounded = product + (1 << (drop - 1)) >> drop
        saturated: Ints = np.clip(rounded, -(1 << 15), (1 << 15) - 1)
        return saturated


def _product(a: Ints, b: Ints) -> Ints:
    """a @ b in float64, which is fast, and exact: sums of at most 2**20 products of 2**22."""
    found: Ints = (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
    return found
