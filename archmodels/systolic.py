"""Systolic engines: registers and operators, events, and the cycle count, in closed form.

Derived from what the hardware must do, not from its code; `tests/test_agreement.py` holds the two
together. Every function takes one design point or a grid of them.

Timing. A transfer that the sequencer admits in one step is multiplied in the next (one register per
operand lane), row d above the bottom row d steps later, column c another c steps later. So the last
operands of a tile reach the last element rows + cols - 1 steps after they were admitted, and its
result is registered `mac_stages` steps after that.

Compared with the textbook count (SCALE-Sim: os K + R + C - 2, ws M + 2R + C - 2 cycles per tile),
an engine without double buffering spends rows + 1 + mac_stages more cycles per tile (os: one input
register, the draining of `rows` rows), or none per tile and 3 + mac_stages once per GEMM (ws: input
register, accumulation, output transfer).
"""

from collections.abc import Mapping
from typing import Protocol

from archmodels.counts import Counts, Event, Item, Kind, Operation
from designs.rules import Flag, Int, ceil_div, clog2, maximum, minimum, where
from designs.systolic import Dataflow


class Shape(Protocol):
    """The attributes of `SystolicParams` that counts follow from."""

    @property
    def rows(self) -> Int: ...
    @property
    def cols(self) -> Int: ...
    @property
    def dataflow(self) -> Int: ...
    @property
    def a_bits(self) -> Int: ...
    @property
    def w_bits(self) -> Int: ...
    @property
    def mac_stages(self) -> Int: ...
    @property
    def acc_rows(self) -> Int: ...
    @property
    def double_buffer(self) -> Flag: ...
    @property
    def product_bits(self) -> Int: ...
    @property
    def psum_bits(self) -> Int: ...
    @property
    def acc_bits(self) -> Int: ...
    @property
    def m_bits(self) -> Int: ...
    @property
    def k_bits(self) -> Int: ...
    @property
    def n_bits(self) -> Int: ...


class Problem(Protocol):
    """The attributes of `Gemm`."""

    @property
    def m(self) -> Int: ...
    @property
    def k(self) -> Int: ...
    @property
    def n(self) -> Int: ...
    @property
    def mac_count(self) -> Int: ...


def counts(params: Shape, gemm: Problem) -> Counts:
    """Everything there is to count of one GEMM on one engine.

    The GEMM must fit (`designs.systolic.SystolicFit`). Activity keys: `mac.slots`:
    multiply-accumulates fired, padding included; `mac.useful`: m * k * n; `<port>.transfers`;
    `tiles`; `accumulator.reads`, `accumulator.writes`: rows of the accumulator memory (ws); the
    others follow from these and carry their energy.
    """
    is_ws = params.dataflow == Dataflow.WS
    return Counts(
        inventory=inventory(params),
        activity=activity(params, gemm),
        cycles=where(
            is_ws, weight_stationary_cycles(params, gemm), output_stationary_cycles(params, gemm)
        ),
    )


def output_stationary_cycles(params: Shape, gemm: Problem) -> Int:
    """Cycles from the first operand transfer to the last result transfer.

    A tile occupies the array for K cycles; with double buffering the next follows at once, or after
    `rows` cycles where its results would overtake the ones before, else once the array is empty.
    """
    tiles = ceil_div(gemm.m, params.rows) * ceil_div(gemm.n, params.cols)
    latency = gemm.k + 2 * params.rows + params.cols - 1 + params.mac_stages
    interval = where(params.double_buffer, maximum(gemm.k, params.rows), latency)
    return (tiles - 1) * interval + latency


def weight_stationary_cycles(params: Shape, gemm: Problem) -> Int:
    """Cycles from the first operand transfer to the last result transfer.

    A tile takes `rows` cycles to load and one per activation row. With double buffering it loads
    while the tile before streams; without, once the tile before has left the array.
    """
    last_rows = gemm.m - (ceil_div(gemm.m, params.acc_rows) - 1) * params.acc_rows
    fill = 2 * params.rows + params.cols - 2
    tail = 3 + params.mac_stages
    tiles = ceil_div(gemm.n, params.cols) * ceil_div(gemm.k, params.rows)
    full_blocks = ceil_div(gemm.m, params.acc_rows) - 1
    last = maximum(last_rows, params.rows)
    column: Int = full_blocks * maximum(params.acc_rows, params.rows) + last
    overlapped: Int = tiles * column + (last_rows - last) + (fill + tail)
    filled: Int = gemm.m + (full_blocks + 1) * fill
    alone: Int = tiles * filled + tail
    return where(params.double_buffer, overlapped, alone)


