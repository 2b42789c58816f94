"""2**-t in integers: how far off, against numpy."""

import numpy as np
import pytest

from designs.attention.exponential import ONE, coefficients, lines

T = np.arange(256)
EXACT = 2.0 ** (-T / 256)


@pytest.mark.parametrize(
    ("segments", "error"), [(2, 1.6e-2), (4, 3.9e-3), (8, 1e-3), (16, 2.7e-4), (32, 9e-5)]
)
def test_chords(segments, error):
    """Bounds: midway on a chord, and two roundings of 2**-16 over at least a half."""
    chords = lines(segments)
    part, rest = T >> chords.rest_bits, T & ((1 << chords.rest_bits) - 1)
    drop = np.array(chords.drop)[part] * rest + chords.half >> chords.rest_bits
    y = np.array(chords.base)[part] - drop
    assert y[0] == ONE
    assert np.all(np.diff(y) < 0)
    assert np.all(y > ONE // 2)
    off = np.abs(y / ONE / EXACT - 1).max()
    assert error / 2 < off < error
    assert off < np.cosh(np.log(2) / 2 / segments) - 1 + 2 * 2.0**-15


@pytest.mark.parametrize(("degree", "error"), [(2, 1e-2), (3, 4e-4), (4, 1.3e-4), (5, 1.3e-4)])
def test_polynomials(degree, error):
    constants = coefficients(degree)
    y = np.full(256, constants[-1])
    for constant in constants[-2::-1]:
        y = constant + (y * T + 128 >> 8)
    assert y[0] == y.max() == ONE
    assert np.all(y > ONE // 2)
    assert np.abs(y / ONE / EXACT - 1).max() < error
    assert all(-ONE < constant < ONE for constant in constants[1:])
