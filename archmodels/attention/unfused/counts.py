"""All counts of one workload on one three-pass engine."""

from collections.abc import Mapping

from archmodels.attention.elements import WEIGHT_BITS
from archmodels.attention.shape import Problem
from archmodels.attention.unfused.activity import activity
from archmodels.attention.unfused.cycles import cycles
from archmodels.attention.unfused.inventory import inventory
from archmodels.attention.unfused.paths import paths
from archmodels.attention.unfused.shape import Shape, Work
from archmodels.counts import Counts, clock_ticks, register_bits
from designs.rules import Int


def counts(params: Shape, workload: Problem) -> Counts:
    """Everything there is to count of one workload on one engine, or of grids of both.

    Activity keys: `mac.slots`, `mac.useful`, `<port>.transfers`, `clock.cycles`, `<part>.uses` as
    in `archmodels.attention`; `<memory>.reads`, `.writes`: of words, by `q_bank`, `row_bank` (rows
    that come back), `totals` (sums of products) and `results` (rows that leave).
    """
    items, work = inventory(params), Work.of(params, workload)
    took = cycles(params, work)
    return Counts(
        inventory=items,
        activity={
            **activity(params, workload, work, items),
            "clock.cycles": clock_ticks(took, register_bits(items)),
        },
        cycles=took,
        paths=paths(params),
    )


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    p = params.engine
    operands, scores = p.side * p.element_bits, p.side * p.score_bits
    return {
        **dict.fromkeys(("q", "k", "v"), operands),
        **dict.fromkeys(("s", "s_back"), scores),
        **dict.fromkeys(("sn", "sn_back"), p.side * WEIGHT_BITS),
        "o": p.side * p.out_bits,
    }
