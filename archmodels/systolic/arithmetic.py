"""What multiplies and adds in a dense engine: in each step of the grid, and where pairs end."""

from collections.abc import Mapping

from archmodels.counts import Event, Item, Kind, Operation
from archmodels.systolic.elements import multipliers
from archmodels.systolic.operations import working
from archmodels.systolic.shape import Layout, Shape
from archmodels.systolic.sums import Sums
from archmodels.systolic.work import Work
from designs.rules import Int, where


def arithmetic(
    params: Shape, layout: Layout, sums: Sums, items: Mapping[str, Item], work: Work
) -> dict[str, Event]:
    """What the elements reckon in each step; `items` is the inventory."""
    r, c, is_ws, adder = params.rows, params.cols, layout.is_ws, items["pe.adder"]
    steps, data = work.steps, work.data
    return {
        "mac.slots": Event(
            count=steps * r * c * params.depth,
            operations=tuple(
                working(item, data.multiplier, data.zeros)
                for item in multipliers(params, layout, 1).values()
            ),
        ),
        "mac.additions": Event(
            count=steps * adder.count,
            operations=(working(adder, data.product, data.zeros),),
        ),
        "mac.firsts": Event(
            count=where(is_ws, 0, steps * r * c),
            operations=(Operation(kind=Kind.GATE, bits=sums.running, toggle=data.sum),),
        ),
        **{
            key.replace("pe.lane_adder", "mac.lane_additions"): Event(
                count=steps * item.count, operations=(working(item, data.product, data.zeros),)
            )
            for key, item in items.items()
            if key.startswith("pe.lane_adder")
        },
        **(_digits(items, work) if sums.trees is not None else {}),
    }


def _digits(items: Mapping[str, Item], work: Work) -> dict[str, Event]:
    """Operands encoded, rows of partial products formed, and trees that add them."""
    steps, data = work.steps, work.data
    encoders = {
        f"{place}.{kind}": items[f"{place}.{kind}"]
        for place in ("edge", "pe")
        for kind in (Kind.BOOTH_RECODER, Kind.ENT_ENCODER, Kind.NAF_ENCODER)
    }
    products = {
        "digits.rows": items["pe.partial_product"],
        "digits.negatives": items["pe.negative"],
        "digits.full_additions": items["pe.compressor"],
        "digits.half_additions": items["pe.half_adder"],
        "digits.additions": items["pe.carry_adder"],
    }
    return {
        **{
            f"{key}.encodings": Event(
                count=steps * item.count, operations=(working(item, data.encoded),)
            )
            for key, item in encoders.items()
        },
        **{
            key: Event(
                count=steps * item.count,
                operations=(working(item, data.multiplier, data.zeros),),
            )
            for key, item in products.items()
        },
    }


def resolution(
    layout: Layout, items: Mapping[str, Item], work: Work, cols: Int
) -> dict[str, Event]:
    """Pairs made one word: each sum of a column (ws), each result (os)."""
    if "resolve.adder" not in items:
        return {}
    resolved = where(layout.is_pair, work.shown * cols, 0)
    used = {
        "resolve.additions": items["resolve.adder"],
        "resolve.increments": items["resolve.incrementer"],
        "resolve.full_additions": items["resolve.compressor"],
        "resolve.half_additions": items["resolve.half_adder"],
        "resolve.sums": items["resolve.sum"],
    }
    return {
        key: Event(
            count=where(item.count > 0, resolved, 0), operations=(working(item, work.data.row),)
        )
        for key, item in used.items()
    }
