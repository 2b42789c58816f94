"""The engine of dot products: one vector or tile after the other."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, RowBuffers
from designs.npu_pim.program import PimKind
from hwgen.component import Component
from hwgen.npu_pim.interface import command_layout
from hwgen.npu_pim.pim_queue import waiting_layout
from hwgen.npu_pim.pim_vector_unit import PimVectorUnit
from hwgen.npu_pim.refresh import left_shape
from hwgen.npu_pim.rows import closing_bits, rows_layout
from hwgen.npu_pim.tile_unit import TileUnit, work_commands
from hwgen.ring import decoded


def hold_layout(channel: PimChannel) -> data.StructLayout:
    """What accesses have to leave alone while a unit is inside, so that it comes to its end.

    tile: one is inside: its row, and all rows of dot products. bank: a bit for each bank: all
    commands. act, rd: a bit for each rank: ACT, RD. wr: WR.
    """
    ranks = channel.ranks
    return data.StructLayout({"tile": 1, "bank": channel.banks, "act": ranks, "rd": ranks, "wr": 1})


class PimEngine(Component):
    """Does the oldest transaction: a unit, inside from the cycle in which it begins until it
    retires.

    It begins as soon as it may, if the time to the next refresh is more than it is taken to need,
    see `Slack`. In each cycle its next command takes the slot if it is ready, see `PimVectorUnit`
    and `TileUnit`; another that might be ready is not looked at.

    Members: valid, head, retire: see `PimQueue`; may_begin; open, closing_cycles: see `Rows`; left:
    see `Refresh`; ready_<command>: see `Timers`; is_inside: a unit is, since an earlier cycle, and
    0 where nobody asks, with two row buffers and no refresh; mem, pim, mem_first: rows to close,
    see `Closing`; closes, closing: there are some, and one can be closed; takes: the slot; command:
    for it, if it is not to close a row; hold: see `hold_layout`.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        p = params
        closing = {"closing_cycles": In(closing_bits(p))}
        super().__init__(
            p,
            {
                "valid": In(1),
                "head": In(waiting_layout(p)),
                "retire": Out(1),
                "may_begin": In(1),
                "open": In(rows_layout(p)),
                **(closing if p.reserves else {}),
                **({"left": In(left_shape(p))} if p.refresh else {}),
                "ready_act": In(p.banks),
                "ready_gwrite": In(p.banks),
                "ready_g_act": In(p.groups),
                **{f"ready_{one.name.lower()}": In(1) for one in work_commands(p)},
                "is_inside": Out(1),
                "mem": Out(p.banks),
                "pim": Out(p.banks),
                "mem_first": Out(1),
                "closes": In(1),
                "closing": In(1),
                "takes": Out(1),
                "command": Out(command_layout(p)),
                "hold": Out(hold_layout(p)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m, head = self.params, Module(), self.head
        m.submodules.vector = vector = PimVectorUnit(p)
        m.submodules.tile = tile = TileUnit(p)
        active = Signal()
        is_tile = Signal()
        bank = Signal(p.banks)
        row_open = Signal(p.banks)
        m.d.comb += [
            is_tile.eq(head.kind == PimKind.TILE),
            active.eq(self.valid & (self.is_inside | self.begins(m, is_tile))),
            bank.eq(decoded(head.bank, p.banks)),
            row_open.eq(self.open.mem & Cat(row == head.row for row in self.open.mem_row)),
            vector.active.eq(active & ~is_tile),
            vector.bank.eq(bank),
            vector.is_open.eq((row_open & bank).any()),
            vector.shares.eq(self.open.pim_row == head.row),
            tile.active.eq(active & is_tile),
            tile.row_open.eq(row_open),
            tile.steps.eq(head.steps),
            tile.results.eq(head.results),
            *([tile.stride.eq(head.stride)] if p.strides else []),
            self.retire.eq(vector.retire | tile.retire),
            self.mem_first.eq(is_tile),
            self.takes.eq(
                Mux(self.closes, active & self.closing, tile.header | tile.valid | vector.valid)
            ),
            self.command.valid.eq(tile.valid | vector.valid),
            self.command.row.eq(head.row),
            self.command.column.eq(tile.column),
            self.command.steps.eq(head.steps),
            self.hold.tile.eq(tile.active),
            self.hold.bank.eq(bank & vector.active.replicate(p.banks)),
            self.hold.act.eq(tile.act),
            self.hold.rd.eq(vector.rd),
            self.hold.wr.eq(tile.wr),
        ]
        for name in ("mem", "pim"):
            m.d.comb += getattr(self, name).eq(
                Mux(is_tile, getattr(tile, name), getattr(vector, name))
            )
        m.d.comb += [
            self.command.command.eq(Mux(is_tile, tile.command, vector.command)),
            self.command.bank.eq(Mux(is_tile, tile.bank, head.bank)),
        ]
        if p.refresh or p.row_buffers == RowBuffers.SINGLE:
            m.d.sync += self.is_inside.eq(active & ~self.retire)
        else:
            # It may always begin: nobody asks.
            m.d.comb += self.is_inside.eq(0)
        for unit, names in ((vector, ("act", "gwrite")), (tile, ("g_act", *self.work))):
            m.d.comb += [unit.open.eq(self.open), unit.closes.eq(self.closes)]
            for name in (f"ready_{one}" for one in names):
                m.d.comb += getattr(unit, name).eq(getattr(self, name))
        return m

    @property
    def work(self) -> tuple[str, ...]:
        """Names of the commands of dot products."""
        return tuple(one.name.lower() for one in work_commands(self.params))

    def begins(self, m: Module, is_tile: Signal) -> Value:
        """Whether a unit that has not begun would."""
        if not self.params.refresh:
            return self.may_begin
        if not self.params.reserves:
            return self.may_begin & (self.left > 0)
        head, closing = self.head, self.closing_cycles
        needed = Signal(max(len(head.needed), len(closing)) + 1)
        m.d.comb += needed.eq(head.needed + Mux(is_tile, closing, 0))
        return self.may_begin & (self.left > needed)
