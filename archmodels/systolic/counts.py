"""All counts of one GEMM on one dense engine."""

from collections.abc import Mapping

from archmodels.counts import Counts, clock_ticks, register_bits
from archmodels.gemm import Problem
from archmodels.systolic.activity import activity
from archmodels.systolic.cycles import cycles
from archmodels.systolic.inventory import inventory
from archmodels.systolic.paths import paths
from archmodels.systolic.shape import Layout, Shape, Widths
from archmodels.systolic.sums import Sums
from archmodels.systolic.work import Work
from designs.rules import Int


def counts(params: Shape, gemm: Problem) -> Counts:
    """Everything there is to count of one GEMM on one engine.

    The GEMM must fit (`designs.systolic.SystolicFit`). Activity keys: `mac.slots`:
    multiply-accumulates fired, padding included; `mac.useful`: m * k * n; `<port>.transfers`;
    `tiles`; `accumulator.reads`, `accumulator.writes`: rows of the accumulator memory (ws);
    `clock.cycles`: every cycle; the others follow from these and carry their energy.
    """
    widths, layout = Widths.of(params), Layout.of(params)
    sums = Sums.of(params, widths, layout)
    items = inventory(params, widths, layout, sums)
    work = Work.of(params, gemm, widths, layout)
    took, clocked_bits = cycles(params, gemm, layout), register_bits(items)
    return Counts(
        inventory=items,
        activity={
            **activity(params, layout, sums, items, work),
            "clock.cycles": clock_ticks(took, clocked_bits),
        },
        cycles=took,
        paths=paths(params, widths, layout, sums, clocked_bits),
    )


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    return {
        "a": params.rows * params.depth * params.a_bits,
        "w": params.cols * params.depth * params.w_bits,
        "o": params.cols * params.acc_bits + 1,
    }
