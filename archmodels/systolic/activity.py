"""What happens in a dense engine during one GEMM, and which primitives work each time."""

from collections.abc import Mapping

from archmodels.counts import Event, Item, Kind, Operation
from archmodels.systolic.arithmetic import arithmetic, resolution
from archmodels.systolic.operations import bits_of, working, writing
from archmodels.systolic.shape import Layout, Shape
from archmodels.systolic.sums import Sums
from archmodels.systolic.traffic import Traffic
from archmodels.systolic.work import Work
from designs.rules import Flag, Int, Real, maximum, to_real, where


def activity(
    params: Shape, layout: Layout, sums: Sums, items: Mapping[str, Item], work: Work
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    Operations carry the toggle densities of `traffic`. Of the control only the innermost loop is
    charged, and the clock, which `counts` adds: a few bits against whole operand rows.
    """
    is_ws, data = layout.is_ws, work.data
    return {
        **arithmetic(params, layout, sums, items, work),
        **_grid(params, layout, sums, items, work),
        **resolution(layout, items, work, params.cols),
        "mac.useful": Event(count=work.useful_macs),
        "a.transfers": Event(
            count=work.steps, operations=(writing(bits_of(items["a_skew.line"]), data.a),)
        ),
        "w.transfers": Event(
            count=where(is_ws, work.tiles * params.rows, work.steps),
            operations=(writing(bits_of(items["w_skew.line"]), data.w),),
        ),
        "o.transfers": Event(count=work.results),
        "skid.steps": _bypass(params, items["skid.bypass"].bits, work, is_ws),
        "deskew.steps": Event(
            count=work.shown, operations=(writing(bits_of(items["deskew.line"]), data.row),)
        ),
        "sequencer.steps": Event(count=work.steps, operations=_counting(items, is_ws)),
        **_accumulator(params, items, work, is_ws),
    }


def _grid(
    params: Shape, layout: Layout, sums: Sums, items: Mapping[str, Item], work: Work
) -> dict[str, Event]:
    """What moves through the grid: in each step, and once for each tile."""
    r, c, is_ws, data = params.rows, params.cols, layout.is_ws, work.data
    # os: results climb through the rows above; ws: weights through the rows below and their own.
    sum_hops = where(is_ws, 0, c * (r * (r - 1) // 2))
    weight_hops = where(is_ws, c * (r * (r + 1) // 2), 0)
    return {
        "array.steps": Event(count=work.steps, operations=(_movement(items, data, is_ws),)),
        "tiles": Event(
            count=work.tiles,
            operations=(
                writing(bits_of(items["pe.result"]), data.row),
                writing(items["pe.w"].bits * weight_hops + bits_of(items["pe.weight"]), data.w),
            ),
        ),
        "results.climbs": Event(
            count=work.tiles * sum_hops,
            operations=(
                writing(sums.climbing, data.row),
                Operation(kind=Kind.MUX, bits=sums.climbing, other_bits=1, toggle=data.row),
            ),
        ),
    }


def _movement(items: Mapping[str, Item], data: Traffic, is_ws: Flag) -> Operation:
    """The registers that take a new word in every step, with their mean toggle density."""
    bits: Int = 0
    toggling: Real = 0.0
    for key, toggle in (
        ("pe.a", data.a),
        ("pe.w", data.w),
        ("pe.product", data.product),
        ("pe.accumulator", data.sum),
        ("pe.first_psum", data.product),
        ("pe.partial", data.product),
    ):
        if key not in items:
            continue
        moved = where(is_ws, 0, bits_of(items[key])) if key == "pe.w" else bits_of(items[key])
        bits = bits + moved
        toggling = toggling + to_real(moved) * toggle
    # ws: the weight's own operand register is rewritten, but with the same weight.
    bits = bits + bits_of(items["pe.w_operand"])
    return writing(bits, toggling / to_real(maximum(bits, 1)))


def _counting(items: Mapping[str, Item], is_ws: Flag) -> tuple[Operation, ...]:
    """One step of the innermost counter: of k (os), of the rows left in a block (ws).

    A counter toggles almost two of its bits in a step, one if it has no more.
    """
    bits = where(is_ws, items["sequencer.pace_step"].bits, items["sequencer.k_loop"].bits)
    toggle = 2.0 / to_real(bits + 1)
    return (
        Operation(kind=Kind.DECREMENTER, bits=bits, toggle=toggle),
        Operation(kind=Kind.REDUCTION, bits=bits, toggle=toggle),
        Operation(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=bits, toggle=toggle),
    )


def _bypass(params: Shape, bits: Int, work: Work, is_ws: Flag) -> Event:
    """The skid buffer takes what the collector shows, whether or not it is a result.

    ws: every sum. os: every result; without double buffering also the top row's sums as they grow.
    """
    growing = where(is_ws, 0, where(params.double_buffer, 0, work.steps))
    count, data = work.shown + growing, work.data
    toggle = (to_real(work.shown) * data.row + to_real(growing) * data.sum) / to_real(count)
    return Event(
        count=count,
        operations=(
            Operation(kind=Kind.FLIP_FLOP, bits=bits, toggle=toggle),
            Operation(kind=Kind.MUX, bits=bits, other_bits=1, toggle=toggle),
        ),
    )


def _accumulator(
    params: Shape, items: Mapping[str, Item], work: Work, is_ws: Flag
) -> dict[str, Event]:
    """What the accumulator memory does: rows of sums added, some of them read and written."""
    sums, accesses, toggle = where(is_ws, work.steps, 0), work.stored, work.data.row
    adder = items["accumulator.adder"]
    row_bits = params.cols * adder.bits
    row = Operation(kind=Kind.MEMORY, bits=row_bits, other_bits=params.acc_rows, toggle=toggle)
    read_register = Operation(kind=Kind.MEMORY_READ_REGISTER, bits=row_bits, toggle=toggle)
    return {
        "accumulator.additions": Event(
            count=sums * params.cols, operations=(working(adder, toggle),)
        ),
        "accumulator.sums": Event(
            count=sums,
            operations=(
                writing(row_bits, toggle),
                Operation(kind=Kind.GATE, bits=row_bits, toggle=toggle),
                Operation(kind=Kind.MUX, bits=row_bits, other_bits=1, toggle=toggle),
            ),
        ),
        "accumulator.reads": Event(count=accesses, operations=(row, read_register)),
        "accumulator.writes": Event(count=accesses, operations=(row,)),
    }
