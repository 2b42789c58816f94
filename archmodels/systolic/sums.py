"""How wide the sums of a dense engine are, one word each or pairs of words, and what adds them."""

from dataclasses import dataclass
from functools import lru_cache

from archmodels.arith import pair_bits
from archmodels.distinct import distinct
from archmodels.systolic.parts import Kind, Parts, parts
from archmodels.systolic.shape import Layout, Shape, Widths, encoded_operand, multiplied_operand
from designs.rules import Int, anywhere, where
from designs.systolic import Element, EncoderPlace
from designs.widths import product_sum_bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Bits of the sums at each place, both words of a pair counted, and the trees between.

    `running`: what an element adds to in each step (os). `result`: its finished sum (os, with
    double buffering). `climbing`: what goes on to the row above (os). `straightened`: what a column
    gives to the row of results. `partial`: registers of pairs that climb a column (ws), together,
    or of sums between the lanes of an element (os, chain). `trees`: None where every product is
    made by a multiplier.
    """

    running: Int
    result: Int
    climbing: Int
    straightened: Int
    partial: Int
    trees: Parts | None

    @classmethod
    def of(cls, params: Shape, widths: Widths, layout: Layout) -> "Sums":
        """The sums of `params`."""
        word = widths.summed
        partial = _multiplied_partial(params, layout)
        if not anywhere(params.element != Element.MAC):
            return cls(
                running=word,
                result=word,
                climbing=word,
                straightened=word,
                partial=partial,
                trees=None,
            )
        trees = _trees(params, widths, layout)
        only_os = layout.is_pair & (layout.is_ws ^ True)
        running = where(only_os, pair_bits(word, params.carry_block_bits), word)
        result = where(layout.at_element > 0, word, running)
        leaving = where(layout.is_ws & layout.is_pair, trees.leaving, result)
        return cls(
            running=running,
            result=result,
            climbing=where(params.double_buffer, result, running),
            straightened=where(layout.at_column > 0, word, leaving),
            partial=where(layout.multiplies > 0, partial, trees.partial),
            trees=trees,
        )


def _multiplied_partial(params: Shape, layout: Layout) -> Int:
    """Registers between the lanes of an element (os, chain) that adds one word to the next."""
    if not anywhere(layout.is_chained):
        return 0
    (bits,) = distinct(
        _chain_bits,
        where(layout.is_chained, params.depth, 0),
        params.a_bits,
        params.a_signed,
        params.w_bits,
        params.w_signed,
    )
    return bits


@lru_cache(maxsize=4096)
def _chain_bits(lanes: int, a_bits: int, a: int, w_bits: int, w: int) -> tuple[int]:
    """Bits of the sums of one product, two, ... of all."""
    terms = range(1, lanes + 1)
    return (sum(product_sum_bits(n, a_bits, bool(a), w_bits, bool(w)) for n in terms),)


def _trees(params: Shape, widths: Widths, layout: Layout) -> Parts:
    """The trees at each point, those of no bits where there are multipliers."""
    there = params.element != Element.MAC
    bits, signed = encoded_operand(params)
    other_bits, other_signed = multiplied_operand(params)
    os_kind = where(layout.is_chained, Kind.CHAINED, Kind.RUNNING)
    ws_kind = where(layout.is_unit, Kind.UNIT, Kind.CLIMBING)
    columns = (
        where(layout.is_ws, ws_kind, os_kind),
        params.element,
        params.resolve,
        params.carry_block_bits,
        layout.k_tile,
        widths.summed,
        where(layout.is_ws, params.acc_bits, 0),
        bits,
        where(signed, 1, 0),
        other_bits,
        where(other_signed, 1, 0),
        params.partial_product,
        params.sign_extension,
        where(params.encoder == EncoderPlace.EDGE, 0, 1),
    )
    return Parts(*distinct(parts, *(where(there, column, 0) for column in columns)))
