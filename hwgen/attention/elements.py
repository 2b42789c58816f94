"""Which element an array is made of."""

from designs.elements import Element
from hwgen.attention.element import IntegerElement
from hwgen.attention.float_element import FloatElement
from hwgen.component import Component

ELEMENTS: dict[Element, type[Component]] = {
    Element.INT8: IntegerElement,
    Element.FP16: FloatElement,
    Element.BF16: FloatElement,
}
"""Format of queries, keys and values to the element that an array of it is made of."""
