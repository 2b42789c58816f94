"""Which element an array is made of."""

from designs.systolic import Dataflow
from hwgen.systolic.element import ProcessingElement
from hwgen.systolic.output_element import OutputStationary
from hwgen.systolic.weight_element import WeightStationary

ELEMENTS: dict[Dataflow, type[ProcessingElement]] = {
    Dataflow.OS: OutputStationary,
    Dataflow.WS: WeightStationary,
}
"""Dataflow to the element that an array of it is made of."""
