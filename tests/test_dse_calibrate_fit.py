"""Fits on synthetic points: the law that made them is found, the simplest that holds is taken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archmodels.technology import Term
from dse.calibrate import fit, laws

T = Term
WIDTHS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48)


def on(law, coefficients, at=tuple((bits, 0) for bits in WIDTHS)):
    values = fit.design(dict.fromkeys(at, 1.0), law) @ np.array(coefficients)
    return dict(zip(at, values.tolist(), strict=True))


def noisy(points, percent, seed=1):
    rng = np.random.default_rng(seed)
    return {at: v * (1 + rng.uniform(-percent, percent) / 100) for at, v in points.items()}


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_the_law_is_recovered(first, second):
    found = fit.fit(on((T.ONE, T.BITS), (first, second)), (T.ONE, T.BITS))
    assert found.coefficients == pytest.approx((first, second), rel=1e-5)
    assert found.worst_percent < 1e-6


def test_the_law_in_two_widths_is_recovered():
    at = tuple((a, b) for a in (2, 5, 9) for b in (3, 4, 16))
    law = (T.ONE, T.LEAST, T.MOST, T.PRODUCT)
    found = fit.fit(on(law, (1.0, 2.0, 3.0, 0.5), at), law)
    assert found.coefficients == pytest.approx((1.0, 2.0, 3.0, 0.5), rel=1e-5)


@pytest.mark.parametrize(
    ("law", "coefficients"),
    [
        ((T.BITS,), (2.0,)),
        ((T.ONE, T.BITS), (9.0, 2.0)),
        ((T.ONE, T.BITS, T.LOG2_BITS), (30, 2, 9)),
    ],
)
def test_the_simplest_law_that_holds_is_chosen(law, coefficients):
    found, why = fit.best(noisy(on(law, coefficients), 1), laws.IN_BITS)
    assert found.law == law
    assert found.worst_percent <= fit.LIMIT_PERCENT
    assert "within 5 % at each point left out" in why
    assert ("simpler ones miss" in why) == (law != (T.BITS,))


def test_the_residual_is_that_of_each_point_left_out():
    law, points = (T.ONE, T.BITS), noisy(on((T.ONE, T.BITS), (5.0, 1.0)), 10)
    found = fit.fit(points, law)
    for (at, value), residual in zip(points.items(), found.residuals, strict=True):
        others = {other: v for other, v in points.items() if other != at}
        rest = fit.fit(others, law)
        estimate = (fit.design({at: value}, law) @ np.array(rest.coefficients)).item()
        assert residual == pytest.approx(100 * (estimate / value - 1), abs=1e-2)


def test_where_no_law_holds_the_one_that_misses_least_is_taken_and_said():
    points = noisy(on((T.ONE, T.BITS), (5.0, 1.0)), 40)
    found, why = fit.best(points, laws.EACH)
    assert found.worst_percent > fit.LIMIT_PERCENT
    every = [fit.fit(points, law).worst_percent for law in laws.EACH]
    assert found.worst_percent <= fit.ALIKE * min(every)
    assert "No law is within 5 %" in why


def test_a_simpler_law_that_misses_hardly_more_is_taken_and_said():
    at = tuple((bits, 0) for bits in WIDTHS)
    points = noisy(on((T.ONE, T.BITS), (5.0, 1.0), at), 15, seed=3)
    one = fit.fit(points, (T.ONE, T.BITS)).worst_percent
    richer = (T.ONE, T.BITS, T.BITS_SQUARED)
    other = fit.fit(points, richer).worst_percent
    assert other < one < fit.ALIKE * other
    found, why = fit.best(points, ((T.ONE, T.BITS), richer))
    assert found.law == (T.ONE, T.BITS)
    assert "this one is the simplest of those that miss by at most 1.1 times the least" in why
    found, why = fit.best(points, (richer,))
    assert "this one misses least" in why


def test_a_law_that_goes_below_zero_in_the_range_is_none():
    law = (T.ONE, T.BITS, T.OTHER_BITS)
    points = on(law, (-6.0, 1.0, 1.0), ((2, 8), (8, 2), (8, 8), (8, 5), (5, 8)))
    assert fit.fit(points, law).worst_percent < 1e-6
    assert fit.least(fit.fit(points, law), points) == pytest.approx(-2, abs=1e-4)
    found, _ = fit.best(points, (law, (T.PRODUCT,)))
    assert found.law == (T.PRODUCT,)


def test_a_part_of_a_word_is_no_wider_than_the_word():
    law = (T.ONE, T.BITS, T.OTHER_BITS)
    points = on(law, (0.0, 1.0, -0.9), ((4, 0), (8, 0), (8, 6), (16, 12), (16, 3)))
    assert fit.best(points, (law,))[0].law == law


def test_a_point_alone_has_no_residual():
    found = fit.price({(1, 0): 7.5}, laws.DEPTH, "A gate.")
    assert (found.law, found.coefficients, found.residual.worst_percent) == ((T.ONE,), (7.5,), 0)
    assert found.note == "A gate. One point, which nothing can check."


@pytest.mark.parametrize("points", [{}, {(1, 0): 0.0}, {(2, 0): -1.0, (3, 0): 2.0}])
def test_points_must_be_positive(points):
    with pytest.raises(fit.FitError, match="must be fitted to positive points"):
        fit.best(points, laws.IN_BITS)


def test_too_few_points_for_every_law():
    with pytest.raises(fit.FitError, match="must go through 2 points and stay above 0"):
        fit.best({(2, 0): 1.0, (4, 0): 2.0}, ((T.ONE, T.BITS),))


def test_points_at_all_widths_are_listed_where_no_law_holds():
    at = tuple((a, b) for a in (2, 3, 4) for b in (3, 4, 5, 6))
    points = noisy(on((T.PRODUCT,), (2.0,), at), 30)
    found = fit.price(points, laws.PRODUCTS[:2], "A multiplier.", may_list=True)
    assert [len(row) for row in found.table] == [4, 4, 4]
    for (a, b), value in points.items():
        assert found.at(a, b) == pytest.approx(value, rel=10**-fit.LISTED_DIGITS * 5)
    widths = np.array([2, 4, 5]), np.array([3, 6, 3])
    assert found.at(*widths).tolist() == [found.at(2, 3), found.at(4, 6), found.at(5, 3)]
    assert found.is_outside(5, 3) and not found.is_outside(4, 6)
    assert not found.is_interpolated(4, 6) and found.is_interpolated(5, 3)
    assert found.axes is None
    alone = fit.price(points, laws.PRODUCTS[:2], "A multiplier.")
    assert alone.table is None
    assert found.at(5, 3) == alone.at(5, 3)


def test_a_net_gets_as_many_levels_of_buffers_as_synthesis_builds():
    sinks = (1, 16, 17, 256, 257, 4096, 4097)
    found = fit.design({(count, 0): 1.0 for count in sinks}, (T.BUFFER_LEVELS,))
    assert found[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3]


@given(st.floats(0.0, 2.0), st.floats(-1.0, 1.0))
def test_factors_of_data_are_recovered(toggle, zeros):
    base = 1 - toggle / 2
    samples = [(t, z, base + toggle * t + zeros * z) for t, z in ((0.1, 0), (0.4, 0.5), (0.3, 0.7))]
    found = fit.factors(samples)
    assert (found.toggle, found.zeros) == pytest.approx((toggle, zeros), abs=1e-3)
    assert found.base + found.toggle / 2 == pytest.approx(1, abs=1e-3)


def test_factors_need_no_zeros():
    found = fit.factors([(0.1, 0.0, 0.2), (0.25, 0.0, 0.5)])
    assert (found.toggle, found.zeros) == (pytest.approx(2.0), 0.0)


def test_a_list_of_some_widths_says_which():
    at = tuple((a, b) for a in (4, 5, 9) for b in (1, 4, 13))
    points = noisy(on((T.PRODUCT,), (2.0,), at), 30)
    found = fit.price(points, laws.PRODUCTS[:2], "A read.", may_list=True)
    assert found.axes == ((4, 5, 9), (1, 4, 13))
    for (a, b), value in points.items():
        assert found.at(a, b) == pytest.approx(value, rel=10**-fit.LISTED_DIGITS * 5)
    assert found.at(7, 4) == pytest.approx((found.at(5, 4) + found.at(9, 4)) / 2)
