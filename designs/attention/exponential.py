"""The numbers by which an engine computes 2**-t for 0 <= t < 1 in integers.

t has 8 fraction bits, what comes of it 15: 2**15 at t = 0, more than 2**14 everywhere.
"""

from dataclasses import dataclass

import numpy as np

from designs.attention.choices import FRACTION_BITS, WEIGHT_FRACTION_BITS

ONE = 1 << WEIGHT_FRACTION_BITS


@dataclass(frozen=True, slots=True)
class Lines:
    """2**-t on chords: `base[s] - (drop[s] * r + half) >> rest_bits` with t = s * 2**rest_bits + r.

    Off by at most cosh(ln 2 / (2 * segments)) - 1 of the result, midway on a chord, and half a unit
    for each of two roundings.
    """

    base: tuple[int, ...]
    drop: tuple[int, ...]
    rest_bits: int

    @property
    def half(self) -> int:
        """What is added before the shift, to round to nearest."""
        return (1 << self.rest_bits) >> 1


def lines(segments: int) -> Lines:
    """The chords of `segments` equal parts of 0 <= t < 1."""
    ends = [round(ONE * 2 ** (-part / segments)) for part in range(segments + 1)]
    drop = tuple(ends[part] - ends[part + 1] for part in range(segments))
    rest_bits = FRACTION_BITS - (segments - 1).bit_length()
    return Lines(base=tuple(ends[:-1]), drop=drop, rest_bits=rest_bits)


def coefficients(degree: int) -> tuple[int, ...]:
    """c[0] .. c[degree] of Horner's rule: a = c[degree]; a = c[n] + ((a * t + 2**7) >> 8).

    The polynomial meets 2**-t at t = 0 and at the Chebyshev points of the interval; c[0] is 2**15.
    """

    nodes = (1 - np.cos((np.arange(degree) + 0.5) * np.pi / degree)) / 2
    slopes = np.expm1(-np.log(2) * nodes) / nodes
    rest = np.polynomial.polynomial.polyfit(nodes, slopes, degree - 1)
    return (ONE, *(round(ONE * float(value)) for value in rest))
