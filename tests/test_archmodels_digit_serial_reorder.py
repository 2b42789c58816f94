"""Orders of k: permutations that never cost much and gain what the documentation says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archmodels.digit_serial.reorder import balanced_order, group_costs, joined_cycles
from designs.digits import Encoding, encode


def digits(seed, rows, k, sigma):
    """Where digits of normal int8 are nonzero, (rows, k, digits)."""
    drawn = np.rint(np.random.default_rng(seed).normal(0, sigma, (rows, k))).astype(np.int64)
    return encode(Encoding.ENT, drawn.clip(-128, 127), 8, True) != 0


def plain_costs(nonzero, lanes, group):
    """By walking k: each row, lane and digit, one group after the other."""
    rows, k, weights = nonzero.shape
    found = {}
    for row in range(rows):
        for at in range(k):
            index, lane = divmod(at, lanes)
            for digit in range(weights):
                key = row, lane, index // group, digit
                found[key] = found.get(key, 0) + int(nonzero[row, at, digit])
    return found


@settings(deadline=None)
@given(
    st.integers(0, 99),
    st.integers(1, 4),
    st.integers(1, 40),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([1, 2, 4, 8]),
)
def test_costs_and_orders_of_any_size(seed, rows, k, lanes, group):
    nonzero = digits(seed, rows, k, 20.0)
    costs = group_costs(nonzero, lanes, group)
    for place, count in plain_costs(nonzero, lanes, group).items():
        assert costs[place] == max(count, 1)
    order = balanced_order(nonzero, lanes, group)
    assert sorted(order.tolist()) == list(range(k))
    assert (order == balanced_order(nonzero, lanes, group)).all()


def test_two_groups_by_hand():
    """Dense and empty operands, two of each, in groups of two: a dense one goes into each."""
    nonzero = np.array([[[1, 1], [1, 1], [0, 0], [0, 0]]], dtype=np.bool_)
    assert joined_cycles(nonzero, 1, 2).tolist() == [2 * (2 + 1)]
    order = balanced_order(nonzero, 1, 2)
    assert order.tolist() == [0, 2, 1, 3]
    assert joined_cycles(nonzero[:, order], 1, 2).tolist() == [2 * (1 + 1)]
    # in two lanes of one group each the dense operands fall on one lane each, in this order already
    assert joined_cycles(nonzero, 2, 2).tolist() == [2]
    assert joined_cycles(nonzero[:, balanced_order(nonzero, 2, 2)], 2, 2).tolist() == [2]


@pytest.mark.parametrize(
    ("rows", "lanes", "sigma", "gain"),
    [(1, 4, 25.0, 0.05), (16, 1, 25.0, 0.006), (16, 4, 25.0, 0.03), (16, 4, 10.0, 0.045)],
)
def test_gain_on_normal_weights(rows, lanes, sigma, gain):
    """K = 512 in groups of four: cycles saved, mean over rows that share the order.

    Most of it is balance between lanes: empty groups are few, and rows that share an order want
    different ones.
    """
    saved = []
    for seed in range(4):
        nonzero = digits(seed, rows, 512, sigma)
        order = balanced_order(nonzero, lanes, 4)
        cycles = joined_cycles(nonzero, lanes, 4).mean()
        saved.append(1 - joined_cycles(nonzero[:, order], lanes, 4).mean() / cycles)
    assert np.mean(saved) == pytest.approx(gain, abs=0.012)
    assert min(saved) > 0
