"""What happens in a BoothFlex core during one GEMM, and which primitives work each time."""

from collections.abc import Mapping

from archmodels.booth_flex.inventory import DIGITS_MAX, has_passes
from archmodels.booth_flex.shape import Shape, Weighted, Work
from archmodels.counts import Event, Item, Kind, Operation
from archmodels.distinct import distinct_reals
from designs.digits import Encoding, nonzero_probabilities
from designs.rules import Int, Real, where


def activity(
    params: Shape, gemm: Weighted, items: Mapping[str, Item], work: Work
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    Of the control only the clock is charged, which `counts` adds.
    """
    p, steps = params, work.steps
    products = steps * work.tile_k * p.cols // work.passes
    return {
        "mac.slots": Event(count=products),
        "mac.useful": Event(count=gemm.mac_count),
        "tiles": Event(count=work.tiles),
        "a.transfers": Event(count=steps),
        "w.transfers": Event(count=steps),
        "o.transfers": Event(count=work.tiles),
        **_elements(p, gemm, items, work),
        **_columns(p, items, steps, _row_toggle(gemm, work)),
    }


def _elements(
    params: Shape, gemm: Weighted, items: Mapping[str, Item], work: Work
) -> dict[str, Event]:
    """Every partial product of every step; weights are as the workload has them, at its width."""
    p, pe_steps = params, work.steps * params.elements * params.cols
    weights = gemm.operands.w.statistics(2 * work.digits, True)
    row = Operation(kind=Kind.PARTIAL_PRODUCT, bits=p.a_bits + 1, zeros=weights.zero_fraction)
    recoder = Operation(
        kind=Kind.BOOTH_RECODER, bits=2 * p.digits_per_step, toggle=weights.toggle_density
    )
    return {
        "pe.steps": Event(count=pe_steps, operations=(recoder,)),
        "pe.rows": Event(count=pe_steps * p.digits_per_step, operations=(row,)),
        "operand.choices": _working(items["operand.choice"], work.steps, 1),
    }


def _row_toggle(gemm: Weighted, work: Work) -> Real:
    """Toggle density of rows: of zero digits they stay as they are, else they are random."""
    operand = gemm.operands.w

    def zero(digits: int) -> tuple[float]:
        nonzero = nonzero_probabilities(Encoding.BOOTH, operand, 2 * digits, True)
        return (1 - float(nonzero.mean()),)

    (zeros,) = distinct_reals(zero, work.digits)
    toggle: Real = 0.5 * (1.0 - zeros**2)
    return toggle


def _columns(
    params: Shape, items: Mapping[str, Item], steps: Int, row_toggle: Real
) -> dict[str, Event]:
    """The sums of all digits of every column in every step; trees move as their rows do."""
    p, column_steps = params, steps * params.cols
    passes = where(has_passes(p), 1, 0)
    parts = ("digit.tree", "digit.half_adder", "column.tree", "column.half_adder")
    places = [
        f"digit.{part}_{digit}" for digit in range(1, DIGITS_MAX) for part in ("place", "edge")
    ]
    return {
        **{
            f"{name}s": _working(items[name], column_steps, p.cols, row_toggle)
            for name in (*parts, *places)
        },
        "column.shifts": Event(
            count=column_steps * passes,
            operations=(Operation(kind=Kind.MUX, bits=p.acc_bits, other_bits=1),),
        ),
        "column.sums": Event(
            count=column_steps,
            operations=(
                Operation(kind=Kind.ADDER, bits=p.acc_bits),
                Operation(kind=Kind.GATE, bits=p.acc_bits),
                Operation(kind=Kind.FLIP_FLOP_ENABLE, bits=p.acc_bits),
            ),
        ),
    }


def _working(item: Item, times: Int, places: Int, toggle: Real = 0.5) -> Event:
    """The parts of an item in each of the places it is divided among work so many times in all."""
    return Event(
        count=times * (item.count // places),
        operations=(
            Operation(kind=item.kind, bits=item.bits, other_bits=item.other_bits, toggle=toggle),
        ),
    )
