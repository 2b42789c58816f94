"""What a three-pass engine consists of: registers, memories and word-level operators, by place."""

from collections.abc import Mapping

from archmodels.attention import Epoch
from archmodels.attention.edges import bound_bits
from archmodels.attention.elements import FACTOR_BITS, OP_BITS, weights
from archmodels.attention.lanes import (
    DIGITS,
    DIVISOR_BITS,
    QUOTIENT_BITS,
    RATIO_BITS,
    words,
)
from archmodels.attention.shape import SHIFT_BITS
from archmodels.attention.shape import Shape as Engine
from archmodels.attention.unfused.shape import Shape
from archmodels.counts import Item, Kind
from archmodels.items import choice, cleared, control, held, mux, operator, plain
from designs.rules import Int, bit_length, clog2, maximum, minimum, where

COMMAND_BITS = OP_BITS + 1
"""Width of an element's command: what to do, and whether a score begins."""

LEAD_CYCLES = 2
"""From a slot to the first row."""

PHASE_BITS = 2

FRONT_FLAGS = 3
"""Of a column's command: a numerator is to be kept, and begins, or ends, a query's."""

BACK_FLAGS = 5
"""Of the command below a column, of which three are reset."""

BACK_ACTS = 3


def inventory(params: Shape) -> Mapping[str, Item]:
    """Everything that an engine is made of; what is exact is as in `archmodels.attention`."""
    return {
        **_array(params, params.engine),
        **_west(params, params.engine),
        **_lanes(params, params.engine),
        **_dividers(params, params.engine),
        **_control(params),
    }


def _array(params: Shape, engine: Engine) -> dict[str, Item]:
    """Elements: a multiplier, an adder, and a register for a score or a weight."""
    p, x, side = engine, Epoch.of(engine), params.side
    elements, handing_on = side * side, side * (side - 1)
    masked = minimum(x.masks, 1)
    return {
        "array.kept": held(p.score_bits, elements),
        "array.south": plain(p.link_bits, elements),
        "array.west": plain(p.west_bits, handing_on),
        "array.command": plain(COMMAND_BITS, handing_on),
        "array.multiplier": Item(
            kind=Kind.MULTIPLIER, count=elements, bits=FACTOR_BITS, other_bits=p.element_bits
        ),
        "array.adder": operator(Kind.ADDER, p.link_bits, elements),
        "array.bound": operator(Kind.COMPARATOR, clog2(side + 1), elements * masked),
        "array.factor": mux(FACTOR_BITS, elements),
        "array.addend": choice(p.link_bits, 3, elements),
        "array.passing": choice(p.link_bits, 3, elements),
        "array.following": choice(p.score_bits, 2 + masked, elements),
        "array.control": operator(Kind.GATE, 1, elements * OP_BITS * 4),
    }


def _west(params: Shape, engine: Engine) -> dict[str, Item]:
    """Operands from the streams, and commands, each row's a cycle later."""
    p, side = engine, params.side
    masked = minimum(Epoch.of(p).masks, 1)
    steps = side * (2 * LEAD_CYCLES + side - 1) // 2
    return {
        "west.skew": plain(p.west_bits, steps),
        "west.command": plain(COMMAND_BITS, side + LEAD_CYCLES - 1),
        "west.choice": choice(p.west_bits, 3 + masked, side),
        "west.row": operator(Kind.COMPARATOR, clog2(side), side),
    }


