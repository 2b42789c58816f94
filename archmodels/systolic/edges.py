"""The edges of a dense engine: what straightens operands on their way in, results on theirs out."""

from archmodels.counts import Item, Kind
from archmodels.items import adder, control, held, mux, operator, there
from archmodels.systolic.shape import Layout, Shape, Widths
from archmodels.systolic.sums import Sums
from designs.rules import Int, anywhere, where


def skews(params: Shape, widths: Widths, layout: Layout, sums: Sums) -> dict[str, Item]:
    """Triangles of registers before and after the array, and the gates that admit operands.

    A lane of `a` waits a step, and one more for each row below its own; a lane of `w` waits a step
    (os), and one more for each column before its own; both one more for each lane before their own
    whose sum they join (a chain of lanes).
    """
    r, c, depth, is_ws = params.rows, params.cols, params.depth, layout.is_ws
    above = r * (r - 1) // 2 * layout.row_step
    right = c * (c - 1) // 2 * layout.col_step
    behind = where(layout.is_chained, depth * (depth - 1) // 2, 0)
    into_west = (r + above) * depth + r * behind
    into_south = (where(is_ws, 0, c) + right) * depth + c * behind
    deskewed = where(is_ws | params.double_buffer, right, 0)
    return {
        "a_skew.admit": operator(Kind.GATE, params.a_bits, r * depth),
        "a_skew.line": held(widths.a, into_west),
        "w_skew.admit": operator(Kind.GATE, params.w_bits, c * depth),
        "w_skew.line": held(widths.w, into_south),
        "deskew.line": held(sums.straightened, deskewed),
    }


def collector(params: Shape, widths: Widths, layout: Layout) -> dict[str, Item]:
    """What knows when a row of results leaves, and (ws) adds up the sums of all k-tiles."""
    c, is_ws = params.cols, layout.is_ws
    only_os, only_ws = where(is_ws, 0, 1), where(is_ws, 1, 0)
    counted = where(is_ws, widths.block_row, widths.row_count)
    # os: the register above a column comes after the count of rows, valid and last with it.
    late = where(is_ws, 1 + layout.at_column, where(params.double_buffer, layout.at_element, 0))
    tokens: Int = layout.fill + 1 + layout.element_steps + late
    flags: Int = where(is_ws, 3, 1) + 2 * only_os * layout.at_column
    sums = only_ws * c
    return {
        "collector.tokens": control(where(is_ws, 5, 2), tokens),
        "collector.flags": control(1, flags),
        "collector.row": control(where(is_ws, 2 * widths.block_row, widths.row_count)),
        "collector.row_step": operator(Kind.DECREMENTER, widths.row_count, only_os),
        "collector.next_row": operator(Kind.INCREMENTER, widths.block_row, only_ws),
        "collector.same_row": operator(Kind.COMPARATOR, widths.block_row, only_ws),
        "collector.row_end": operator(Kind.REDUCTION, widths.row_count, only_os),
        "collector.row_start": operator(Kind.GATE, counted),
        "collector.control": operator(Kind.GATE, 1, where(is_ws, 5, 2)),
        "accumulator.adder": adder(widths.acc, widths.psum, params.acc_signed, sums),
        "accumulator.forward": mux(widths.acc, sums),
        "accumulator.first": operator(Kind.GATE, widths.acc, sums),
        "accumulator.sum": held(widths.acc, sums),
        "accumulator.memory": Item(
            kind=Kind.MEMORY, count=only_ws, bits=c * widths.acc, other_bits=params.acc_rows
        ),
        "accumulator.read_register": Item(
            kind=Kind.MEMORY_READ_REGISTER, count=only_ws, bits=c * widths.acc
        ),
    }


def resolution(params: Shape, widths: Widths, layout: Layout, sums: Sums) -> dict[str, Item]:
    """The adders that make one word of each pair.

    In each element (`at_element`), above each column before a register of its own (`at_column`), or
    behind the straightened row, where the adders of the accumulator memory (ws) take the pair.
    """
    trees, c = sums.trees, params.cols
    if trees is None or not anywhere(layout.is_pair):
        return {}
    at_output = where(layout.is_ws, 0, layout.at_output)
    elements: Int = layout.rows * c * layout.at_element
    columns: Int = c * (layout.at_column + at_output)
    rebased: Int = c * (layout.at_column + layout.at_output)
    adders: Int = (elements + columns) * trees.resolve_adders
    # os: with blocks there is a carry to add every so many bits, in between only what it carries.
    is_sparse = where(layout.is_ws | (params.carry_block_bits == 0), 0, 1)
    return {
        "resolve.adder": operator(Kind.ADDER, widths.summed, adders * (1 - is_sparse)),
        "resolve.incrementer": operator(Kind.INCREMENTER, widths.summed, adders * is_sparse),
        "resolve.compressor": there(Kind.COMPRESSOR_3_2, trees.resolve_full_adders, rebased),
        "resolve.half_adder": there(Kind.HALF_ADDER, trees.resolve_half_adders, rebased),
        "resolve.sum": held(widths.summed, c * layout.at_column),
    }
