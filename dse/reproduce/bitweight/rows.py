"""Everything of the reproduction, section by section."""

from collections.abc import Sequence

from dse.reproduce.bitweight import (
    arrays,
    bit_slice,
    digits,
    elements,
    equal_area,
    serial_elements,
    trees,
)
from dse.reproduce.measurements import Measurements, Subject
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row


def subjects() -> Sequence[Subject]:
    """Elements, then engines: small ones first."""
    return [
        *elements.circuits(),
        *serial_elements.circuits(),
        *trees.circuits(),
        *arrays.engines(),
        *bit_slice.ENGINES.values(),
    ]


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """The table."""
    return [
        *elements.rows(measurements, technologies),
        *serial_elements.rows(measurements, technologies),
        *trees.rows(measurements, technologies),
        *arrays.rows(measurements, technologies),
        *bit_slice.rows(measurements, technologies),
        *digits.rows(),
        *equal_area.rows(technologies),
    ]
