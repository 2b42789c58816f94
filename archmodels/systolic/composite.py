"""Elements without multipliers: what makes partial products, and the trees that add them."""

from archmodels.arith import encoders, row_bits
from archmodels.counts import Item, Kind
from archmodels.items import held, operator, there
from archmodels.systolic.shape import Layout, Shape, encoded_operand, multiplied_operand
from archmodels.systolic.sums import Sums
from designs.digits import Encoded, PartialProductStyle, digit_count
from designs.rules import anywhere, ceil_div, maximum, where
from designs.systolic import EncoderPlace


def composite(params: Shape, layout: Layout, sums: Sums) -> dict[str, Item]:
    """What takes the place of the multipliers and their adders.

    The trees, and the registers between them, are those of one element (os), or of all elements of
    a column (ws).
    """
    units = where(layout.is_ws, 1, params.rows) * params.cols
    partial = {"pe.partial": held(sums.partial, units)} if anywhere(sums.partial > 0) else {}
    trees = sums.trees
    if trees is None:
        return partial
    adder_bits = ceil_div(trees.adder_bits, maximum(trees.adder_count, 1))
    return {
        **partial,
        **_digits(params, layout),
        "pe.compressor": there(Kind.COMPRESSOR_3_2, trees.full_adders, units),
        "pe.half_adder": there(Kind.HALF_ADDER, trees.half_adders, units),
        "pe.carry_adder": operator(Kind.ADDER, adder_bits, units * trees.adder_count),
    }


def _digits(params: Shape, layout: Layout) -> dict[str, Item]:
    """Encoders, in the elements or at the edge, and a row of partial products for each digit."""
    r, c, depth = params.rows, params.cols, params.depth
    products = (1 - layout.multiplies) * r * c * depth
    encodes_a, at_edge = params.encoded == Encoded.A, params.encoder == EncoderPlace.EDGE
    along_edge = (1 - layout.multiplies) * where(encodes_a, r, c) * depth
    bits, signed = encoded_operand(params)
    other_bits, other_signed = multiplied_operand(params)
    in_place = encoders(params.encoding, where(at_edge, 0, products), bits, signed)
    before = encoders(params.encoding, where(at_edge, along_edge, 0), bits, signed)
    negates = where(params.partial_product == PartialProductStyle.NEGATE, products, 0)
    rows = products * digit_count(bits, signed)
    return {
        **{f"edge.{name}": item for name, item in before.items()},
        **{f"pe.{name}": item for name, item in in_place.items()},
        "pe.negative": operator(Kind.SUBTRACTOR, other_bits + 1, negates),
        "pe.partial_product": operator(
            Kind.PARTIAL_PRODUCT, row_bits(params.partial_product, other_bits, other_signed), rows
        ),
    }
