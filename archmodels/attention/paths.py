"""Which ways through an engine can set its clock, as stages of primitives.

Operands come from registers outside: a path that starts at a port has the whole period here.
"""

from collections.abc import Mapping

from archmodels.attention.combiners import is_split
from archmodels.attention.control import CYCLE_BITS, tile_bits
from archmodels.attention.elements import FACTOR_BITS, WEIGHT_BITS, rest_bits
from archmodels.attention.floats import FLOAT32, Number, fused_path, x_path
from archmodels.attention.lanes import DIGITS, QUOTIENT_BITS, RATIO_BITS, ROUNDED_BITS
from archmodels.attention.shape import Epoch, Shape, divides, is_float, products_kept
from archmodels.counts import Kind, Stage
from designs.attention import ExpMethod
from designs.rules import Int, clog2, maximum, where

Path = tuple[Stage, ...]

MOVING = Stage(kind=Kind.FLIP_FLOP, bits=1)
TAKING = Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=1)
ONE_GATE = Stage(kind=Kind.GATE, bits=1)
ONE_MUX = Stage(kind=Kind.MUX, bits=1, other_bits=1)

SHIFTS = 32
"""Distances by which a score, or a weight, is shifted."""

NORMAL_LEVELS = 6
"""Levels of the normaliser of the widest denominator."""


def paths(params: Shape, epoch: Epoch) -> Mapping[str, Path]:
    """Paths by key.

    The steps of a weight are apart in three slots; in two the line and the weight's shift follow
    each other, in one the difference and the score's shift come before them. A lane makes its
    weights in the lowest columns of its product; a state is brought up to date in all of them. It
    knows a cycle ahead what it multiplies, and a product that is kept ends in a register.
    """
    start = (
        TAKING,
        Stage(kind=Kind.REDUCTION, bits=clog2(epoch.cycles)),
        *(ONE_GATE,) * 4,
        Stage(kind=Kind.FANOUT, bits=tile_bits(params, epoch)),
        ONE_MUX,
    )
    return {
        **_array_paths(params, epoch),
        **_lane_paths(params),
        **_output_paths(params),
        **_combiner_paths(params, epoch),
        "sequencer.start": start,
        "counters.step": (TAKING, ONE_MUX, Stage(kind=Kind.INCREMENTER, bits=CYCLE_BITS)),
    }


def _array_paths(params: Shape, epoch: Epoch) -> dict[str, Path]:
    """From the command of an element, or its weight, to its registers."""
    p, floats = params, is_float(params)
    step = _multiplied(rest_bits(p) + 1, FACTOR_BITS + rest_bits(p), 1)
    factor_bits = maximum(p.element_bits, rest_bits(p) + 1)
    told = (MOVING, ONE_GATE, Stage(kind=Kind.FANOUT, bits=p.link_bits))
    return {
        "array.product": (*told, ONE_MUX, *_multiplied(factor_bits, p.link_bits * (1 - floats), 1)),
        "array.fma": (*told, ONE_MUX, *fused_path(Number.of(p), floats)),
        "array.float_x": (*told, _unit(Kind.FLOAT_ADDER, floats), *x_path(floats)),
        "array.maximum": (*told, _compared(p, 1), ONE_MUX),
        "array.score_shift": (*told, _compared(p, 1), _shifted(1), ONE_GATE),
        "weight": (MOVING, *_weight(p, epoch, step)),
    }


def _lane_paths(params: Shape) -> dict[str, Path]:
    """From a state of a lane, and what it is multiplied by, to its memories."""
    p, floats, fused = params, is_float(params), 1 - products_kept(params)
    together, apart = floats * fused, floats * (1 - fused)
    total_bits: Int = p.numerator_bits + FACTOR_BITS - 2
    known = (
        MOVING,
        Stage(kind=Kind.FANOUT, bits=p.numerator_bits),
        ONE_MUX,
        # Whose factor; or a reciprocal.
        Stage(kind=Kind.MUX, bits=p.columns_per_lane - 1, other_bits=1),
        Stage(kind=Kind.MUX, bits=divides(p), other_bits=1),
    )
    saturated = Stage(kind=Kind.REDUCTION, bits=RATIO_BITS * divides(p) * fused * (1 - floats))
    return {
        "lanes.product": (
            *known,
            *_multiplied(p.numerator_bits, total_bits * fused, 1 - floats),
            saturated,
        ),
        "lanes.fma": (*known, *fused_path(FLOAT32, together), *x_path(together)),
        "lanes.float_product": (*known, _unit(Kind.FLOAT_MULTIPLIER, apart)),
        "lanes.float_sum": (*known, _unit(Kind.FLOAT_ADDER, apart), *x_path(apart)),
    }


