"""Everything of the reproduction, section by section."""

from collections.abc import Callable, Sequence

from dse.reproduce.measurements import Measurements
from dse.reproduce.neupims import (
    ablation,
    area,
    beyond,
    built,
    correctness,
    counted,
    headline,
    interleaving,
    levers,
    parallel,
    simulator,
    spent,
    use,
)
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row

PARTS: Sequence[Callable[[Measurements], list[Row]]] = (
    lambda found: headline.rows(),
    ablation.rows,
    lambda found: use.rows(),
    spent.rows,
    lambda found: area.rows(),
    lambda found: parallel.rows(),
    lambda found: interleaving.rows(),
    lambda found: correctness.rows(),
    lambda found: built.rows(),
    counted.rows,
    lambda found: beyond.rows(),
    lambda found: levers.rows(),
    simulator.rows,
)


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """The table; runs of the authors' simulator stand in the file of measurements."""
    return [row for part in PARTS for row in part(measurements)]
