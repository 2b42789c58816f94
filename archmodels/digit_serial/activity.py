"""What happens in a digit-serial engine during one GEMM, and which primitives work each time."""

from collections.abc import Mapping

from archmodels.arith import ENCODERS
from archmodels.counts import Event, Item, Kind, Operation
from archmodels.digit_serial.schedule import Totals
from archmodels.digit_serial.shape import DIGIT_BITS, Element, Shape, Widths
from archmodels.digit_serial.totals import Tiling
from archmodels.gemm import Problem
from designs.digits import Encoded
from designs.rules import Int, Real, maximum, to_real, where, where_real


def activity(
    params: Shape,
    gemm: Problem,
    widths: Widths,
    element: Element,
    items: Mapping[str, Item],
    totals: Totals,
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    Elements work in every cycle in which digits are selected; in the others they add nothing and
    their registers keep still. Of the control the walkers and the clock are charged.
    """
    tiling = Tiling.of(params, gemm)
    tiles: Int = tiling.x_tiles * tiling.y_tiles
    transfers = {"x": tiles * tiling.steps, "y": tiling.y_tiles * tiling.steps}
    encodes_a = params.encoded == Encoded.A
    rows, cols, lanes = params.rows, params.cols, params.lanes
    density = to_real(totals.digits) / to_real(maximum(totals.selecting * rows * lanes, 1))
    return {
        **_elements(params, widths, element, totals.selecting, density),
        **_reads(params, widths, items, totals),
        **_loading(params, widths, items, gemm, transfers),
        "mac.useful": Event(count=gemm.mac_count),
        "a.transfers": Event(count=where(encodes_a, transfers["x"], transfers["y"])),
        "w.transfers": Event(count=where(encodes_a, transfers["y"], transfers["x"])),
        "o.transfers": Event(
            count=tiles * rows,
            operations=(
                Operation(kind=Kind.FLIP_FLOP, bits=items["skid.payload"].bits),
                Operation(kind=Kind.MUX, bits=items["skid.payload"].bits, other_bits=1),
            ),
        ),
        "results.resolved": Event(
            count=tiles * rows * cols,
            operations=(Operation(kind=Kind.ADDER, bits=items["drain.adder"].bits),),
        ),
        "tiles": Event(count=tiles),
        "bank.conflicts": Event(count=0),
        "results.climbs": Event(
            count=tiles * cols * (rows * (rows - 1) // 2),
            operations=(
                Operation(kind=Kind.FLIP_FLOP, bits=widths.pair),
                Operation(kind=Kind.MUX, bits=widths.pair, other_bits=1),
            ),
        ),
    }


def _elements(
    params: Shape, widths: Widths, element: Element, selecting: Int, density: Real
) -> dict[str, Event]:
    """What elements do; `density`: part of their digits that are not zero.

    A digit that is zero makes a row of zeros, and the sum keeps its value, though not its words.
    """
    steps: Int = selecting * params.rows * params.cols
    zeros = 1.0 - density
    bits = (DIGIT_BITS + params.y_bits) * params.lanes + widths.pair
    toggle = 0.5 * density
    carried = where(params.carry_block_bits > 0, params.acc_bits, 0)
    return {
        "pe.products": Event(
            count=steps * params.lanes,
            operations=(
                Operation(
                    kind=Kind.PARTIAL_PRODUCT,
                    bits=element.row_bits,
                    toggle=toggle,
                    zeros=zeros,
                ),
            ),
        ),
        "pe.steps": Event(
            count=steps,
            operations=(
                Operation(kind=Kind.COMPRESSOR_3_2, bits=element.full_adders, toggle=toggle),
                Operation(kind=Kind.HALF_ADDER, bits=element.half_adders, toggle=toggle),
                Operation(kind=Kind.MUX, bits=widths.pair, other_bits=1, toggle=toggle),
                Operation(kind=Kind.ADDER, bits=carried, toggle=toggle, zeros=zeros),
                Operation(kind=Kind.FLIP_FLOP, bits=bits, toggle=toggle),
            ),
        ),
    }


def _reads(
    params: Shape, widths: Widths, items: Mapping[str, Item], totals: Totals
) -> dict[str, Event]:
    """What is read for digits and for the operands that they multiply."""
    bank, buffer = items["bank.memory"], items["digit_buffer.memory"]
    choose = items["bank.choose"]
    return {
        "digits.issued": Event(
            count=totals.digits,
            operations=(
                Operation(kind=Kind.MEMORY, bits=bank.bits, other_bits=bank.other_bits),
                Operation(kind=Kind.MEMORY_READ_REGISTER, bits=bank.bits),
                Operation(
                    kind=Kind.MUX,
                    bits=where(params.bank_count > 1, choose.bits, 0),
                    other_bits=choose.other_bits,
                ),
                Operation(
                    kind=Kind.FLIP_FLOP, bits=2 * DIGIT_BITS + widths.position + widths.index
                ),
                Operation(kind=Kind.GATE, bits=5 * params.group),
            ),
        ),
        "groups.visited": Event(
            count=totals.groups,
            operations=(
                Operation(kind=Kind.MEMORY, bits=buffer.bits, other_bits=buffer.other_bits),
                Operation(kind=Kind.MEMORY_READ_REGISTER, bits=buffer.bits),
                Operation(kind=Kind.GATE, bits=where(widths.phases > 1, buffer.bits, 0)),
                Operation(kind=Kind.DECREMENTER, bits=widths.index, toggle=0.25),
                Operation(kind=Kind.FLIP_FLOP_ENABLE, bits=widths.index, toggle=0.25),
            ),
        ),
    }


def _loading(
    params: Shape,
    widths: Widths,
    items: Mapping[str, Item],
    gemm: Problem,
    transfers: Mapping[str, Int],
) -> dict[str, Event]:
    """What a transfer of X does in each row and lane, and one of Y in each lane."""
    bank, buffer = items["bank.memory"], items["digit_buffer.memory"]
    encodes_a = params.encoded == Encoded.A
    a = gemm.operands.a.statistics(params.a_bits, params.a_signed)
    w = gemm.operands.w.statistics(params.w_bits, params.w_signed)
    x_toggle = where_real(encodes_a, a.toggle_density, w.toggle_density)
    y_toggle = where_real(encodes_a, w.toggle_density, a.toggle_density)
    encoded_bits = params.x_bits + where(params.x_signed, 0, 1)
    return {
        "encoder.operands": Event(
            count=transfers["x"] * params.rows * params.lanes,
            operations=tuple(
                Operation(
                    kind=kind,
                    bits=where(params.encoding == code, encoded_bits, 0),
                    toggle=x_toggle,
                )
                for code, kind in ENCODERS.items()
            ),
        ),
        "digit_buffer.writes": Event(
            count=transfers["x"] * params.rows * params.stream_count * widths.phases,
            operations=(
                Operation(kind=Kind.MEMORY, bits=buffer.bits, other_bits=buffer.other_bits),
            ),
        ),
        "bank.writes": Event(
            count=transfers["y"] * params.lanes,
            operations=(
                Operation(
                    kind=Kind.MEMORY,
                    bits=bank.bits,
                    other_bits=bank.other_bits,
                    toggle=y_toggle,
                ),
            ),
        ),
    }
