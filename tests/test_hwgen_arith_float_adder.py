# amaranth: UnusedElaboratable=no
"""The adders, bit for bit: all pairs of 8-bit formats, a million of others and all special ones."""

import numpy as np
import pytest
from bit_parallel import BitParallel
from float_cases import FORMATS, MILLION, TYPES, flushing, pairs

from designs.floats import FP16
from hwgen.arith import FloatAdder, FloatAdderParams, FloatAdderStyle
from sim.golden import floats as golden

COMPACT, WIDE = FloatAdderStyle


def adder(number, style=COMPACT):
    return FloatAdder(FloatAdderParams(format=number, style=style))


def check(number, style, operands):
    a, b = operands
    (total,) = BitParallel(adder(number, style))(a=a, b=b)
    assert (total == golden.add(number, a, b)).all()


@pytest.mark.spread(9)
@pytest.mark.parametrize("style", FloatAdderStyle)
@pytest.mark.parametrize("name", FORMATS)
def test_sums(name, style):
    check(FORMATS[name], style, pairs(FORMATS[name]))


@pytest.mark.parametrize("style", FloatAdderStyle)
@pytest.mark.parametrize("name", ["e2m3", "e3m2fn", "fp16", "bf16"])
def test_sums_without_subnormals(name, style):
    check(flushing(FORMATS[name]), style, pairs(FORMATS[name]))


def test_a_difference_is_a_sum_with_the_sign_inverted():
    a, b = pairs(FP16, 1000)
    x, y = (words.astype(np.uint16).view(np.float16) for words in (a, b))
    (total,) = BitParallel(adder(FP16))(a=a, b=b ^ 1 << 15)
    with np.errstate(all="ignore"):
        found = total.astype(np.uint16).view(np.float16)
        assert np.array_equal(found, x - y, equal_nan=True)


@pytest.mark.full
@pytest.mark.parametrize("style", FloatAdderStyle)
@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
def test_more_sums(name, style):
    for seed in range(1, 11):
        check(TYPES[name][0], style, pairs(TYPES[name][0], MILLION, seed))


def test_adders_of_one_design_have_names_of_their_own():
    kinds = [adder(FP16), adder(FP16, WIDE), adder(flushing(FP16)), adder(FORMATS["fp8_e4m3"])]
    assert [kind.label for kind in kinds] == [
        "float_adder_e5m10_compact",
        "float_adder_e5m10_wide",
        "float_adder_e5m10z_compact",
        "float_adder_e4m3fn_compact",
    ]
