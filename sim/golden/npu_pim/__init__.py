"""What a channel whose banks compute gives back: bit for bit, and in float64 beside it."""

from sim.golden.npu_pim.contents import contents
from sim.golden.npu_pim.inputs import Inputs, draw, shapes
from sim.golden.npu_pim.machine import accesses, channel, products
from sim.golden.npu_pim.reference import Products, assembled, reference

__all__ = [
    "Inputs",
    "Products",
    "accesses",
    "assembled",
    "channel",
    "contents",
    "draw",
    "products",
    "reference",
    "shapes",
]
