"""The multipliers, bit for bit, into their own format and into others."""

import pytest
from bit_parallel import BitParallel
from float_cases import FORMATS, MILLION, TYPES, flushing, pairs

from hwgen.arith import FloatMultiplier, FloatMultiplierParams
from sim.golden import floats as golden

OTHERS = [
    ("fp16", "fp32"),
    ("bf16", "fp32"),
    ("fp8_e4m3", "fp16"),
    ("fp16", "bf16"),
    ("bf16", "fp16"),
    ("fp8_e5m2", "fp8_e4m3"),
    ("fp16", "e2m3"),
]


def check(number, product, operands):
    a, b = operands
    (found,) = BitParallel(FloatMultiplier(FloatMultiplierParams(format=number, product=product)))(
        a=a, b=b
    )
    assert (found == golden.multiply(number, a, b, product)).all()


@pytest.mark.spread(9)
@pytest.mark.parametrize("subnormals", [True, False])
@pytest.mark.parametrize("name", FORMATS)
def test_products(name, subnormals):
    number = FORMATS[name] if subnormals else flushing(FORMATS[name])
    check(number, None, pairs(number))


@pytest.mark.parametrize(("name", "product"), OTHERS)
def test_products_of_another_format(name, product):
    check(FORMATS[name], FORMATS[product], pairs(FORMATS[name], MILLION // 4))


@pytest.mark.full
@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
def test_more_products(name):
    for seed in range(1, 11):
        check(TYPES[name][0], None, pairs(TYPES[name][0], MILLION, seed))
