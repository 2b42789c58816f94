"""Golden models: what each machine computes, bit for bit, in numpy."""

from collections.abc import Callable
from typing import Any

from designs.attention import AttentionParams
from designs.attention.unfused import UnfusedParams
from designs.booth_flex import BoothFlexParams
from designs.digit_serial import DigitSerialParams
from designs.families import Params
from designs.laconic import LaconicParams
from designs.lut_ternary import LutTernaryParams
from designs.npu_pim import NpuPimParams, PimChannel
from designs.systolic import SystolicParams
from designs.vitallm import VitaLlmParams
from sim.golden import attention, booth_flex, lut_ternary, npu_pim, systolic, vitallm
from sim.golden.attention import unfused
from sim.golden.npu_pim import device

GOLDENS: dict[type[Params], Callable[..., Any]] = {
    SystolicParams: systolic.gemm,
    DigitSerialParams: systolic.gemm,
    LaconicParams: systolic.gemm,
    LutTernaryParams: lut_ternary.gemm,
    BoothFlexParams: booth_flex.gemm,
    VitaLlmParams: vitallm.layer,
    AttentionParams: attention.attention,
    UnfusedParams: unfused.attention,
    PimChannel: npu_pim.channel,
    NpuPimParams: device.device,
}
"""Params type to its golden: (params, inputs) to outputs."""
