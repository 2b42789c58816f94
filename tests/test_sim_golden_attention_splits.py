"""Groups of keys with a state of their own, and what is combined of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.attention import Attention, AttentionParams, Element, Pattern
from sim.golden.attention import (
    GATES,
    Case,
    Error,
    attention,
    cascade,
    draw,
    numbers,
    reference,
)
from sim.golden.attention.cascade import combined, tiles


def machine(workload, **fields):
    return AttentionParams(**({"e": workload.e, "f": workload.f} | fields))


def drawn(params, workload, case=Case.RANDOM, seed=0):
    return draw(params, workload, np.random.default_rng(seed), case)


def test_groups_take_tiles_in_turn():
    found = [[list(tile) for tile in group] for group in tiles(11, 2, 3)]
    assert found == [[[0, 1], [6, 7]], [[2, 3], [8, 9]], [[4, 5], [10]]]
    assert [len(group) for group in tiles(5, 2, 8)] == [1, 1, 1]


@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize("keys", [1, 3, 4])
def test_groups_without_keys_count_for_nothing(keys, element):
    workload = Attention(heads=2, queries=3, keys=keys, e=5, f=4)
    params = machine(workload, side=4, element=element)
    inputs = drawn(params, workload)
    alone = attention(params, workload, inputs)
    for splits in (2, 4):
        assert (attention(replace(params, splits=splits), workload, inputs) == alone).all()


@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize("case", Case)
def test_groups_that_see_no_key_count_for_nothing(case, element):
    # The last query of a window of 2 sees keys 6 and 7, of the last group alone.
    workload = Attention(queries=8, keys=8, e=5, f=4, pattern=Pattern.WINDOW, window=2)
    params = machine(workload, side=8, element=element)
    inputs = drawn(params, workload, case)
    split = attention(replace(params, side=2, splits=2), workload, inputs)
    own = Attention(queries=1, keys=2, e=5, f=4)
    alone = {name: inputs[name][:, 6:] for name in "kv"} | {"q": inputs["q"][:, 7:]}
    alone |= {name: inputs[name] for name in inputs if name == "shift"}
    assert (attention(replace(params, side=2), own, alone)[0, 0] == split[0, 7]).all()


def turned(params, inputs, turns):
    """The tiles of keys in the order that `turns` say: in each a tile of each group."""
    starts = np.concatenate(turns)[:, None] * params.side
    keys = (starts + np.arange(params.side)).ravel()
    return {**inputs, "k": inputs["k"][:, keys], "v": inputs["v"][:, keys]}


@given(st.integers(0, 2**32), st.sampled_from([2, 4, 8]))
def test_it_does_not_matter_in_which_columns_a_group_is(seed, splits):
    workload = Attention(heads=2, queries=3, keys=64, e=8, f=4)
    params = machine(workload, side=8, splits=splits)
    inputs = drawn(params, workload, seed=seed)
    order = np.random.default_rng(seed).permutation(splits)
    other = turned(params, inputs, [first + order for first in range(0, 8, splits)])
    found = attention(params, workload, inputs)
    assert (attention(params, workload, other) == found).all()


@given(st.integers(0, 2**32), st.sampled_from([2, 4, 8]), st.sampled_from(Element))
def test_it_hardly_matters_which_group_has_which_keys(seed, splits, element):
    workload = Attention(heads=2, queries=3, keys=48, e=8, f=4)
    params = machine(workload, side=8, splits=splits, element=element)
    inputs = drawn(params, workload, seed=seed)
    other = turned(params, inputs, [np.random.default_rng(seed).permutation(6)])
    found, again = (numbers(params, attention(params, workload, one)) for one in (inputs, other))
    assert np.abs(found - again).max() <= GATES[element].greatest / 4


@pytest.mark.spread(4)
@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize(("side", "splits"), [(2, 2), (8, 8), (64, 4), (64, 64)])
def test_gaussian_values_are_within_the_gate(side, splits, element):
    workload = Attention(queries=8, keys=300, e=64, f=32)
    params = machine(workload, side=side, splits=splits, element=element)
    inputs = drawn(params, workload)
    found = numbers(params, attention(params, workload, inputs))
    assert Error.between(found, reference(params, workload, inputs)).within(GATES[element])


@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize("case", [Case.INCREASING, Case.DECREASING, Case.ONE_HOT])
def test_far_maxima_are_within_the_gate(case, element):
    workload = Attention(queries=4, keys=64, e=16, f=8)
    params = machine(workload, side=16, splits=4, element=element)
    inputs = drawn(params, workload, case)
    found = numbers(params, attention(params, workload, inputs))
    assert Error.between(found, reference(params, workload, inputs)).within(GATES[element])


def unweighted(arithmetic, ends):
    """As if all groups had the same maximum."""
    return combined(arithmetic, [replace(end, rm=ends[0].rm) for end in ends])


def crossed(arithmetic, ends):
    """As if each group had the maximum of the next."""
    maxima = [end.rm for end in (*ends[1:], ends[0])]
    pairs = zip(ends, maxima, strict=True)
    return combined(arithmetic, [replace(end, rm=rm) for end, rm in pairs])


@pytest.mark.parametrize("element", Element)
@pytest.mark.parametrize("wrong", [unweighted, crossed])
def test_gates_are_not_met_by_wrong_maxima(monkeypatch, wrong, element):
    workload = Attention(queries=8, keys=64, e=16, f=8)
    params = machine(workload, side=16, splits=4, element=element)
    inputs = drawn(params, workload)
    monkeypatch.setattr(cascade, "combined", wrong)
    found = numbers(params, attention(params, workload, inputs))
    assert not Error.between(found, reference(params, workload, inputs)).within(GATES[element])
