"""HPCA 2025, bit-weight tensor engines: what there is to measure, the table, the plots."""

from pathlib import Path

from dse.reproduce.bitweight import plots, rows
from dse.reproduce.paper import Paper

BITWEIGHT = Paper(
    title="Exploring the Performance Improvement of Tensor Processing Engines through "
    "Transformation in the Bit-weight Dimension of MACs (HPCA 2025)",
    measurements=Path(__file__).with_name("measurements.json"),
    technologies=("asap7", "sky130hd", "sg13g2"),
    subjects=rows.subjects,
    rows=rows.rows,
    plots=plots.PLOTS,
)

__all__ = ["BITWEIGHT"]
