"""NeuPIMs, ASPLOS 2024: the table, the plots, and what the authors' simulator said."""

from pathlib import Path

from dse.reproduce.neupims import plots, rows
from dse.reproduce.paper import Paper

NEUPIMS = Paper(
    title="NeuPIMs: NPU-PIM Heterogeneous Acceleration for Batched LLM Inferencing (ASPLOS 2024)",
    measurements=Path(__file__).with_name("measurements.json"),
    technologies=(),
    subjects=lambda: (),
    rows=rows.rows,
    plots=plots.PLOTS,
)

__all__ = ["NEUPIMS"]
