"""The model: exact counts of what a design is and does, and what they cost."""

from collections.abc import Callable, Mapping

from archmodels import systolic
from archmodels.counts import Counts
from archmodels.report import CostReport, report
from archmodels.technology import Technology
from designs.families import Params, Workload, kind_of
from designs.rules import Int
from designs.systolic import SystolicParams

MODELS: dict[type[Params], Callable[..., Counts]] = {SystolicParams: systolic.counts}
"""Params type to the function that counts: (params, workload), or grids of both, to Counts."""

PORT_BITS: dict[type[Params], Callable[..., Mapping[str, Int]]] = {
    SystolicParams: systolic.port_bits
}
"""Params type to the payload bits of a transfer, by data port."""


def estimate(params: Params, workload: Workload, technology: Technology) -> CostReport:
    """What a design costs on a workload, or a grid of designs on a grid of workloads.

    Raises MissingPriceError for a count without price.
    """
    return price(params, workload, MODELS[kind_of(params)](params, workload), technology)


def price(params: Params, workload: Workload, counts: Counts, technology: Technology) -> CostReport:
    """As `estimate`, of counts that are at hand."""
    return report(
        counts,
        technology,
        useful_macs=workload.mac_count,
        peak_macs_per_cycle=params.mac_slots_per_cycle,
    )
