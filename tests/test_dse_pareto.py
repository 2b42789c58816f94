"""Pareto fronts against the definition, point by point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dse.pareto import balanced_point, pareto_front

# Small integers, so that equal points and equal coordinates are frequent.
TABLES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(0, 40), st.integers(1, 4)),
    elements=st.integers(0, 6).map(float) | st.just(np.inf),
)


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one <= other).all() and (one < other).any())


@given(TABLES)
def test_front_is_what_nothing_dominates(objectives):
    expected = [not any(dominates(one, other) for one in objectives) for other in objectives]
    assert pareto_front(objectives).tolist() == expected


@given(TABLES, st.randoms(use_true_random=False))
def test_order_does_not_matter(objectives, random):
    order = list(range(len(objectives)))
    random.shuffle(order)
    assert (pareto_front(objectives[order]) == pareto_front(objectives)[order]).all()


def test_a_million_points():
    rng = np.random.default_rng(1)
    objectives = rng.random((1_000_000, 3))
    front = pareto_front(objectives)
    # The mean number of maxima of n random points in 3 dimensions is about (ln n)**2 / 2 = 95.
    assert 40 < np.count_nonzero(front) < 200
    for point in objectives[front]:
        assert not ((objectives <= point).all(axis=1) & (objectives < point).any(axis=1)).any()


@pytest.mark.parametrize("objectives", [np.zeros(3), np.array([[1.0, np.nan]])])
def test_what_is_no_table_of_numbers_is_refused(objectives):
    with pytest.raises(ValueError) as caught:
        pareto_front(objectives)
    assert str(caught.value) == "objectives must be numbers of shape [points, objectives]"


def test_balanced_point_has_the_least_product():
    objectives = np.array([[1.0, 9.0], [2.0, 3.0], [3.0, 2.0], [9.0, 1.0], [5.0, 5.0]])
    assert balanced_point(objectives) == 1  # 6, as the next one, which comes later


@given(hnp.arrays(np.float64, (12, 3), elements=st.floats(0.5, 1e12)))
def test_balanced_point_is_on_the_front(objectives):
    front = pareto_front(objectives)
    best = balanced_point(objectives)
    product = np.log(objectives).sum(axis=1)
    assert front[best] or np.isclose(product[best], product[front].min())
