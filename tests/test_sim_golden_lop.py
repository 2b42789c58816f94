"""Leading-one prediction: codes of all values, scores, scales, and who survives."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.golden.lop import (
    Selection,
    buckets,
    leading_one,
    power,
    rounded_leading_one,
    scale_codes,
    scale_value,
    select,
    select_sorted,
    surrogate,
)

EVERY = np.arange(-128, 128)


def test_leading_one_of_every_value() -> None:
    for value, code in zip(EVERY.tolist(), leading_one(EVERY).tolist(), strict=True):
        level = min(abs(value).bit_length(), 7)
        assert code == (level | 8 if value < 0 else level)


def test_rounded_leading_one_of_every_value() -> None:
    # Upper ends of the levels 0 to 7: half-way values, 3 * 2**i, go up.
    ends = (1, 2, 5, 11, 23, 47, 95, 128)
    for value, code in zip(EVERY.tolist(), rounded_leading_one(EVERY).tolist(), strict=True):
        level = next(place for place, end in enumerate(ends) if abs(value) <= end)
        assert code == (level | 8 if value < 0 and level else level)


def test_codes_take_four_bits_and_none_is_a_negative_zero() -> None:
    for code in (leading_one(EVERY), rounded_leading_one(EVERY)):
        assert sorted(set(code.tolist())) == [*range(8), *range(9, 16)]


def test_what_codes_stand_for() -> None:
    values = EVERY[1:]  # -128 has no level of its own in LO
    plain, rounded = power(leading_one(values)), 2 * power(rounded_leading_one(values))
    assert (np.abs(plain) <= np.abs(values)).all()
    assert ((2 * np.abs(plain) > np.abs(values)) | (values == 0)).all()
    assert (np.sign(plain) == np.sign(values)).all()
    more = np.abs(values) > 1
    # From 3 * 2**i to 4 * 2**i, or down to 2 * 2**i of just below it.
    assert (np.abs(rounded - values)[more] * 3 <= np.abs(values[more])).all()
    assert not rounded[~more].any()


def test_score_of_a_few() -> None:
    query, keys = (
        leading_one(np.array([5, -127, 0])),
        leading_one(np.array([[3, 64, 9], [-1, 2, 1]])),
    )
    assert surrogate(query, keys).tolist() == [4 * 2 - 64 * 64, -4 - 64 * 2]


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 99))
def test_score_is_a_sum_over_thirteen_counters(width: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    query = rounded_leading_one(random.integers(-128, 128, width))
    keys = rounded_leading_one(random.integers(-128, 128, (count, width)))
    for key, score in zip(keys.tolist(), surrogate(query, keys).tolist(), strict=True):
        counters: Counter[int] = Counter()
        for one, other in zip(query.tolist(), key, strict=True):
            if one & 7 and other & 7:
                counters[(one & 7) + (other & 7) - 2] += -1 if (one ^ other) & 8 else 1
        assert set(counters) <= set(range(13))
        assert score == sum(times << exponent for exponent, times in counters.items())


def test_values_must_be_int8() -> None:
    for encode in (leading_one, rounded_leading_one):
        with pytest.raises(ValueError, match="values must be between -128 and 127, not 128"):
            encode(np.array([0, 128]))


def f32(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_scales_that_have_codes_keep_them() -> None:
    codes = np.arange(256)
    values = scale_value(codes)
    assert (np.diff(values) > 0).all()
    assert values[[0, 1, 16, 255]].tolist() == [16, 17, 32, 31 << 15]
    assert np.array_equal(scale_codes((values * 2.0**-18).astype(np.float32)), codes)


@given(st.floats(2.0**-14, 4, exclude_max=True, width=32))
def test_scales_are_cut_off(scale: float) -> None:
    every = scale_value(np.arange(256)) * 2.0**-18
    assert scale_codes(f32(scale)).tolist() == [np.flatnonzero(every <= scale)[-1]]


def test_scales_out_of_range_take_the_bound() -> None:
    assert scale_codes(f32(1e-40, 2**-15, 4, 1e30)).tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_scales_must_be_positive(scale: float) -> None:
    with pytest.raises(ValueError, match=f"scales must be positive and finite, not {scale}"):
        scale_codes(f32(1.0, scale))


ANY = Selection(kept=9)


@pytest.mark.parametrize(
    ("scores", "buckets_", "rounds", "found"),
    [
        ([-5, -4, 58], 64, 1, [0, 1, 63]),
        ([-5, -4, 59], 64, 1, [0, 0, 32]),
        ([-5, -4, 59], 64, 2, [0, 1, 64]),  # one bit is left, and needs no other round
        ([7, 7], 64, 1, [0, 0]),
        ([0, 500, 1000], 2, 1, [0, 0, 1]),
        ([0, 500, 1000], 2, 2, [0, 1, 3]),
        ([], 64, 1, []),
    ],
)
def test_buckets_are_a_power_of_two_wide(
    scores: list[int], buckets_: int, rounds: int, found: list[int]
) -> None:
    selection = replace(ANY, buckets=buckets_, rounds=rounds)
    assert buckets(np.array(scores, dtype=np.int64), selection).tolist() == found


def test_first_and_latest_tokens_survive() -> None:
    scores = np.array([-9, 1, 50, 3, 40, 2, -9, -9])
    selection = Selection(kept=5, sinks=1, recent=2)
    assert select(scores, selection).tolist() == [0, 2, 4, 6, 7]
    assert select_sorted(scores, selection).tolist() == [0, 2, 4, 6, 7]  # and no more than 5


def test_newest_of_a_bucket_survive() -> None:
    scores = np.array([0, 101, 100, 99, 0, 0])
    selection = Selection(kept=2, sinks=0, recent=0, buckets=4)
    assert select(scores, selection).tolist() == [2, 3]  # 101, 100 and 99 share bucket 3
    assert select_sorted(scores, selection).tolist() == [1, 2]


@given(
    st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=60),
    st.integers(0, 3), st.integers(0, 4), st.integers(0, 20), st.integers(1, 6),
)  # fmt: skip
def test_histogram_keeps_exactly_as_many(
    values: list[int], sinks: int, recent: int, more: int, bucket_bits: int
) -> None:
    selection = Selection(
        kept=sinks + recent + more, sinks=sinks, recent=recent, buckets=1 << bucket_bits
    )
    scores = np.array(values)
    found = select(scores, selection)
    assert len(found) == min(len(values), selection.kept) == len(set(found.tolist()))
    assert (np.diff(found) > 0).all()
    assert set(range(min(sinks, len(found)))) <= set(found.tolist())
    assert set(range(len(values) - min(recent, len(found)), len(values))) <= set(found.tolist())
    if len(values) > selection.kept:
        middle = np.arange(sinks, len(values) - recent)
        out = np.setdiff1d(middle, found)
        kept = np.intersect1d(middle, found)
        rank = buckets(scores[middle], selection)
        if len(out) and len(kept):
            assert rank[out - sinks].max() <= rank[kept - sinks].min()


@given(st.lists(st.integers(0, 63), min_size=9, max_size=40))
def test_enough_buckets_sort(values: list[int]) -> None:
    selection, scores = Selection(kept=8, sinks=1, recent=3), np.array(values)
    assert np.array_equal(select(scores, selection), select_sorted(scores, selection))


def test_selection_must_have_room() -> None:
    with pytest.raises(ValueError, match=r"kept must be at least sinks \+ recent = 9, not 8"):
        Selection(kept=8)
    for count in (1, 48):
        with pytest.raises(ValueError, match=f"buckets must be a power of two from 2, not {count}"):
            Selection(kept=9, buckets=count)
    with pytest.raises(ValueError, match="rounds must be at least 1, not 0"):
        Selection(kept=9, rounds=0)


def by_histograms(scores: list[int], wanted: int, rounds: int) -> list[int]:
    """Survivors by 64 counters, filled anew in each round with what the last one left open."""
    survivors: list[int] = []
    candidates, base = list(range(len(scores))), min(scores)
    width = (max(scores) - base).bit_length()
    for _ in range(rounds):
        width = max(width - 6, 0)
        bucket = {token: (scores[token] - base) >> width for token in candidates}
        counts, threshold = Counter(bucket.values()), 63
        taken = len(survivors)
        while taken + counts[threshold] < wanted:
            taken, threshold = taken + counts[threshold], threshold - 1
        survivors += [token for token in candidates if bucket[token] > threshold]
        candidates = [token for token in candidates if bucket[token] == threshold]
        base += threshold << width
    return sorted(survivors + candidates[len(candidates) - (wanted - len(survivors)) :])


@given(
    st.lists(st.integers(-9, 9) | st.integers(-(2**20), 2**20), min_size=9, max_size=60),
    st.integers(1, 8),
    st.integers(1, 3),
)
def test_rounds_look_into_one_bucket(values: list[int], kept: int, rounds: int) -> None:
    selection = Selection(kept=kept, sinks=0, recent=0, rounds=rounds)
    expected = by_histograms(values, kept, rounds)
    assert select(np.array(values), selection).tolist() == expected