def _lanes(params: Shape, engine: Engine) -> dict[str, Item]:
    """Memories, the unit for weights, sums, and results on their way out."""
    p, x, side = engine, Epoch.of(engine), params.side
    masked = minimum(x.masks, 1)
    address, bound = address_bits(params), bound_bits(p) * masked
    left_bits = maximum(p.score_bits, RATIO_BITS)
    place = clog2(params.row_slots)
    return {
        "front.acts": cleared(OP_BITS + 1, side + 1),
        "front.about": plain(front_bits(params), side + 1),
        "front.address": plain(address, side),
        "front.last_address": plain(bound),
        "back.acts": cleared(BACK_ACTS, 2 * side + 1),
        "back.about": plain(back_bits(params), 2 * side + 1),
        **words("q_bank", side, p.element_bits, maximum(p.e, 2)),
        **words("row_bank", side, p.score_bits, back_words(params)),
        **words("totals", side, p.numerator_bits, p.f),
        **words("results", side, p.score_bits, params.row_slots),
        "lanes.maximum": held(p.score_bits, side),
        "lanes.denominator": held(p.denominator_bits, side),
        "lanes.left": plain(left_bits, side),
        "lanes.difference": operator(Kind.SUBTRACTOR, p.score_bits + 1, side),
        "lanes.multiplier": Item(
            kind=Kind.MULTIPLIER, count=side, bits=FACTOR_BITS, other_bits=QUOTIENT_BITS + 1
        ),
        "lanes.adder": operator(Kind.ADDER, FACTOR_BITS + QUOTIENT_BITS, side),
        "lanes.sum": operator(Kind.ADDER, p.denominator_bits, side),
        "lanes.total": operator(Kind.ADDER, p.numerator_bits, side),
        "lanes.bound": operator(
            Kind.ADDER, bound_bits(p) + 1, side * masked * where(side > 1, 1, 0)
        ),
        "lanes.compared": mux(p.score_bits, side),
        "lanes.operands": mux(FACTOR_BITS + 2 * QUOTIENT_BITS, side),
        "lanes.shift": mux(p.numerator_bits, side * clog2(p.denominator_bits)),
        "lanes.kept": mux(left_bits, side),
        "lanes.round": operator(Kind.INCREMENTER, RATIO_BITS, side),
        "lanes.saturation": operator(Kind.GATE, p.out_bits + RATIO_BITS, side),
        "lanes.result": choice(p.score_bits + place, 3, side),
        "lanes.clip": mux(bound_bits(p) + 1, 2 * side * masked),
        "north.choice": choice(p.link_bits, 3 + masked, side),
        **weights("lanes.weight", p, x, side),
    }


def _dividers(params: Shape, engine: Engine) -> dict[str, Item]:
    """A normaliser of a denominator, and a restoring recurrence, for one result."""
    p, side = engine, params.side
    places = clog2(p.denominator_bits)
    return {
        "reciprocals.flags": plain(1, side),
        "reciprocals.denominator": held(p.denominator_bits, side),
        "reciprocals.remainder": held(DIVISOR_BITS, side),
        "reciprocals.quotient": held(QUOTIENT_BITS + 1, side),
        "reciprocals.shift": held(places, side),
        "reciprocals.rest": operator(Kind.SUBTRACTOR, QUOTIENT_BITS + 1, side * DIGITS),
        "reciprocals.next": mux(QUOTIENT_BITS, side * DIGITS),
        "reciprocals.normal": mux(p.denominator_bits, side * places),
        "reciprocals.leading": operator(Kind.REDUCTION, p.denominator_bits, side),
        "reciprocals.reload": mux(QUOTIENT_BITS + DIVISOR_BITS, side),
    }


def _control(params: Shape) -> dict[str, Item]:
    """The sequencer, and the reader of rows."""
    p = params
    index = clog2(maximum(maximum(p.e, p.f), p.side))
    place, back, rows = clog2(p.row_slots), clog2(back_words(p)), bit_length(p.row_slots)
    return {
        "sequencer.slot": control(1 + OP_BITS + PHASE_BITS + index),
        "sequencer.stored": cleared(1),
        "sequencer.ends": plain(1, 2),
        "sequencer.places": control(place + back),
        "sequencer.index_step": operator(Kind.INCREMENTER, index, minimum(index, 1)),
        "sequencer.place_step": operator(Kind.INCREMENTER, place),
        "sequencer.back_step": operator(Kind.INCREMENTER, back),
        "sequencer.tests": operator(Kind.COMPARATOR, index, 4),
        "sequencer.control": operator(Kind.GATE, 1, 64),
        "reader.counts": cleared(rows, 2),
        "reader.valid": control(1),
        "reader.place": control(place),
        "reader.more": operator(Kind.INCREMENTER, rows, 2),
        "reader.fewer": operator(Kind.SUBTRACTOR, rows, 2),
        "reader.step": operator(Kind.INCREMENTER, place),
        "reader.tests": operator(Kind.COMPARATOR, rows, 3),
    }


def back_words(params: Shape) -> Int:
    """Words of a memory of rows that come back: until the last column has read them."""
    return maximum(params.side, 2)


def address_bits(params: Shape) -> Int:
    """Width of what a column is told of a memory, or of a bound."""
    p = params
    masked = minimum(Epoch.of(p.engine).masks, 1)
    memories = clog2(maximum(p.e, back_words(p)))
    return maximum(memories, bound_bits(p.engine) * masked)


def front_bits(params: Shape) -> Int:
    """Width of a column's command but for what to do, whether to keep it, and the address."""
    p = params
    diagonal = minimum(Epoch.of(p.engine).masks, 1) * where(p.side > 1, 1, 0)
    return diagonal + SHIFT_BITS + FRONT_FLAGS - 1 + clog2(p.row_slots)


def back_bits(params: Shape) -> Int:
    """Width of the command below a column but for what to do."""
    return BACK_FLAGS - BACK_ACTS + clog2(params.f) + clog2(params.row_slots)
