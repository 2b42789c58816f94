"""What a Laconic engine consists of: registers and word-level operators, by place."""

from collections.abc import Mapping

from archmodels.arith import encoders
from archmodels.counts import Item, Kind
from archmodels.gemm import Rank, tile_walk
from archmodels.items import control, held, mux, operator, skid
from archmodels.laconic.adders import Trees
from archmodels.laconic.shape import Shape, Widths
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
        | skid(p.cols * p.acc_bits + 1)
    )


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
        f"{name}_terms.digits": held((3 + repeats) * digits, count),
        f"{name}_terms.term": held(2 + exponent, count),
        f"{name}_terms.admit": operator(Kind.GATE, 2 * digits, count),
        f"{name}_terms.next": Item(kind=Kind.MUX, count=count, bits=digits, other_bits=1 + repeats),
        f"{name}_terms.choice": operator(Kind.GATE, below + 2 * digits, count),
        f"{name}_terms.more": operator(Kind.GATE, 4 * digits, count),
        f"{name}_terms.shown": operator(Kind.GATE, 4 * digits + exponent, count),
        f"{name}_terms.enable": operator(Kind.GATE, 2 + repeats, count),
    }


def _elements(params: Shape, widths: Widths, trees: Trees) -> dict[str, Item]:
    """The four steps of each element, and the registers between them.

    A decoder has a gate for each exponent, positive and negative, and the four predecoded halves.
    """
    pes, exponents = params.rows * params.cols, params.exponent_count
    products, counts = pes * params.lanes, pes * exponents
    return {
        "pe.exponent": operator(Kind.ADDER, widths.exponent, products),
        "pe.sign": operator(Kind.XOR, 1, products),
        "pe.valid": operator(Kind.GATE, 1, products),
        "pe.product": held(2 + widths.exponent, products),
        "pe.decoder": operator(Kind.GATE, 2 * exponents + 8, products),
        "pe.count_tree": operator(Kind.COMPRESSOR_3_2, trees.count_full, counts - pes),
        "pe.count_half_adder": operator(Kind.HALF_ADDER, trees.count_half, counts - pes),
        "pe.first_tree": operator(Kind.COMPRESSOR_3_2, trees.first_full, pes),
        "pe.first_half_adder": operator(Kind.HALF_ADDER, trees.first_half, pes),
        "pe.count_adder": operator(Kind.ADDER, widths.count, counts - pes),
        "pe.first_adder": operator(Kind.ADDER, widths.count, pes * trees.first_carries),
        "pe.count": held(widths.count, counts),
        "pe.sum_tree": operator(Kind.COMPRESSOR_3_2, trees.sum_full, pes),
        "pe.sum_half_adder": operator(Kind.HALF_ADDER, trees.sum_half, pes),
        "pe.sum_adder": operator(Kind.ADDER, widths.sum, pes),
        "pe.sum": held(widths.sum, pes),
        "pe.adder": operator(Kind.ADDER, params.acc_bits, pes),
        "pe.accumulator": control(params.acc_bits, pes),
        "pe.climb": mux(params.acc_bits, pes),
    }


def _sequencer(params: Shape) -> dict[str, Item]:
    """The loops over the tiles of a job, the pace of tiles, and the way of a sum to its result."""
    p, lane_bits = params, clog2(params.rows)
    paced = minimum(p.rows - 1, 1)
    row_count = clog2(p.rows + 1)
    lanes = p.rows + p.cols + p.lanes
    return {
        "sequencer.flags": control(1, 5),
        "sequencer.lane_flags": held(1, 5 * p.lanes),
        **tile_walk(
            {
                "m": Rank(bits=p.m_bits, tile=p.rows, words=1),
                "n": Rank(bits=p.n_bits, tile=p.cols, words=2),
                "k": Rank(bits=p.k_bits, tile=p.lanes, words=2),
            }
        ),
        "sequencer.pace": control(lane_bits),
        "sequencer.rows_left": control(row_count),
        "sequencer.tokens": control(3, LATENCY),
        "sequencer.pace_step": operator(Kind.DECREMENTER, maximum(lane_bits, 1), paced),
        "sequencer.row_step": operator(Kind.DECREMENTER, row_count),
        "sequencer.reload": mux(p.n_bits + p.k_bits),
        "sequencer.start": operator(Kind.GATE, p.m_bits),
        # A thermometer takes two gates per lane; lanes are admitted by row and by column.
        "sequencer.lanes": operator(Kind.GATE, 1, 2 * lanes + (p.rows + p.cols) * p.lanes),
        # Three flags of any row and any column; what follows from what is left in each lane.
        "sequencer.meet": operator(Kind.GATE, 1, p.lanes * (3 * (p.rows + p.cols - 2) + 8)),
        "sequencer.control": operator(Kind.GATE, 1, 12),
    }
