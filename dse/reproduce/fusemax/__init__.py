"""FuseMax, MICRO 2024: the table, the plots, and the place of what our circuit adds."""

from pathlib import Path

from dse.reproduce.fusemax import plots, rows
from dse.reproduce.measurements import RTL
from dse.reproduce.paper import Paper

FUSEMAX = Paper(
    title="FuseMax: Leveraging Extended Einsums to Optimize Attention Accelerator Design "
    "(MICRO 2024)",
    measurements=Path(__file__).with_name("measurements.json"),
    technologies=(RTL,),
    subjects=rows.subjects,
    rows=rows.rows,
    plots=plots.PLOTS,
)

__all__ = ["FUSEMAX"]
