"""Which ways through a dense engine can set its clock, as stages of primitives.

Each path starts in a register, whose stage stands for the whole of it: clock to output, and at the
other end the set-up time with the enable and the reset before it. Wires are nets of one fan-out but
where a control drives a word or more. Ports count as registers: what comes in at a port takes the
rest of a path that some register starts as well, and what goes out is the end of one.
"""

from collections.abc import Mapping
from functools import reduce

from archmodels.arith import levels
from archmodels.counts import Kind, Stage
from archmodels.items import changed_bits
from archmodels.systolic.element_paths import edge_encoding, element_paths
from archmodels.systolic.shape import Layout, Shape, Widths
from archmodels.systolic.sums import Sums
from designs.rules import Int, maximum, minimum, where

ONE_GATE = Stage(kind=Kind.GATE, bits=1)
ONE_MUX = Stage(kind=Kind.MUX, bits=1, other_bits=1)
MOVING = Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=1)
CONTROL = Stage(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=1)
WAITING = Stage(kind=Kind.FLIP_FLOP_RESET, bits=1)
"""The register of the skid buffer that holds the whole engine."""


def paths(
    params: Shape, widths: Widths, layout: Layout, sums: Sums, register_bits: Int
) -> Mapping[str, tuple[Stage, ...]]:
    """Paths by key; at points of a grid that lack one, its stages have no bits.

    `register_bits`: all that `advance` enables.
    """
    return {
        **element_paths(params, widths, layout, sums),
        **_sequencer_paths(params, widths, layout, register_bits),
        **_result_paths(params, widths, layout, sums),
        "advance": (WAITING, Stage(kind=Kind.FANOUT, bits=register_bits), ONE_MUX),
    }


def _sequencer_paths(
    params: Shape, widths: Widths, layout: Layout, register_bits: Int
) -> dict[str, tuple[Stage, ...]]:
    """The loop counters: a step, its carry into the next loop, and the admission of operands.

    An os engine admits a step where the array is ready and both operands are there; with double
    buffering a tile's last step waits for the tile before, so that the end of the loop over k is on
    that way. A ws engine hands a tile over once its weights and the activations before are in. What
    a loop counter takes next is selected by the mux that enables it, which its register has.
    """
    is_ws = layout.is_ws
    outer = maximum(widths.m, widths.n) + 1
    m_tile, k_tile = where(is_ws, params.acc_rows, params.rows), layout.k_tile
    step = maximum(changed_bits(widths.m + 1, m_tile), changed_bits(widths.n + 1, params.cols))
    k_end = (
        Stage(kind=Kind.DECREMENTER, bits=changed_bits(widths.k + 1, k_tile)),
        Stage(kind=Kind.REDUCTION, bits=widths.k + 1),
    )
    waits = where(is_ws, 0, where(params.double_buffer, 1, 0))
    lanes = Stage(kind=Kind.FANOUT, bits=(params.rows + params.cols) * params.depth)
    lane = Stage(kind=Kind.FANOUT, bits=maximum(params.a_bits, params.w_bits))
    counter = Stage(kind=Kind.FANOUT, bits=outer)
    admits = Stage(kind=Kind.FANOUT, bits=where(is_ws, 0, lanes.bits))
    hands_over = Stage(kind=Kind.GATE, bits=where(is_ws, 1, 0))
    return {
        "sequencer.reload": (
            CONTROL,
            Stage(kind=Kind.DECREMENTER, bits=step),
            Stage(kind=Kind.REDUCTION, bits=outer),
            counter,
        ),
        "sequencer.carry": (
            CONTROL,
            *k_end,
            *(ONE_GATE,) * 2,
            Stage(kind=Kind.GATE, bits=waits),
            Stage(kind=Kind.FANOUT, bits=waits * lanes.bits),
            counter,
        ),
        "sequencer.admission": (
            Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=waits),
            *(Stage(kind=stage.kind, bits=waits * stage.bits) for stage in k_end),
            *(Stage(kind=Kind.GATE, bits=waits),) * 3,
            Stage(kind=Kind.FANOUT, bits=waits * lanes.bits),
            Stage(kind=Kind.GATE, bits=waits),
            Stage(kind=Kind.FANOUT, bits=waits * lane.bits),
            Stage(kind=Kind.GATE, bits=waits),
            *edge_encoding(params, layout, waits),
        ),
        **_lanes(params, layout, lane),
        "sequencer.advance": (
            WAITING,
            Stage(kind=Kind.FANOUT, bits=register_bits),
            *(ONE_GATE,) * 5,
            *(hands_over,) * 3,
            admits,
            counter,
            ONE_MUX,
        ),
    }


def _lanes(params: Shape, layout: Layout, lane: Stage) -> dict[str, tuple[Stage, ...]]:
    """An operand from its port, where it is encoded before it goes on."""
    encoding = edge_encoding(params, layout, 1)
    if not encoding:
        return {}
    there = reduce(maximum, (minimum(stage.bits, 1) for stage in encoding))
    return {
        "edge.encode": (
            Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=there),
            Stage(kind=Kind.FANOUT, bits=there * lane.bits),
            Stage(kind=Kind.GATE, bits=there),
            *encoding,
        )
    }


def _result_paths(
    params: Shape, widths: Widths, layout: Layout, sums: Sums
) -> dict[str, tuple[Stage, ...]]:
    """From the top of the array to the result port."""
    is_ws = layout.is_ws
    only_ws = where(is_ws, 1, 0)
    drains = where(is_ws, 0, where(params.double_buffer, 0, minimum(params.rows - 1, 1)))
    row_bits = params.cols * widths.acc
    return {
        "collector.add": (
            Stage(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=only_ws),
            Stage(kind=Kind.FANOUT, bits=only_ws * row_bits),
            Stage(kind=Kind.MUX, bits=only_ws, other_bits=1),
            Stage(kind=Kind.GATE, bits=only_ws),
            *(levels(sums.trees.resolve_levels * layout.at_output) if sums.trees else ()),
            Stage(kind=Kind.ADDER, bits=only_ws * widths.acc),
        ),
        "collector.drain": (
            Stage(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=drains),
            Stage(kind=Kind.REDUCTION, bits=drains * widths.row_count),
            Stage(kind=Kind.FANOUT, bits=drains * params.rows * params.cols * sums.climbing),
            Stage(kind=Kind.MUX, bits=drains, other_bits=1),
        ),
        "skid.bypass": (WAITING, Stage(kind=Kind.FANOUT, bits=row_bits + 1), ONE_MUX),
    }
