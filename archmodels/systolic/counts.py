"""All counts of one GEMM on one systolic engine."""

from collections.abc import Mapping

from archmodels.counts import Counts, Event, Kind, Operation, register_bits
from archmodels.systolic.activity import activity
from archmodels.systolic.cycles import cycles
from archmodels.systolic.inventory import inventory
from archmodels.systolic.paths import paths
from archmodels.systolic.shape import Problem, Shape, Widths
from designs.rules import Int


def counts(params: Shape, gemm: Problem) -> Counts:
    """Everything there is to count of one GEMM on one engine.

    The GEMM must fit (`designs.systolic.SystolicFit`). Activity keys: `mac.slots`:
    multiply-accumulates fired, padding included; `mac.useful`: m * k * n; `<port>.transfers`;
    `tiles`; `accumulator.reads`, `accumulator.writes`: rows of the accumulator memory (ws);
    `clock.cycles`: every cycle; the others follow from these and carry their energy.
    """
    widths = Widths.of(params)
    items = inventory(params, widths)
    took, clocked_bits = cycles(params, gemm), register_bits(items)
    ticks = Event(count=took, operations=(Operation(kind=Kind.CLOCK, bits=clocked_bits),))
    return Counts(
        inventory=items,
        activity={**activity(params, gemm, widths, items), "clock.cycles": ticks},
        cycles=took,
        paths=paths(params, widths, clocked_bits),
    )


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    return {
        "a": params.rows * params.a_bits,
        "w": params.cols * params.w_bits,
        "o": params.cols * params.acc_bits + 1,
    }
