"""The core of the three-pass engine: an array, its lanes, and scores through memory."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from designs.attention.unfused import Phase, UnfusedParams
from designs.rules import clog2
from hwgen.attention.unfused.element import UnfusedArray
from hwgen.attention.unfused.interface import back_command, front_command, streams
from hwgen.attention.unfused.lanes import UnfusedLanes
from hwgen.attention.unfused.rows import Rows
from hwgen.attention.unfused.sequencer import OPERANDS, UnfusedSequencer
from hwgen.attention.unfused.west import UnfusedWest
from hwgen.buffers import DelayLineParams, delay_line
from hwgen.component import Component

RESULTS = {"s": Phase.SCORES, "sn": Phase.NUMERATORS, "o": Phase.OUTPUTS}
"""The streams that rows leave on, and in which phase."""


class UnfusedCore(Component):
    """softmax(Q K^T) V in three passes over the keys, a tile of `side` queries after the other.

    `designs.attention.unfused.pass_table` says what is done with which tile,
    `sim.golden.attention.unfused` what comes of it. For each query tile: first all scores, `side`
    rows (a key each) per tile of keys on `s`, whose maxima are kept; then, with the same rows on
    `s_back`, all numerators, row by row on `sn`, whose sums are kept; then, with those rows on
    `sn_back`, `f` transfers on `o` (element j: value f of query j). Operands are sent in the order
    of their use: on `q` e = 0 .. `e` - 1 for each query tile, on `k` e = 0 .. `e` - 1 and on `v`
    f = 0 .. `f` - 1 for each tile of keys of each query tile (element i: key i). What a workload
    does not have is sent as zeros. Hidden scores leave as the least number.

    Throughput: a tile's scores in `e` + mask slots + `side` cycles, its numerators in `side` times
    the slots of a weight, its products in `side` + `f`. Latency: element (i, j) executes a slot
    2 + i + j cycles after it has been issued, lane j below it 2 + `side` + j. A row leaves
    2 `side` + 4 cycles after its slot, with numerators `side` + 4; so long the next phase waits.

    Stalls: a slot waits for its operands, and for room where a row leaves; nothing in the array
    waits. Readys wait for the valids of their slot.

    Members: tile, q, k, v, s_back, sn_back (in), s, sn, o (out): streams, see
    `hwgen.attention.unfused.interface`.
    """

    params: UnfusedParams

    def __init__(self, params: UnfusedParams) -> None:
        super().__init__(params, streams(params))

    def elaborate(self, platform: Any) -> Module:
        m, p = Module(), self.params
        m.submodules.sequencer = sequencer = UnfusedSequencer(p)
        m.submodules.west_edge = west = UnfusedWest(p)
        m.submodules.array = array = UnfusedArray(p.engine)
        m.submodules.lanes = lanes = UnfusedLanes(p)
        for name in OPERANDS:
            operands = getattr(self, name)
            m.d.comb += [
                getattr(sequencer, name).eq(operands.valid),
                operands.ready.eq(getattr(sequencer, f"take_{name}")),
            ]
        returns = sequencer.take_sn_back
        bits = p.engine.score_bits
        for col in range(p.side):
            word = lanes.rows.word.word_select(col, bits)
            numerator, score = self.sn_back.payload[col], self.s_back.payload[col]
            m.d.comb += word.eq(Mux(returns, numerator, score.as_unsigned()))
        m.d.comb += [
            sequencer.tile.payload.eq(self.tile.payload),
            sequencer.tile.valid.eq(self.tile.valid),
            self.tile.ready.eq(sequencer.tile.ready),
            west.command.op.eq(sequencer.front.op),
            west.command.fresh.eq(sequencer.fresh),
            west.index.eq(sequencer.index),
            west.k.eq(self.k.payload),
            west.v.eq(self.v.payload),
            Value.cast(array.command).eq(Value.cast(west.commands)),
            Value.cast(array.west).eq(Value.cast(west.west)),
            Value.cast(array.north).eq(lanes.north),
            lanes.sum.eq(Value.cast(array.south)),
            lanes.positions.eq(Cat(Const(col, clog2(p.side)) for col in range(p.side))),
            lanes.queries.enable.eq(sequencer.take_q),
            lanes.queries.address.eq(sequencer.index),
            lanes.queries.word.eq(Value.cast(self.q.payload)),
            lanes.rows.enable.eq(sequencer.take_s_back | returns),
            lanes.rows.address.eq(sequencer.place),
            sequencer.done.eq(lanes.done),
        ]
        self.commands(m, sequencer, lanes)
        self.results(m, sequencer, lanes)
        self.events = sequencer.events
        return m

    def commands(self, m: Module, sequencer: UnfusedSequencer, lanes: UnfusedLanes) -> None:
        """The commands of lane 0: a cycle after the slot, and as many later as there are rows."""
        front = Signal(front_command(self.params))
        told = Value.cast(sequencer.front)
        acts = len(sequencer.front.op) + 1
        front_acts = Signal(acts)
        front_about = Signal(len(told) - acts, reset_less=True)
        m.d.sync += Cat(front_acts, front_about).eq(told)
        m.d.comb += [front.eq(Cat(front_acts, front_about)), lanes.front.eq(front)]
        below = Value.cast(sequencer.back)
        flags = 3  # drains, weighs, store
        late = []
        for name, word, reset in (("acts", below[:flags], True), ("about", below[flags:], False)):
            kind, params = delay_line(
                DelayLineParams(bits=len(word), depth=self.params.side + 1, reset=reset)
            )
            m.submodules[f"{name}_delay"] = line = kind(params)
            m.d.comb += [line.advance.eq(1), line.i.eq(word)]
            late.append(line.o)
        back = Signal(back_command(self.params))
        m.d.comb += [back.eq(Cat(late)), lanes.back.eq(back)]

    def results(self, m: Module, sequencer: UnfusedSequencer, lanes: UnfusedLanes) -> None:
        """Rows from the lanes to the stream of the phase."""
        m.submodules.rows = rows = Rows(self.params)
        score_bits = self.params.engine.score_bits
        m.d.comb += [
            rows.reserve.eq(sequencer.reserve),
            rows.written.eq(lanes.front_out.store | lanes.back_out.store),
            sequencer.has_room.eq(rows.has_room),
            sequencer.is_empty.eq(rows.is_empty),
            lanes.read_enable.eq(rows.read_enable),
            lanes.read_address.eq(rows.read_address),
        ]
        for name, phase in RESULTS.items():
            port = getattr(self, name)
            is_on = sequencer.phase == phase
            m.d.comb += port.valid.eq(rows.valid & is_on)
            for col in range(self.params.side):
                m.d.comb += port.payload[col].eq(lanes.row.word_select(col, score_bits))
            with m.If(is_on):
                m.d.comb += rows.ready.eq(port.ready)
