"""What a BoothFlex core consists of: registers and word-level operators, by place."""

from collections.abc import Mapping
from dataclasses import replace

from archmodels.booth_flex.shape import Shape, Trees
from archmodels.counts import Item, Kind
from archmodels.gemm import Rank, tile_walk
from archmodels.items import control, held, mux, operator, there
from designs.rules import Flag, Int, maximum, where

DIGITS_MAX = 8
"""Most digits of a weight."""


def inventory(params: Shape, trees: Trees) -> Mapping[str, Item]:
    """Everything that a core is made of; registers, adders and those of the trees are exact."""
    return _elements(params) | _columns(params, trees) | _sequencer(params)


def is_flexible(params: Shape) -> Flag:
    """Whether an element takes one weight or several."""
    return params.digits_per_step > 1


def has_passes(params: Shape) -> Flag:
    """Whether a weight takes several steps."""
    return (params.digit_count > 1) & (params.digits_per_step == 1)


def _elements(params: Shape) -> dict[str, Item]:
    """Partial products, and which activation each digit but the first takes, for all columns."""
    p, pes = params, params.elements * params.cols
    return {
        "pe.recoder": operator(Kind.BOOTH_RECODER, 2 * p.digits_per_step, pes),
        "pe.row": operator(Kind.PARTIAL_PRODUCT, p.a_bits + 1, pes * p.digits_per_step),
        "pe.narrow": operator(Kind.GATE, 1, pes * (p.digits_per_step - 1)),
        "operand.choice": mux(p.a_bits, p.elements * (p.digits_per_step - 1)),
    }


def _columns(params: Shape, trees: Trees) -> dict[str, Item]:
    """The trees of all digits, the places of their sums, the tree behind them, adder and sum."""
    p = params
    digits = p.cols * p.digits_per_step
    return {
        "digit.tree": there(Kind.COMPRESSOR_3_2, trees.digit_full, digits),
        "digit.half_adder": there(Kind.HALF_ADDER, trees.digit_half, digits),
        **_places(trees.digit_bits, p.digits_per_step, p.cols),
        "column.tree": operator(Kind.COMPRESSOR_3_2, trees.column_full, p.cols),
        "column.half_adder": there(Kind.HALF_ADDER, trees.column_half, p.cols),
        "column.shift": mux(p.acc_bits, where(has_passes(p), p.cols, 0)),
        "column.clear": operator(Kind.GATE, p.acc_bits, p.cols),
        "column.adder": operator(Kind.ADDER, p.acc_bits, p.cols),
        "column.sum": held(p.acc_bits, p.cols),
    }


def _places(bits: Int, digits: Int, cols: Int) -> dict[str, Item]:
    """Two words in one of two places: a choice in the columns of both, a gate in those of one."""
    items = {}
    for digit in range(1, DIGITS_MAX):
        count, both = where(digits > digit, 2 * cols, 0), maximum(bits - 2 * digit, 0)
        items[f"digit.place_{digit}"] = mux(both, count)
        items[f"digit.edge_{digit}"] = operator(Kind.GATE, bits + 2 * digit - both, count)
    return items


def _sequencer(params: Shape) -> dict[str, Item]:
    """The loops over the steps of a job, and what is known of the step before."""
    p = params
    passes, kinds = where(has_passes(p), 1, 0), where(is_flexible(p), 1, 0)
    walk = tile_walk(
        {
            "k": Rank(bits=p.k_bits, tile=p.elements, words=2),
            "digits": Rank(bits=p.digits_bits, tile=1, words=2),
            "n": Rank(bits=p.n_bits, tile=p.cols, words=2),
            "m": Rank(bits=p.m_bits, tile=1, words=1),
        }
    )
    return {
        **{
            key: replace(item, count=item.count * passes) if "digits" in key else item
            for key, item in walk.items()
        },
        # Active and first step of a pass, result and last one; which digits, first of a tile.
        "sequencer.flags": control(1, 4 + kinds + passes),
        "sequencer.reload": mux(p.n_bits + p.k_bits + passes * p.digits_bits),
        "sequencer.control": operator(Kind.GATE, 1, 12),
    }
