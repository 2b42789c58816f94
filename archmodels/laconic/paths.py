"""Which ways through a Laconic engine can set its clock, as stages of primitives.

As in `archmodels.systolic.paths`: each path starts in a register, whose stage stands for the whole
of it.
"""

from collections.abc import Mapping

from archmodels.arith import levels
from archmodels.counts import Kind, Stage
from archmodels.laconic.adders import Trees
from archmodels.laconic.shape import Shape, Widths
from designs.rules import Int

ONE_GATE = Stage(kind=Kind.GATE, bits=1)
ONE_MUX = Stage(kind=Kind.MUX, bits=1, other_bits=1)
MOVING = Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=1)
WAITING = Stage(kind=Kind.FLIP_FLOP_RESET, bits=1)


def paths(params: Shape, widths: Widths, register_bits: Int) -> Mapping[str, tuple[Stage, ...]]:
    """Paths by key; `register_bits`: all that `advance` enables."""
    trees = Trees.of(params)
    sides = Stage(kind=Kind.FANOUT, bits=params.rows + params.cols)
    kept = Stage(kind=Kind.FANOUT, bits=params.lanes * 2 * params.w_bits)
    return {
        "pe.count": (
            MOVING,
            Stage(kind=Kind.FANOUT, bits=widths.exponent),
            *(ONE_GATE,) * 3,
            *levels(trees.count_levels),
            Stage(kind=Kind.ADDER, bits=widths.count),
        ),
        "pe.sum": (
            MOVING,
            *levels(trees.sum_levels),
            Stage(kind=Kind.ADDER, bits=widths.sum),
        ),
        "pe.accumulate": (MOVING, Stage(kind=Kind.CARRY, bits=params.acc_bits), ONE_MUX),
        # All lanes are through: the next operands enter.
        "sequencer.admission": (
            MOVING,
            *(ONE_GATE,) * 3,
            Stage(kind=Kind.REDUCTION, bits=params.lanes),
            *(ONE_GATE,) * 4,
            sides,
            ONE_GATE,
            kept,
            ONE_MUX,
        ),
        # The rows that the problem has: whether a lane has any term among them.
        "sequencer.rows": (
            MOVING,
            Stage(kind=Kind.REDUCTION, bits=params.m_bits),
            *(ONE_GATE,) * 2,
            Stage(kind=Kind.FANOUT, bits=params.lanes),
            *(ONE_GATE,) * 2,
            Stage(kind=Kind.REDUCTION, bits=params.rows),
            ONE_MUX,
        ),
        "advance": (WAITING, Stage(kind=Kind.FANOUT, bits=register_bits), ONE_MUX),
        "skid.bypass": (
            WAITING,
            Stage(kind=Kind.FANOUT, bits=params.cols * params.acc_bits + 1),
            ONE_MUX,
        ),
    }
