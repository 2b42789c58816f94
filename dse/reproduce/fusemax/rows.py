"""Everything of the reproduction, section by section."""

from collections.abc import Callable, Sequence

from dse.reproduce.fusemax import ablation, accounting, beyond, counters, pareto, ratios, use
from dse.reproduce.fusemax.engines import Simulated, simulated
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row

PUBLISHED: Sequence[Callable[[], list[Row]]] = (
    ratios.rows,
    use.rows,
    pareto.rows,
    accounting.rows,
)
"""The paper's own tables, from the model of its machines."""

OURS: Sequence[Callable[[Measurements, Technologies], list[Row]]] = (
    beyond.rows,
    ablation.rows,
    counters.rows,
)
"""What our circuit adds to them: each gives the rows of its sections."""


def subjects() -> Sequence[Simulated]:
    """What is simulated: our engines, for the published machines have no circuit."""
    return simulated()


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """The table; the paper's own part of it needs no measurements."""
    theirs = [row for part in PUBLISHED for row in part()]
    return theirs + [row for part in OURS for row in part(measurements, technologies)]
