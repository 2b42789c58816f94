"""What a systolic engine consists of: registers, memories and word-level operators, by place."""

from collections.abc import Mapping

from archmodels.counts import Item, Kind
from archmodels.systolic.shape import Shape, Widths, changed_bits
from designs.rules import Flag, Int, maximum, minimum, where
from designs.systolic import Dataflow


def inventory(params: Shape, widths: Widths) -> Mapping[str, Item]:
    """Everything that an engine is made of; `widths` are those of `params`.

    Registers, memories, adders, subtractors and multipliers are exact. Multiplexers, gates,
    reductions and comparators are those that the datapath and the control imply.
    """
    is_ws = params.dataflow == Dataflow.WS
    return (
        _elements(params, widths, is_ws)
        | _skews(params, widths, is_ws)
        | _walk(params, widths, is_ws)
        | _steering(params, widths, is_ws)
        | _lanes(params, widths, is_ws)
        | _collector(params, widths, is_ws)
        | _skid(params.cols * widths.acc + 1)
    )


def _moving(bits: Int, count: Int = 1) -> Item:
    """Registers that take a word when `advance` is high, and have no reset."""
    return Item(kind=Kind.FLIP_FLOP_ENABLE, count=count, bits=bits)


def _control(bits: Int, count: Int = 1) -> Item:
    """Registers of the control: enabled, and cleared by reset."""
    return Item(kind=Kind.FLIP_FLOP_ENABLE_RESET, count=count, bits=bits)


def _operator(kind: Kind, bits: Int, count: Int = 1) -> Item:
    return Item(kind=kind, count=count, bits=bits)


def _mux(bits: Int, count: Int = 1) -> Item:
    return Item(kind=Kind.MUX, count=count, bits=bits, other_bits=1)


def _adder(bits: Int, narrower: Int, is_signed: Flag, count: Int) -> Item:
    """An adder whose one operand has `narrower` bits, fewer than the result."""
    carry_bits = where(is_signed, 0, maximum(bits - narrower, 0))
    return Item(kind=Kind.ADDER, count=count, bits=bits, other_bits=carry_bits)


def _elements(params: Shape, widths: Widths, is_ws: Flag) -> dict[str, Item]:
    """Registers, multiplier, adder and mux of the elements.

    The restart of a sum (os) is no part: the gates before the adder and the mux that enables the
    sum become one and-or.
    """
    r, c, stages, double = params.rows, params.cols, params.mac_stages, params.double_buffer
    all_of, with_east, above_bottom = r * c, r * (c - 1), (r - 1) * c
    operands_held = where(stages == 2, all_of, 0)
    only_os, only_ws = where(is_ws, 0, 1), where(is_ws, 1, 0)
    two_sums = only_os * where(double, all_of, 0)
    two_weights = only_ws * where(double, all_of, 0)
    # Control that runs along a row: first, last and, between top and bottom, shift (os); load,
    # switch (ws).
    between = maximum(r - 2, 0)
    os_control = where(double, 2 * with_east + between * (c - 1), with_east)
    ws_control = where(double, 2, 1) * with_east
    climbing_w = where(is_ws, all_of, maximum(operands_held, above_bottom))
    # Enables of a register that takes only some words: a result at `last`, between top and bottom
    # also at `shift` (os); a weight (ws).
    os_enables = where(double, c * (1 + 2 * between), 0)
    ws_enables = where(double, 2, 1) * all_of
    summing = where(is_ws, above_bottom, all_of)
    return {
        "pe.a": _moving(params.a_bits, maximum(operands_held, with_east)),
        "pe.w": _moving(params.w_bits, climbing_w),
        "pe.weight": _moving(params.w_bits, two_weights),
        "pe.w_operand": _moving(params.w_bits, only_ws * operands_held),
        "pe.control": _moving(1, where(is_ws, ws_control, os_control)),
        "pe.product": _moving(widths.product, where(stages >= 1, all_of, 0)),
        "pe.accumulator": _moving(widths.summed, summing),
        "pe.first_psum": _moving(widths.product, only_ws * c),
        "pe.result": _moving(widths.summed, two_sums),
        **multipliers(params, all_of),
        "pe.adder": _adder(widths.summed, widths.product, params.acc_signed, summing),
        "pe.climb": _mux(widths.summed, only_os * above_bottom),
        "pe.enables": _operator(Kind.GATE, 1, where(is_ws, ws_enables, os_enables)),
    }


