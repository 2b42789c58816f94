"""Everything of the reproduction, section by section."""

from collections.abc import Sequence

from dse.reproduce.lut_ternary import accelerators, builders, sizes, structures
from dse.reproduce.lut_ternary.cores import Core
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row


def subjects() -> Sequence[Core]:
    """Each core once."""
    every = [core for part in (sizes, structures, builders, accelerators) for core in part.cores()]
    return [*{core.name: core for core in every}.values()]


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """The table."""
    return [
        row
        for part in (sizes, structures, builders, accelerators)
        for row in part.rows(measurements, technologies)
    ]
