"""The model of Laconic engines: what one is, what it does for a GEMM, how long and how fast.

Cycles depend on the operands: `exact_counts` takes them, `counts` takes the expectation over their
distribution and runs on grids as well.
"""

from archmodels.laconic.counts import counts, exact_counts, port_bits
from archmodels.laconic.inventory import inventory
from archmodels.laconic.paths import paths
from archmodels.laconic.work import Work, exact_work, expected_work

__all__ = [
    "Work",
    "counts",
    "exact_counts",
    "exact_work",
    "expected_work",
    "inventory",
    "paths",
    "port_bits",
]
