"""Which ways through a digit-serial engine can set its clock, as stages of primitives.

Each path starts in a register, whose stage stands for the whole of it: clock to output, and at the
other end the set-up time with the enable and the reset before it. Wires are nets of one fan-out but
where a control drives a word or more. What is in a memory is not on any path: read registers count
as registers, and a path to an address ends there.
"""

from collections.abc import Mapping

from archmodels.arith import levels
from archmodels.counts import Kind, Stage
from archmodels.digit_serial.shape import DIGIT_BITS, Element, Shape, Widths
from designs.digits import PartialProductStyle
from designs.rules import Int, minimum, where

ONE_GATE = Stage(kind=Kind.GATE, bits=1)
ONE_MUX = Stage(kind=Kind.MUX, bits=1, other_bits=1)
PLAIN = Stage(kind=Kind.FLIP_FLOP, bits=1)
CONTROL = Stage(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=1)
WAITING = Stage(kind=Kind.FLIP_FLOP_RESET, bits=1)


def paths(params: Shape, widths: Widths, element: Element) -> Mapping[str, tuple[Stage, ...]]:
    """Paths by key; at points of a grid that lack one, its stages have no bits."""
    several = where(params.bank_count > 1, 1, 0)
    return {
        "pe.add": _adding(params, element),
        "pe.shift": _shifting(params, widths, element),
        "pe.climb": _climbing(params, widths),
        "stream.turn": _turning(params, widths),
        "stream.enter": _entering(params, widths),
        "stream.fetch": _fetched(params, widths),
        "stream.place": _next_place(params, widths),
        "bank.address": (
            PLAIN,
            Stage(kind=Kind.COMPARATOR, bits=widths.bank * several),
            _choice(params.rows),
        ),
        "bank.choose": (
            PLAIN,
            Stage(kind=Kind.FANOUT, bits=params.cols * params.y_bits * several),
            _choice(params.bank_count),
        ),
        "drain.resolve": (
            PLAIN,
            _choice(params.resolve_steps),
            Stage(kind=Kind.CARRY, bits=where(widths.pair > params.acc_bits, params.acc_bits, 0)),
            ONE_MUX,
        ),
        "sequencer.take": (
            CONTROL,
            *(ONE_GATE,) * 4,
            Stage(kind=Kind.FANOUT, bits=2 * (params.m_bits + params.k_bits)),
            ONE_MUX,
        ),
        "skid.bypass": (
            WAITING,
            Stage(kind=Kind.FANOUT, bits=params.cols * params.acc_bits + 1),
            ONE_MUX,
        ),
    }


def _choice(ways: Int) -> Stage:
    """One of several words, if there are several."""
    return Stage(kind=Kind.MUX, bits=minimum(ways - 1, 1), other_bits=ways - 1)


def _adding(params: Shape, element: Element) -> tuple[Stage, ...]:
    """From a digit or an operand to the pair."""
    negates = where(params.partial_product == PartialProductStyle.NEGATE, 1, 0)
    return (
        PLAIN,
        Stage(kind=Kind.CARRY, bits=negates * (params.y_bits + 1)),
        Stage(kind=Kind.GATE, bits=negates),
        Stage(kind=Kind.PARTIAL_PRODUCT, bits=element.row_bits),
        *_summing(params, element.levels),
    )


def _shifting(params: Shape, widths: Widths, element: Element) -> tuple[Stage, ...]:
    """From the end of a phase, by a register of each element, to the pair.

    What comes so late passes two levels of a tree at most, for synthesis puts it there.
    """
    shifts = where(widths.phases > 1, 1, 0)
    return (
        PLAIN,
        Stage(kind=Kind.FANOUT, bits=shifts * widths.pair),
        Stage(kind=Kind.MUX, bits=shifts, other_bits=1),
        *_summing(params, minimum(element.levels, 2)),
    )


