"""All counts of one token of each request on one NPU on channels that compute."""

from collections.abc import Mapping

from archmodels.counts import Counts, clock_ticks, register_bits
from archmodels.npu_pim.core import run
from archmodels.npu_pim.core_activity import activity
from archmodels.npu_pim.core_inventory import inventory
from archmodels.npu_pim.core_paths import paths
from archmodels.vector import WORD_BITS
from designs.npu_pim import GptLayer, NpuPimParams


def counts(params: NpuPimParams, workload: GptLayer) -> Counts:
    """Everything there is to count of one token of each request.

    Activity keys: see `activity`; `clock.cycles`: every cycle.
    """
    items, took = inventory(params), run(params, workload).cycles
    return Counts(
        inventory=items,
        activity={
            **activity(params, workload, items),
            "clock.cycles": clock_ticks(took, register_bits(items)),
        },
        cycles=took,
        paths=paths(params),
    )


def port_bits(params: NpuPimParams) -> Mapping[str, int]:
    """Payload bits of one transfer on each data port."""
    return dict.fromkeys(("x", "c", "o"), params.vector_lanes * WORD_BITS)
