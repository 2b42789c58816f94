"""All counts of one workload on one channel whose banks compute."""

from collections.abc import Mapping

from archmodels.counts import Counts, clock_ticks, register_bits
from archmodels.npu_pim.activity import activity, cycles
from archmodels.npu_pim.banks import address_bits
from archmodels.npu_pim.inventory import inventory
from archmodels.npu_pim.paths import paths
from designs.npu_pim import PimAttention, PimChannel
from designs.rules import clog2


def counts(params: PimChannel, workload: PimAttention) -> Counts:
    """Everything there is to count of one token of each request on one channel.

    Activity keys: see `activity`; `clock.cycles`: every cycle.
    """
    items, took = inventory(params), cycles(params, workload)
    return Counts(
        inventory=items,
        activity={
            **activity(params, workload, items),
            "clock.cycles": clock_ticks(took, register_bits(items)),
        },
        cycles=took,
        paths=paths(params),
    )


def port_bits(params: PimChannel) -> Mapping[str, int]:
    """Payload bits of one transfer on each data port."""
    p = params
    place = address_bits(p.banks) + clog2(p.rows)
    access = p.tag_bits + 8 * p.access_bytes
    return {
        "host": 1 + place + address_bits(p.accesses) + p.tag_bits + p.write_bits,
        "pim": 1 + place + (2 + p.strides) * address_bits(p.row_steps),
        "read": access,
        "result": 8 * p.result_bytes * p.banks,
    }
