"""Attention of floating-point values, each operation rounded once.

Scores, sums, states and factors have the format `state`. A score is fma(q[i], k[i], score) for i in
ascending order, from +0; masked, it is -infinity. RM is cut to a multiple of 2**-8, towards zero.
RM less a score gives P, RM less RM before gives PRM (see `table_power`). P times 2**scale is
rounded to the format of the elements, and +0 where it is below the least normal number. Down a
column, from +0 above the first row, n = n + P and n = fma(P, v, n), with P as large. RD and RNV are
fma(PRM, state, n), or without `fused` the sum of n and the rounded product. Of groups of keys the
rounded products of weights and states are added up in ascending order, from +0. Outputs are
RNV * (1 / RD), and 0 where RD is; signs of zeros are not stated. Elements must be such that scores
and sums are finite.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from designs.attention.choices import FRACTION_BITS, WEIGHT_FRACTION_BITS
from designs.attention.params import AttentionParams
from designs.elements import FLOAT_FORMATS
from designs.floats import FP32, FloatFormat
from designs.rules import Ints
from sim.golden import floats
from sim.golden.attention.exponential import X_MAX, parts
from sim.golden.floats import Reals

GREATEST_SHIFT = X_MAX >> FRACTION_BITS
"""Exponents with this integer part count as infinite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Floats:
    """Formats of the elements and of all else, and 2 to the power of minus a distance.

    power: of distances > -2**-8, infinity, or NaN, which stands for infinity
    scale: see `AttentionParams.weight_scale`
    """

    element: FloatFormat
    state: FloatFormat
    power: Callable[[Reals], Reals]
    fused: bool = True
    scale: int = 0

    @classmethod
    def of(cls, params: AttentionParams) -> "Floats":
        """The arithmetic of an engine of floating-point elements: IEEE float32 but for those."""
        return cls(
            element=FLOAT_FORMATS[params.element],
            state=FP32,
            power=lambda distances: table_power(params, distances),
            fused=params.fma_lanes and params.lane_stages == 1,
            scale=params.weight_scale,
        )

    @property
    def masked(self) -> int:
        """-infinity."""
        return self.state.infinity | 1 << (self.state.bits - 1)

    def scores(self, q: Ints, k: Ints) -> Ints:
        """Added up in ascending order."""
        total = np.zeros((*q.shape[:2], k.shape[1]), dtype=np.int64)
        for i in range(q.shape[2]):
            total = floats.fma(self.element, q[:, :, None, i], k[:, None, :, i], total, self.state)
        return total

    def maximum(self, before: Ints, scores: Ints) -> Ints:
        """Cut to a multiple of 2**-8, towards zero."""
        highest = floats.decode(self.state, scores).max(axis=-1)
        greater = np.maximum(floats.decode(self.state, before), highest)
        cut = np.ldexp(np.trunc(np.ldexp(greater, FRACTION_BITS)), -FRACTION_BITS)
        return floats.encode(self.state, cut)

    def weights(self, highest: Ints, scores: Ints) -> Ints:
        """In the format of the elements, times 2**scale."""
        normal = replace(self.element, subnormals=False)
        powers = self._powers(highest[..., None], scores)
        return floats.encode(normal, np.ldexp(powers, self.scale))

    def factors(self, highest: Ints, before: Ints) -> Ints:
        """In the format of the states."""
        return floats.encode(self.state, self._powers(highest, before))

    def total(self, weights: Ints) -> Ints:
        """Added up in ascending order."""
        found = np.zeros(weights.shape[:2], dtype=np.int64)
        for row in np.moveaxis(weights, -1, 0):
            found = floats.add(self.state, found, floats.convert(self.element, row, self.state))
        return found

    def weighed(self, weights: Ints, v: Ints) -> Ints:
        """Added up in ascending order."""
        found = np.zeros((*weights.shape[:2], v.shape[2]), dtype=np.int64)
        for i in range(v.shape[1]):
            found = floats.fma(
                self.element, weights[:, :, i, None], v[:, None, i], found, self.state
            )
        return found

    def accumulated(self, factors: Ints, state: Ints, part: Ints) -> Ints:
        """Rounded once where multiplication and addition are fused, else twice."""
        if self.fused:
            return floats.fma(self.state, factors, state, part)
        return self.joined(factors, state, part)

    def joined(self, weights: Ints, state: Ints, others: Ints) -> Ints:
        """Rounded twice."""
        return floats.add(self.state, floats.multiply(self.state, weights, state), others)

    def quotients(self, rd: Ints, rnv: Ints) -> Ints:
        """The product with the reciprocal, both rounded."""
        one = floats.encode(self.state, np.ones(rd.shape))
        products = floats.multiply(self.state, rnv, floats.divide(self.state, one, rd)[..., None])
        return np.where(rd[..., None] == 0, 0, products)

    def _powers(self, highest: Ints, scores: Ints) -> Reals:
        negative = scores ^ 1 << (self.state.bits - 1)
        return self.power(floats.decode(self.state, floats.add(self.state, highest, negative)))


def table_power(params: AttentionParams, distances: Reals) -> Reals:
    """2**-distance as the engine has it.

    x is the distance to the nearest of 8 fraction bits, halves to even, but from 0 to 2**13 - 1.
    From mantissa y and shift i of x the result is y * 2**-(15 + i), or zero for i = 31.
    """
    scaled = np.rint(np.ldexp(distances, FRACTION_BITS))
    x = np.where(scaled < X_MAX, np.maximum(scaled, 0), X_MAX).astype(np.int64)
    y, i = parts(params, x)
    return np.where(
        i == GREATEST_SHIFT, 0.0, np.ldexp(y.astype(np.float64), -WEIGHT_FRACTION_BITS - i)
    )


def exact_power(distances: Reals) -> Reals:
    """2**-distance, to float64's precision."""
    return np.where(np.isnan(distances), 0.0, np.exp2(-distances))
