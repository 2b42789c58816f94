"""What a Laconic engine consists of: registers and word-level operators, by place."""

from collections.abc import Mapping

from archmodels.arith import encoders
from archmodels.counts import Item, Kind
from archmodels.laconic.adders import Trees
from archmodels.laconic.shape import Shape, Widths
from archmodels.systolic.shape import changed_bits
from designs.rules import Int, clog2, maximum, minimum

LATENCY = 4
"""Cycles from handing a term out to adding the sum that it is part of: as many tokens wait."""


def inventory(params: Shape, widths: Widths) -> Mapping[str, Item]:
    """Everything that an engine is made of; `widths` are those of `params`.

    Registers, adders and subtractors are exact, and so are the adders of the compressor trees.
    Other gates are those that datapath and control imply.
    """
    p = params
    return (
        _terms("a", p.encoding, p.a_bits, p.rows * p.lanes, widths.a_exponent, 0)
        | _terms("w", p.encoding, p.w_bits, p.cols * p.lanes, widths.w_exponent, 1)
        | _elements(p, widths, Trees.of(p))
        | _sequencer(p)
        | _skid(p.cols * p.acc_bits + 1)
    )


def _item(kind: Kind, bits: Int, count: Int = 1, other_bits: Int = 0) -> Item:
    return Item(kind=kind, count=count, bits=bits, other_bits=other_bits)


def _terms(
    name: str, encoding: Int, bits: Int, count: Int, exponent: Int, repeats: int
) -> dict[str, Item]:
    """The operands of one side, `count` in all: encoder, digits, the choice of the next term.

    Of each digit it is known if it is left, if it is a two and if it is negative; where terms
    repeat, also if it is nonzero. The choice is a chain that says if anything is left below, and
    two gates per digit for the first and the rest; two more chains say if there is more than one
    of those that come and of the rest. What is shown is an and-or of each field.
    """
    digits = bits // 2
    below = maximum(digits - 1, 0)
    return {
        **{
            f"{name}_terms.{kind}": item
            for kind, item in encoders(encoding, count, bits, True).items()
        },
        f"{name}_terms.digits": _item(Kind.FLIP_FLOP_ENABLE, (3 + repeats) * digits, count),
        f"{name}_terms.term": _item(Kind.FLIP_FLOP_ENABLE, 2 + exponent, count),
        f"{name}_terms.admit": _item(Kind.GATE, 2 * digits, count),
        f"{name}_terms.next": _item(Kind.MUX, digits, count, 1 + repeats),
        f"{name}_terms.choice": _item(Kind.GATE, below + 2 * digits, count),
        f"{name}_terms.more": _item(Kind.GATE, 4 * digits, count),
        f"{name}_terms.shown": _item(Kind.GATE, 4 * digits + exponent, count),
        f"{name}_terms.enable": _item(Kind.GATE, 2 + repeats, count),
    }


def _elements(params: Shape, widths: Widths, trees: Trees) -> dict[str, Item]:
    """The four steps of each element, and the registers between them.

    A decoder has a gate for each exponent, positive and negative, and the four predecoded halves.
    """
    pes, exponents = params.rows * params.cols, params.exponent_count
    products, counts = pes * params.lanes, pes * exponents
    return {
        "pe.exponent": _item(Kind.ADDER, widths.exponent, products),
        "pe.sign": _item(Kind.XOR, 1, products),
        "pe.valid": _item(Kind.GATE, 1, products),
        "pe.product": _item(Kind.FLIP_FLOP_ENABLE, 2 + widths.exponent, products),
        "pe.decoder": _item(Kind.GATE, 2 * exponents + 8, products),
        "pe.count_tree": _item(Kind.COMPRESSOR_3_2, trees.count_full, counts - pes),
        "pe.count_half_adder": _item(Kind.HALF_ADDER, trees.count_half, counts - pes),
        "pe.first_tree": _item(Kind.COMPRESSOR_3_2, trees.first_full, pes),
        "pe.first_half_adder": _item(Kind.HALF_ADDER, trees.first_half, pes),
        "pe.count_adder": _item(Kind.ADDER, widths.count, counts - pes),
        "pe.first_adder": _item(Kind.ADDER, widths.count, pes * trees.first_carries),
        "pe.count": _item(Kind.FLIP_FLOP_ENABLE, widths.count, counts),
        "pe.sum_tree": _item(Kind.COMPRESSOR_3_2, trees.sum_full, pes),
        "pe.sum_half_adder": _item(Kind.HALF_ADDER, trees.sum_half, pes),
        "pe.sum_adder": _item(Kind.ADDER, widths.sum, pes),
        "pe.sum": _item(Kind.FLIP_FLOP_ENABLE, widths.sum, pes),
        "pe.adder": _item(Kind.ADDER, params.acc_bits, pes),
        "pe.accumulator": _item(Kind.FLIP_FLOP_ENABLE_RESET, params.acc_bits, pes),
        "pe.climb": _item(Kind.MUX, params.acc_bits, pes, 1),
    }


