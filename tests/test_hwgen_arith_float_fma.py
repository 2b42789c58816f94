"""Fused multiply-add, bit for bit, with the sum in the factors' format and in wider ones."""

import pytest
from bit_parallel import BitParallel
from float_cases import FORMATS, MILLION, flushing, triples

from hwgen.arith import FloatFma, FloatFmaParams
from sim.golden import floats as golden

KINDS = [(name, name) for name in FORMATS] + [
    ("fp16", "fp32"),
    ("bf16", "fp32"),
    ("fp8_e4m3", "fp16"),
    ("fp8_e4m3", "e2m1"),
]


def check(number, sum_, count, seed=0):
    a, b, c = triples(number, sum_, golden.multiply, count, seed)
    (found,) = BitParallel(FloatFma(FloatFmaParams(format=number, sum=sum_)))(a=a, b=b, c=c)
    assert (found == golden.fma(number, a, b, c, sum_)).all()


@pytest.mark.spread(7)
@pytest.mark.parametrize(("name", "to"), KINDS)
def test_sums_of_a_product(name, to):
    check(FORMATS[name], FORMATS[to], MILLION // 5)


@pytest.mark.parametrize(("name", "to"), [("e2m3", "e2m3"), ("fp16", "fp16"), ("bf16", "fp32")])
def test_sums_of_a_product_without_subnormals(name, to):
    check(flushing(FORMATS[name]), flushing(FORMATS[to]), MILLION // 5)


@pytest.mark.full
@pytest.mark.parametrize(("name", "to"), KINDS)
def test_more_sums_of_a_product(name, to):
    for seed in range(1, 6):
        check(FORMATS[name], FORMATS[to], MILLION, seed)
