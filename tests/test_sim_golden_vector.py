"""What a vector unit works out, against real numbers and against the order of its sums."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.golden.vector import exp2, reciprocal, total


def f32(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_powers_of_two() -> None:
    whole = np.arange(-125, 126).astype(np.float32)
    assert exp2(whole) == pytest.approx(np.exp2(whole), rel=2e-7)
    t = np.linspace(-125, 125, 200_001).astype(np.float32)
    assert np.abs(exp2(t) / np.exp2(t.astype(np.float64)) - 1).max() < 3e-7


def test_reciprocals() -> None:
    d = np.exp2(np.random.default_rng(1).uniform(0, 126, 100_000)).astype(np.float32)
    assert np.abs(reciprocal(d).astype(np.float64) * d - 1).max() < 3e-7
    assert reciprocal(f32(1, 2)) == pytest.approx([1, 0.5], rel=1e-7)


@given(st.integers(1, 33), st.sampled_from([1, 2, 4, 8]), st.integers(0, 99))
def test_sums_run_in_lanes(count: int, lanes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, count)).astype(np.float32)
    found = total(a, b, lanes)
    sums = [np.float32(0)] * lanes
    for place in range(count):
        sums[place % lanes] += a[place] * b[place]
    while len(sums) > 1:
        sums = [sums[i] + sums[i + 1] for i in range(0, len(sums), 2)]
    assert found == sums[0] and found.dtype == np.float32
    exact = sum(Fraction(float(x)) * Fraction(float(y)) for x, y in zip(a, b, strict=True))
    assert float(found) == pytest.approx(float(exact), abs=1e-5)
