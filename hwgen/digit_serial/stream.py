"""Digit streams: the digits of a tile, stored by bit weight, and given out one by one."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from designs.rules import clog2
from hwgen.arith import digit_array, digit_layout, is_nonzero
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.choose import gated
from hwgen.component import Component, probed
from hwgen.digit_serial.interface import (
    extent_layout,
    half_layout,
    place_layout,
)
from hwgen.digit_serial.selector import SELECTORS, Selector
from hwgen.digit_serial.walker import Walker, skip_bits


def word_fields(params: DigitSerialParams) -> tuple[int, ...]:
    """What a word of a digit buffer holds: the digits of all lanes, then how much to skip."""
    digits = params.lanes // params.stream_count * params.group
    skip = (skip_bits(params),) if params.skip_groups else ()
    return (digit_layout.size,) * digits + skip


def request_layout(params: DigitSerialParams) -> data.StructLayout:
    """Where the operand of a digit is, and whether there is a digit at all."""
    return data.StructLayout({"valid": 1, "place": place_layout(params)})


class DigitBuffer(Component):
    """The digits of one bit weight: a word per group of the stream's lanes.

    A word is written as its digits arrive: the first ones clear those that may never come. With
    them goes how many of the groups before, in the bank, have only zeros, up to `skip_groups`;
    walked downwards, those come next.

    Members: `write`; `place`, `half`: where; `digits`: one per lane. `read`, `target`, `read_half`;
    `word`: what was read last, fields as in `word_fields`.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        self.lanes = params.lanes // params.stream_count
        place = place_layout(params)
        half = half_layout(params)
        super().__init__(
            params,
            {
                "write": In(1),
                "place": In(place),
                "digits": In(digit_array(self.lanes)),
                "read": In(1),
                "target": In(place["group"].shape),
                "word": Out(sum(word_fields(params))),
                **{name: In(bits) for name, bits in half.items()},
                **{f"read_{name}": In(bits) for name, bits in half.items()},
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        memory = Scratchpad(
            ScratchpadParams(
                words=p.halves * p.bank_count * p.bank_groups,
                bits=sum(word_fields(p)),
                fields=word_fields(p),
            )
        )
        m.submodules.words = memory
        halves = {name: getattr(self, name) for name in half_layout(p)}
        m.d.comb += [
            memory.write_address.eq(Cat(self.place.group, *halves.values())),
            memory.read_enable.eq(self.read),
            memory.read_address.eq(
                Cat(self.target, *(getattr(self, f"read_{name}") for name in halves))
            ),
            self.word.eq(memory.read_data),
        ]
        is_first = self.place.position == 0 if p.group > 1 else 1
        enables, words = [], []
        for lane in range(self.lanes):
            for at in range(p.group):
                here = self.place.position == at if p.group > 1 else 1
                digit = Value.cast(self.digits[lane])
                enables.append(self.write & (is_first | here))
                words.append(digit if at == 0 else Mux(is_first, 0, digit))
        if p.skip_groups:
            enables.append(self.write & is_first)
            words.append(self.empty_groups(m, is_first))
        m.d.comb += [memory.write_enable.eq(Cat(enables)), memory.write_data.eq(Cat(words))]
        return m

    def empty_groups(self, m: Module, is_first: Any) -> Signal:
        """How many groups right before this one have only zeros, as its first digits arrive."""
        p = self.params
        any_nonzero = Cat(is_nonzero(self.digits[lane]) for lane in range(self.lanes)).any()
        is_filled = Signal(reset_less=True)
        count = Signal(skip_bits(p))
        follows_empty = (self.place.group.index != 0) & ~is_filled
        with m.If(self.write):
            m.d.sync += is_filled.eq(any_nonzero | (is_filled & ~is_first))
        if p.skip_groups == 1:
            m.d.comb += count.eq(follows_empty)
            return count
        before = Signal(skip_bits(p), reset_less=True)
        more = Mux(before == p.skip_groups, before, before + 1)
        m.d.comb += count.eq(Mux(follows_empty, more, 0))
        with m.If(self.write & is_first):
            m.d.sync += before.eq(count)
        return count


class DigitStream(Component):
    """Lanes of one row of X that walk through their digits together, most significant phase first.

    A digit selected in one cycle is in `request` in the next, for its operand to be read, and in
    `digit` in the one after, in which the operand comes.

    Members: `write`, `place`, `half`, `x`: the digits of an operand per lane, as they arrive.
    `start`, `extent`, `turn`, `ready`, `through`, `is_first`, `home`, `ahead`, `left`: see
    `Walker`; `x_half`: the half that is read. `request`: per lane the place of the operand, and
    whether there is a digit; `digit`: per lane; `bank`: of the operands that come.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        self.lanes = params.lanes // params.stream_count
        bank_bits = clog2(params.bank_count)
        ring = {"home": In(bank_bits), "ahead": In(1), "left": Out(1), "bank": Out(bank_bits)}
        super().__init__(
            params,
            {
                "write": In(1),
                "place": In(place_layout(params)),
                "x": In(data.ArrayLayout(digit_array(params.digit_count), self.lanes)),
                "start": In(1),
                "extent": In(extent_layout(params)),
                "turn": In(1),
                "ready": Out(1),
                "through": Out(1),
                "is_first": Out(1),
                "request": Out(data.ArrayLayout(request_layout(params), self.lanes)),
                "digit": Out(digit_array(self.lanes)),
                **{name: In(bits) for name, bits in half_layout(params).items()},
                **{f"x_{name}": In(bits) for name, bits in half_layout(params).items()},
                **(ring if params.bank_count > 1 else {}),
            },
        )
        self.events = {"groups_visited": Signal()}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.walker = walker = Walker(p)
        m.submodules.selector = selector = SELECTORS[p.sparse](p)
        words = [self.buffer(m, walker, weight) for weight in range(p.digit_count)]
        word = Signal(len(words[0]))
        m.d.comb += [
            word.eq(gated(words, walker.fetched_phase) if len(words) > 1 else words[0]),
            walker.last.eq(selector.last),
            selector.groups.eq(word),
            selector.load.eq(walker.load),
            selector.live.eq(walker.live),
        ]
        inputs, outputs = ["start", "extent", "turn"], ["ready", "through", "is_first"]
        if p.skip_groups:
            m.d.comb += walker.skip.eq(word[-skip_bits(p) :])
        if p.bank_count > 1:
            m.d.comb += selector.is_null.eq(walker.is_null)
            inputs, outputs = [*inputs, "home", "ahead"], [*outputs, "left"]
        m.d.comb += [getattr(walker, name).eq(getattr(self, name)) for name in inputs]
        m.d.comb += [getattr(self, name).eq(getattr(walker, name)) for name in outputs]
        self.issue(m, walker, selector)
        if probed(platform):
            m.d.comb += self.events["groups_visited"].eq(walker.read)
        return m

    def buffer(self, m: Module, walker: Walker, weight: int) -> Value:
        """The buffer of one bit weight; gives its word."""
        p = self.params
        m.submodules[f"buffer_{weight}"] = buffer = DigitBuffer(p)
        for name in half_layout(p):
            m.d.comb += [
                getattr(buffer, name).eq(getattr(self, name)),
                getattr(buffer, f"read_{name}").eq(getattr(self, f"x_{name}")),
            ]
        m.d.comb += [
            buffer.write.eq(self.write),
            buffer.place.eq(self.place),
            buffer.read.eq(walker.read & walker.reading[weight]),
            buffer.target.eq(walker.target),
        ]
        for lane in range(self.lanes):
            m.d.comb += buffer.digits[lane].eq(self.x[lane][weight])
        return buffer.word

    def issue(self, m: Module, walker: Walker, selector: Selector) -> None:
        """Two registers: the operand's address, then the operand on its way."""
        p = self.params
        group = Signal.like(walker.group, reset_less=True)
        m.d.sync += group.eq(walker.group)
        for lane in range(self.lanes):
            selected = Signal(digit_layout, name=f"selected_{lane}", reset_less=True)
            digit = Signal(digit_layout, name=f"digit_{lane}", reset_less=True)
            request = self.request[lane]
            m.d.sync += [selected.eq(selector.digit[lane]), digit.eq(selected)]
            m.d.comb += [
                self.digit[lane].eq(digit),
                request.valid.eq(is_nonzero(selected)),
                request.place.group.eq(group),
            ]
            if p.group > 1:
                position = Signal.like(
                    request.place.position, name=f"position_{lane}", reset_less=True
                )
                m.d.sync += position.eq(selector.position[lane])
                m.d.comb += request.place.position.eq(position)
        if p.bank_count > 1:
            bank = Signal.like(self.bank, name="bank_q", reset_less=True)
            m.d.sync += bank.eq(group.bank)
            m.d.comb += self.bank.eq(bank)
