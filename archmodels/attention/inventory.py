"""What an engine consists of: registers, memories and word-level operators, by place."""

from collections.abc import Mapping

from archmodels.attention.control import controls
from archmodels.attention.edges import edges
from archmodels.attention.elements import array
from archmodels.attention.lanes import lanes
from archmodels.attention.shape import Epoch, Shape
from archmodels.counts import Item


def inventory(params: Shape, epoch: Epoch) -> Mapping[str, Item]:
    """Everything that an engine is made of.

    Registers, memories, adders, subtractors and multipliers are exact. Comparisons of sizes are
    priced as tests for equality. Steering is what words imply that are chosen from; what decides,
    and choices on the way into a register that can hold its word, are no more than that.
    """
    return {
        **array(params, epoch),
        **lanes(params, epoch),
        **edges(params, epoch),
        **controls(params, epoch),
    }
