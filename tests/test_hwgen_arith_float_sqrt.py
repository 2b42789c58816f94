# amaranth: UnusedElaboratable=no
"""Square roots, bit for bit and cycle for cycle."""

import numpy as np
import pytest
from float_cases import FORMATS, drawn, flushing, special
from float_steps import result

from designs.floats import FP32
from hwgen.arith import FloatSquareRoot, FloatSquareRootParams
from sim.golden import floats as golden

CASES = [(name, 1, True) for name in FORMATS]
CASES += [(name, 2, False) for name in ("e2m3", "e3m2fn", "fp16", "fp32")]


@pytest.mark.parametrize(("name", "bits_per_cycle", "subnormals"), CASES)
def test_roots(name, bits_per_cycle, subnormals):
    number = FORMATS[name] if subnormals else flushing(FORMATS[name])
    a = drawn(number, 1 << 16)
    # Squares, and what is next to them, have roots that are exact, or nearly so.
    square = golden.multiply(number, a, a)
    a = np.concatenate([a, square, np.clip(square - 1, 0, None), square + 1, special(number)])
    a &= (1 << number.bits) - 1
    unit = FloatSquareRoot(FloatSquareRootParams(format=number, bits_per_cycle=bits_per_cycle))
    assert (result(unit, a=a)["root"] == golden.square_root(number, a)).all()


def test_latency():
    for bits_per_cycle, cycles in ((1, 26), (2, 14), (4, 8)):
        params = FloatSquareRootParams(format=FP32, bits_per_cycle=bits_per_cycle)
        assert params.latency_cycles == cycles  # 25 bits, and the cycle of start
        assert FloatSquareRoot(params).latencies == {"start_to_root": cycles}
