"""Loaders: they take the operands of a tile in, and say where each goes."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded
from designs.rules import clog2
from hwgen.component import Component, probed
from hwgen.digit_serial.interface import extent_layout, half_layout, place_layout
from hwgen.gemm import Rank, count_high, job_layout, lanes_within


class Loader(Component):
    """Loads the tiles of one operand, one transfer per cycle, each tile when the last was taken.

    Transfer j of a tile has k = lanes * j + lane. Digits j of a lane are put together to groups,
    and the groups to banks, the same number in each bank but the last that has any.

    Members: `job`: sizes; taken when the last tile of the job before was. `valid`, `ready`: of the
    operand's stream. `used`: the rows or columns within the problem; `place`, `half`: where the
    transfer goes. `full`: a tile is complete; `take`: it is used from the next cycle on. `blocked`
    (without double buffering): the tile taken last is still needed.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        super().__init__(
            params,
            {
                "job": In(stream.Signature(job_layout(params))),
                "valid": In(1),
                "ready": Out(1),
                "used": Out(next(iter(self.tiles(params).values()))),
                "place": Out(place_layout(params)),
                "full": Out(1),
                "take": In(1),
                **{name: Out(bits) for name, bits in half_layout(params).items()},
                **({} if params.double_buffer else {"blocked": In(1)}),
                **self.tags(params),
            },
        )

    @staticmethod
    def tiles(params: DigitSerialParams) -> dict[str, int]:
        """Ranks of the job that this operand's tiles go through, innermost first, and the tile."""
        raise NotImplementedError

    @staticmethod
    def tags(params: DigitSerialParams) -> dict[str, Any]:
        """Further outputs."""
        return {}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        start = Signal()
        accept = Signal()
        is_new = Signal()
        k_last = Signal(range(p.max_k))
        last_step = Signal(range(p.max_k // p.lanes))
        steps_left = Signal.like(last_step)
        at_end = steps_left == 0
        blocked = 0 if p.double_buffer else self.blocked
        active = Signal()
        ranks = self.walk(m, active, start)
        m.d.comb += [
            self.job.ready.eq(~active),
            start.eq(self.job.valid & self.job.ready),
            k_last.eq(self.job.payload.k - 1),
            self.ready.eq(active & ~(self.full | is_new | blocked)),
            accept.eq(self.ready & self.valid),
        ]
        m.d.sync += is_new.eq(start | self.take)
        following = k_last >> clog2(p.lanes)
        with m.If(start):
            m.d.sync += [last_step.eq(following), steps_left.eq(following)]
        with m.Elif(self.take):
            m.d.sync += steps_left.eq(last_step)
        with m.Elif(accept & ~at_end):
            m.d.sync += steps_left.eq(steps_left - 1)
        with m.If(self.take):
            m.d.sync += self.full.eq(0)
        with m.Elif(accept & at_end):
            m.d.sync += self.full.eq(1)
        if p.double_buffer:
            with m.If(self.take):
                m.d.sync += self.half.eq(~self.half)
        self.walk_groups(m, accept & ~at_end, self.span(last_step))
        self.tell(m, platform, Tile(ranks, start, k_last, at_end, last_step))
        return m

    def walk(self, m: Module, active: Signal, start: Signal) -> list[Rank]:
        """Loops over the ranks of a job, stepped by `take`; the last step of all ends the job.

        Takes are some cycles apart: whether a rank is at its last tile, and what is used of the
        inner one's tile, is known a cycle after the step.
        """
        p, ranks = self.params, []
        through: Value = self.take
        for name, tile in self.tiles(p).items():
            size = getattr(self.job.payload, name)
            left = Signal(len(size), name=f"{name}_left", reset_less=True)
            is_last = Signal(name=f"{name}_last", reset_less=True)
            following: Value = left - tile
            if len(ranks) < len(self.tiles(p)) - 1:
                whole = Signal(len(size), name=f"{name}_size", reset_less=True)
                with m.If(start):
                    m.d.sync += whole.eq(size)
                following = Mux(is_last, whole, following)
            with m.If(start):
                m.d.sync += left.eq(size)
            with m.Elif(through):
                m.d.sync += left.eq(following)
            m.d.sync += is_last.eq(left <= tile)
            ranks.append(Rank(left, is_last))
            through &= is_last
        m.d.sync += self.used.eq(lanes_within(ranks[0].left, len(self.used)))
        with m.If(start):
            m.d.sync += active.eq(1)
        with m.Elif(through):
            m.d.sync += active.eq(0)
        return ranks

    def span(self, last_step: Value) -> Value:
        """The last index of all banks but the last that has any."""
        return last_step >> clog2(self.params.group * self.params.bank_count)

    def walk_groups(self, m: Module, step: Value, span: Value) -> None:
        """Count positions, groups of a bank (up to index `span`) and banks."""
        p, group = self.params, self.place.group
        through = step
        if p.group > 1:
            with m.If(step):
                m.d.sync += self.place.position.eq(self.place.position + 1)
            through = step & self.place.position.all()
        with m.If(through):
            m.d.sync += group.index.eq(group.index + 1)
        if p.bank_count > 1:
            with m.If(through & (group.index == span)):
                m.d.sync += [group.index.eq(0), group.bank.eq(group.bank + 1)]
        with m.If(self.take):
            m.d.sync += self.place.eq(0)

    def tell(self, m: Module, platform: Any, tile: "Tile") -> None:
        """Drive the tags."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Where a loader is.

    `ranks`: in the loops of the job, innermost first; `start`: a job is taken, and `k_last` is its
    last k; `at_end`: the next transfer is the tile's last, number `last_step`.
    """

    ranks: list[Rank]
    start: Value
    k_last: Value
    at_end: Value
    last_step: Value


class XLoader(Loader):
    """Loads X: for tile of columns of Y, for tile of rows of X.

    Members, besides those of `Loader`: `lanes`: those within k; `extent`: how far the tile reaches.
    `is_first`: the tile is the first with its columns of Y; `is_final`: the last of the job;
    `is_last` (without double buffering): the last with its columns of Y.
    """

    def __init__(self, params: DigitSerialParams) -> None:
        super().__init__(params)
        slots = params.rows * params.cols * params.max_k
        self.events = {"tiles": Signal(), "mac_useful": Signal(range(slots + 1))}

    @staticmethod
    def tiles(params: DigitSerialParams) -> dict[str, int]:
        names = ("m", "n") if params.encoded == Encoded.A else ("n", "m")
        return dict(zip(names, (params.rows, params.cols), strict=True))

    @staticmethod
    def tags(params: DigitSerialParams) -> dict[str, Any]:
        names = ("is_first", "is_final", *(() if params.double_buffer else ("is_last",)))
        return {
            "lanes": Out(params.lanes),
            "extent": Out(extent_layout(params)),
            **{name: Out(1) for name in names},
        }

    def tell(self, m: Module, platform: Any, tile: Tile) -> None:
        p = self.params
        rows, cols = tile.ranks
        is_first = Signal(reset_less=True)
        with m.If(tile.start | self.take):
            m.d.sync += is_first.eq(tile.start | rows.last)
        last_lane = Signal(range(p.lanes))
        with m.If(tile.start):
            m.d.sync += last_lane.eq(tile.k_last)
        within = Cat(last_lane >= lane for lane in range(1, p.lanes))
        m.d.comb += [
            self.lanes.eq(Cat(1, within | (~tile.at_end).replicate(p.lanes - 1))),
            self.extent.end.eq(self.place.group),
            self.is_first.eq(is_first),
            self.is_final.eq(rows.last & cols.last),
        ]
        if p.bank_count > 1:
            m.d.comb += self.extent.span.eq(self.span(tile.last_step))
        if not p.double_buffer:
            m.d.comb += self.is_last.eq(rows.last)
        if probed(platform):
            k_count = Cat(last_lane, tile.last_step) + 1
            row_count = count_high(lanes_within(rows.left, p.rows))
            col_count = count_high(lanes_within(cols.left, p.cols))
            m.d.comb += [
                self.events["tiles"].eq(self.take),
                self.events["mac_useful"].eq(Mux(self.take, row_count * col_count * k_count, 0)),
            ]


class YLoader(Loader):
    """Loads Y: for tile of columns."""

    @staticmethod
    def tiles(params: DigitSerialParams) -> dict[str, int]:
        return {"n" if params.encoded == Encoded.A else "m": params.cols}
