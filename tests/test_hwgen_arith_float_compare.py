"""Comparison and order, bit for bit."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out
from bit_parallel import BitParallel
from float_cases import FORMATS, drawn, flushing, pairs

from hwgen.arith import FloatCompare, float_order
from hwgen.component import Component
from sim.golden import floats as golden


class Ordered(Component):
    """`o` is the place of `i`."""

    def __init__(self, params):
        super().__init__(params, {"i": In(params.bits), "o": Out(params.bits)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(float_order(self.i))
        return m


@pytest.mark.parametrize("subnormals", [True, False])
@pytest.mark.parametrize("name", FORMATS)
def test_comparison(name, subnormals):
    number = FORMATS[name] if subnormals else flushing(FORMATS[name])
    a, b = pairs(number)
    b = np.where(np.arange(len(a)) % 5 == 4, a, b)
    found = BitParallel(FloatCompare(number))(a=a, b=b)
    for bit, expected in zip(found, golden.compare(number, a, b), strict=True):
        assert (bit == expected).all()


@pytest.mark.parametrize("name", ["fp8_e4m3", "fp16"])
def test_order(name):
    words = drawn(FORMATS[name], 1 << 16)
    (found,) = BitParallel(Ordered(FORMATS[name]))(i=words)
    assert (found == golden.order(FORMATS[name], words)).all()
