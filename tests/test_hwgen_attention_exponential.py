"""Weights of all exponents, by every way to compute them, bit for bit."""

import functools

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out
from attention_weights import VARIANTS, exponents, mantissas, variant_name, weights
from bit_parallel import BitParallel

from designs.attention import AttentionParams, ExpMethod
from hwgen.attention.exponential import Exponential, ExponentialParams
from hwgen.component import Component

SLACK = 3 / 2**16
"""Two roundings of a mantissa, or of its table, and one of the weight."""


class Host(Component):
    """An exponential whose host has a multiplier and an adder, and nothing else."""

    reset_less = True

    def __init__(self, params):
        ports = {"step": In(params.slots), "distance": In(params.distance_bits)}
        ports |= {"masked": In(1), "shift": In(5), "weight": Out(16), "factor": Out(17)}
        super().__init__(params, ports)

    def elaborate(self, platform):
        m = Module()
        m.submodules.exponential = part = Exponential(self.params)
        m.d.comb += [
            getattr(part, name).eq(getattr(self, name))
            for name in ("step", "distance", "masked", "shift")
        ]
        m.d.comb += [
            part.total.eq(part.multiplicand * part.multiplier + part.addend),
            self.weight.eq(part.weight),
            self.factor.eq(part.multiplicand),
        ]
        return m


@functools.cache
def host(part):
    return BitParallel(Host(part))


def computed(params, stimuli, pause):
    """The weights of stimuli, with `pause` slots of something else after each slot."""
    part = ExponentialParams.of(params)
    inputs = dict(stimuli)
    cycles = host(part).cycles(inputs)
    for slot in range(part.slots):
        for step in (1 << slot, *[0] * pause):
            inputs["step"] = step
            next(cycles)
            # What comes with the first slot is gone after it.
            inputs |= {name: stimuli[name][::-1] for name in stimuli}
    inputs["step"] = 0
    outputs = next(cycles)
    assert (outputs["factor"] == outputs["weight"]).all()
    return outputs["weight"]


@pytest.mark.spread(6)
@pytest.mark.parametrize("pause", [0, 2])
@pytest.mark.parametrize("variant", VARIANTS, ids=variant_name)
def test_every_exponent(variant, pause):
    params = AttentionParams(e=1024, **variant)
    rng = np.random.default_rng(pause)
    x = rng.permutation(8192)
    shift = rng.integers(0, params.score_bits - 13, len(x))
    distance = (x << shift) + rng.integers(0, 1 << shift)
    stimuli = {"distance": distance, "shift": shift, "masked": np.zeros_like(x)}
    assert (computed(params, stimuli, pause) == weights(params, x)).all()


@pytest.mark.parametrize("e", [1, 1024])
@pytest.mark.parametrize("variant", VARIANTS[2::4], ids=variant_name)
def test_any_distance_and_shift(variant, e):
    params = AttentionParams(e=e, **variant)
    rng = np.random.default_rng(e)
    top = 1 << params.score_bits
    width = rng.integers(0, params.score_bits + 1, 4000)
    distance = np.append(rng.integers(0, 1 << width), [0, top - 1, top - 1, top >> 1])
    shift = np.append(rng.integers(0, 32, 4000), [31, 0, 31, 0])
    masked = rng.integers(0, 8, 4004) == 0
    stimuli = {"distance": distance, "shift": shift, "masked": masked.astype(int)}
    expected = weights(params, exponents(distance, shift, masked))
    assert (computed(params, stimuli, 0) == expected).all()
    assert (expected[masked] == 0).all()


@pytest.mark.parametrize("variant", VARIANTS, ids=variant_name)
def test_weights_are_powers_of_two(variant):
    """What the bits are held against is itself 2**-x, but for the error of chords or polynomial.

    Between two points on 2**-t a chord is highest above it halfway, where it is their mean.
    """
    params, x = AttentionParams(**variant), np.arange(8192)
    if params.exp_method == ExpMethod.PWL:
        error = np.cosh(np.log(2) / params.exp_segments / 2) - 1
    else:
        error = {2: 1e-2, 3: 5e-4, 4: 1e-4, 5: 1e-4}[params.exp_degree]
    found, exact = weights(params, x) / 2**15, 2.0 ** (-x / 256)
    assert (np.abs(found - exact) <= error * exact + SLACK).all()
    assert mantissas(params, np.arange(1)) == 2**15
    assert (np.diff(found) <= 0).all()