def inventory(params: Shape) -> Mapping[str, Item]:
    """Registers, memories and word-level operators, by place.

    Multiplexers, gates and comparators are those that the datapath and the loop counters imply;
    registers, memories, adders, subtractors and multipliers are exact.
    """
    c, is_ws = params.cols, params.dataflow == Dataflow.WS
    return (
        _elements(params, is_ws)
        | _skews(params, is_ws)
        | _sequencer(params, is_ws)
        | _collector(params, is_ws)
        | {
            "skid.payload": _register(c * params.acc_bits + 1),
            "skid.full": _register(1),
            "skid.bypass": Item(kind=Kind.MUX, count=1, bits=c * params.acc_bits + 1, other_bits=1),
        }
    )


def _register(bits: Int, count: Int = 1) -> Item:
    return Item(kind=Kind.FLIP_FLOP, count=count, bits=bits)


def _operator(kind: Kind, bits: Int, count: Int = 1) -> Item:
    return Item(kind=kind, count=count, bits=bits)


def _elements(params: Shape, is_ws: Flag) -> dict[str, Item]:
    r, c, stages, double = params.rows, params.cols, params.mac_stages, params.double_buffer
    all_of, with_east, above_bottom = r * c, r * (c - 1), (r - 1) * c
    operands_held = where(stages == 2, all_of, 0)
    sum_bits = where(is_ws, params.psum_bits, params.acc_bits)
    only_os, only_ws = where(is_ws, 0, 1), where(is_ws, 1, 0)
    two_sums = only_os * where(double, all_of, 0)
    two_weights = only_ws * where(double, all_of, 0)
    # Control that runs along a row: first, last and, between top and bottom, shift (os); load,
    # switch (ws).
    os_control = where(double, 2 * with_east + maximum(r - 2, 0) * (c - 1), with_east)
    ws_control = where(double, 2, 1) * with_east
    climbing_w = where(is_ws, all_of, maximum(operands_held, above_bottom))
    w_operands = only_ws * operands_held
    return {
        "pe.a": _register(params.a_bits, maximum(operands_held, with_east)),
        "pe.w": _register(params.w_bits, climbing_w),
        "pe.weight": _register(params.w_bits, two_weights),
        "pe.w_operand": _register(params.w_bits, w_operands),
        "pe.control": _register(1, where(is_ws, ws_control, os_control)),
        "pe.product": _register(params.product_bits, where(stages >= 1, all_of, 0)),
        "pe.accumulator": _register(sum_bits, where(is_ws, above_bottom, all_of)),
        "pe.first_psum": _register(params.product_bits, only_ws * c),
        "pe.result": _register(sum_bits, two_sums),
        "pe.multiplier": Item(
            kind=Kind.MULTIPLIER, count=all_of, bits=params.a_bits, other_bits=params.w_bits
        ),
        "pe.adder": _operator(Kind.ADDER, sum_bits, where(is_ws, above_bottom, all_of)),
        "pe.first": _operator(Kind.GATE, sum_bits, only_os * all_of),
        "pe.climb": Item(kind=Kind.MUX, count=only_os * above_bottom, bits=sum_bits, other_bits=1),
    }


