"""Which ways through a three-pass engine can set its clock, as stages of primitives."""

from collections.abc import Mapping

from archmodels.attention import Epoch
from archmodels.attention import paths as fused_paths
from archmodels.attention.elements import FACTOR_BITS
from archmodels.attention.lanes import QUOTIENT_BITS
from archmodels.attention.paths import MOVING, ONE_GATE, ONE_MUX, TAKING, Path
from archmodels.attention.unfused.shape import Shape
from archmodels.counts import Kind, Stage
from designs.rules import clog2, maximum

SHARED = ("array.score_shift", "weight", "reciprocals.normal", "reciprocals.digits")
"""What the lanes have of the one-pass engine's elements and lanes."""


def paths(params: Shape) -> Mapping[str, Path]:
    """Paths by key; a score's shift is that of the lanes here."""
    p = params.engine
    fused = fused_paths(p, Epoch.of(p))
    told = (MOVING, ONE_GATE, ONE_GATE)
    shifts = clog2(p.denominator_bits)
    place = clog2(params.row_slots)
    return {
        "array.product": (
            *told,
            Stage(kind=Kind.FANOUT, bits=p.link_bits),
            ONE_MUX,
            Stage(kind=Kind.MULTIPLIER, bits=FACTOR_BITS, other_bits=p.element_bits),
            Stage(kind=Kind.CARRY_ADDER, bits=p.link_bits),
            ONE_MUX,
        ),
        "lanes.share": (
            TAKING,
            ONE_MUX,
            Stage(kind=Kind.MULTIPLIER, bits=FACTOR_BITS, other_bits=QUOTIENT_BITS + 1),
            Stage(kind=Kind.CARRY_ADDER, bits=FACTOR_BITS + QUOTIENT_BITS),
            ONE_MUX,
            ONE_MUX,
        ),
        "lanes.total": (
            TAKING,
            ONE_MUX,
            Stage(kind=Kind.CARRY, bits=p.numerator_bits),
            *(ONE_MUX,) * 6,
            ONE_MUX,
        ),
        "lanes.sum": (TAKING, ONE_MUX, Stage(kind=Kind.CARRY, bits=p.denominator_bits)),
        "sequencer.slot": (
            TAKING,
            ONE_MUX,
            ONE_MUX,
            Stage(kind=Kind.REDUCTION, bits=clog2(maximum(p.e, p.f))),
            *(ONE_GATE,) * 4,
            Stage(kind=Kind.FANOUT, bits=p.side * p.west_bits + place + shifts),
            ONE_MUX,
        ),
        **{key.replace("array.", "lanes."): fused[key] for key in SHARED},
    }
