"""Functions of single points on grids."""

import numpy as np

from archmodels.distinct import FRACTION, distinct, distinct_reals


def test_a_grid_is_its_points_and_each_distinct_one_is_asked_once():
    asked = []

    def function(a, b, flag):
        asked.append((a, b, flag))
        return a + b, a * b - flag

    random = np.random.default_rng(1)
    a, b = random.integers(0, 5, 1000), random.integers(-3, 9, 1000)
    total, product = distinct(function, a, b, a > 2)
    assert np.array_equal(total, a + b) and np.array_equal(product, a * b - (a > 2))
    assert len(asked) == len(set(asked)) == len(set(zip(a.tolist(), b.tolist(), strict=True)))
    assert all(type(value) is int for row in asked for value in row)
    assert distinct(function, 3, 4, True) == (7, 11)


def test_columns_of_any_range_stay_apart():
    wide = np.array([0, 2**61, 2**61, 0, 5])
    columns = (wide, wide[::-1].copy(), -wide, 7)
    (found,) = distinct(lambda *row: (hash(row) % 1000,), *columns)
    rows = zip(*(np.broadcast_to(column, 5).tolist() for column in columns), strict=True)
    assert found.tolist() == [hash(row) % 1000 for row in rows]


def test_reals_come_back_to_the_nearest_fraction():
    third = FRACTION * round(1 / 3 / FRACTION)
    assert distinct_reals(lambda n: (1 / n, 0.5 * n), 3) == (third, 1.5)
    thirds, halves = distinct_reals(lambda n: (1 / n, 0.5 * n), np.array([3, 2, 3]))
    assert thirds.tolist() == [third, 0.5, third]
    assert halves.tolist() == [1.5, 1.0, 1.5]