def _output_paths(params: Shape) -> dict[str, Path]:
    """Reciprocals, and results times them."""
    p, integer = params, 1 - is_float(params)
    outputs = integer * (1 - divides(p))
    digit = (Stage(kind=Kind.CARRY, bits=QUOTIENT_BITS + 1), ONE_MUX)
    return {
        "reciprocals.normal": (TAKING, *_normalised(p.denominator_bits * integer), ONE_MUX),
        "reciprocals.digits": (TAKING, ONE_MUX, *digit * DIGITS),
        "outputs.ratio": (MOVING, ONE_MUX, _shifted(1)),
        "outputs.value": (
            MOVING,
            ONE_MUX,
            *_multiplied(RATIO_BITS, ROUNDED_BITS * outputs, outputs),
            Stage(kind=Kind.REDUCTION, bits=RATIO_BITS * outputs),
        ),
    }


def _combiner_paths(params: Shape, epoch: Epoch) -> dict[str, Path]:
    """From the words of groups to what is made of one of them, of which a product is kept."""
    p = params
    integers, floats = is_split(p) * (1 - is_float(p)), is_split(p) * is_float(p)
    word = (
        MOVING,
        Stage(kind=Kind.MUX, bits=is_split(p), other_bits=p.splits - 1),
        Stage(kind=Kind.FANOUT, bits=p.numerator_bits * is_split(p)),
    )
    return {
        "combiners.product": (*word, *_multiplied(p.numerator_bits, 0, integers)),
        "combiners.distance": (*word, _compared(p, integers), _shifted(integers)),
        "combiners.float_product": (*word, _unit(Kind.FLOAT_MULTIPLIER, floats)),
        "combiners.float_x": (*word, _unit(Kind.FLOAT_ADDER, floats), *x_path(floats)),
    }


def _multiplied(factor_bits: Int, total_bits: Int, is_there: Int) -> Path:
    """A product and a sum of `total_bits`, if there are any."""
    return (
        Stage(kind=Kind.MULTIPLIER, bits=FACTOR_BITS * is_there, other_bits=factor_bits),
        Stage(kind=Kind.CARRY_ADDER, bits=total_bits),
    )


def _compared(params: Shape, is_there: Int) -> Stage:
    """A difference of scores."""
    return Stage(kind=Kind.CARRY, bits=(params.score_bits + 1) * is_there)


def _unit(kind: Kind, is_there: Int) -> Stage:
    """A unit for float32."""
    return Stage(kind=kind, bits=FLOAT32.precision * is_there, other_bits=FLOAT32.exponent)


def _shifted(is_there: Int) -> Stage:
    """A word shifted by one of `SHIFTS` distances."""
    return Stage(kind=Kind.MUX, bits=is_there, other_bits=SHIFTS - 1)


def _weight(params: Shape, epoch: Epoch, multiplied: Path) -> Path:
    """The longest slot of a weight, but for the first one of several."""
    p = params
    is_line = p.exp_method == ExpMethod.PWL
    is_single = where(epoch.exp == 1, 1, 0)
    is_whole = where(is_line & (epoch.exp < 3), 1, 0)
    constants = where(is_line, p.exp_segments, p.exp_degree)
    return (
        _compared(p, is_single),
        _shifted(is_single),
        Stage(kind=Kind.TABLE, bits=FACTOR_BITS, other_bits=constants),
        *multiplied,
        _shifted(is_whole),
        Stage(kind=Kind.INCREMENTER, bits=WEIGHT_BITS * is_whole),
    )


def _normalised(bits: Int) -> Path:
    """A word whose leading one is brought to the top, the longest shift first."""
    stages: list[Stage] = []
    for level in reversed(range(NORMAL_LEVELS)):
        is_there = where(bits > 1 << level, 1, 0)
        stages += (
            Stage(kind=Kind.REDUCTION, bits=is_there << level),
            Stage(kind=Kind.FANOUT, bits=bits * is_there),
            Stage(kind=Kind.MUX, bits=is_there, other_bits=1),
        )
    return tuple(stages)
