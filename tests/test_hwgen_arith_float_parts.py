"""Shifts that float units are made of, on all words of odd widths."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out
from bit_parallel import BitParallel

from hwgen.arith.float_parts import aligned, is_less, led, normalised, plus, saturated
from hwgen.component import Component


class Shifts(Component):
    """All shifts of `word`, and the arithmetic on it and `amount`; the parameter is the width."""

    def __init__(self, params):
        amount = params.bit_length()
        super().__init__(
            params,
            {"word": In(params), "amount": In(amount), "carry": In(1)}
            | {"right": Out(params), "left": Out(params), "room": Out(amount)}
            | {"led": Out(params), "zeros": Out(amount), "less": Out(1)}
            | {"total": Out(params + 1), "saturated": Out(1)},
        )

    def elaborate(self, platform):
        m = Module()
        left, room = normalised(m, self.word, self.amount, self.params - 1)
        word, zeros = led(m, "led", self.word)
        amount = Cat(self.amount, self.word)[: self.params]
        m.d.comb += [
            self.right.eq(aligned(m, "right", self.word, self.amount)),
            Cat(self.left, self.room).eq(Cat(left, room)),
            Cat(self.led, self.zeros).eq(Cat(word, zeros)),
            self.less.eq(is_less(self.word, amount)),
            self.total.eq(plus(self.word, amount, self.carry)),
            self.saturated.eq(saturated(self.amount, 1)),
        ]
        return m


@pytest.mark.parametrize("width", [3, 5, 8, 11])
def test_shifts(width):
    places = width.bit_length()
    every = np.arange(1 << width + places + 1)
    word, amount, carry = every >> places + 1, every >> 1 & (1 << places) - 1, every & 1
    right, left, room, led_, zeros, less, total, one = BitParallel(Shifts(width))(
        word=word, amount=amount, carry=carry
    )
    lost = word & (1 << np.minimum(amount, width)) - 1
    assert (right == (word >> amount | (lost != 0))).all()
    above = np.where(word > 0, width - np.frexp(word.astype(float))[1], width)
    is_set = word > 0
    assert (led_ == word << np.where(is_set, above, 0))[is_set].all()
    assert (zeros == above)[is_set].all()
    shift = np.minimum(above, amount)
    assert (left == word << np.where(is_set, shift, 0)).all()
    assert (room == amount - shift)[is_set].all()
    other = (amount | word << places) & (1 << width) - 1
    assert (less == (word < other)).all()
    assert (total == word + other + carry).all()
    assert (one == (amount > 0)).all()
