# amaranth: UnusedElaboratable=no
"""Division, bit for bit and cycle for cycle."""

import numpy as np
import pytest
from float_cases import FORMATS, flushing, pairs
from float_steps import result

from designs.floats import FP32
from hwgen.arith import FloatDivider, FloatDividerParams
from hwgen.emit import verilog
from hwgen.netlist import count, flattened_count
from sim.golden import floats as golden

CASES = [(name, 1, True) for name in FORMATS]
CASES += [(name, 2, False) for name in ("e2m3", "e3m2fn", "fp16", "fp32")]


@pytest.mark.parametrize(("name", "bits_per_cycle", "subnormals"), CASES)
def test_quotients(name, bits_per_cycle, subnormals):
    number = FORMATS[name] if subnormals else flushing(FORMATS[name])
    a, b = pairs(number, 1 << 15)
    # Short divisors make quotients that are exact, or halfway between two numbers.
    short = b & ~((1 << number.mantissa_bits - 1) - 1)
    b = np.where(np.arange(len(b)) % 3 == 0, short, b)
    unit = FloatDivider(FloatDividerParams(format=number, bits_per_cycle=bits_per_cycle))
    assert (result(unit, a=a, b=b)["quotient"] == golden.divide(number, a, b)).all()


@pytest.mark.parametrize("bits_per_cycle", [1, 2])
@pytest.mark.parametrize("name", ["e2m1", "fp8_e5m2", "bf16", "fp32"])
def test_reciprocals(name, bits_per_cycle):
    number = FORMATS[name]
    (_, b), params = pairs(number, 1 << 14), {"bits_per_cycle": bits_per_cycle, "reciprocal": True}
    unit = FloatDivider(FloatDividerParams(format=number, **params))
    expected = golden.divide(number, np.full_like(b, number.one), b)
    assert (result(unit, b=b)["quotient"] == expected).all()


def test_no_register_of_a_reciprocal_is_constant():
    unit = FloatDivider(FloatDividerParams(format=FP32, bits_per_cycle=2, reciprocal=True))
    text = verilog(unit, "dut")
    # Quotient and counter, divisor, remainder, exponent's room, sign, two kinds of no number.
    bits = (26 + 1) + 24 + 24 + 10 + 1 + 2
    assert flattened_count(text, "dut").flip_flop_bits == bits
    assert count(text, "dut").flip_flop_bits == bits


def test_latency():
    for bits_per_cycle, cycles in ((1, 27), (2, 14), (4, 8)):
        params = FloatDividerParams(format=FP32, bits_per_cycle=bits_per_cycle)
        assert params.latency_cycles == cycles  # 26 bits, and the cycle of start
        assert FloatDivider(params).latencies == {"start_to_quotient": cycles}
