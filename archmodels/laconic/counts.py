"""All counts of one GEMM on one Laconic engine."""

from collections.abc import Mapping

from archmodels.counts import Counts, clock_ticks, register_bits
from archmodels.gemm import Problem
from archmodels.laconic.activity import activity
from archmodels.laconic.inventory import LATENCY, inventory
from archmodels.laconic.paths import paths
from archmodels.laconic.shape import Shape, Widths
from archmodels.laconic.work import Work, exact_work, expected_work
from designs.rules import Int, Ints, ceil_div


def counts(params: Shape, gemm: Problem) -> Counts:
    """As `exact_counts`, expected over the distribution of the operands; of one point or a grid."""
    return _counts(params, gemm, expected_work(params, gemm))


def exact_counts(params: Shape, gemm: Problem, inputs: tuple[Ints, Ints]) -> Counts:
    """Everything there is to count of one GEMM, given its operands, on one engine.

    Activity keys: `mac.slots`: products for which operands entered, padding included; `mac.useful`:
    m * k * n; `<port>.transfers`; `tiles`; `term.cycles`, `term.products`: see `Work`;
    `clock.cycles`: every cycle; the others follow from these and carry their energy.
    """
    return _counts(params, gemm, exact_work(params, *inputs))


def _counts(params: Shape, gemm: Problem, work: Work) -> Counts:
    widths = Widths.of(params)
    items = inventory(params, widths)
    took, clocked_bits = cycles(params, gemm, work), register_bits(items)
    return Counts(
        inventory=items,
        activity={
            **activity(params, gemm, items, work),
            "clock.cycles": clock_ticks(took, clocked_bits),
        },
        cycles=took,
        paths=paths(params, widths, clocked_bits),
    )


def cycles(params: Shape, gemm: Problem, work: Work) -> Int:
    """Cycles from the first operand transfer to the last result transfer.

    Terms are handed out from the cycle after the first transfer on; between the last of a tile and
    those of the next the `rows` rows of its results need room. The last sum is added `LATENCY`
    cycles after its terms were handed out, and in the cycle after that the first row leaves.
    """
    tiles = ceil_div(gemm.m, params.rows) * ceil_div(gemm.n, params.cols)
    return work.term_cycles + tiles * params.rows + LATENCY + 1


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    return {
        "a": params.rows * params.lanes * params.a_bits,
        "w": params.cols * params.lanes * params.w_bits,
        "o": params.cols * params.acc_bits + 1,
    }
