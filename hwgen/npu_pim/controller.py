"""The controller of a channel: accesses and dot products become commands."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, RowBuffers
from designs.npu_pim.distances import Command
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.npu_pim.arbiter import HostArbiter, host_commands, queue_params
from hwgen.npu_pim.closing import Closing
from hwgen.npu_pim.engine import PimEngine
from hwgen.npu_pim.host_queue import HostQueue
from hwgen.npu_pim.interface import command_layout, host_layout, pim_layout
from hwgen.npu_pim.pim_queue import PimQueue
from hwgen.npu_pim.refresh import Refresh
from hwgen.npu_pim.rows import Rows
from hwgen.npu_pim.timers import Timers
from hwgen.npu_pim.write_data import WriteData
from hwgen.ring import decoded

ISSUE_CYCLES = 1
"""From the acceptance of a transaction to its first command, where nothing else is to be done; of a
tile that is its header, which is not on the bus."""


class Controller(Component):
    """One command a cycle, the first of these that there is, from the minimum distances on.

    Cycle 0 is that of the first transfer. A transaction is looked at from the cycle after its
    transfer on, and stays in its queue until its RD or WR, or until its unit retires.

    Refresh: due, and no unit inside. The rank whose turn it is closes its rows, those of dot
    products first, one after the other, and is refreshed; until then nothing else goes. Together,
    ranks are refreshed one after the other before anything else goes.

    Dot products: the oldest transaction, see `PimEngine`. Where the time to the next refresh is no
    more than `designs.npu_pim.gemv.vector_cycles` or `header_cycles`, it does not begin; with
    refreshes that are postponed it begins, and the refresh waits for its end.

    Accesses: the bank whose turn it is, see `HostArbiter`, with the candidate of its `HostQueue`.
    While a unit is inside and its next command has to wait, accesses that could keep it waiting
    wait themselves: those of the vector's bank and of the tile's row; rows of dot products stay
    open for a tile; no ACT in the rank of a G_ACT, no WR before GEMV or COMP, no RD in other ranks
    than that of a GWRITE. So a unit comes to its end whatever the host does, and the refresh
    behind it.

    With one row buffer no access is taken while a transaction of dot products waits, and that one
    begins when there are no accesses left.

    Stalls: `pim` while `pim_queue` transactions wait, `host` while the queue of the bank that it is
    for is full. What has been issued cannot stall.

    Members: host, pim: streams, see `hwgen.npu_pim.interface`; command: the bus; write_data: of a
    WR, its mask above, in the last cycle in which its data are on the data bus.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        p = params
        super().__init__(
            p,
            {
                "host": In(stream.Signature(host_layout(p))),
                "pim": In(stream.Signature(pim_layout(p))),
                "command": Out(command_layout(p)),
                "write_data": Out(p.write_bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m, bus = self.params, Module(), self.command
        m.submodules.timers = timers = Timers(p)
        m.submodules.rows = rows = Rows(p)
        m.submodules.closing = closing = Closing(p)
        m.submodules.engine = engine = PimEngine(p)
        m.submodules.arbiter = arbiter = HostArbiter(p)
        m.submodules.pim_queue = waiting = PimQueue(p)
        m.d.comb += [
            waiting.i.payload.eq(self.pim.payload),
            waiting.i.valid.eq(self.pim.valid),
            self.pim.ready.eq(waiting.i.ready),
            waiting.retire.eq(engine.retire),
            engine.valid.eq(waiting.valid),
            engine.head.eq(waiting.head),
            arbiter.hold.eq(engine.hold),
            arbiter.row.eq(waiting.head.row),
            engine.open.eq(rows.open),
            arbiter.open.eq(rows.open),
            engine.closes.eq(closing.valid),
            engine.closing.eq(closing.ready),
            rows.command.eq(bus),
            timers.valid.eq(bus.valid),
            timers.command.eq(bus.command),
            timers.bank.eq(bus.bank),
        ]
        if p.composite:
            m.d.comb += timers.steps.eq(bus.steps)
        self.told(m, timers, engine, [*engine.work, "act", "gwrite", "g_act"])
        self.told(m, timers, arbiter, [one.name.lower() for one in host_commands(p)])
        closes = ["pre", "pim_pre"] if p.row_buffers == RowBuffers.DUAL else ["pre"]
        self.told(m, timers, closing, closes)
        self.queues(m, arbiter, rows)
        self.issue(m, refreshing=self.refresh(m, timers, rows))
        return m

    def told(self, m: Module, timers: Timers, part: Component, names: list[str]) -> None:
        """Tells a part which of its commands are ready."""
        for name in (f"ready_{one}" for one in names):
            m.d.comb += getattr(part, name).eq(getattr(timers, name))

    def queues(self, m: Module, arbiter: HostArbiter, rows: Rows) -> None:
        """The queue of each bank, and the data of writes."""
        p, host = self.params, self.host
        m.submodules.write_data = data = WriteData(p)
        queues = [HostQueue(queue_params(p)) for _ in range(p.banks)]
        bank = Signal(p.banks)
        full = Signal(p.banks)
        empty = Signal(p.banks)
        taken = Signal()
        shut = 0
        if p.row_buffers == RowBuffers.SINGLE:
            shut = m.submodules.pim_queue.valid
            m.d.comb += m.submodules.engine.may_begin.eq(empty.all())
        else:
            m.d.comb += m.submodules.engine.may_begin.eq(1)
        m.d.comb += [
            bank.eq(decoded(host.payload.bank, p.banks)),
            host.ready.eq(~(full & bank).any() & ~Value.cast(shut)[0]),
            taken.eq(host.valid & host.ready),
            data.push.eq(taken & host.payload.write),
            data.push_bank.eq(host.payload.bank),
            data.push_slot.eq(choose([one.free for one in queues], host.payload.bank)),
            data.push_data.eq(
                Cat(host.payload.data, host.payload.mask) if p.mask else host.payload.data
            ),
            data.take.eq(self.command.valid & (self.command.command == Command.WR)),
            data.bank.eq(arbiter.command.bank),
            data.slot.eq(arbiter.slot),
            self.write_data.eq(data.data),
        ]
        for number, queue in enumerate(queues):
            m.submodules[f"queue_{number}"] = queue
            m.d.comb += [
                queue.push.eq(taken & bank[number]),
                *(
                    getattr(queue.access, name).eq(getattr(host.payload, name))
                    for name in ("write", "row", "column", "tag")
                ),
                queue.is_open.eq(rows.open.mem[number]),
                queue.row.eq(rows.open.mem_row[number]),
                queue.take.eq(arbiter.take[number]),
                arbiter.candidates[number].eq(queue.candidate),
                full[number].eq(queue.is_full),
                empty[number].eq(queue.is_empty),
            ]

    def refresh(self, m: Module, timers: Timers, rows: Rows) -> Signal:
        """Whether a rank is on its way to being refreshed, and which of its rows are closed."""
        p, engine, closing = self.params, m.submodules.engine, m.submodules.closing
        refreshing = Signal()
        m.d.comb += [
            closing.mem.eq(engine.mem),
            closing.pim.eq(engine.pim),
            closing.mem_first.eq(engine.mem_first),
        ]
        if not p.refresh:
            return refreshing
        m.submodules.refresh = refresh = Refresh(p)
        rank = decoded(refresh.rank, p.ranks)
        banks = Signal(p.banks)
        m.d.comb += [
            refresh.start.eq(
                (self.host.valid & self.host.ready) | (self.pim.valid & self.pim.ready)
            ),
            refresh.done.eq(self.command.valid & (self.command.command == Command.REF)),
            engine.left.eq(refresh.left),
            refreshing.eq((refresh.left <= 0) & ~engine.is_inside),
            banks.eq(Cat(one.replicate(p.banks_per_rank) for one in rank)),
        ]
        if p.reserves:
            m.d.comb += engine.closing_cycles.eq(rows.closing_cycles)
        with m.If(refreshing):
            mem, pim = rows.open.mem & banks, rows.open.pim & banks
            if p.row_buffers == RowBuffers.SINGLE:
                mem, pim = Value.cast(0), mem | pim
            m.d.comb += [closing.mem.eq(mem), closing.pim.eq(pim), closing.mem_first.eq(0)]
        return refreshing

    def issue(self, m: Module, refreshing: Signal) -> None:
        """The bus: a refresh, else dot products, else an access."""
        p, bus, parts = self.params, self.command, m.submodules
        closing, engine, arbiter = parts.closing, parts.engine, parts.arbiter
        close = Signal(command_layout(p))
        m.d.comb += [
            close.valid.eq(closing.ready),
            close.command.eq(closing.command),
            close.bank.eq(closing.bank),
            arbiter.go.eq(~refreshing & ~engine.takes),
        ]
        with m.If(refreshing):
            m.d.comb += bus.eq(close)
            if p.refresh:
                rank = parts.refresh.rank
                firsts = range(0, p.banks, p.banks_per_rank)
                with m.If(~closing.valid):
                    m.d.comb += [
                        bus.command.eq(Command.REF),
                        bus.valid.eq((parts.timers.ready_ref & decoded(rank, p.ranks)).any()),
                        bus.bank.eq(choose([Value.cast(first) for first in firsts], rank)),
                    ]
        with m.Elif(engine.takes):
            m.d.comb += bus.eq(Mux(closing.valid, close.as_value(), engine.command.as_value()))
        with m.Else():
            m.d.comb += bus.eq(arbiter.command)
