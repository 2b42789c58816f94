"""Digit statistics: how many digits of an int8 operand are not zero, and what a digit costs."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from designs.digits import Encoding, encode, nonzero_probabilities
from designs.operands import Distribution, Operand
from dse.layer import quantise
from dse.reproduce.bitweight.published import BENCH, NOTE
from dse.reproduce.row import Row

SECTION = "Digits of int8 operands"
BITS = 8
GREATEST = 128
GROUP = 4
"""Digits of one weight that a sparse encoder looks at together."""

PAPER_SIGMA = 24.3
MATRIX = (1024, 1024)
SEED = 0
SIGMAS = (10, 20, 25, 30, 50)

WIDTHS = (("int4", 4, True), ("int8", 8, True), ("uint8", 8, False), ("int16", 16, True))
"""Operands by name: bits, and whether they are signed."""

MEAN_DIGITS = {Encoding.BOOTH: 2.41, Encoding.ENT: 2.22}
"""Of the paper: mean nonzero digits of a normally distributed operand."""
AT_MOST_THREE = 0.684
"""Of the paper: part of the values with at most three nonzero digits, modified Booth."""
PRINTED_CYCLES = {10: 1.70, 20: 2.10, 30: 2.33, 50: 2.60}
"""Sigma to cycles per operand that the authors' testbench prints."""

QUANTISED = "a normal matrix of 1024x1024 quantised by its greatest magnitude, as the paper has it"
EMPTY_GROUPS = (
    "the authors print nonzero digits; their circuit, as our model, spends a cycle on a group of "
    "four without any, too, which skip_groups takes away again"
)


def normal(sigma: float) -> Operand:
    """int8 operands of a normal distribution of standard deviation `sigma`."""
    return Operand(distribution=Distribution.NORMAL, std=sigma / GREATEST)


def mean_digits(encoding: Encoding, sigma: float) -> float:
    """Nonzero digits of an int8 operand, in the mean."""
    return float(nonzero_probabilities(encoding, normal(sigma), BITS, True).sum())


def cycles_per_operand(
    encoding: Encoding, sigma: float, group: int = GROUP, skip_groups: int = 0
) -> float:
    """Cycles of an operand in the mean: its digits, and the empty groups that are visited.

    Of consecutive empty groups `skip_groups` after each visited one are free.
    """
    q = nonzero_probabilities(encoding, normal(sigma), BITS, True)
    empty = (1 - q) ** group
    skipped = empty ** (skip_groups + 1)
    with np.errstate(invalid="ignore"):
        visits = np.where(empty < 1, skipped * (1 - empty) / (1 - skipped), 1 / (skip_groups + 1))
    return float((q + visits / group).sum())


def rows() -> Iterator[Row]:
    """The statistics that the paper rests on."""
    matrix = np.random.default_rng(SEED).normal(size=MATRIX).astype(np.float32)
    quantised, _ = quantise(matrix)
    for encoding, paper in MEAN_DIGITS.items():
        name = encoding.name.lower()
        yield Row(
            section=SECTION,
            what=f"nonzero digits, {name}, quantised normal matrix",
            paper=paper,
            source=NOTE,
            ours=_nonzero(encoding, quantised),
            reason=f"ours is of {QUANTISED}; its sigma depends on the greatest of the values drawn",
        )
        yield Row(
            section=SECTION,
            what=f"nonzero digits, {name}, sigma {PAPER_SIGMA}",
            paper=paper,
            source=NOTE,
            ours=mean_digits(encoding, PAPER_SIGMA),
            reason="exact, over the distribution; the sigma is the one that gives the paper's pair",
        )
    for sigma in (10, 25, 50):
        yield Row(
            section=SECTION,
            what=f"nonzero digits, naf, sigma {sigma}",
            ours=mean_digits(Encoding.NAF, sigma),
            reason="not in the paper: no digits of -2 to 2 have fewer nonzeros",
        )
    values = np.arange(-GREATEST, GREATEST)
    digits = np.count_nonzero(encode(Encoding.BOOTH, values, BITS, True), axis=1)
    yield Row(
        section=SECTION,
        what="values with at most three nonzero digits, booth, uniform",
        paper=AT_MOST_THREE,
        source=NOTE,
        ours=float(np.mean(digits <= 3)),
        reason="exact: 1 - (3/4)^4, for each of four digits is zero in a quarter of all values",
    )
    for sigma, printed in PRINTED_CYCLES.items():
        yield Row(
            section=SECTION,
            what=f"cycles per operand, ent, groups of {GROUP}, sigma {sigma}",
            paper=printed,
            source=BENCH,
            ours=cycles_per_operand(Encoding.ENT, sigma),
            reason=EMPTY_GROUPS,
        )
    yield from _width_rows()


def _width_rows() -> Iterator[Row]:
    for name, bits, signed in WIDTHS:
        for encoding in Encoding:
            found = nonzero_probabilities(encoding, Operand(), bits, signed).sum()
            yield Row(
                section=SECTION,
                what=f"nonzero digits, {encoding.name.lower()}, uniform {name}",
                ours=float(found),
                reason="not in the paper: other widths; uint8 takes a fifth digit",
            )


def _nonzero(encoding: Encoding, values: NDArray[np.int8]) -> float:
    digits = encode(encoding, values.astype(np.int64), BITS, True)
    return float(np.count_nonzero(digits) / values.size)
