"""What the lanes consist of: states of queries, a multiplier, a divider, and the output."""

from archmodels.attention.combiners import combiners, is_split, staged_bits, staged_words
from archmodels.attention.elements import (
    FACTOR_BITS,
    OP_BITS,
    SHIFT_LEVELS,
    WEIGHT_BITS,
    rest_bits,
    shifter,
    weights,
)
from archmodels.attention.floats import FLOAT32, X_BITS, lane_units
from archmodels.attention.shape import (
    Epoch,
    Shape,
    divides,
    is_float,
    products_kept,
    shift_bits,
)
from archmodels.counts import Item, Kind
from archmodels.items import choice, cleared, control, held, mux, operator, plain
from designs.rules import Int, ceil_div, clog2, maximum, minimum, where

DIVISOR_BITS, QUOTIENT_BITS = 16, 17

RATIO_BITS = 25
"""Width of a numerator in front of the product with a quotient."""

ROUNDED_BITS = 20
"""Width of such a product without the bits that are dropped."""

DIGITS = 2
"""Bits of a quotient that are made in a cycle."""

DIVIDE_STEPS = ceil_div(QUOTIENT_BITS, DIGITS)
"""Cycles in which the bits of a quotient are made."""

OUTPUT_STAGES = 3
"""Words on their way out: one that is read, one that is shifted, one that is multiplied."""

FLAGS = 2
"""Of each of those: whether there is one, and it ends a query tile."""


def lane_command_bits(params: Shape, epoch: Epoch) -> Int:
    """Width of a lane's command but for what to do: places of its tile, and two flags."""
    p = params
    places = clog2(p.query_tiles) + clog2(epoch.lag + 1) + clog2(p.result_tiles)
    return places + clog2(p.f) + clog2(p.columns_per_lane) + shift_bits(p) + 2


def words(place: str, count: Int, bits: Int, depth: Int) -> dict[str, Item]:
    """Memories with a read register, or where they have one word alone, registers."""
    many = minimum(depth - 1, 1)
    return {
        f"{place}.memory": Item(kind=Kind.MEMORY, count=count * many, bits=bits, other_bits=depth),
        f"{place}.read": operator(Kind.MEMORY_READ_REGISTER, bits, count * many),
        f"{place}.word": held(bits, count * (1 - many)),
    }


