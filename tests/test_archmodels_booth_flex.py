"""The model of BoothFlex cores: steps by counting, grids as their points, what narrow ones gain."""

import itertools

import pytest
from grid_points import assert_a_grid_is_its_points

from archmodels import MODELS
from archmodels.booth_flex import Work
from designs import Gemm
from designs.booth_flex import BoothFlexParams


@pytest.mark.parametrize(("serial", "w_bits"), [(False, 0), (False, 2), (True, 2), (True, 6)])
@pytest.mark.parametrize(("elements", "cols"), [(1, 1), (3, 2), (5, 4)])
def test_steps_are_what_a_loop_counts(elements, cols, serial, w_bits):
    params = BoothFlexParams(elements=elements, cols=cols, serial=serial)
    gemm = Gemm(m=3, k=41, n=7, w_bits=w_bits)
    lanes = 4 * elements if w_bits == 2 and not serial else elements
    passes = range((w_bits or 8) // 2 if serial else 1)
    loops = range(gemm.m), range(0, gemm.n, cols), passes, range(0, gemm.k, lanes)
    steps = len(list(itertools.product(*loops)))
    assert Work.of(params, gemm).steps == steps
    assert MODELS[BoothFlexParams](params, gemm).cycles == steps + 1


def test_narrow_weights_are_four_times_as_fast():
    params = BoothFlexParams(elements=16)
    whole, narrow = (
        MODELS[BoothFlexParams](params, Gemm(m=1, k=1024, n=9, w_bits=bits)) for bits in (8, 2)
    )
    assert (whole.cycles - 1) == 4 * (narrow.cycles - 1)
    assert whole.activity["mac.slots"].count == narrow.activity["mac.slots"].count


@pytest.mark.parametrize(("serial", "w_bits", "width"), [(False, 2, 2), (True, 4, 4), (True, 0, 8)])
def test_energy_knows_how_wide_weights_are(serial, w_bits, width):
    model = MODELS[BoothFlexParams](
        BoothFlexParams(serial=serial), Gemm(m=1, k=5, n=1, w_bits=w_bits)
    )
    (row,) = model.activity["pe.rows"].operations
    assert row.zeros == 2.0**-width  # of uniform weights


def test_a_grid_is_its_points():
    pairs = [
        (BoothFlexParams(elements=1, cols=1, serial=True), Gemm(m=1, k=5, n=3, w_bits=2)),
        (BoothFlexParams(elements=4, cols=2, a_bits=4, w_bits=2), Gemm(m=2, k=60, n=1, w_bits=2)),
        (
            BoothFlexParams(elements=3, cols=8, serial=True, a_bits=16, w_bits=4),
            Gemm(m=3, k=7, n=20, w_bits=4),
        ),
        (BoothFlexParams(elements=16, cols=1, w_bits=16), Gemm(m=4, k=99, n=4)),
    ]
    assert_a_grid_is_its_points(MODELS[BoothFlexParams], pairs)
