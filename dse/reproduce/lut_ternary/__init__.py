"""ISPASS 2026, table-based ternary cores: what there is to measure, the table, the plots."""

from pathlib import Path

from dse.reproduce.lut_ternary import plots, rows
from dse.reproduce.paper import Paper

LUT_TERNARY = Paper(
    title="Hardware Generation and Exploration of Lookup Table-Based Accelerators for 1.58-bit LLM "
    "Inference (arXiv 2604.25183)",
    measurements=Path(__file__).with_name("measurements.json"),
    technologies=("asap7", "sky130hd", "sg13g2"),
    subjects=rows.subjects,
    rows=rows.rows,
    plots=plots.PLOTS,
)

__all__ = ["LUT_TERNARY"]