def _sequencer(params: Shape) -> dict[str, Item]:
    """The loops over the tiles of a job, the pace of tiles, and the way of a sum to its result."""
    p, lane_bits = params, clog2(params.rows)
    paced = minimum(p.rows - 1, 1)
    row_count = clog2(p.rows + 1)
    lanes = p.rows + p.cols + p.lanes
    return {
        "sequencer.flags": _item(Kind.FLIP_FLOP_ENABLE_RESET, 1, 5),
        "sequencer.lane_flags": _item(Kind.FLIP_FLOP_ENABLE, 1, 5 * p.lanes),
        "sequencer.m_loop": _item(Kind.FLIP_FLOP_ENABLE_RESET, p.m_bits),
        "sequencer.n_loop": _item(Kind.FLIP_FLOP_ENABLE_RESET, p.n_bits, 2),
        "sequencer.k_loop": _item(Kind.FLIP_FLOP_ENABLE_RESET, p.k_bits, 2),
        "sequencer.pace": _item(Kind.FLIP_FLOP_ENABLE_RESET, lane_bits),
        "sequencer.rows_left": _item(Kind.FLIP_FLOP_ENABLE_RESET, row_count),
        "sequencer.tokens": _item(Kind.FLIP_FLOP_ENABLE_RESET, 3, LATENCY),
        "sequencer.m_step": _item(Kind.DECREMENTER, changed_bits(p.m_bits + 1, p.rows)),
        "sequencer.n_step": _item(Kind.DECREMENTER, changed_bits(p.n_bits + 1, p.cols)),
        "sequencer.k_step": _item(Kind.DECREMENTER, changed_bits(p.k_bits + 1, p.lanes)),
        "sequencer.pace_step": _item(Kind.DECREMENTER, maximum(lane_bits, 1), paced),
        "sequencer.row_step": _item(Kind.DECREMENTER, row_count),
        "sequencer.m_end": _item(Kind.REDUCTION, p.m_bits + 1),
        "sequencer.n_end": _item(Kind.REDUCTION, p.n_bits + 1),
        "sequencer.k_end": _item(Kind.REDUCTION, p.k_bits + 1),
        "sequencer.reload": _item(Kind.MUX, p.n_bits + p.k_bits, 1, 1),
        "sequencer.start": _item(Kind.GATE, p.m_bits),
        # A thermometer takes two gates per lane; lanes are admitted by row and by column.
        "sequencer.lanes": _item(Kind.GATE, 1, 2 * lanes + (p.rows + p.cols) * p.lanes),
        # Three flags of any row and any column; what follows from what is left in each lane.
        "sequencer.meet": _item(Kind.GATE, 1, p.lanes * (3 * (p.rows + p.cols - 2) + 8)),
        "sequencer.control": _item(Kind.GATE, 1, 12),
    }


def _skid(bits: Int) -> dict[str, Item]:
    """The register keeps what the bypass shows: its enable is the mux of the bypass."""
    return {
        "skid.payload": _item(Kind.FLIP_FLOP, bits),
        "skid.full": _item(Kind.FLIP_FLOP_RESET, 1),
        "skid.bypass": _item(Kind.MUX, bits, 1, 1),
        "skid.control": _item(Kind.GATE, 1, 3),
    }
