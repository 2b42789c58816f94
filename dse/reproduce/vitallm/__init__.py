"""VitaLLM, arXiv 2604.27396: what there is to measure, the table, the plots."""

from pathlib import Path

from dse.reproduce.paper import Paper
from dse.reproduce.vitallm import plots, rows

VITALLM = Paper(
    title="VitaLLM: A Versatile, Ultra-Compact Ternary LLM Accelerator with Dependency-Aware "
    "Scheduling (arXiv 2604.27396)",
    measurements=Path(__file__).with_name("measurements.json"),
    technologies=("asap7", "sky130hd", "sg13g2"),
    subjects=rows.subjects,
    rows=rows.rows,
    plots=plots.PLOTS,
)

__all__ = ["VITALLM"]
