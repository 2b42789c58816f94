"""Which ways through a BoothFlex core can set its clock, as stages of primitives.

Operands come from registers outside: a path that starts at a port has the whole period here.
"""

from collections.abc import Mapping

from archmodels.arith import levels
from archmodels.booth_flex.inventory import has_passes, is_flexible
from archmodels.booth_flex.shape import Shape, Trees
from archmodels.counts import Kind, Stage
from designs.rules import Int, where

ONE_GATE = Stage(kind=Kind.GATE, bits=1)
MOVING = Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=1)
WAITING = Stage(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=1)


def paths(params: Shape, trees: Trees, register_bits: Int) -> Mapping[str, tuple[Stage, ...]]:
    """Paths by key; `register_bits`: all that a step enables."""
    p = params
    flexible, passes = where(is_flexible(p), 1, 0), where(has_passes(p), 1, 0)
    return {
        "pe.product": (
            MOVING,
            Stage(kind=Kind.MUX, bits=flexible, other_bits=1),
            Stage(kind=Kind.BOOTH_RECODER, bits=2),
            Stage(kind=Kind.PARTIAL_PRODUCT, bits=p.a_bits + 1),
            *levels(trees.column_levels),
            Stage(kind=Kind.ADDER, bits=p.acc_bits),
        ),
        "column.sum": (
            MOVING,
            Stage(kind=Kind.FANOUT, bits=1 + passes),
            Stage(kind=Kind.MUX, bits=passes, other_bits=1),
            ONE_GATE,
            *levels(trees.column_levels - trees.digit_levels),
            Stage(kind=Kind.ADDER, bits=p.acc_bits),
        ),
        "sequencer.narrow": (
            WAITING,
            Stage(
                kind=Kind.FANOUT, bits=flexible * p.elements * p.a_bits * (p.digits_per_step - 1)
            ),
            Stage(kind=Kind.MUX, bits=flexible, other_bits=1),
            Stage(kind=Kind.PARTIAL_PRODUCT, bits=p.a_bits + 1),
            *levels(trees.column_levels),
            Stage(kind=Kind.ADDER, bits=p.acc_bits),
        ),
        **_control(p, register_bits),
    }


def _control(params: Shape, register_bits: Int) -> dict[str, tuple[Stage, ...]]:
    """What enables a step, and the longest counter."""
    p = params
    return {
        "sequencer.step": (
            WAITING,
            *(ONE_GATE,) * 3,
            Stage(kind=Kind.FANOUT, bits=register_bits),
            Stage(kind=Kind.MUX, bits=1, other_bits=1),
        ),
        "sequencer.walk": (
            WAITING,
            Stage(kind=Kind.CARRY, bits=p.n_bits + 1),
            Stage(kind=Kind.REDUCTION, bits=p.n_bits + 1),
            *(ONE_GATE,) * 3,
            Stage(kind=Kind.MUX, bits=1, other_bits=1),
        ),
    }
