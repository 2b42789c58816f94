"""Golden models: what each machine computes, bit for bit, in numpy."""

from collections.abc import Callable
from typing import Any

from designs.booth_flex import BoothFlexParams
from designs.digit_serial import DigitSerialParams
from designs.families import Params
from designs.laconic import LaconicParams
from designs.lut_ternary import LutTernaryParams
from designs.systolic import SystolicParams
from designs.vitallm import VitaLlmParams
from sim.golden import booth_flex, lut_ternary, systolic, vitallm

GOLDENS: dict[type[Params], Callable[..., Any]] = {
    SystolicParams: systolic.gemm,
    DigitSerialParams: systolic.gemm,
    LaconicParams: systolic.gemm,
    LutTernaryParams: lut_ternary.gemm,
    BoothFlexParams: booth_flex.gemm,
    VitaLlmParams: vitallm.layer,
}
"""Params type to its golden: (params, inputs) to outputs."""
