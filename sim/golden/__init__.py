"""Golden models: what each machine computes, bit for bit, in numpy."""

from collections.abc import Callable
from typing import Any

from designs.families import Params
from designs.systolic import SystolicParams
from sim.golden import systolic

GOLDENS: dict[type[Params], Callable[..., Any]] = {SystolicParams: systolic.gemm}
"""Params type to its golden: (params, inputs) to outputs."""
