"""All counts of one GEMM on one BoothFlex core."""

from collections.abc import Mapping

from archmodels.booth_flex.activity import activity
from archmodels.booth_flex.inventory import inventory
from archmodels.booth_flex.paths import paths
from archmodels.booth_flex.shape import Shape, Trees, Weighted, Work
from archmodels.counts import Counts, clock_ticks, register_bits
from designs.rules import Int


def counts(params: Shape, gemm: Weighted) -> Counts:
    """Everything there is to count of one GEMM on one core, or of grids of both.

    Activity keys: `mac.slots`: products of all steps, padding included; `mac.useful`: m * k * n;
    `<port>.transfers`; `tiles`; `clock.cycles`: every cycle; the others carry the energy.
    """
    trees, work = Trees.of(params), Work.of(params, gemm)
    items = inventory(params, trees)
    took, clocked_bits = cycles(work), register_bits(items)
    return Counts(
        inventory=items,
        activity={
            **activity(params, gemm, items, work),
            "clock.cycles": clock_ticks(took, clocked_bits),
        },
        cycles=took,
        paths=paths(params, trees, clocked_bits),
    )


def cycles(work: Work) -> Int:
    """Cycles from the first operand transfer to the last result transfer: a step in each, one more
    for the result.
    """
    return work.steps + 1


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    return {
        "a": params.a_lanes * params.a_bits,
        "w": params.elements * params.cols * params.w_lane_bits,
        "o": params.cols * params.acc_bits + 1,
    }
