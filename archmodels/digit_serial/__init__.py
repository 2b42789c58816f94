"""The model of digit-serial engines: what one is, what it does for a GEMM, how long and how fast.

Data decides how long: `exact_counts` takes operands, `counts` expects over their distribution.
"""

from archmodels.digit_serial.counts import counts, exact_counts, port_bits
from archmodels.digit_serial.inventory import inventory
from archmodels.digit_serial.paths import paths
from archmodels.digit_serial.reorder import balanced_order
from archmodels.digit_serial.schedule import schedule

__all__ = [
    "balanced_order",
    "counts",
    "exact_counts",
    "inventory",
    "paths",
    "port_bits",
    "schedule",
]
