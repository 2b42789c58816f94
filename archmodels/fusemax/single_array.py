"""One systolic array that does all of FlashAttention, without lanes: FSA, "SystolicAttention".

A row of comparators above the array takes the maximum of scores that flow upwards; weights are
made where scores are, by multiply-accumulates. Source: "SystolicAttention: Fusing FlashAttention
within a Single Systolic Array", arXiv 2507.11331; the 5 N + 10 cycles of a tile are read off its
execution plans, give or take 3.
"""

from designs.rules import Int, Real, to_real

TRAVERSALS = 5
"""Times that something goes through all rows, one after the other, for a tile."""

EXTRA_CYCLES = 10


def tile_cycles(side: Int) -> Int:
    """Of one tile of `side` keys by `side` queries, of heads of a width of `side`."""
    return TRAVERSALS * side + EXTRA_CYCLES


def utilisation(side: Int) -> Real:
    """Multiply-accumulates of the two products over those that the array could do."""
    return to_real(2 * side) / to_real(tile_cycles(side))
