"""The elements of a dense engine: the registers of operands and sums, multipliers and adders."""

import numpy as np

from archmodels.counts import Item, Kind
from archmodels.items import adder, held, mux, operator
from archmodels.systolic.composite import composite
from archmodels.systolic.shape import Layout, Shape, Widths
from archmodels.systolic.sums import Sums
from designs.rules import Int, anywhere, ceil_div, clog2, maximum, where


def elements(params: Shape, widths: Widths, layout: Layout, sums: Sums) -> dict[str, Item]:
    """Everything in the grid.

    The restart of a sum (os) is no part: the gates before the adder and the mux that enables the
    sum become one and-or.
    """
    return (
        _registers(params, widths, layout, sums)
        | multipliers(params, layout, params.rows * params.cols * params.depth)
        | _adders(params, widths, layout)
        | composite(params, layout, sums)
        | _steering(params, layout, sums)
    )


def _registers(params: Shape, widths: Widths, layout: Layout, sums: Sums) -> dict[str, Item]:
    """Operands and sums; an element hands its operands on a step later."""
    r, c, stages, double = params.rows, params.cols, params.mac_stages, params.double_buffer
    is_ws, all_of, lane_count = layout.is_ws, r * c, r * c * params.depth
    only_os, only_ws = where(is_ws, 0, 1), where(is_ws, 1, 0)
    to_east = r * (c - 1) * params.depth * layout.col_step
    to_north = (r - 1) * c * params.depth * layout.row_step
    operands_held = where(stages == 2, lane_count, 0)
    two_of_each = where(double, all_of, 0)
    # Control that runs along a row of elements: first, last and, between top and bottom, shift
    # (os); load, switch (ws).
    along = layout.rows * (c - 1) * layout.col_step
    shifts = only_os * maximum(r - 2, 0) * (c - 1) * layout.row_step
    # ws: sums that climb are one word each, and that of the bottom row a product, or pairs, which
    # are wider in each row and have an item of their own.
    one_word = where(is_ws & layout.is_pair, 0, 1)
    one_per_column = one_word * c
    summing: Int = one_per_column * (layout.rows - layout.climbs)
    return {
        "pe.a": held(widths.a, maximum(operands_held, to_east)),
        "pe.w": held(widths.w, where(is_ws, all_of, maximum(operands_held, to_north))),
        "pe.weight": held(widths.w, only_ws * two_of_each),
        "pe.w_operand": held(widths.w, only_ws * operands_held),
        "pe.control": held(1, where(double, 2 * along + shifts, along)),
        "pe.product": held(widths.product, where(stages >= 1, lane_count, 0)),
        "pe.accumulator": held(sums.running, summing),
        "pe.first_psum": held(widths.product, one_per_column * layout.climbs),
        "pe.result": held(sums.result, only_os * two_of_each),
    }


def multipliers(params: Shape, layout: Layout, count: Int) -> dict[str, Item]:
    """`count` multipliers of the kind that the signs of both operands ask for, none of the others.

    A kind that is not there has no bits, and none is where products are made of digits.
    """
    mixed = params.a_signed != params.w_signed
    same = where(mixed, 0, layout.multiplies)
    kinds = {
        Kind.MULTIPLIER: (same * where(params.a_signed, 1, 0), params.a_bits, params.w_bits),
        Kind.UNSIGNED_MULTIPLIER: (
            same * where(params.a_signed, 0, 1),
            params.a_bits,
            params.w_bits,
        ),
        Kind.MIXED_MULTIPLIER: (
            where(mixed, layout.multiplies, 0),
            where(params.a_signed, params.w_bits, params.a_bits),
            where(params.a_signed, params.a_bits, params.w_bits),
        ),
    }
    return {
        f"pe.{kind}": Item(kind=kind, count=count * there, bits=bits * there, other_bits=other)
        for kind, (there, bits, other) in kinds.items()
    }


def _adders(params: Shape, widths: Widths, layout: Layout) -> dict[str, Item]:
    """Of multiplying elements: one to the running sum, the others between the lanes."""
    per_column = where(layout.is_unit, 0, layout.rows - layout.climbs)
    count = layout.multiplies * per_column * params.cols
    narrower = widths.product
    if anywhere(params.depth > 1):
        narrower = params.sum_bits(params.depth)
    return {
        "pe.adder": adder(widths.summed, narrower, params.acc_signed, count),
        **lane_adders(params, layout),
    }


def lane_adders(params: Shape, layout: Layout) -> dict[str, Item]:
    """The adders between the lanes of an element, by level from the last one back.

    A tree halves its terms at each level: of 2**n sums some have a term more than the others. A
    chain adds one term after the other; its level n has the sums of more than half as many terms as
    the level before.
    """
    if not anywhere(layout.multiplies * layout.lanes > 1):
        return {}
    lanes, items = layout.lanes, {}
    elements = layout.multiplies * layout.rows * params.cols
    for level in range(int(np.max(clog2(lanes)))):
        least = lanes >> level
        sums = 1 << level
        more = lanes - least * sums
        in_tree = where(least >= 2, sums, where(least == 1, more, 0))
        terms = ceil_div(lanes, sums)
        in_chain = terms - ceil_div(terms, 2)
        items[f"pe.lane_adder_{level}"] = operator(
            Kind.ADDER,
            params.sum_bits(terms),
            elements * where(layout.is_chained, in_chain, in_tree),
        )
    return items


def _steering(params: Shape, layout: Layout, sums: Sums) -> dict[str, Item]:
    """What selects the sum that climbs, and enables registers that take only some words.

    A result at `last`, between top and bottom also at `shift` (os); a weight (ws).
    """
    r, c, double, is_ws = params.rows, params.cols, params.double_buffer, layout.is_ws
    between = maximum(r - 2, 0) * layout.row_step
    os_enables = where(double, c * (1 + 2 * between), 0)
    ws_enables = where(double, 2, 1) * r * c
    return {
        "pe.climb": mux(sums.climbing, where(is_ws, 0, (r - 1) * c)),
        "pe.enables": operator(Kind.GATE, 1, where(is_ws, ws_enables, os_enables)),
    }
