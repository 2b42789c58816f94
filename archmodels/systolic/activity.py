"""What happens in a systolic engine during one GEMM, and which primitives work each time."""

from collections.abc import Mapping

from archmodels.counts import Event, Item, Kind, Operation
from archmodels.systolic.inventory import multipliers
from archmodels.systolic.shape import Problem, Shape, Widths
from archmodels.systolic.traffic import Traffic, traffic
from designs.rules import Flag, Int, Real, ceil_div, maximum, to_real, where
from designs.systolic import Dataflow


def activity(
    params: Shape, gemm: Problem, widths: Widths, items: Mapping[str, Item]
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    Operations carry the toggle densities of `traffic`. Of the control only the innermost loop is
    charged, and the clock, which `counts` adds: a few bits against whole operand rows.
    """
    c, is_ws = params.cols, params.dataflow == Dataflow.WS
    m_tiles = ceil_div(gemm.m, where(is_ws, params.acc_rows, params.rows))
    n_tiles = ceil_div(gemm.n, c)
    k_tiles = where(is_ws, ceil_div(gemm.k, params.rows), 1)
    tiles = m_tiles * n_tiles * k_tiles
    steps = where(is_ws, n_tiles * k_tiles * gemm.m, tiles * gemm.k)
    results = where(is_ws, n_tiles * gemm.m, tiles * params.rows)
    data = traffic(params, gemm, widths, is_ws)
    return {
        **_array(params, widths, items, data, steps, tiles, is_ws),
        "mac.useful": Event(count=gemm.mac_count),
        "a.transfers": Event(
            count=steps, operations=(_writing(_bits(items["a_skew.line"]), data.a),)
        ),
        "w.transfers": Event(
            count=where(is_ws, tiles * params.rows, steps),
            operations=(_writing(_bits(items["w_skew.line"]), data.w),),
        ),
        "o.transfers": Event(count=results),
        "skid.steps": _bypass(params, items["skid.bypass"].bits, data, steps, results, is_ws),
        "deskew.steps": Event(
            count=where(is_ws, steps, results),
            operations=(_writing(_bits(items["deskew.line"]), data.row),),
        ),
        "sequencer.steps": Event(count=steps, operations=_counting(widths, is_ws)),
        **_accumulator(
            params,
            items,
            data.row,
            where(is_ws, steps, 0),
            where(is_ws, n_tiles * (k_tiles - 1) * gemm.m, 0),
        ),
    }


def _array(
    params: Shape,
    widths: Widths,
    items: Mapping[str, Item],
    data: Traffic,
    steps: Int,
    tiles: Int,
    is_ws: Flag,
) -> dict[str, Event]:
    """What the elements do: in each of `steps`, and once for each of `tiles`."""
    r, c, adder = params.rows, params.cols, items["pe.adder"]
    # os: results climb through the rows above; ws: weights through the rows below and their own.
    sum_hops = where(is_ws, 0, c * (r * (r - 1) // 2))
    weight_hops = where(is_ws, c * (r * (r + 1) // 2), 0)
    return {
        "mac.slots": Event(
            count=steps * r * c,
            operations=tuple(
                Operation(
                    kind=item.kind,
                    bits=item.bits,
                    other_bits=item.other_bits,
                    toggle=data.multiplier,
                    zeros=data.zeros,
                )
                for item in multipliers(params, 1).values()
            ),
        ),
        "mac.additions": Event(
            count=steps * adder.count,
            operations=(_addition(adder, data.product, data.zeros),),
        ),
        "mac.firsts": Event(
            count=where(is_ws, 0, steps * r * c),
            operations=(Operation(kind=Kind.GATE, bits=widths.acc, toggle=data.sum),),
        ),
        "array.steps": Event(count=steps, operations=(_movement(items, data, is_ws),)),
        "tiles": Event(
            count=tiles,
            operations=(
                _writing(_bits(items["pe.result"]), data.row),
                _writing(params.w_bits * weight_hops + _bits(items["pe.weight"]), data.w),
            ),
        ),
        "results.climbs": Event(
            count=tiles * sum_hops,
            operations=(
                _writing(widths.acc, data.row),
                Operation(kind=Kind.MUX, bits=widths.acc, other_bits=1, toggle=data.row),
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
    ):
        moved = where(is_ws, 0, _bits(items[key])) if key == "pe.w" else _bits(items[key])
        bits = bits + moved
        toggling = toggling + to_real(moved) * toggle
    # ws: the weight's own operand register is rewritten, but with the same weight.
    bits = bits + _bits(items["pe.w_operand"])
    return _writing(bits, toggling / to_real(maximum(bits, 1)))


def _counting(widths: Widths, is_ws: Flag) -> tuple[Operation, ...]:
    """One step of the innermost counter: of k (os), of the rows left in a block (ws).

    A counter toggles almost two of its bits in a step, one if it has no more.
    """
    bits = where(is_ws, widths.block_count, widths.k)
    toggle = 2.0 / to_real(bits + 1)
    return (
        Operation(kind=Kind.DECREMENTER, bits=bits, toggle=toggle),
        Operation(kind=Kind.REDUCTION, bits=bits, toggle=toggle),
        Operation(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=bits, toggle=toggle),
    )


def _bypass(
    params: Shape, bits: Int, data: Traffic, steps: Int, results: Int, is_ws: Flag
) -> Event:
    """The skid buffer takes what the collector shows, whether or not it is a result.

    ws: every sum. os: every result; without double buffering also the top row's sums as they grow.
    """
    growing = where(is_ws, 0, where(params.double_buffer, 0, steps))
    shown = where(is_ws, steps, results)
    count = shown + growing
    toggle = (to_real(shown) * data.row + to_real(growing) * data.sum) / to_real(count)
    return Event(
        count=count,
        operations=(
            Operation(kind=Kind.FLIP_FLOP, bits=bits, toggle=toggle),
            Operation(kind=Kind.MUX, bits=bits, other_bits=1, toggle=toggle),
        ),
    )


def _accumulator(
    params: Shape, items: Mapping[str, Item], toggle: Real, sums: Int, accesses: Int
) -> dict[str, Event]:
    """What the accumulator memory does: `sums` rows added, `accesses` of them read and written."""
    adder = items["accumulator.adder"]
    row_bits = params.cols * adder.bits
    row = Operation(kind=Kind.MEMORY, bits=row_bits, other_bits=params.acc_rows, toggle=toggle)
    read_register = Operation(kind=Kind.MEMORY_READ_REGISTER, bits=row_bits, toggle=toggle)
    return {
        "accumulator.additions": Event(
            count=sums * params.cols, operations=(_addition(adder, toggle, 0.0),)
        ),
        "accumulator.sums": Event(
            count=sums,
            operations=(
                _writing(row_bits, toggle),
                Operation(kind=Kind.GATE, bits=row_bits, toggle=toggle),
                Operation(kind=Kind.MUX, bits=row_bits, other_bits=1, toggle=toggle),
            ),
        ),
        "accumulator.reads": Event(count=accesses, operations=(row, read_register)),
        "accumulator.writes": Event(count=accesses, operations=(row,)),
    }


def _addition(adder: Item, toggle: Real, zeros: Real) -> Operation:
    """One addition; `toggle` and `zeros` are those of what is added to a running sum."""
    return Operation(
        kind=Kind.ADDER, bits=adder.bits, other_bits=adder.other_bits, toggle=toggle, zeros=zeros
    )


def _writing(bits: Int, toggle: Real) -> Operation:
    """So many bits of registers take a new word."""
    return Operation(kind=Kind.FLIP_FLOP_ENABLE, bits=bits, toggle=toggle)


def _bits(item: Item) -> Int:
    """Bits of all instances of an item."""
    return item.count * item.bits
