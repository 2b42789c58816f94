"""Cycles of the published schedule: FuseMax's closed form, and what our count has beside it."""

import pytest

import archmodels
from designs.attention import Attention, AttentionParams, ExpMethod, Masking

EXPONENTIAL = 7
"""X of the paper: a difference and six products."""


def epoch_of(width):
    """T: slots of a tile where E = F = width."""
    return 2 * width + EXPONENTIAL + 3


SMALL = [
    (side, width)
    for side in (1, 2, 4, 8, 16)
    for width in (1, 3, 5, 8, 16, 64)
    if side < epoch_of(width)
]
"""Arrays that a maximum passes in less than an epoch, so that nothing waits for room."""


@pytest.mark.parametrize(("side", "width"), SMALL)
def test_cycles_are_the_closed_form_and_stated_terms(side, width):
    """(tiles + q) T + 2 F + 2 N - 1 lasts from the first score to the last numerator.

    Before it E cycles bring the first tile's keys, and two pass until they are used; after it three
    bring a result out, or what is missing of a reciprocal's 13, which begins 2 F cycles before the
    last numerator; then F transfers.
    """
    params = AttentionParams(
        side=side,
        e=width,
        f=width,
        exp_method=ExpMethod.POLYNOMIAL,
        exp_degree=5,
        fma_lanes=False,
        masking=Masking.NONE,
        kv_tiles=8,
        query_tiles=2,
    )
    epoch = epoch_of(width)
    lag = -(-side // epoch)
    for count in (1, 2, 3, 5, 8):
        work = Attention(queries=side * count, keys=side * count, e=width, f=width)
        formula = (count * count + lag) * epoch + 2 * width + 2 * side - 1
        stated = (width + 2) + max(3, 13 - 2 * width) + width
        assert archmodels.MODELS[type(params)](params, work).cycles == formula + stated
