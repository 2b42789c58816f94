"""Everything of the reproduction, section by section."""

from collections.abc import Sequence

from dse.reproduce.circuit import Circuit
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row
from dse.reproduce.vitallm import cost, elements, memory, speed


def subjects() -> Sequence[Circuit]:
    """What is measured: elements alone; the engine is modelled."""
    return elements.circuits()


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """The table."""
    parts = (speed, memory, cost, elements)
    return [row for part in parts for row in part.rows(measurements, technologies)]
