"""Walkers: they take the lanes of a row through their groups of digits."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from designs.rules import clog2
from hwgen.component import Component
from hwgen.digit_serial.interface import extent_layout, group_layout


def skip_bits(params: DigitSerialParams) -> int:
    """Width of a count of groups to skip."""
    return clog2(params.skip_groups + 1)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The group that a walker has fetched, if it `is_there`.

    `enters_phase`: it is the first of a phase. `is_lowest`: no group of its bank is left below it
    but those to skip.
    """

    group: data.View
    is_there: Signal
    enters_phase: Signal
    is_lowest: Value


@dataclass(frozen=True, slots=True)
class Way:
    """Where a walker goes after the group that it has fetched.

    `at_bank_end`: that group is the last in its bank. `wraps`: and the bank the last of the phase.
    `top`: the index at which the bank in `target` is entered; `is_empty`: that bank has no groups.
    `is_free`: the fetched group may be taken in hand, as far as phase and ring go; `has_turned`: it
    is the first of a phase that may begin.
    """

    at_bank_end: Value
    wraps: Value
    top: Value
    is_empty: Value | int
    is_free: Value
    has_turned: Value | int


class Walker(Component):
    """Walks through the groups of a tile: in each phase all banks once, each bank downwards.

    One group is in hand, while `live`; the one after it is fetched already. In the cycle in which
    nothing is left of the first (`last`) the second is taken in hand (`load`) and the third is read
    from the buffers, so that no cycle is lost. A bank without groups is in hand for one cycle.

    The first group of a phase is taken in hand with or after `turn`, which comes when the walkers
    of a row are all `ready` for it.

    Ring: walkers of neighbouring rows follow each other through the banks. This one may enter its
    next bank when the one `ahead` (of the row below) has left it, which `credit` counts: how many
    banks that one has left, less those that this one has, and `row_banks`. No two of them are ever
    in the same bank, and the one that has left the fewest never waits.

    Members: `start`: fetch the first group of the tile with this `extent`. `turn`, `ready`;
    `last`, `load`, `live`: see above; `through`: no group is left. `skip`: groups below the one
    fetched that have only zeros. `read`, `reading`, `target`: the phase, one-hot, and the place of
    the group that is read. `fetched_phase`: of the one fetched; `is_first`: it is the first phase.
    `group`: place of the one in hand. With several banks also `is_null`: the one fetched stands for
    a bank without groups; `home`: the first bank; `ahead`, `left`: the walker ahead, and this one,
    leaves a bank in this cycle.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        bank_bits, weights = clog2(params.bank_count), params.digit_count
        ring = {"home": In(bank_bits), "ahead": In(1), "left": Out(1), "is_null": Out(1)}
        super().__init__(
            params,
            {
                "start": In(1),
                "extent": In(extent_layout(params)),
                "turn": In(1),
                "last": In(1),
                "ready": Out(1),
                "through": Out(1),
                "load": Out(1),
                "live": Out(1),
                "read": Out(1),
                "reading": Out(weights),
                "target": Out(group_layout(params)),
                "fetched_phase": Out(weights),
                "is_first": Out(1),
                "group": Out(group_layout(params)),
                **({"skip": In(skip_bits(params))} if params.skip_groups else {}),
                **(ring if params.bank_count > 1 else {}),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        live = Signal()
        is_fetched = Signal()
        enters_phase = Signal(reset_less=True)
        fetched = Signal(group_layout(p), reset_less=True)
        group = Signal(group_layout(p), reset_less=True)
        is_idle = Signal()
        ends = Signal()
        skip = self.skip if p.skip_groups else 0
        follow = self.follow_ring if p.bank_count > 1 else self.follow_alone
        way = follow(m, Fetched(fetched, is_fetched, enters_phase, fetched.index == skip))
        is_last_phase = self.walk_phases(m, way)
        m.d.comb += [
            is_idle.eq(~live | self.last),
            self.ready.eq(is_idle & is_fetched & enters_phase & ~way.has_turned),
            self.load.eq(is_idle & is_fetched & way.is_free),
            self.through.eq(~live & ~is_fetched),
            self.live.eq(live),
            self.group.eq(group),
            ends.eq(way.wraps & is_last_phase),
            self.read.eq((self.start | (self.load & ~ends)) & ~way.is_empty),
            self.target.index.eq(
                Mux(self.start | way.at_bank_end, way.top, fetched.index - skip - 1)
            ),
        ]
        with m.If(self.start | self.load):
            m.d.sync += [
                is_fetched.eq(self.start | ~ends),
                enters_phase.eq(self.start | way.wraps),
                fetched.eq(self.target),
            ]
        with m.If(self.load):
            m.d.sync += [live.eq(1), group.eq(fetched)]
        with m.Elif(self.last):
            m.d.sync += live.eq(0)
        return m

    def walk_phases(self, m: Module, way: Way) -> Value:
        """Count the phases down; gives whether that of the fetched group is the last."""
        weights = self.params.digit_count
        if weights == 1:
            m.d.comb += [self.reading.eq(1), self.fetched_phase.eq(1), self.is_first.eq(1)]
            return Const(1, 1)
        phase = Signal(weights, reset_less=True)
        following = Mux(way.wraps, phase >> 1, phase)
        with m.If(self.start | self.load):
            m.d.sync += phase.eq(self.reading)
        m.d.comb += [
            self.reading.eq(Mux(self.start, 1 << weights - 1, following)),
            self.fetched_phase.eq(phase),
            self.is_first.eq(phase[-1]),
        ]
        return phase[0]

    def follow_alone(self, m: Module, fetched: Fetched) -> Way:
        """A phase is one visit to the only bank."""
        return Way(
            at_bank_end=fetched.is_lowest,
            wraps=fetched.is_lowest,
            top=self.extent.end.index,
            is_empty=0,
            is_free=self.turn | ~fetched.enters_phase,
            has_turned=0,
        )

    def follow_ring(self, m: Module, fetched: Fetched) -> Way:
        """From `home` upwards, and from the last bank to the first."""
        p, end = self.params, self.extent.end
        is_null = Signal(reset_less=True)
        enters_bank = Signal(reset_less=True)
        has_turned = Signal()
        credit = Signal(range(p.bank_count + 1), init=p.row_banks)
        bank = fetched.group.bank
        following = Signal.like(bank)
        at_bank_end = fetched.is_lowest | is_null
        is_empty = self.target.bank > end.bank
        has_credit = self.ahead | Mux(self.left, credit > 1, credit != 0)
        m.d.comb += [
            following.eq(bank + 1),
            self.target.bank.eq(Mux(self.start, self.home, Mux(at_bank_end, following, bank))),
            self.left.eq(self.live & self.last & (enters_bank | ~fetched.is_there)),
            self.is_null.eq(is_null),
        ]
        with m.If(self.start | self.load):
            m.d.sync += [is_null.eq(is_empty), enters_bank.eq(self.start | at_bank_end)]
        m.d.sync += has_turned.eq((has_turned | self.turn) & ~self.load)
        with m.If(self.left & ~self.ahead):
            m.d.sync += credit.eq(credit - 1)
        with m.Elif(self.ahead & ~self.left):
            m.d.sync += credit.eq(credit + 1)
        return Way(
            at_bank_end=at_bank_end,
            wraps=at_bank_end & (following == self.home),
            top=Mux(self.target.bank == end.bank, end.index, self.extent.span),
            is_empty=is_empty,
            is_free=(has_credit | ~enters_bank) & (self.turn | has_turned | ~fetched.enters_phase),
            has_turned=has_turned,
        )
