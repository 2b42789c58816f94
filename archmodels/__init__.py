"""The model: exact counts of what a design is and does, and what they cost."""

from collections.abc import Callable, Mapping

from archmodels import systolic
from archmodels.counts import Counts
from archmodels.report import CostReport, report
from archmodels.technology import Technology
from designs.families import Params, Workload
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
    kind: type[Params] = getattr(params, "kind", type(params))
    return report(
        MODELS[kind](params, workload),
        technology,
        useful_macs=workload.mac_count,
        peak_macs_per_cycle=params.mac_slots_per_cycle,
    )
