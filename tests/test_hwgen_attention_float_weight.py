"""Weights of floats: every x, in every way, bit for bit; what they are made of."""

import numpy as np
import pytest
from attention_floats import weights
from attention_weights import VARIANTS, variant_name
from bit_parallel import BitParallel

from designs.attention import AttentionParams, ExpMethod
from designs.floats import BF16, FP16, FP32
from hwgen.attention.float_weight import FloatWeight, FloatWeightParams
from hwgen.emit import verilog
from hwgen.netlist import count, flattened_count

FORMATS = {"fp16": (FP16, 15), "bf16": (BF16, 0), "fp32": (FP32, 0)}
"""Formats, and logarithms of what 1 is in them."""

KEPT_BITS = {"fp16": 10 + 5, "bf16": 7 + 5 + 1, "fp32": 14 + 5 + 1}
"""Fraction, exponent below the greatest, and a bit that tells zero where no exponent is that of
zero."""

WAYS = pytest.mark.parametrize("variant", VARIANTS[6:9] + VARIANTS[-4:], ids=variant_name)
NAMES = pytest.mark.parametrize("name", FORMATS)
X = np.arange(1 << 13)


def of(variant, name):
    number, scale = FORMATS[name]
    return FloatWeightParams(engine=AttentionParams(**variant), format=number, scale=scale)


@pytest.mark.spread(10)
@NAMES
@WAYS
def test_every_exponent(variant, name):
    params = of(variant, name)
    stimuli = {"step": 0 * X, "x": 0}
    cycles = BitParallel(FloatWeight(params)).cycles(stimuli)
    rng = np.random.default_rng(1)
    slots = params.mantissa.slots
    done = np.full(len(X), -1)
    for _ in range(4 * slots):
        # Any number of cycles between one slot and the next, in which x is anything.
        goes = (done < slots - 1) & (rng.random(len(X)) < 0.7)
        step = np.where(goes, 1 << done + 1, 0)
        stimuli |= {"step": step, "x": np.where(step == 1, X, rng.integers(0, len(X), len(X)))}
        next(cycles)
        done += goes
    assert (done == slots - 1).mean() > 0.9
    stimuli |= {"step": 0 * X}
    expected = weights(params.engine, params.format, X, params.scale)
    assert (next(cycles)["weight"] == expected)[done == slots - 1].all()


@pytest.mark.spread(4)
@NAMES
@WAYS
def test_no_register_is_constant(variant, name):
    params = of(variant, name)
    text = verilog(FloatWeight(params), "dut")
    kept = KEPT_BITS[name]
    registers = {1: kept, 2: max(13, kept), 3: max(16, kept) + 5}
    expected = registers.get(params.mantissa.slots, 0)
    if params.engine.exp_method == ExpMethod.POLYNOMIAL:
        expected = max(17, kept) + 5 + 8
    assert count(text, "dut").flip_flop_bits == expected
    assert flattened_count(text, "dut").flip_flop_bits == expected


def test_weights_below_the_least_normal_number_are_zero():
    """2**-14 is the least normal one of fp16, which a weight of 2**-29 is, and 2**15 its greatest
    power of two; there is none of bf16 and float32 here."""
    engine = AttentionParams()
    assert weights(engine, FP16, np.array([0, 29 << 8, (29 << 8) + 1]), 15).tolist() == [
        30 << 10,
        1 << 10,
        0,
    ]
    assert (weights(engine, BF16, X)[: 31 << 8] > 0).all()
    assert (weights(engine, FP32, X)[31 << 8 :] == 0).all()
