"""The model of dense engines: what one is, what it does for a GEMM, how long and how fast.

Derived from what the hardware must do, not from its code; `tests/test_agreement.py` holds the two
together. Every function takes one design point or a grid of them.
"""

from archmodels.systolic.activity import activity
from archmodels.systolic.counts import counts, port_bits
from archmodels.systolic.cycles import (
    cycles,
    output_stationary_cycles,
    weight_stationary_cycles,
)
from archmodels.systolic.inventory import inventory
from archmodels.systolic.paths import paths

__all__ = [
    "activity",
    "counts",
    "cycles",
    "inventory",
    "output_stationary_cycles",
    "paths",
    "port_bits",
    "weight_stationary_cycles",
]
