"""How long a three-pass engine takes when nothing makes it wait, which is a closed form."""

from archmodels.attention.lanes import DIVIDE_STEPS
from archmodels.attention.unfused.shape import Shape, Work
from designs.rules import Int

DIVIDE_CYCLES = DIVIDE_STEPS + 2
"""From the last denominator to its reciprocal."""


def cycles(params: Shape, work: Work) -> Int:
    """Cycles from the first operand to the last output.

    A slot per cycle; and at the end of each phase the way of the last row: through array and lanes
    with scores and outputs, through the lanes and their dividers with numerators.
    """
    p, w = params, work
    through_array = 2 * p.side + 4
    through_lanes = p.side + 1 + DIVIDE_CYCLES
    slots = w.scores + w.weights + w.outputs
    return w.tiles * slots + w.queries * (2 * through_array + through_lanes)
