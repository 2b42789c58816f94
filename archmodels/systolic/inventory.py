"""What a dense engine consists of: registers, memories and word-level operators, by place."""

from collections.abc import Mapping

from archmodels.counts import Item
from archmodels.items import skid
from archmodels.systolic import edges, elements, steering
from archmodels.systolic.shape import Layout, Shape, Widths
from archmodels.systolic.sums import Sums


def inventory(params: Shape, widths: Widths, layout: Layout, sums: Sums) -> Mapping[str, Item]:
    """Everything that an engine is made of; the others follow from `params`.

    Registers, memories, adders, subtractors and multipliers are exact. Multiplexers, gates,
    reductions and comparators are those that the datapath and the control imply. A key that no
    point of a grid has may be missing.
    """
    return (
        elements.elements(params, widths, layout, sums)
        | edges.skews(params, widths, layout, sums)
        | steering.walk(params, widths, layout)
        | steering.steering(params, widths, layout)
        | steering.lanes(params, widths, layout)
        | edges.collector(params, widths, layout)
        | edges.resolution(params, widths, layout, sums)
        | skid(params.cols * widths.acc + 1)
    )
