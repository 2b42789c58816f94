"""When things happen in a systolic engine: the cycle count of a GEMM, in closed form.

A transfer that the sequencer admits in one step is multiplied in the next (one register per
operand lane), row d above the bottom row d steps later, column c another c steps later. So the last
operands of a tile reach the last element rows + cols - 1 steps after they were admitted, and its
result is registered `mac_stages` steps after that.

Compared with the textbook count (SCALE-Sim: os K + R + C - 2, ws M + 2R + C - 2 cycles per tile),
an engine without double buffering spends rows + 1 + mac_stages more cycles per tile (os: one input
register, the draining of `rows` rows), or none per tile and 3 + mac_stages once per GEMM (ws: input
register, accumulation, output transfer).
"""

from archmodels.systolic.shape import Problem, Shape
from designs.rules import Int, ceil_div, maximum, where
from designs.systolic import Dataflow


def cycles(params: Shape, gemm: Problem) -> Int:
    """Cycles from the first operand transfer to the last result transfer."""
    return where(
        params.dataflow == Dataflow.WS,
        weight_stationary_cycles(params, gemm),
        output_stationary_cycles(params, gemm),
    )


def output_stationary_cycles(params: Shape, gemm: Problem) -> Int:
    """Cycles from the first operand transfer to the last result transfer.

    A tile occupies the array for K cycles; with double buffering the next follows at once, or after
    `rows` cycles where its results would overtake the ones before, else once the array is empty.
    """
    tiles = ceil_div(gemm.m, params.rows) * ceil_div(gemm.n, params.cols)
    latency = gemm.k + 2 * params.rows + params.cols - 1 + params.mac_stages
    interval = where(params.double_buffer, maximum(gemm.k, params.rows), latency)
    return (tiles - 1) * interval + latency


def weight_stationary_cycles(params: Shape, gemm: Problem) -> Int:
    """Cycles from the first operand transfer to the last result transfer.

    A tile takes `rows` cycles to load and one per activation row. With double buffering it loads
    while the tile before streams; without, once the tile before has left the array.
    """
    last_rows = gemm.m - (ceil_div(gemm.m, params.acc_rows) - 1) * params.acc_rows
    fill = 2 * params.rows + params.cols - 2
    tail = 3 + params.mac_stages
    tiles = ceil_div(gemm.n, params.cols) * ceil_div(gemm.k, params.rows)
    full_blocks = ceil_div(gemm.m, params.acc_rows) - 1
    last = maximum(last_rows, params.rows)
    column: Int = full_blocks * maximum(params.acc_rows, params.rows) + last
    overlapped: Int = tiles * column + (last_rows - last) + (fill + tail)
    filled: Int = gemm.m + (full_blocks + 1) * fill
    alone: Int = tiles * filled + tail
    return where(params.double_buffer, overlapped, alone)
