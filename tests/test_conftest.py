"""What the markers of the tests do."""

import pytest

LONG = pytest.mark.full
CASES = [pytest.param(0, marks=LONG), 1, pytest.param(2, marks=LONG), 3, 4, 5, 6, 7]


@pytest.mark.spread(3)
@pytest.mark.parametrize("case", CASES)
def test_a_spread_is_chosen_among_cases_of_the_short_tier(request, case):
    assert (request.node.get_closest_marker("full") is None) == (case in (1, 4, 7))


@pytest.mark.spread(3)
@pytest.mark.parametrize("case", CASES[:4])
def test_of_fewer_cases_all_stay(request, case):
    assert (request.node.get_closest_marker("full") is None) == (case in (1, 3))


@pytest.mark.spread({1, 5})
@pytest.mark.parametrize("case", CASES)
def test_a_spread_of_values(request, case):
    assert (request.node.get_closest_marker("full") is None) == (case in (1, 5))
