"""Selectors: which digit of the group in hand goes to the elements."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from designs.rules import clog2
from hwgen.arith import SparseSelect, SparseSelectParams, digit_array, digit_layout, is_nonzero
from hwgen.component import Component


class Selector(Component):
    """Holds a group of each of its lanes, and gives one digit of each per cycle.

    Members: `load`: take the `groups` in hand; with several banks `is_null`: there are none, which
    counts as zeros for one cycle. From the next cycle on, while `live`: `digit`, and `position` of
    it in its group (absent in groups of one), per lane; `last`: nothing is left after this cycle.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        self.lanes = params.lanes // params.stream_count
        groups = data.ArrayLayout(digit_array(params.group), self.lanes)
        position = data.ArrayLayout(clog2(params.group), self.lanes)
        super().__init__(
            params,
            {
                "load": In(1),
                "live": In(1),
                "groups": In(groups),
                "digit": Out(digit_array(self.lanes)),
                "last": Out(1),
                **({"position": Out(position)} if params.group > 1 else {}),
                **({"is_null": In(1)} if params.bank_count > 1 else {}),
            },
        )

    def loaded(self, lane: int) -> list[Value]:
        """The digits of a lane that are taken in hand."""
        digits = [Value.cast(self.groups[lane][at]) for at in range(self.params.group)]
        if self.params.bank_count == 1:
            return digits
        return [Mux(self.is_null, 0, digit) for digit in digits]


def at_most_one(bits: list[Value]) -> Value:
    """Whether no two of several bits are high."""
    return ~Cat(bit & Cat(bits[:below]).any() for below, bit in enumerate(bits) if below).any()


class SparseSelector(Selector):
    """The nonzero digits only, in the order of their positions; what was given becomes zero."""

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        few_loaded, few_left = [], []
        for lane in range(self.lanes):
            group = Signal(digit_array(p.group), name=f"group_{lane}", reset_less=True)
            m.submodules[f"select_{lane}"] = select = SparseSelect(
                SparseSelectParams(group=p.group)
            )
            m.d.comb += [
                select.digits.eq(group),
                self.digit[lane].eq(Mux(self.live, select.digit, 0)),
            ]
            loaded = self.loaded(lane)
            left = [Mux(select.chosen[at], 0, Value.cast(group[at])) for at in range(p.group)]
            m.d.sync += group.eq(Mux(self.load, Cat(loaded), Cat(left)))
            if p.group > 1:
                m.d.comb += self.position[lane].eq(select.position)
                few_loaded.append(at_most_one([is_nonzero(digit_layout(one)) for one in loaded]))
                few_left.append(at_most_one(list(select.pending & ~select.chosen)))
        if p.group == 1:
            m.d.comb += self.last.eq(1)
        else:
            last = Signal(reset_less=True)
            m.d.sync += last.eq(Mux(self.load, Cat(few_loaded).all(), Cat(few_left).all()))
            m.d.comb += self.last.eq(last)
        return m


class DenseSelector(Selector):
    """Every digit, zero or not, one position after the other."""

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        for lane in range(self.lanes):
            group = Signal(digit_array(p.group), name=f"group_{lane}", reset_less=True)
            following = Value.cast(group)[digit_layout.size :]
            m.d.sync += group.eq(Mux(self.load, Cat(self.loaded(lane)), following))
            m.d.comb += self.digit[lane].eq(Mux(self.live, group[0], 0))
        if p.group == 1:
            m.d.comb += self.last.eq(1)
            return m
        position = Signal(range(p.group), reset_less=True)
        last = Signal(reset_less=True)
        is_null = self.is_null if p.bank_count > 1 else 0
        m.d.sync += [
            position.eq(Mux(self.load, 0, position + 1)),
            last.eq(Mux(self.load, is_null, position == p.group - 2)),
        ]
        m.d.comb += self.last.eq(last)
        m.d.comb += [self.position[lane].eq(position) for lane in range(self.lanes)]
        return m


SELECTORS: dict[bool, type[Selector]] = {True: SparseSelector, False: DenseSelector}
"""`sparse` to its selector."""
