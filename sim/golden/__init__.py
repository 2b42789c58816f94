"""Golden models: what each machine computes, bit for bit, in numpy."""

from collections.abc import Callable
from typing import Any

from designs.digit_serial import DigitSerialParams
from designs.families import Params
from designs.laconic import LaconicParams
from designs.systolic import SystolicParams
from sim.golden import systolic

GOLDENS: dict[type[Params], Callable[..., Any]] = {
    SystolicParams: systolic.gemm,
    DigitSerialParams: systolic.gemm,
    LaconicParams: systolic.gemm,
}
"""Params type to its golden: (params, inputs) to outputs."""