def lanes(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """All lanes, and the reader of their results."""
    p, side, apart, late = params, params.side, products_kept(params), params.lane_stages - 1
    columns, count = p.columns_per_lane, side // p.columns_per_lane
    integers = count * (1 - is_float(p))
    results = p.split_columns * (1 - is_float(p))
    gain_bits = where(is_float(p) == 1, X_BITS, p.score_bits)
    kept_bits = where(is_float(p) == 1, FLOAT32.weight_bits, WEIGHT_BITS)
    result_bits = where(divides(p) == 1, p.out_bits, staged_bits(p))
    wide_bits = maximum(p.numerator_bits, RATIO_BITS * divides(p))
    product_bits = wide_bits + FACTOR_BITS - 2
    numerator_places = clog2(p.query_tiles) + clog2(p.f) + clog2(columns)
    added_bits = numerator_places + clog2(p.result_tiles) + 1
    old_bits = maximum(wide_bits, rest_bits(p) + 1)
    return {
        "lanes.op": cleared(OP_BITS, side),
        "lanes.command": plain(lane_command_bits(p, epoch), side),
        # Which sum is made in a cycle, where that is not what is executed in it.
        "lanes.adding": cleared(2, count * late),
        "lanes.added": plain(added_bits, count * late),
        **words("lanes.maximum", count, p.score_bits, p.query_tiles * columns),
        **words("lanes.gain", count, gain_bits, (epoch.lag + 1) * columns),
        **words("lanes.denominator", count, p.denominator_bits, p.query_tiles * columns),
        **_numerators(p),
        **words("staging", side, result_bits, staged_words(p) << clog2(p.result_tiles)),
        "lanes.product": plain(wide_bits + 1, integers * apart),
        "lanes.sum": plain(p.psum_bits, integers * apart),
        "lanes.multiplier": Item(
            kind=Kind.MULTIPLIER,
            count=integers,
            # A quotient has a bit more than a weight.
            bits=FACTOR_BITS + divides(p),
            other_bits=old_bits,
        ),
        "lanes.adder": operator(
            Kind.ADDER, where(apart == 1, wide_bits + 2, product_bits), integers
        ),
        "lanes.difference": operator(Kind.SUBTRACTOR, p.score_bits + 1, integers),
        "lanes.greater": mux(p.score_bits, count),
        "lanes.operands": mux(old_bits, count),
        "lanes.addend": mux(p.psum_bits + FACTOR_BITS - 2, count * (1 - apart)),
        "lanes.decoded": plain(1 + (epoch.exp + columns - 1) * (1 - is_float(p)), count),
        # Of two columns: what comes from either, and the factor of the one while the other works.
        "lanes.north": mux(p.link_bits, count * (columns - 1)),
        "lanes.aside": held(kept_bits, count * (columns - 1)),
        "lanes.factor": mux(kept_bits, count * (columns - 1)),
        "lanes.step": operator(Kind.ADDER, FACTOR_BITS + rest_bits(p), integers * apart),
        **weights("lanes.weight", p, epoch, count, kept_bits),
        **_reciprocals(p, results),
        **_outputs(p, results * (1 - divides(p))),
        **_divisions(p, side * divides(p)),
        **lane_units(p, rest_bits(p), apart),
        **_reader(p),
        **combiners(p, epoch),
    }


def _numerators(params: Shape) -> dict[str, Item]:
    """A memory for the numerators of each so many lanes.

    The first of them takes its word as it is read, each further one a cycle later for each of a
    lane's columns; and the last one writes its own as it is made, with those of the lanes before
    it, each so much older.
    """
    p, lanes, columns = params, params.numerator_lanes, params.columns_per_lane
    delays = p.side // columns * (lanes - 1) // 2 * columns
    return {
        **words(
            "lanes.numerator",
            p.side // columns // lanes,
            lanes * p.numerator_bits,
            (p.f << clog2(p.query_tiles)) * columns,
        ),
        "lanes.numerator.skew": plain(p.numerator_bits, delays),
        "lanes.numerator.align": plain(p.numerator_bits, delays),
    }


def _reciprocals(params: Shape, count: Int) -> dict[str, Item]:
    """The normaliser of an integer denominator, and a restoring recurrence; each result is kept."""
    p, places = params, clog2(params.denominator_bits)
    return {
        "reciprocals.flags": plain(1, count),
        "reciprocals.half": held(clog2(p.result_tiles), count),
        "reciprocals.denominator": held(p.denominator_bits, count),
        "reciprocals.remainder": held(DIVISOR_BITS, count),
        "reciprocals.quotients": held(QUOTIENT_BITS + 1, count * p.result_tiles),
        "reciprocals.shifts": held(places, count * p.result_tiles),
        "reciprocals.rest": operator(Kind.SUBTRACTOR, QUOTIENT_BITS + 1, count * DIGITS),
        "reciprocals.next": mux(QUOTIENT_BITS, count * DIGITS),
        **shifter("reciprocals.normal", p.denominator_bits, count),
        "reciprocals.leading": operator(Kind.REDUCTION, p.denominator_bits, count),
    }


def _outputs(params: Shape, count: Int) -> dict[str, Item]:
    """The products of integer results with quotients."""
    p = params
    return {
        "outputs.ratio": held(RATIO_BITS, count),
        "outputs.value": held(p.out_bits, count),
        "outputs.shift": mux(RATIO_BITS, count * clog2(p.denominator_bits)),
        # Without the highest bits: a quotient's is set for one divisor alone, a ratio's is a sign.
        "outputs.multiplier": Item(
            kind=Kind.MULTIPLIER, count=count, bits=QUOTIENT_BITS - 1, other_bits=RATIO_BITS - 1
        ),
        "outputs.round": operator(Kind.INCREMENTER, ROUNDED_BITS, count),
    }


def _divisions(params: Shape, count: Int) -> dict[str, Item]:
    """What lanes have more that divide: a numerator's way to the multiplier, and its word's."""
    p, stages = params, 1 + products_kept(params)
    float_bits = FLOAT32.precision + FLOAT32.exponent
    ratio_bits = where(is_float(p) == 1, float_bits, RATIO_BITS)
    reciprocal_bits = where(is_float(p) == 1, float_bits, QUOTIENT_BITS)
    shifts = clog2(p.denominator_bits) * (1 - is_float(p))
    return {
        "divisions.flags": cleared(1, count * stages),
        "divisions.address": plain(clog2(p.result_tiles) + clog2(p.f), count * stages),
        "divisions.dividend": held(ratio_bits, count),
        "divisions.shift": mux(ratio_bits, count * shifts),
        "divisions.reciprocal": choice(reciprocal_bits, p.result_tiles, count),
        "divisions.operands": mux(ratio_bits + reciprocal_bits, count),
    }


def place_of(place: str, count: Int) -> dict[str, Item]:
    """Which of `count` parts of the staging memory; of two the next one is known without a sum."""
    bits, steps = clog2(count), where(count > 2, 1, 0)
    return {
        place: control(bits, minimum(bits, 1)),
        f"{place}_step": operator(Kind.INCREMENTER, bits, steps),
        f"{place}_wrap": operator(Kind.COMPARATOR, bits, steps),
    }


def _reader(params: Shape) -> dict[str, Item]:
    """What reads the results of all lanes at once; of groups, see `combiners`."""
    p, place_bits, alone = params, clog2(params.f), 1 - is_split(params)
    stages = where(divides(p) == 1, 1, OUTPUT_STAGES)
    late = where(divides(p) == 1, 1 + products_kept(p), p.lane_stages - 1)
    return {
        "reader.flags": control(FLAGS * stages + p.result_tiles, alone),
        **place_of("reader.half", p.result_tiles),
        "reader.halves": held(clog2(p.result_tiles), (stages - 1) * alone),
        "reader.finished": cleared(p.result_tiles, late * alone),
        "reader.index": control(place_bits, alone),
        "reader.next": operator(Kind.INCREMENTER, place_bits, where(p.f > 1, alone, 0)),
        "reader.control": operator(Kind.GATE, 1, 4 * SHIFT_LEVELS),
    }
