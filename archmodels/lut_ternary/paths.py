"""Which ways through a ternary core can set its clock, as stages of primitives.

Operands come from registers outside: a path that starts at a port has the whole period here.
"""

from collections.abc import Mapping

import numpy as np

from archmodels.counts import Kind, Stage
from archmodels.items import changed_bits
from archmodels.lut_ternary.shape import Number, Shape, Stages, Style
from archmodels.lut_ternary.trees import LEVELS_MAX, Leaf
from designs.rules import Int, clog2, maximum, minimum, where
from designs.ternary import WeightFormat

ONE_GATE = Stage(kind=Kind.GATE, bits=1)
MOVING = Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=1)
WAITING = Stage(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=1)

Path = tuple[Stage, ...]


def paths(
    params: Shape, style: Style, stages: Stages, register_bits: Int
) -> Mapping[str, tuple[Stage, ...]]:
    """Paths by key; `register_bits`: all that a step enables."""
    p, whole = params, 1 - style.staged
    add = _adders(p, style, Leaf.of(p, style), whole * _merged(p, style, stages))
    column = (*_read(p, style), *add, *(_only(stage, whole) for stage in _total(p, style, 0)))
    tree = _adders(p, style, Leaf.of(p, style), style.staged * stages.reduce_levels)
    walk = (WAITING, Stage(kind=Kind.DECREMENTER, bits=changed_bits(p.n_bits + 1, p.ports)))
    k_end = Stage(kind=Kind.DECREMENTER, bits=changed_bits(p.k_bits + 1, p.step_k))
    counter = Stage(kind=Kind.FANOUT, bits=p.n_bits + 1)
    return {
        "builder": (MOVING, *_builder(p, style, stages)),
        "table": (MOVING, Stage(kind=Kind.FANOUT, bits=p.ports), *column),
        "weights": (MOVING, *_decoded(p), Stage(kind=Kind.FANOUT, bits=p.rows), *column),
        "tree": (MOVING, *tree),
        "sum": (MOVING, ONE_GATE, *_total(p, style, 1)),
        "sequencer.reload": (*walk, Stage(kind=Kind.REDUCTION, bits=p.n_bits + 1), counter),
        "sequencer.carry": (
            WAITING,
            k_end,
            Stage(kind=Kind.REDUCTION, bits=p.k_bits + 1),
            *(ONE_GATE,) * 2,
            counter,
        ),
        "sequencer.step": (
            WAITING,
            *(ONE_GATE,) * 3,
            Stage(kind=Kind.FANOUT, bits=register_bits),
            Stage(kind=Kind.MUX, bits=1, other_bits=1),
        ),
    }


def _merged(params: Shape, style: Style, stages: Stages) -> Int:
    """Adders in a row between a leaf and the sum, without registers between them.

    Synthesis makes a chain of integer adders one sum of many words, as deep as a tree.
    """
    is_chain = style.reference * style.integer == 1
    return where(is_chain, clog2(params.tables), stages.reduce_levels)


def _decoded(params: Shape) -> Path:
    """From the port of the weights to what reads with them."""
    p = params
    octets = where(p.weight_format == WeightFormat.BYTE5, 8, 0)
    encodes = (p.weight_format != WeightFormat.KEY) & (p.mu > 1)
    return (
        Stage(kind=Kind.BYTE_DECODER, bits=octets),
        Stage(kind=Kind.KEY_ENCODER, bits=where(encodes, p.mu, 0)),
    )


def _read(params: Shape, style: Style) -> Path:
    """From weights and tables to a leaf."""
    p, number = params, Number.of(params)
    signed: Int = style.minimal * style.integer
    other: Int = (style.minimal + style.reference) * (1 - signed)
    multiply = style.multiply
    return (
        Stage(kind=Kind.TABLE_READ, bits=signed * p.table_bits, other_bits=p.entry_count),
        Stage(kind=Kind.FLOAT_READ, bits=other * p.table_bits, other_bits=p.entry_count),
        Stage(kind=Kind.XOR, bits=style.reference * style.integer),
        Stage(
            kind=Kind.INCREMENTER,
            bits=style.reference * style.integer * style.staged * p.acc_bits,
        ),
        Stage(kind=Kind.GATE, bits=2 * style.offset),
        Stage(kind=Kind.MULTIPLIER, bits=multiply * style.integer * p.a_bits, other_bits=p.a_bits),
        number.stage(Kind.FLOAT_MULTIPLIER, multiply * style.float_),
    )


def _builder(params: Shape, style: Style, stages: Stages) -> Path:
    """The adders of a table that stand between two registers."""
    p = params
    between = _between(p, style, stages.build_levels)
    return tuple(
        stage
        for level in range(int(np.max(between)))
        for stage in _adder(
            p, style, where(between > level, p.table_bits, 0), Kind.ADDER if level else Kind.CARRY
        )
    )


def _adders(params: Shape, style: Style, leaf: Leaf, count: Int) -> Path:
    """So many adders in a row, but no more than stand between two registers.

    An adder behind another one takes less than alone: its low bits are there early.
    """
    p = params
    between = _between(p, style, count)
    stages: list[Stage] = []
    for level in range(int(np.max(between))):
        is_chain = style.reference * maximum(style.float_, style.staged) == 1
        leaves = where(is_chain, level + 2, 2 << min(level, LEVELS_MAX))
        exact = where(style.reference * style.integer == 1, p.table_bits + 1 + clog2(leaves), 0)
        bits = where(between > level, where(exact > 0, exact, leaf.sum_bits(leaves)), 0)
        stages += _adder(p, style, bits, Kind.CARRY_ADDER if level else Kind.CARRY)
    return tuple(stages)


def _between(params: Shape, style: Style, count: Int) -> Int:
    """Of so many adders in a row those between two registers."""
    return minimum(count, where(style.staged == 1, params.adder_levels, count))


def _total(params: Shape, style: Style, is_alone: int) -> Path:
    """The adder of a result: alone between registers, or behind others."""
    kind = Kind.CARRY if is_alone else Kind.CARRY_ADDER
    return _adder(params, style, params.acc_bits, kind)


def _adder(params: Shape, style: Style, bits: Int, kind: Kind) -> Path:
    """One adder of `bits`, an integer one of `kind`; none where there are no bits."""
    number, is_there = Number.of(params), minimum(bits, 1)
    return (
        Stage(kind=kind, bits=style.integer * bits),
        number.stage(Kind.FLOAT_ADDER, is_there * style.float_ * (1 - style.reference)),
        number.stage(Kind.WIDE_FLOAT_ADDER, is_there * style.float_ * style.reference),
    )


def _only(stage: Stage, is_there: Int) -> Stage:
    """The stage, or none."""
    return Stage(kind=stage.kind, bits=stage.bits * is_there, other_bits=stage.other_bits)