def multipliers(params: Shape, count: Int) -> dict[str, Item]:
    """`count` multipliers of the kind that the signs of both operands ask for, none of the others.

    A kind that is not there has no bits.
    """
    mixed = params.a_signed != params.w_signed
    same = where(mixed, 0, 1)
    kinds = {
        Kind.MULTIPLIER: (same * where(params.a_signed, 1, 0), params.a_bits, params.w_bits),
        Kind.UNSIGNED_MULTIPLIER: (
            same * where(params.a_signed, 0, 1),
            params.a_bits,
            params.w_bits,
        ),
        Kind.MIXED_MULTIPLIER: (
            where(mixed, 1, 0),
            where(params.a_signed, params.w_bits, params.a_bits),
            where(params.a_signed, params.a_bits, params.w_bits),
        ),
    }
    return {
        f"pe.{kind}": Item(kind=kind, count=count * there, bits=bits * there, other_bits=other)
        for kind, (there, bits, other) in kinds.items()
    }


def _skews(params: Shape, widths: Widths, is_ws: Flag) -> dict[str, Item]:
    r, c = params.rows, params.cols
    below, through = c * (c - 1) // 2, c * (c + 1) // 2
    deskewed = where(is_ws, below, where(params.double_buffer, below, 0))
    return {
        "a_skew.admit": _operator(Kind.GATE, params.a_bits, r),
        "a_skew.line": _moving(params.a_bits, r * (r + 1) // 2),
        "w_skew.admit": _operator(Kind.GATE, params.w_bits, c),
        "w_skew.line": _moving(params.w_bits, where(is_ws, below, through)),
        "deskew.line": _moving(widths.summed, deskewed),
    }


def _walk(params: Shape, widths: Widths, is_ws: Flag) -> dict[str, Item]:
    """The loops over the tiles of a job: a counter each, and the size where it starts again.

    A counter takes the job's size, the next step, at its end the size again where it is not the
    outermost, or holds. That is one and-or; a mux of the last two, or a gate, is what it has more
    than a register with an enable.
    """
    k_tile = where(is_ws, params.rows, 1)
    m_tile = where(is_ws, params.acc_rows, params.rows)
    return {
        "sequencer.flags": _control(1, where(is_ws, 5, 2)),
        "sequencer.m_loop": _control(widths.m, where(is_ws, 2, 1)),
        "sequencer.n_loop": _control(widths.n, where(is_ws, 1, 2)),
        "sequencer.k_loop": _control(widths.k, 2),
        "sequencer.m_step": _operator(Kind.DECREMENTER, changed_bits(widths.m + 1, m_tile)),
        "sequencer.n_step": _operator(Kind.DECREMENTER, changed_bits(widths.n + 1, params.cols)),
        "sequencer.k_step": _operator(Kind.DECREMENTER, changed_bits(widths.k + 1, k_tile)),
        "sequencer.m_end": _operator(Kind.REDUCTION, widths.m + 1),
        "sequencer.n_end": _operator(Kind.REDUCTION, widths.n + 1),
        "sequencer.k_end": _operator(Kind.REDUCTION, widths.k + 1),
        "sequencer.reload": _mux(where(is_ws, widths.m, widths.n)),
        "sequencer.k_reload": _mux(widths.k),
        "sequencer.start": _operator(Kind.GATE, where(is_ws, widths.n, widths.m)),
    }


def _steering(params: Shape, widths: Widths, is_ws: Flag) -> dict[str, Item]:
    """What tells the array when: the pace of tiles, the waves that climb the rows."""
    r, double, stages = params.rows, params.double_buffer, params.mac_stages
    between = maximum(r - 2, 0)
    os_waves = where(double, 2 * (r + stages) + between, r + stages)
    # os: paces tiles by counting steps (rows > 1), or by one flag. ws: counts the rows of a tile,
    # and without double buffering has a flag as well.
    os_pace = where(double, widths.row_lane, 1)
    ws_pace = widths.block_count + where(double, 0, 1)
    counted = where(is_ws, widths.block_count, where(double, widths.row_lane, 0))
    paced = where(is_ws, 1, where(double, minimum(r - 1, 1), 0))
    # Gates of one bit: of the handshakes and enables, two to a cell; of each row (os: `shift`; ws:
    # `loaded` and `load`).
    single = where(is_ws, 12, 9)
    by_row = where(is_ws, 2 * r, where(double, 2 * between, 0))
    return {
        "sequencer.pace": _control(where(is_ws, ws_pace, os_pace)),
        "sequencer.waves": _control(1, where(is_ws, where(double, r, 0), os_waves)),
        "sequencer.loaded": _control(1, where(is_ws, r, 0)),
        "sequencer.k_lanes": _control(1, where(is_ws, r, 0)),
        "sequencer.pace_step": _operator(Kind.DECREMENTER, maximum(counted, 1), paced),
        "sequencer.pace_end": _operator(Kind.REDUCTION, counted * where(is_ws, 2, 1)),
        "sequencer.pace_start": _operator(Kind.GATE, counted * where(is_ws, 3, 1)),
        "sequencer.control": _operator(Kind.GATE, 1, single + by_row),
    }


def _lanes(params: Shape, widths: Widths, is_ws: Flag) -> dict[str, Item]:
    """Which lanes a tile has: those below what is left of a loop, and only while one enters."""
    left_bits = where(is_ws, widths.k, widths.m)
    return {
        "sequencer.a_more": _operator(Kind.REDUCTION, maximum(left_bits - widths.row_lane, 0)),
        "sequencer.w_more": _operator(Kind.REDUCTION, maximum(widths.n - widths.col_lane, 0)),
        "sequencer.a_lanes": _operator(Kind.GATE, 1, _lane_gates(params.rows, widths.row_lane)),
        "sequencer.w_lanes": _operator(Kind.GATE, 1, _lane_gates(params.cols, widths.col_lane)),
    }


def _lane_gates(lanes: Int, lane_bits: Int) -> Int:
    """Gates that tell, for each lane, if a number exceeds it, and admit it.

    A thermometer of b bits is two of b - 1 bits, or'ed and and'ed with the top bit, down to one bit
    that is its own: 2**(b + 1) - 2 b - 2 gates, here cut to the lanes that there are. Each lane
    then takes one or-and: with `more`, and with the admission.
    """
    return maximum(2 * lanes - 2 * lane_bits - 2, 0) + lanes


def _collector(params: Shape, widths: Widths, is_ws: Flag) -> dict[str, Item]:
    r, c, stages = params.rows, params.cols, params.mac_stages
    only_os, only_ws = where(is_ws, 0, 1), where(is_ws, 1, 0)
    counted = where(is_ws, widths.block_row, widths.row_count)
    sums = only_ws * c
    return {
        "collector.tokens": _control(where(is_ws, 5, 2), r + c - 1 + stages + only_ws),
        "collector.flags": _control(1, where(is_ws, 3, 1)),
        "collector.row": _control(where(is_ws, 2 * widths.block_row, widths.row_count)),
        "collector.row_step": _operator(Kind.DECREMENTER, widths.row_count, only_os),
        "collector.next_row": _operator(Kind.INCREMENTER, widths.block_row, only_ws),
        "collector.same_row": _operator(Kind.COMPARATOR, widths.block_row, only_ws),
        "collector.row_end": _operator(Kind.REDUCTION, widths.row_count, only_os),
        "collector.row_start": _operator(Kind.GATE, counted),
        "collector.control": _operator(Kind.GATE, 1, where(is_ws, 5, 2)),
        "accumulator.adder": _adder(widths.acc, widths.psum, params.acc_signed, sums),
        "accumulator.forward": _mux(widths.acc, sums),
        "accumulator.first": _operator(Kind.GATE, widths.acc, sums),
        "accumulator.sum": _moving(widths.acc, sums),
        "accumulator.memory": Item(
            kind=Kind.MEMORY, count=only_ws, bits=c * widths.acc, other_bits=params.acc_rows
        ),
        "accumulator.read_register": Item(
            kind=Kind.MEMORY_READ_REGISTER, count=only_ws, bits=c * widths.acc
        ),
    }


def _skid(bits: Int) -> dict[str, Item]:
    """The register keeps what the bypass shows: its enable is the mux of the bypass."""
    return {
        "skid.payload": Item(kind=Kind.FLIP_FLOP, count=1, bits=bits),
        "skid.full": Item(kind=Kind.FLIP_FLOP_RESET, count=1, bits=1),
        "skid.bypass": _mux(bits),
        "skid.control": _operator(Kind.GATE, 1, 3),
    }
