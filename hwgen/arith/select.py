"""The nonzero digits of a group, one after the other."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hwgen.arith.digit import digit_array, digit_layout, is_nonzero
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class SparseSelectParams:
    """Digits in a group."""

    group: int


class SparseSelect(Component):
    """The first digit of a group that is neither zero nor issued; no state.

    A group without such a digit has the digit zero, at position 0.

    Members: `digits`: the group; `issued`: the digits that were issued already; `pending`: those
    that are left; `chosen`: the one of them that is issued now, one-hot; `position`: its number
    (absent in a group of one); `digit`: itself; `last`: no more than one is pending.
    """

    params: SparseSelectParams
    inline = True

    def __init__(self, params: SparseSelectParams) -> None:
        group = params.group
        position = {"position": Out(range(group))} if group > 1 else {}
        super().__init__(
            params,
            {"digits": In(digit_array(group)), "issued": In(group), "pending": Out(group)}
            | {"chosen": Out(group), "digit": Out(digit_layout), "last": Out(1)}
            | position,
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        group = range(self.params.group)
        free = Signal(self.params.group)  # no digit below is pending
        for k in group:
            m.d.comb += [
                self.pending[k].eq(is_nonzero(self.digits[k]) & ~self.issued[k]),
                free[k].eq(~self.pending[:k].any() if k else 1),
            ]
            with m.If(self.chosen[k]):
                m.d.comb += self.digit.eq(self.digits[k])
                if len(group) > 1:
                    m.d.comb += self.position.eq(k)
        m.d.comb += [
            self.chosen.eq(self.pending & free),
            self.last.eq(~(self.pending & ~self.chosen).any()),
        ]
        return m
