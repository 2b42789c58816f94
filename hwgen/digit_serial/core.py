"""The digit-serial core: a complete tensor engine between four streams."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded
from hwgen.buffers import Skid, SkidParams
from hwgen.component import Component, probed
from hwgen.digit_serial.array import Array
from hwgen.digit_serial.banks import LaneBanks
from hwgen.digit_serial.drain import Drain
from hwgen.digit_serial.interface import half_layout, streams
from hwgen.digit_serial.loader import Loader, XLoader, YLoader
from hwgen.digit_serial.row import DigitRow
from hwgen.digit_serial.sequencer import Sequencer
from hwgen.gemm import count_high, o_layout


class DigitSerialCore(Component):
    """C[m, n] = sum over k of A[m, k] * W[k, n], tile by tile in the order of `params.mapping()`.

    X is A and Y is W; with `encoded: w`, X is W transposed and Y is A transposed. For each GEMM one
    transfer on `job`; for each tile of columns ceil(K / lanes) transfers of Y, and for each tile of
    rows in it as many of X: lane l of transfer j has k = lanes * j + l. Then exactly `rows`
    transfers on `o`, ascending rows of X, each with `cols` columns of Y.

    Values past the edge of the problem are ignored on input and zero on output. `o.last` marks the
    last transfer of a job. The next job is taken once the last tile of this one has begun.

    Latency: see `Sequencer`, `Drain`; the cycles of a tile depend on its digits, and are derived in
    `archmodels.digit_serial` and tested. Throughput: per row and lane one nonzero digit per cycle.

    Stalls: a tile starts when its operands are there; operands are not taken while both halves of
    their buffer (without double buffering: the buffer) are in use. When `o` is not taken only the
    drain stops. No ready depends on a valid, and `o.valid` on no input of the same cycle.

    Members: job, a, w (in), o (out): streams, payloads as in `hwgen.digit_serial.interface`.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        super().__init__(params, streams(params))
        digits = params.rows * params.lanes
        self.events = {
            "digits_issued": Signal(range(digits + 1)),
            "groups_visited": Signal(range(params.rows * params.stream_count + 1)),
            "bank_conflicts": Signal(range(params.lanes + 1)),
        }

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.x_loader = x_loader = XLoader(p)
        m.submodules.y_loader = y_loader = YLoader(p)
        m.submodules.sequencer = sequencer = Sequencer(p)
        m.submodules.array = array = Array(p)
        x, y = (self.a, self.w) if p.encoded == Encoded.A else (self.w, self.a)
        for loader, operand, other in ((x_loader, x, y_loader), (y_loader, y, x_loader)):
            m.d.comb += [
                loader.job.payload.eq(self.job.payload),
                loader.job.valid.eq(self.job.valid & other.job.ready),
                loader.valid.eq(operand.valid),
                operand.ready.eq(loader.ready),
            ]
        m.d.comb += self.job.ready.eq(x_loader.job.ready & y_loader.job.ready)
        rows = self.rows(m, x_loader, x, sequencer, array)
        self.banks(m, y_loader, y, rows, array)
        self.results(m, sequencer, array)
        m.d.comb += [
            sequencer.x_full.eq(x_loader.full),
            sequencer.y_full.eq(y_loader.full),
            sequencer.x_first.eq(x_loader.is_first),
            sequencer.x_final.eq(x_loader.is_final),
            sequencer.x_extent.eq(x_loader.extent),
            sequencer.through.eq(Cat(row.through for row in rows).all()),
            x_loader.take.eq(sequencer.take),
            y_loader.take.eq(sequencer.take_y),
        ]
        if not p.double_buffer:
            m.d.comb += [
                sequencer.x_last.eq(x_loader.is_last),
                x_loader.blocked.eq(sequencer.x_blocked),
                y_loader.blocked.eq(sequencer.y_blocked),
            ]
        self.events |= x_loader.events
        if probed(platform):
            self.observe(m, rows)
        return m

    def rows(
        self, m: Module, loader: Loader, x: Any, sequencer: Sequencer, array: Array
    ) -> list[DigitRow]:
        """The digit rows, in a ring, and the digits that they send the elements."""
        p = self.params
        rows = [DigitRow(p) for _ in range(p.rows)]
        for number, row in enumerate(rows):
            m.submodules[f"row_{number}"] = row
            first = number * p.lanes
            m.d.comb += [
                row.write.eq(loader.ready & loader.valid),
                row.lanes.eq(loader.lanes),
                row.used.eq(loader.used[number]),
                row.place.eq(loader.place),
                row.start.eq(sequencer.start),
                row.open.eq(sequencer.open),
                row.extent.eq(sequencer.extent),
                array.digit[number].eq(row.digit),
                *(row.x[lane].eq(x.payload[first + lane]) for lane in range(p.lanes)),
            ]
            for name in half_layout(p):
                m.d.comb += getattr(row, name).eq(getattr(loader, name))
                m.d.comb += getattr(row, f"x_{name}").eq(~getattr(loader, name))
            if p.digit_count > 1:
                m.d.comb += array.shift[number].eq(row.shift)
            if p.bank_count > 1:
                ahead = rows[(number + 1) % p.rows]
                home = number * p.bank_count // p.rows
                m.d.comb += [row.home.eq(home), row.ahead.eq(ahead.left)]
        return rows

    def banks(self, m: Module, loader: Loader, y: Any, rows: list[DigitRow], array: Array) -> None:
        """The banks of each lane, and the operands that they send the elements."""
        p = self.params
        lanes = [LaneBanks(p) for _ in range(p.lanes)]
        values = []
        for number, lane in enumerate(lanes):
            m.submodules[f"lane_{number}"] = lane
            admitted = [
                Mux(
                    loader.used[col],
                    Value.cast(y.payload[col * p.lanes + number]).as_unsigned(),
                    0,
                )
                for col in range(p.cols)
            ]
            m.d.comb += [
                lane.write.valid.eq(loader.ready & loader.valid),
                lane.write.place.eq(loader.place),
                lane.y.eq(Cat(admitted)),
                *(lane.request[at].eq(row.request[number]) for at, row in enumerate(rows)),
            ]
            for name in half_layout(p):
                m.d.comb += getattr(lane, name).eq(getattr(loader, name))
                m.d.comb += getattr(lane, f"y_{name}").eq(~getattr(loader, name))
            if p.bank_count > 1:
                stream = number * p.stream_count // p.lanes
                m.d.comb += [lane.bank[at].eq(row.bank[stream]) for at, row in enumerate(rows)]
        for row in range(p.rows):
            values += [Value.cast(lane.data[row]) for lane in lanes]
        m.d.comb += array.y.eq(Cat(values))

    def results(self, m: Module, sequencer: Sequencer, array: Array) -> None:
        """The drain and the skid buffer behind it."""
        p = self.params
        m.submodules.drain = drain = Drain(p)
        m.submodules.skid = skid = Skid(SkidParams(bits=o_layout(p).size))
        m.d.comb += [
            array.clear.eq(sequencer.clear),
            drain.advance.eq(skid.i.ready),
            drain.start.eq(sequencer.drain),
            drain.is_final.eq(sequencer.is_final),
            drain.north.eq(array.north),
            sequencer.drained.eq(drain.drained),
            skid.i.payload.eq(drain.o.payload),
            skid.i.valid.eq(drain.o.valid),
            self.o.payload.eq(skid.o.payload),
            self.o.valid.eq(skid.o.valid),
            skid.o.ready.eq(self.o.ready),
        ]
        if p.rows > 1:
            m.d.comb += array.climb.eq(drain.climb)

    def observe(self, m: Module, rows: list[DigitRow]) -> None:
        """Drive the events."""
        p = self.params
        valid = Cat(row.request[lane].valid for row in rows for lane in range(p.lanes))
        visited = sum(row.events["groups_visited"] for row in rows)
        m.d.comb += [
            self.events["digits_issued"].eq(count_high(valid)),
            self.events["groups_visited"].eq(visited),
            self.events["bank_conflicts"].eq(
                count_high(Cat(self.conflicts(rows, lane) for lane in range(p.lanes)))
            ),
        ]

    def conflicts(self, rows: list[DigitRow], lane: int) -> Value:
        """Whether two rows ask for a word from the same bank of a lane."""
        if self.params.bank_count == 1:
            return Const(0, 1)
        banks: Value = Const(0, self.params.bank_count)
        clash: Value = Const(0, 1)
        for row in rows:
            request = row.request[lane]
            asked = Cat(
                request.valid & (request.place.group.bank == bank)
                for bank in range(self.params.bank_count)
            )
            clash |= (asked & banks).any()
            banks |= asked
        return clash
