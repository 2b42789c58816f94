"""What makes the results of several groups of columns one: combiners, and what drives them."""

from archmodels.attention.elements import FACTOR_BITS, WEIGHT_BITS, rest_bits, weights
from archmodels.attention.floats import FLOAT32, combiner_units
from archmodels.attention.shape import Epoch, Shape, is_float, shift_bits
from archmodels.counts import Item, Kind
from archmodels.items import choice, cleared, control, held, mux, operator
from designs.rules import Int, clog2, maximum, minimum, where

PHASE_BITS = 4
"""Of what is under way with a query tile."""

STAGES = 4
"""Steps from the last product of a value to the value."""

HEAD_STEPS = 4
"""Cycles of a query tile before its denominator is divided, beside those for each group."""

KEPT_STATES = 2
"""Words that are kept of a query beside its numerators: its maximum and its denominator."""

SIGN_BITS = 2
"""By which a sum that is rounded is wider than the numerators."""


def is_split(params: Shape) -> Int:
    """1 where there are several groups of columns, else 0."""
    return minimum(params.splits - 1, 1)


def staged_words(params: Shape) -> Int:
    """Words of a query's results."""
    return params.f + KEPT_STATES * is_split(params)


def staged_bits(params: Shape) -> Int:
    """Width of such a word; of integers a maximum has a shift beside it."""
    p = params
    return maximum(p.numerator_bits, (p.score_bits + shift_bits(p)) * is_split(p))


def head_cycles(params: Shape, epoch: Epoch) -> Int:
    """From the cycle after a query tile's last denominator to its reciprocal's begin: a cycle for
    each group to compare, to add, and for each slot of a weight."""
    return params.splits * (2 + epoch.exp) + HEAD_STEPS


def combiners(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """One for each query of a tile, where there are several groups."""
    p, count = params, params.split_columns * is_split(params)
    integers = count * (1 - is_float(p))
    kept_bits = where(is_float(p) == 1, FLOAT32.weight_bits, WEIGHT_BITS)
    return {
        "combiners.word": choice(staged_bits(p), p.splits, count),
        "combiners.maximum": held(p.score_bits, count),
        "combiners.weights": held(p.splits * kept_bits, count),
        "combiners.total": held(p.numerator_bits, count),
        "combiners.product": held(p.numerator_bits + 1, integers),
        "combiners.difference": operator(Kind.SUBTRACTOR, p.score_bits + 1, integers),
        "combiners.multiplier": Item(
            kind=Kind.MULTIPLIER, count=integers, bits=FACTOR_BITS, other_bits=p.numerator_bits
        ),
        "combiners.adder": operator(Kind.ADDER, p.numerator_bits + SIGN_BITS, integers),
        "combiners.step": operator(Kind.ADDER, FACTOR_BITS + rest_bits(p), integers),
        "combiners.operands": mux(p.numerator_bits, integers),
        "combiners.entering": mux(kept_bits, count),
        **weights("combiners.weight", p, epoch, count, kept_bits),
        **combiner_units(p, rest_bits(p), count * is_float(p)),
        **_driver(p, epoch),
    }


def _driver(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """What drives all of them, beside what readers of one group have too."""
    p, there = params, is_split(params)
    several = minimum(epoch.exp - 1, 1) * there
    index_bits = clog2(staged_words(p))
    return {
        "combine.phase": control(PHASE_BITS, there),
        "combine.flags": control(3 + 2 * STAGES, there),
        "combine.waiting": cleared(2 * p.result_tiles, there * p.lane_stages),
        "combine.halves": held(clog2(p.result_tiles), there * (STAGES - 1)),
        "combine.index": control(index_bits, there),
        "combine.next": operator(Kind.INCREMENTER, index_bits, there),
        "combine.lane": control(clog2(p.splits), there),
        "combine.next_lane": operator(Kind.INCREMENTER, clog2(p.splits), there),
        "combine.slot": control(clog2(epoch.exp), several),
        "combine.next_slot": operator(Kind.INCREMENTER, clog2(epoch.exp), several),
        "combine.control": operator(Kind.GATE, 1, 64 * there),
    }
