"""When things happen in a dense engine: the cycle count of a GEMM, in closed form.

A transfer that the sequencer admits in one step is multiplied in the next (one register per operand
lane), row d above the bottom row d steps later, column c another c steps later; where operands
reach all columns, or all rows, at once, these are no steps later (`Layout.fill` is that of the last
element). The last operands of a tile are in its sum `element_steps` steps after that: the registers
of a multiplier, and a step for each lane of an element whose sum passes them one after the other.
A pair that is resolved in an element with double buffering, or above a column, is a result one step
later; resolved at the output it takes no step.

Compared with the textbook count (SCALE-Sim: os K + R + C - 2, ws M + 2R + C - 2 cycles per tile),
an engine of multipliers without double buffering spends rows + 1 + mac_stages more cycles per tile
(os: one input register, the draining of `rows` rows), or none per tile and 3 + mac_stages once per
GEMM (ws: input register, accumulation, output transfer).
"""

from archmodels.gemm import Problem
from archmodels.systolic.shape import Layout, Shape
from designs.rules import Int, ceil_div, maximum, where


def cycles(params: Shape, gemm: Problem, layout: Layout) -> Int:
    """Cycles from the first operand transfer to the last result transfer."""
    return where(
        layout.is_ws,
        weight_stationary_cycles(params, gemm, layout),
        output_stationary_cycles(params, gemm, layout),
    )


def output_stationary_cycles(params: Shape, gemm: Problem, layout: Layout) -> Int:
    """Cycles from the first operand transfer to the last result transfer.

    A tile occupies the array for K / depth cycles; with double buffering the next follows at once,
    or after `rows` cycles where its results would overtake the ones before, else once the array is
    empty. Behind it the register above a column costs the last result a cycle, once.
    """
    double = params.double_buffer
    steps = ceil_div(gemm.k, params.depth)
    tiles = ceil_div(gemm.m, params.rows) * ceil_div(gemm.n, params.cols)
    resolved = where(double, layout.at_element, 0)
    latency = steps + layout.fill + 1 + params.rows + layout.element_steps + resolved
    interval = where(double, maximum(steps, params.rows), latency)
    started: Int = (tiles - 1) * interval
    ended: Int = started + latency
    return ended + layout.at_column


def weight_stationary_cycles(params: Shape, gemm: Problem, layout: Layout) -> Int:
    """Cycles from the first operand transfer to the last result transfer.

    A tile takes `rows` cycles to load and one per activation row. With double buffering it loads
    while the tile before streams; without, once the tile before has left the array.
    """
    last_rows = gemm.m - (ceil_div(gemm.m, params.acc_rows) - 1) * params.acc_rows
    fill = params.rows + layout.fill
    tail = 3 + params.mac_stages + layout.at_column
    tiles = ceil_div(gemm.n, params.cols) * ceil_div(gemm.k, params.rows)
    full_blocks = ceil_div(gemm.m, params.acc_rows) - 1
    last = maximum(last_rows, params.rows)
    column: Int = full_blocks * maximum(params.acc_rows, params.rows) + last
    overlapped: Int = tiles * column + (last_rows - last) + (fill + tail)
    filled: Int = gemm.m + (full_blocks + 1) * fill
    alone: Int = tiles * filled + tail
    return where(params.double_buffer, overlapped, alone)