def _summing(params: Shape, count: Int) -> tuple[Stage, ...]:
    """So many levels of a tree; a block that a carry runs through; what clears and climbs."""
    block, blocks = params.carry_block_bits, params.carry_block_bits > 0
    return (
        *levels(count),
        Stage(kind=Kind.ADDER, bits=where(blocks, minimum(block + 1, params.acc_bits), 0)),
        *_replacing(params),
    )


def _replacing(params: Shape) -> tuple[Stage, ...]:
    """The and-or of a sum with the one below, or the gate that clears it where there is none."""
    climbs = minimum(params.rows - 1, 1)
    return (
        Stage(kind=Kind.MUX, bits=climbs, other_bits=1),
        Stage(kind=Kind.GATE, bits=1 - climbs),
    )


def _climbing(params: Shape, widths: Widths) -> tuple[Stage, ...]:
    """From a row of results that leaves, or the start of a tile, to the pairs of all elements."""
    return (
        WAITING,
        *(Stage(kind=Kind.GATE, bits=minimum(params.rows - 1, 1)),) * 2,
        Stage(kind=Kind.FANOUT, bits=params.rows * params.cols * widths.pair),
        *_replacing(params),
    )


def _turning(params: Shape, widths: Widths) -> tuple[Stage, ...]:
    """From the last digit of a phase, over all streams of a row, to the next groups in hand."""
    return (
        WAITING,
        *(ONE_GATE,) * 3,
        Stage(kind=Kind.REDUCTION, bits=where(params.stream_count > 1, params.stream_count, 0)),
        ONE_GATE,
        Stage(kind=Kind.FANOUT, bits=4 * params.stream_count),
        *_loading(widths),
    )


def _entering(params: Shape, widths: Widths) -> tuple[Stage, ...]:
    """From a row that leaves a bank to the groups that the row behind takes in hand there."""
    several = where(params.bank_count > 1, 1, 0)
    there = Stage(kind=Kind.GATE, bits=several)
    return (
        Stage(kind=Kind.FLIP_FLOP_RESET, bits=several),
        *(there,) * 3,
        Stage(kind=Kind.REDUCTION, bits=several * widths.credit),
        Stage(kind=Kind.MUX, bits=several, other_bits=1),
        there,
        *(Stage(kind=stage.kind, bits=several * stage.bits) for stage in _loading(widths)[:-1]),
        Stage(kind=Kind.MUX, bits=several, other_bits=1),
    )


def _loading(widths: Widths) -> tuple[Stage, ...]:
    """Groups are taken in hand: from the command to their registers."""
    return (
        *(ONE_GATE,) * 2,
        Stage(kind=Kind.FANOUT, bits=DIGIT_BITS * widths.word_digits + widths.index + widths.bank),
        ONE_MUX,
    )


def _fetched(params: Shape, widths: Widths) -> tuple[Stage, ...]:
    """From the phase of what is fetched, over its digits, to whether few of them are left."""
    phased = where(widths.phases > 1, 1, 0)
    counts = where(params.group > 1, 1, 0)
    return (
        PLAIN,
        Stage(kind=Kind.FANOUT, bits=phased * widths.word),
        Stage(kind=Kind.GATE, bits=phased),
        Stage(kind=Kind.REDUCTION, bits=phased * widths.phases),
        *(Stage(kind=Kind.GATE, bits=counts),) * 3,
        Stage(kind=Kind.REDUCTION, bits=counts * params.group),
        ONE_MUX,
    )


def _next_place(params: Shape, widths: Widths) -> tuple[Stage, ...]:
    """From the group fetched to the place of the next one: below, or at the top of a bank."""
    several = where(params.bank_count > 1, 1, 0)
    skips = where(params.skip_groups > 0, 1, 0)
    return (
        PLAIN,
        Stage(kind=Kind.REDUCTION, bits=skips * widths.phases),
        Stage(kind=Kind.COMPARATOR, bits=widths.index),
        Stage(kind=Kind.GATE, bits=several),
        Stage(kind=Kind.MUX, bits=several, other_bits=2),
        Stage(kind=Kind.COMPARATOR, bits=several * widths.bank),
        Stage(kind=Kind.MUX, bits=1, other_bits=2),
    )
