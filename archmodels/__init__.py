"""The model: exact counts of what a design is and does, and what they cost."""

from collections.abc import Callable, Mapping
from typing import Any

from archmodels import (
    attention,
    booth_flex,
    digit_serial,
    laconic,
    lut_ternary,
    npu_pim,
    systolic,
    vitallm,
)
from archmodels.attention import unfused
from archmodels.counts import Counts
from archmodels.npu_pim import core_counts
from archmodels.report import CostReport, report
from archmodels.technology import Technology
from designs.attention import AttentionParams
from designs.attention.unfused import UnfusedParams
from designs.booth_flex import BoothFlexParams
from designs.digit_serial import DigitSerialParams
from designs.families import Params, Workload, kind_of
from designs.laconic import LaconicParams
from designs.lut_ternary import LutTernaryParams
from designs.npu_pim import NpuPimParams, PimChannel
from designs.rules import Int
from designs.systolic import SystolicParams
from designs.vitallm import VitaLlmParams

MODELS: dict[type[Params], Callable[..., Counts]] = {
    SystolicParams: systolic.counts,
    DigitSerialParams: digit_serial.counts,
    LaconicParams: laconic.counts,
    LutTernaryParams: lut_ternary.counts,
    BoothFlexParams: booth_flex.counts,
    VitaLlmParams: vitallm.counts,
    AttentionParams: attention.counts,
    UnfusedParams: unfused.counts,
    PimChannel: npu_pim.counts,
    NpuPimParams: core_counts.counts,
}
"""Params type to the function that counts: (params, workload), or grids of both, to Counts."""

EXACT: dict[type[Params], Callable[..., Counts]] = {
    DigitSerialParams: digit_serial.exact_counts,
    LaconicParams: laconic.exact_counts,
}
"""The same for (params, workload, inputs of the golden), where cycles or activity depend on data.

What MODELS has for such a machine is the expectation over the operands of the workload.
"""

STEPPED: frozenset[type[Params]] = frozenset({VitaLlmParams, PimChannel, NpuPimParams})
"""Params types whose model steps through what happens: it takes one point at a time, no grid."""

PORT_BITS: dict[type[Params], Callable[..., Mapping[str, Int]]] = {
    SystolicParams: systolic.port_bits,
    DigitSerialParams: digit_serial.port_bits,
    LaconicParams: laconic.port_bits,
    LutTernaryParams: lut_ternary.port_bits,
    BoothFlexParams: booth_flex.port_bits,
    VitaLlmParams: vitallm.port_bits,
    AttentionParams: attention.port_bits,
    UnfusedParams: unfused.port_bits,
    PimChannel: npu_pim.port_bits,
    NpuPimParams: core_counts.port_bits,
}
"""Params type to the payload bits of a transfer, by data port."""


def estimate(params: Params, workload: Workload, technology: Technology) -> CostReport:
    """What a design costs on a workload, or a grid of designs on a grid of workloads.

    Raises MissingPriceError for a count without price.
    """
    return price(params, workload, MODELS[kind_of(params)](params, workload), technology)


def counted(params: Params, workload: Workload, inputs: tuple[Any, ...]) -> Counts:
    """What a design counts on one workload with given inputs of the golden."""
    kind = type(params)
    if kind in EXACT:
        return EXACT[kind](params, workload, inputs)
    return MODELS[kind](params, workload)


def transferred_bits(params: Params, counts: Counts) -> dict[str, Int]:
    """Payload bits that cross each data port, padding included, with these counts."""
    return {
        port: counts.activity[f"{port}.transfers"].count * bits
        for port, bits in PORT_BITS[kind_of(params)](params).items()
    }


def price(params: Params, workload: Workload, counts: Counts, technology: Technology) -> CostReport:
    """As `estimate`, of counts that are at hand."""
    return report(
        counts,
        technology,
        useful_macs=workload.mac_count,
        peak_macs_per_cycle=params.mac_slots_per_cycle,
    )
