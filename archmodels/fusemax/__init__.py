"""The machines of the FuseMax paper: closed forms of time, traffic, use, energy and area."""

from archmodels.fusemax.activity import Activity, Operations
from archmodels.fusemax.configurations import activity, timing
from archmodels.fusemax.energy import ARTIFACT, CORRECTED, Accounting, Energy, energy
from archmodels.fusemax.linear import linear_activity, linear_timing
from archmodels.fusemax.prices import Prices, prices
from archmodels.fusemax.timing import Timing

__all__ = [
    "ARTIFACT",
    "CORRECTED",
    "Accounting",
    "Activity",
    "Energy",
    "Operations",
    "Prices",
    "Timing",
    "activity",
    "energy",
    "linear_activity",
    "linear_timing",
    "prices",
    "timing",
]
