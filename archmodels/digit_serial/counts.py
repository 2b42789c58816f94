"""All counts of one GEMM on one digit-serial engine."""

from collections.abc import Mapping

from archmodels.counts import Counts, clock_ticks, register_bits
from archmodels.digit_serial.activity import activity
from archmodels.digit_serial.inventory import inventory
from archmodels.digit_serial.paths import paths
from archmodels.digit_serial.schedule import Totals, schedule
from archmodels.digit_serial.shape import Element, Shape, Widths
from archmodels.digit_serial.totals import expected_totals
from archmodels.gemm import Problem
from designs.digits import Encoded
from designs.rules import Int, Ints, where


def counts(params: Shape, gemm: Problem) -> Counts:
    """Everything there is to count of one GEMM, expected over the distribution of its operands.

    Inventory and paths are exact, and of the activity what does not depend on data. The others are
    means, rounded: cycles, `digits.issued` and `groups.visited`, and what follows from them. The
    GEMM must fit (`designs.digit_serial.DigitSerialFit`).
    """
    return _counts(params, gemm, expected_totals(params, gemm))


def exact_counts(params: Shape, gemm: Problem, inputs: tuple[Ints, Ints]) -> Counts:
    """The same for given operands a (m, k) and w (k, n): what happens, to the cycle.

    Activity keys: `digits.issued`: nonzero digits that a row sends its elements, each with a read
    of Y; `groups.visited`: groups of digits that streams read; `tiles`; `<port>.transfers`;
    `mac.useful`: m * k * n; `bank.conflicts`: two rows in one bank, never; `clock.cycles`.
    """
    return _counts(params, gemm, schedule(params, *inputs))


def _counts(params: Shape, gemm: Problem, totals: Totals) -> Counts:
    widths, element = Widths.of(params), Element.of(params)
    items = inventory(params, widths, element)
    clocked_bits = register_bits(items)
    return Counts(
        inventory=items,
        activity={
            **activity(params, gemm, widths, element, items, totals),
            "clock.cycles": clock_ticks(totals.cycles, clocked_bits),
        },
        cycles=totals.cycles,
        paths=paths(params, widths, element),
    )


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    encodes_a = params.encoded == Encoded.A
    x = params.rows * params.lanes * params.x_bits
    y = params.cols * params.lanes * params.y_bits
    return {
        "a": where(encodes_a, x, y),
        "w": where(encodes_a, y, x),
        "o": params.cols * params.acc_bits + 1,
    }