def _skews(params: Shape, is_ws: Flag) -> dict[str, Item]:
    r, c = params.rows, params.cols
    below, through = c * (c - 1) // 2, c * (c + 1) // 2
    deskewed = where(is_ws, below, where(params.double_buffer, below, 0))
    return {
        "a_skew.admit": _operator(Kind.GATE, params.a_bits, r),
        "a_skew.line": _register(params.a_bits, r * (r + 1) // 2),
        "w_skew.admit": _operator(Kind.GATE, params.w_bits, c),
        "w_skew.line": _register(params.w_bits, where(is_ws, below, through)),
        "deskew.line": _register(where(is_ws, params.psum_bits, params.acc_bits), deskewed),
    }


def _sequencer(params: Shape, is_ws: Flag) -> dict[str, Item]:
    r, double, stages = params.rows, params.double_buffer, params.mac_stages
    sizes = where(is_ws, params.m_bits, params.n_bits)
    os_waves = where(double, 2 * (r + stages) + maximum(r - 2, 0), r + stages)
    ws_waves = where(double, r, 0)
    # os: paces tiles by counting steps (rows > 1), or by one flag. ws: counts the rows of a tile.
    os_pace = where(double, clog2(r), 1)
    ws_pace = clog2(params.acc_rows + 1) + where(double, 0, 1)
    paced = where(is_ws, 1, where(double, minimum(r - 1, 1), 0))
    return {
        "sequencer.flags": _register(1, where(is_ws, 5, 2)),
        "sequencer.loops": _register(params.m_bits + params.n_bits + sizes + 2 * params.k_bits),
        "sequencer.pace": _register(where(is_ws, ws_pace, os_pace)),
        "sequencer.waves": _register(1, where(is_ws, ws_waves, os_waves)),
        "sequencer.loaded": _register(1, where(is_ws, r, 0)),
        "sequencer.k_lanes": _register(1, where(is_ws, r, 0)),
        "sequencer.m_step": _operator(Kind.SUBTRACTOR, params.m_bits),
        "sequencer.n_step": _operator(Kind.SUBTRACTOR, params.n_bits),
        "sequencer.k_step": _operator(Kind.SUBTRACTOR, params.k_bits),
        "sequencer.pace_step": _operator(
            Kind.SUBTRACTOR, where(is_ws, clog2(params.acc_rows + 1), maximum(clog2(r), 1)), paced
        ),
        "sequencer.bounds": _operator(
            Kind.COMPARATOR, params.m_bits + params.n_bits + params.k_bits
        ),
        "sequencer.reload": Item(
            kind=Kind.MUX,
            count=1,
            bits=params.m_bits + params.n_bits + params.k_bits,
            other_bits=2,
        ),
        "sequencer.a_lanes": _operator(Kind.COMPARATOR, clog2(r), r),
        "sequencer.w_lanes": _operator(Kind.COMPARATOR, clog2(params.cols), params.cols),
    }


def _collector(params: Shape, is_ws: Flag) -> dict[str, Item]:
    r, c, stages = params.rows, params.cols, params.mac_stages
    only_ws = where(is_ws, 1, 0)
    row_bits = clog2(params.acc_rows)
    token_bits = where(is_ws, 5, 2)
    os_counter = clog2(r + 1)
    return {
        "collector.tokens": _register(token_bits, r + c - 1 + stages + only_ws),
        "collector.flags": _register(1, where(is_ws, 3, 1)),
        "collector.row": _register(where(is_ws, 2 * row_bits, os_counter)),
        "collector.row_step": Item(kind=Kind.SUBTRACTOR, count=where(is_ws, 0, 1), bits=os_counter),
        "collector.next_row": _operator(Kind.ADDER, row_bits, only_ws),
        "collector.same_row": _operator(Kind.COMPARATOR, row_bits, only_ws),
        "accumulator.adder": _operator(Kind.ADDER, params.acc_bits, only_ws * c),
        "accumulator.operand": Item(
            kind=Kind.MUX, count=only_ws * c, bits=params.acc_bits, other_bits=2
        ),
        "accumulator.sum": _register(params.acc_bits, only_ws * c),
        "accumulator.memory": Item(
            kind=Kind.MEMORY,
            count=only_ws,
            bits=c * params.acc_bits,
            other_bits=params.acc_rows,
        ),
        "accumulator.read_register": Item(
            kind=Kind.MEMORY_READ_REGISTER, count=only_ws, bits=c * params.acc_bits
        ),
    }


def activity(params: Shape, gemm: Problem) -> Mapping[str, Event]:
    """What happens in one GEMM, and which primitives work each time.

    Energy knows no operand values: a register is priced as written with data each time it takes a
    new word. Control is left out: a few bits against whole operand rows.
    """
    c, is_ws = params.cols, params.dataflow == Dataflow.WS
    m_tiles = ceil_div(gemm.m, where(is_ws, params.acc_rows, params.rows))
    n_tiles = ceil_div(gemm.n, c)
    k_tiles = where(is_ws, ceil_div(gemm.k, params.rows), 1)
    tiles = m_tiles * n_tiles * k_tiles
    steps = where(is_ws, n_tiles * k_tiles * gemm.m, tiles * gemm.k)
    results = where(is_ws, n_tiles * gemm.m, tiles * params.rows)
    items = inventory(params)
    return _array_activity(params, items, steps, tiles) | {
        "mac.useful": Event(count=gemm.mac_count),
        "a.transfers": Event(count=steps, operations=(_write(items["a_skew.line"]),)),
        "w.transfers": Event(
            count=where(is_ws, tiles * params.rows, steps),
            operations=(_write(items["w_skew.line"]),),
        ),
        "o.transfers": Event(count=results),
        "deskew.steps": Event(
            count=where(is_ws, steps, results), operations=(_write(items["deskew.line"]),)
        ),
        **_accumulator_activity(
            params, where(is_ws, steps, 0), where(is_ws, n_tiles * (k_tiles - 1) * gemm.m, 0)
        ),
    }


def _array_activity(
    params: Shape, items: Mapping[str, Item], steps: Int, tiles: Int
) -> dict[str, Event]:
    """What the elements do: in each of `steps`, and once for each of `tiles`."""
    r, c, is_ws = params.rows, params.cols, params.dataflow == Dataflow.WS
    moving = ("pe.a", "pe.w_operand", "pe.product", "pe.accumulator", "pe.first_psum")
    moved_bits: Int = sum((items[key].count * items[key].bits for key in moving), 0)
    moved_bits = moved_bits + where(is_ws, 0, items["pe.w"].count * items["pe.w"].bits)
    # os: results climb through the rows above; ws: weights through the rows below and their own.
    climbed_bits = where(
        is_ws,
        params.w_bits * c * (r * (r + 1) // 2),
        params.acc_bits * c * (r * (r - 1) // 2),
    )
    multiply = Operation(kind=Kind.MULTIPLIER, bits=params.a_bits, other_bits=params.w_bits)
    add = Operation(kind=Kind.ADDER, bits=items["pe.adder"].bits)
    return {
        "mac.slots": Event(count=steps * r * c, operations=(multiply,)),
        "mac.additions": Event(count=steps * items["pe.adder"].count, operations=(add,)),
        "array.steps": Event(count=steps, operations=(_write_bits(moved_bits),)),
        "tiles": Event(
            count=tiles,
            operations=(
                _write_bits(climbed_bits),
                _write(items["pe.result"]),
                _write(items["pe.weight"]),
            ),
        ),
    }


def _accumulator_activity(params: Shape, sums: Int, accesses: Int) -> dict[str, Event]:
    """What the accumulator memory does: `sums` rows added, `accesses` of them read and written."""
    row_bits = params.cols * params.acc_bits
    row = Operation(kind=Kind.MEMORY, bits=row_bits, other_bits=params.acc_rows)
    read_register = Operation(kind=Kind.MEMORY_READ_REGISTER, bits=row_bits)
    add = Operation(kind=Kind.ADDER, bits=params.acc_bits)
    return {
        "accumulator.additions": Event(count=sums * params.cols, operations=(add,)),
        "accumulator.sums": Event(count=sums, operations=(_write_bits(row_bits),)),
        "accumulator.reads": Event(count=accesses, operations=(row, read_register)),
        "accumulator.writes": Event(count=accesses, operations=(row,)),
    }


def _write(item: Item) -> Operation:
    """Each register of an item takes a new word."""
    return _write_bits(item.count * item.bits)


def _write_bits(bits: Int) -> Operation:
    return Operation(kind=Kind.FLIP_FLOP, bits=bits)


def port_bits(params: Shape) -> Mapping[str, Int]:
    """Payload bits of one transfer on each data port."""
    return {
        "a": params.rows * params.a_bits,
        "w": params.cols * params.w_bits,
        "o": params.cols * params.acc_bits + 1,
    }
