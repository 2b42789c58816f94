"""The accesses of an instruction of LOAD or STORE, one after the other."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Shape, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.rules import clog2
from hwgen.component import Component
from hwgen.npu_pim.interface import access_bits, bank_bits, row_bits
from hwgen.ring import moved


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessWalkParams:
    """Accesses of a `channel`, up to `count` in an instruction."""

    channel: PimChannel
    count: int

    @property
    def count_bits(self) -> int:
        """Width of a number of accesses less one."""
        return max(1, clog2(self.count))

    @property
    def fields(self) -> dict[str, int]:
        """Of an instruction: its first place, the columns of a bank, and its accesses, less one."""
        return {**self.place, "columns": access_bits(self.channel), "count": self.count_bits}

    @property
    def place(self) -> dict[str, int]:
        """Of an access."""
        channel = self.channel
        return {
            "bank": bank_bits(channel),
            "row": row_bits(channel),
            "column": access_bits(channel),
        }


class AccessWalk(Component):
    """Offers `count` + 1 accesses from the cycle after `start` on, and sees to it that all end.

    Columns `column` .. `column` + `columns` of a bank, the same of the next bank, and behind the
    last bank those of the next row of bank 0.

    Members: start, done: see `Scheduler`; instruction: see `AccessWalkParams.fields`. valid, ready,
    place: the access at hand; number: of it, from 0 on; following: in a cycle with `start`, or in
    which the access is taken, the number of the next. ended: one of those that were taken has
    ended; `done` is with the last.
    """

    params: AccessWalkParams

    @property
    def label(self) -> str:
        return f"access_walk_{self.params.count}"

    def __init__(self, params: AccessWalkParams) -> None:
        p = params
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(data.StructLayout(p.fields)),
                "done": Out(1),
                "valid": Out(1),
                "ready": In(1),
                "place": Out(data.StructLayout(p.place)),
                "number": Out(p.count_bits),
                "following": Out(p.count_bits),
                "ended": In(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m, told = self.params, Module(), self.instruction
        banks = p.channel.banks
        at = Signal(data.StructLayout(p.place), name="at", reset_less=True)
        number = Signal(p.count_bits, reset_less=True)
        ends = Signal(p.count_bits, reset_less=True)  # accesses that have ended
        active = Signal()
        taken = Signal()
        last_column = Signal(access_bits(p.channel))
        leaves_bank = Signal()
        bank = Signal(Shape.cast(range(banks)))
        m.d.comb += [
            self.valid.eq(active),
            self.place.eq(at),
            self.number.eq(number),
            self.following.eq(Mux(self.start, 0, number + 1)),
            taken.eq(active & self.ready),
            last_column.eq(told.column + told.columns),
            leaves_bank.eq(at.column == last_column),
            bank.eq(at.bank),
            self.done.eq(self.ended & (ends == told.count)),
        ]
        with m.If(self.start):
            m.d.sync += [active.eq(1), number.eq(0), ends.eq(0)]
            m.d.sync += [at[name].eq(told[name]) for name in p.place]
        with m.Else():
            with m.If(taken):
                m.d.sync += [
                    active.eq(number != told.count),
                    number.eq(self.following),
                    at.column.eq(Mux(leaves_bank, told.column, at.column + 1)),
                    at.bank.eq(moved(m, bank, banks, leaves_bank)),
                    at.row.eq(at.row + (leaves_bank & (bank == banks - 1))),
                ]
            with m.If(self.ended):
                m.d.sync += ends.eq(ends + 1)
        return m
