"""The model of BoothFlex cores: steps by counting, grids as their points, what narrow ones gain."""

import itertools

import numpy as np
import pytest

from archmodels import MODELS
from archmodels.booth_flex import Work
from designs import Gemm
from designs.booth_flex import BoothFlexParams
from designs.grid import Grid


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
    columns = {
        "elements": [1, 4, 3, 16],
        "cols": [1, 2, 8, 1],
        "serial": [True, False, True, False],
        "a_bits": [8, 4, 16, 8],
        "w_bits": [8, 2, 4, 16],
    }
    sizes = {"m": [1, 2, 3, 4], "k": [5, 60, 7, 99], "n": [3, 1, 20, 4], "w_bits": [2, 2, 4, 0]}
    model = MODELS[BoothFlexParams]
    whole = model(Grid(BoothFlexParams, columns, 4), Grid(Gemm, sizes, 4))
    for index in range(4):
        params = BoothFlexParams(**{name: column[index] for name, column in columns.items()})
        point = model(params, Gemm(**{name: size[index] for name, size in sizes.items()}))
        assert whole.cycles[index] == point.cycles
        for key, item in point.inventory.items():
            for name in ("count", "bits", "other_bits"):
                values = np.broadcast_to(getattr(whole.inventory[key], name), 4)
                assert values[index] == getattr(item, name), (key, name)
        for key, event in point.activity.items():
            assert np.broadcast_to(whole.activity[key].count, 4)[index] == event.count, key
