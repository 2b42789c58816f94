"""Ways through the elements of a dense engine, and through what makes one word of their pairs.

As in `archmodels.systolic.paths`: a stage of no bits is not there.
"""

from collections.abc import Mapping

from archmodels.arith import encoders, levels, row_bits
from archmodels.counts import Kind, Stage
from archmodels.systolic.elements import multipliers
from archmodels.systolic.parts import Parts
from archmodels.systolic.shape import Layout, Shape, Widths, encoded_operand, multiplied_operand
from archmodels.systolic.sums import Sums
from designs.rules import Int, anywhere, clog2, maximum, minimum, where
from designs.systolic import Element, EncoderPlace

Path = tuple[Stage, ...]


def element_paths(params: Shape, widths: Widths, layout: Layout, sums: Sums) -> Mapping[str, Path]:
    """One element: what makes products, and what adds them, apart where a register parts them."""
    own = _multiplied(params, widths, layout)
    if sums.trees is None:
        return own
    return {**own, **_composite(params, widths, layout, sums, sums.trees)}


def _multiplied(params: Shape, widths: Widths, layout: Layout) -> dict[str, Path]:
    """Of multiplying elements: the products, the lanes of a tree, the running sum."""
    is_ws, parted, there = layout.is_ws, params.mac_stages >= 1, layout.multiplies
    adds = where(is_ws, minimum(params.rows - 1, 1), 1) * there
    add = Stage(kind=Kind.ADDER, bits=widths.summed * adds)
    lanes = _lanes(layout)
    climbs = where(is_ws, 0, minimum(params.rows - 1, 1) * there)
    climb = Stage(kind=Kind.MUX, bits=climbs, other_bits=1)
    first = where(is_ws, 0, there)
    register = Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=there)
    # A chain of lanes has the sum of all but one of them beside the last product.
    beside = add.bits
    if anywhere(layout.is_chained):
        beside = where(layout.is_chained, there * params.sum_bits(params.depth), beside)
    at_once = where(parted, 0, 1)
    return {
        "pe.multiply": (
            register,
            *_broadcast(params, layout, there),
            *(
                Stage(kind=item.kind, bits=item.bits, other_bits=item.other_bits)
                for item in multipliers(params, layout, 1).values()
            ),
            *levels(lanes * at_once),
            Stage(kind=Kind.ADDER, bits=where(parted, 0, beside)),
            Stage(kind=Kind.MUX, bits=where(parted | layout.is_chained, 0, climbs), other_bits=1),
        ),
        "pe.accumulate": (
            register,
            *levels(lanes * (1 - at_once)),
            Stage(kind=Kind.FANOUT, bits=first * widths.acc),
            Stage(kind=Kind.GATE, bits=first),
            add,
            climb,
        ),
    }


def _lanes(layout: Layout) -> Int:
    """Full adders that the lanes of a tree pass before its last adder.

    An adder whose operands come from adders can begin with their low bits: it is two full adders
    behind them, and only the last one carries through all of its bits.
    """
    if not anywhere(layout.lanes > 1):
        return 0
    before: Int = clog2(layout.lanes) - where(layout.is_unit, 1, 0)
    return where(layout.is_chained, 0, 2 * layout.multiplies * maximum(before, 0))


def _broadcast(params: Shape, layout: Layout, there: Int) -> Path:
    """Operands that reach all columns, and (os) all rows, in one step."""
    if not anywhere(params.broadcast):
        return ()
    reached = maximum(params.cols, where(layout.is_ws, 1, params.rows))
    return (Stage(kind=Kind.FANOUT, bits=where(params.broadcast, reached, 0) * there),)


def _composite(
    params: Shape, widths: Widths, layout: Layout, sums: Sums, trees: Parts
) -> dict[str, Path]:
    """Of elements without multipliers: encoder, row, trees; one adder into a single word."""
    there = 1 - layout.multiplies
    fused = where(params.element == Element.FUSED, 1, 0)
    other_bits, other_signed = multiplied_operand(params)
    row = row_bits(params.partial_product, other_bits, other_signed)
    into_word = fused * minimum(trees.adder_count, 1) * widths.summed
    block = minimum(params.carry_block_bits, widths.summed)
    carries: Int = block + into_word
    resolves = where(layout.is_unit, layout.at_element, 0) * widths.summed
    climbs = where(layout.is_ws | layout.is_chained, 0, minimum(params.rows - 1, 1) * there)
    negates = where(params.partial_product > 0, there, 0) * (other_bits + 1)
    register = Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=there)
    first = where(layout.is_ws, 0, there)
    return {
        "pe.compress": (
            register,
            *_broadcast(params, layout, there),
            *_encoding(params, where(params.encoder == EncoderPlace.EDGE, 0, there)),
            Stage(kind=Kind.PARTIAL_PRODUCT, bits=there * row),
            *levels(trees.levels),
            Stage(kind=Kind.ADDER, bits=carries),
            Stage(kind=Kind.ADDER, bits=resolves),
            Stage(kind=Kind.MUX, bits=climbs, other_bits=1),
        ),
        "pe.negate": (
            Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=minimum(negates, 1)),
            Stage(kind=Kind.SUBTRACTOR, bits=negates),
            Stage(kind=Kind.PARTIAL_PRODUCT, bits=minimum(negates, 1) * row),
            *levels(trees.levels * minimum(negates, 1)),
            Stage(kind=Kind.ADDER, bits=carries * minimum(negates, 1)),
        ),
        "pe.accumulate_pair": (
            Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=first),
            Stage(kind=Kind.FANOUT, bits=first * sums.running),
            Stage(kind=Kind.GATE, bits=first),
            *levels(trees.sum_levels * first),
            Stage(kind=Kind.ADDER, bits=carries * first),
            Stage(kind=Kind.MUX, bits=first * minimum(params.rows - 1, 1), other_bits=1),
        ),
        "resolve.add": _resolution(params, widths, layout, trees),
    }


def _resolution(params: Shape, widths: Widths, layout: Layout, trees: Parts) -> Path:
    """A pair becomes one word: into a register, a result that climbs, or the result port."""
    of_results = where(layout.is_ws, 0, layout.at_element + layout.at_output)
    there = layout.at_column + of_results
    return (
        Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=there),
        *levels(trees.resolve_levels * layout.at_column),
        Stage(kind=Kind.CARRY, bits=there * widths.summed),
        Stage(kind=Kind.MUX, bits=of_results, other_bits=1),
    )


def edge_encoding(params: Shape, layout: Layout, there: Int) -> Path:
    """The encoder of an operand that is admitted (`there` is 1), where there is one."""
    at_edge = where(params.encoder == EncoderPlace.EDGE, 1 - layout.multiplies, 0)
    return _encoding(params, there * at_edge) if anywhere(at_edge > 0) else ()


def _encoding(params: Shape, there: Int) -> Path:
    """The encoder that there is, if there is one."""
    bits, signed = encoded_operand(params)
    return tuple(
        Stage(kind=item.kind, bits=item.bits * item.count)
        for item in encoders(params.encoding, there, bits, signed).values()
    )
