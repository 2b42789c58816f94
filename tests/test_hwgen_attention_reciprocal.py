# amaranth: UnusedElaboratable=no
"""Reciprocals of every divisor, and of denominators of every width, bit for bit."""

import numpy as np
import pytest
from bit_parallel import BitParallel

from designs.attention import AttentionParams
from hwgen.attention.reciprocal import STEP_COUNT, Reciprocal, ReciprocalParams

LATENCY = Reciprocal(ReciprocalParams(bits=16, halves=2)).latencies["start_to_reciprocal"]


def outputs(found, params, half):
    """Quotient and shift of a half."""
    word = found["reciprocals"] >> params.layout.size * half
    quotient = word & (1 << 17) - 1
    return quotient, word >> 17 & (1 << params.layout.size - 17) - 1


def check(found, params, half, denominator):
    quotient, shift = outputs(found, params, half)
    bits = np.array([int(word).bit_length() for word in denominator])
    m = denominator << params.bits - bits >> params.bits - 16
    assert (shift == params.bits - bits).all()
    assert (quotient == 2**31 // m).all()


def play(params, first, second):
    """Two reciprocals as close as can be, one for each half."""
    stimuli = {"start": 1, "half": 1, "denominator": first}
    cycles = BitParallel(Reciprocal(params)).cycles(stimuli)
    next(cycles)
    stimuli |= {"start": 0, "denominator": 0 * first}
    for _ in range(STEP_COUNT):
        found = next(cycles)
    assert not (found["done"] & 2).any()
    stimuli |= {"start": 1, "half": 0, "denominator": second}
    assert not (next(cycles)["done"] & 2).any()
    stimuli |= {"start": 0, "denominator": 0 * second}
    found = next(cycles)
    assert (found["done"] & 2).all()
    check(found, params, 1, first)
    for _ in range(LATENCY - 2):
        assert not (next(cycles)["done"] & 1).any()
    for _ in range(3):
        found = next(cycles)
        assert (found["done"] == 3).all()
        check(found, params, 0, second)
        check(found, params, 1, first)


def test_every_divisor():
    divisors = np.arange(2**15, 2**16)
    play(ReciprocalParams(bits=16, halves=2), divisors, divisors[::-1])


@pytest.mark.parametrize("bits", [17, 22, 32, 36])
def test_widths(bits):
    rng = np.random.default_rng(bits)
    words = rng.integers(0, 1 << bits, 20_000) >> rng.integers(0, bits, 20_000)
    words = np.maximum(
        np.concatenate([words, (1 << np.arange(bits)), (2 << np.arange(bits)) - 1]), 1
    )
    play(ReciprocalParams(bits=bits, halves=2), words, rng.permutation(words))


def test_latency():
    assert STEP_COUNT + 1 == AttentionParams().divide_cycles
    assert STEP_COUNT == 9  # 17 bits of a quotient, two in each cycle
    assert LATENCY == 11
