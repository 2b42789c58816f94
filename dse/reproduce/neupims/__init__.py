"""NeuPIMs, ASPLOS 2024: the table, the plots, and what the authors' simulator said."""

from pathlib import Path

from dse.reproduce.measurements import RTL
from dse.reproduce.neupims import counted, plots, rows
from dse.reproduce.paper import Paper

NEUPIMS = Paper(
    title="NeuPIMs: NPU-PIM Heterogeneous Acceleration for Batched LLM Inferencing (ASPLOS 2024)",
    measurements=Path(__file__).with_name("measurements.json"),
    technologies=(RTL,),
    subjects=counted.subjects,
    rows=rows.rows,
    plots=plots.PLOTS,
)

__all__ = ["NEUPIMS"]
