"""The control of a dense engine: the loops over its tiles, and what tells the array when."""

from archmodels.counts import Item, Kind
from archmodels.gemm import Rank, tile_walk
from archmodels.items import control, mux, operator
from archmodels.systolic.shape import Layout, Shape, Widths
from designs.rules import Int, anywhere, clog2, maximum, minimum, where


def walk(params: Shape, widths: Widths, layout: Layout) -> dict[str, Item]:
    """The loops over the tiles of a job, and their flags.

    A counter takes the job's size, the next step, at its end the size again where it is not the
    outermost, or holds. That is one and-or; a mux of the last two, or a gate, is what it has more
    than a register with an enable.
    """
    is_ws, k_tile = layout.is_ws, layout.k_tile
    m_tile = where(is_ws, params.acc_rows, params.rows)
    ranks = {
        "m": Rank(bits=widths.m, tile=m_tile, words=where(is_ws, 2, 1)),
        "n": Rank(bits=widths.n, tile=params.cols, words=where(is_ws, 1, 2)),
        "k": Rank(bits=widths.k, tile=k_tile, words=2),
    }
    return {
        "sequencer.flags": control(1, where(is_ws, 5, 2)),
        **tile_walk(ranks),
        "sequencer.reload": mux(where(is_ws, widths.m, widths.n)),
        "sequencer.k_reload": mux(widths.k),
        "sequencer.start": operator(Kind.GATE, where(is_ws, widths.n, widths.m)),
    }


def steering(params: Shape, widths: Widths, layout: Layout) -> dict[str, Item]:
    """What tells the array when: the pace of tiles, the waves that climb the rows."""
    r, double, is_ws = params.rows, params.double_buffer, layout.is_ws
    between = maximum(r - 2, 0) * layout.row_step
    # A wave reaches the bottom row's sums after the steps of an element, the others a step per row
    # later, or all in the same step. A pair resolved in its element is a result one step later.
    risen = (r - 1) * layout.row_step + 1
    first_wave = risen + layout.element_steps
    os_waves = where(double, 2 * first_wave + layout.at_element + between, first_wave)
    # os: paces tiles by counting steps (rows > 1), or by one flag. ws: counts the rows of a tile,
    # and without double buffering has a flag as well.
    os_pace = where(double, widths.row_lane, 1)
    ws_pace = widths.block_count + where(double, 0, 1)
    counted = where(is_ws, widths.block_count, where(double, widths.row_lane, 0))
    paced = where(is_ws, 1, where(double, minimum(r - 1, 1), 0))
    # Gates of one bit: of the handshakes and enables, two to a cell; of each row (os: `shift`; ws:
    # `loaded` and `load`).
    single = where(is_ws, 12, 9)
    by_row = where(is_ws, 2 * r, where(double, 2 * between, 0))
    return {
        "sequencer.pace": control(where(is_ws, ws_pace, os_pace)),
        "sequencer.waves": control(1, where(is_ws, where(double, risen, 0), os_waves)),
        "sequencer.loaded": control(1, where(is_ws, r, 0)),
        "sequencer.k_lanes": control(1, where(is_ws, r, 0)),
        "sequencer.pace_step": operator(Kind.DECREMENTER, maximum(counted, 1), paced),
        "sequencer.pace_end": operator(Kind.REDUCTION, counted * where(is_ws, 2, 1)),
        "sequencer.pace_start": operator(Kind.GATE, counted * where(is_ws, 3, 1)),
        "sequencer.control": operator(Kind.GATE, 1, single + by_row),
    }


def lanes(params: Shape, widths: Widths, layout: Layout) -> dict[str, Item]:
    """Which lanes a tile has: those below what is left of a loop, and only while one enters."""
    left_bits = where(layout.is_ws, widths.k, widths.m)
    return {
        "sequencer.a_more": operator(Kind.REDUCTION, maximum(left_bits - widths.row_lane, 0)),
        "sequencer.w_more": operator(Kind.REDUCTION, maximum(widths.n - widths.col_lane, 0)),
        "sequencer.a_lanes": operator(Kind.GATE, 1, _lane_gates(params.rows, widths.row_lane)),
        "sequencer.w_lanes": operator(Kind.GATE, 1, _lane_gates(params.cols, widths.col_lane)),
        **_terms(params, widths),
    }


def _terms(params: Shape, widths: Widths) -> dict[str, Item]:
    """Which of the `depth` terms of a step belong to the problem: a gate for each lane of `a`."""
    if not anywhere(params.depth > 1):
        return {}
    there, term_lane = where(params.depth > 1, 1, 0), clog2(params.depth)
    gates = _lane_gates(params.depth, term_lane) + params.rows * params.depth
    return {
        "sequencer.k_more": operator(Kind.REDUCTION, there * maximum(widths.k - term_lane, 0)),
        "sequencer.terms": operator(Kind.GATE, 1, there * gates),
    }


def _lane_gates(lane_count: Int, lane_bits: Int) -> Int:
    """Gates that tell, for each lane, if a number exceeds it, and admit it.

    A thermometer of b bits is two of b - 1 bits, or'ed and and'ed with the top bit, down to one bit
    that is its own: 2**(b + 1) - 2 b - 2 gates, here cut to the lanes that there are. Each lane
    then takes one or-and: with `more`, and with the admission.
    """
    return maximum(2 * lane_count - 2 * lane_bits - 2, 0) + lane_count
