"""All counts of one GEMM on one ternary core."""

from collections.abc import Mapping

from archmodels.counts import Counts, clock_ticks, register_bits
from archmodels.gemm import Problem
from archmodels.lut_ternary.activity import activity
from archmodels.lut_ternary.inventory import inventory
from archmodels.lut_ternary.paths import paths
from archmodels.lut_ternary.shape import Shape, Stages, Style
from archmodels.lut_ternary.work import Work
from designs.rules import Int


def counts(params: Shape, gemm: Problem) -> Counts:
    """Everything there is to count of one GEMM on one core, or of grids of both.

    Activity keys: `mac.slots`: products of all steps, padding included; `mac.useful`: m * k * n;
    `<port>.transfers`; `tiles`; `table.builds`: tables filled; `table.reads`; `sums.reads`,
    `sums.writes`: of words of the memory of sums; `clock.cycles`: every cycle; `<part>.uses`: what
    a part of the inventory does, which carries the energy.
    """
    style = Style.of(params)
    stages, work = Stages.of(params, style), Work.of(params, gemm, style)
    items = inventory(params, style, stages)
    took, clocked_bits = cycles(stages, work), register_bits(items)
    return Counts(
        inventory=items,
        activity={
            **activity(params, gemm, items, style, work),
            "clock.cycles": clock_ticks(took, clocked_bits),
        },
        cycles=took,
        paths=paths(params, style, stages, clocked_bits),
    )


def cycles(stages: Stages, work: Work) -> Int:
    """Cycles from the first operand transfer to the last result transfer.

    A step in each cycle, one more to take a tile's activations off with offset, and those that
    `Work` has for loading tables. Then the last step's weights come behind its activations, and the
    sum behind them.
    """
    return work.steps + work.tails + work.waits + stages.build + stages.reduce + 1


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    p = params
    return {
        "a": p.rows * p.builder_count * p.mu * p.a_bits,
        "w": p.ports * p.column_bits,
        "o": p.rows * p.ports * p.acc_bits + 1,
    }
