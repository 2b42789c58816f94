"""Lengths of requests: their law, and that a seed gives the same again."""

import math
import statistics

import pytest

from designs.npu_pim.lengths import Lengths, alpaca, sharegpt
from designs.rules import RuleError


def mean(data: Lengths, count: int = 20_000) -> float:
    return statistics.mean(one.length for one in data.snapshot(count, 3))


def test_a_snapshot_has_half_of_answers_that_are_longer_than_most() -> None:
    """Mean of a prompt, and half of E[x^2] / E[x] of answers; rounding up adds half a token."""
    data = Lengths(
        prompt_mean=12, prompt_median=11, answer_mean=56, answer_median=41, longest=2**20
    )
    expected = 12 + 56 * (56 / 41) ** 2 / 2 + 0.5
    assert mean(data) == pytest.approx(expected, rel=0.03)


def test_data_sets() -> None:
    """The authors' snapshots of ShareGPT have means of 284 to 333; ours are shorter by a tenth."""
    assert 240 < mean(sharegpt()) < 290
    assert 60 < mean(alpaca()) < 70
    for data in (sharegpt(), alpaca()):
        found = data.snapshot(1000, 1)
        assert all(1 <= one.length <= 2048 and one.channel is None for one in found)
        assert found == data.snapshot(1000, 1) != data.snapshot(1000, 2)


def test_requests_as_they_come() -> None:
    """Each has one answer: longer answers are not found more often. Clipping costs a little."""
    data = Lengths(
        prompt_mean=12, prompt_median=11, answer_mean=56, answer_median=41, longest=2**20
    )
    found = data.arriving(20_000, 8.0, 3)
    assert statistics.mean(one.length for one in found) == pytest.approx(12.5, rel=0.03)
    assert statistics.mean(one.output for one in found) == pytest.approx(56.5, rel=0.03)
    assert found[-1].arrival_s == pytest.approx(20_000 / 8, rel=0.03)
    times = [one.arrival_s for one in found]
    assert times == sorted(times) and times[0] > 0
    assert found == data.arriving(20_000, 8.0, 3)


def test_requests_that_come_at_once_and_are_cut() -> None:
    found = sharegpt().arriving(2000, math.inf, 1)
    assert {one.arrival_s for one in found} == {0.0}
    assert max(one.most_tokens for one in found) == 2048
    assert all(one.length >= 1 and one.output >= 1 for one in found)


def test_a_law_needs_a_median_below_its_mean() -> None:
    with pytest.raises(RuleError, match="prompt_median must be at most prompt_mean = 80, not 81"):
        Lengths(prompt_median=81)
    with pytest.raises(RuleError, match="answer_median must be at most answer_mean = 296, not 300"):
        Lengths(answer_median=300)
