"""Lengths of requests drawn from a data set's law: as they come, or found in a batch at some time.

A data set is known by mean and median of its prompts and of its answers; both are taken as
log-normal, which two numbers fix. Where finished requests are replaced at once, the requests that
are found at some time have answers in proportion to their length, of which any part is done.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from designs.npu_pim.requests import Request
from designs.rules import Rule, check, integer, number

_TOKENS_MAX = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Lengths:
    """A data set: tokens of prompts and answers, and the longest request that is kept."""

    RULES: ClassVar[tuple[Rule["Lengths"], ...]]

    prompt_mean: float = number(
        default=80, low=1, high=_TOKENS_MAX, doc="of prompts", unit="tokens"
    )
    prompt_median: float = number(
        default=17, low=1, high=_TOKENS_MAX, doc="of prompts", unit="tokens"
    )
    answer_mean: float = number(
        default=296, low=1, high=_TOKENS_MAX, doc="of answers", unit="tokens"
    )
    answer_median: float = number(
        default=261, low=1, high=_TOKENS_MAX, doc="of answers", unit="tokens"
    )
    longest: int = integer(
        default=2048, low=1, high=_TOKENS_MAX, doc="that is kept of a request", unit="tokens"
    )

    def __post_init__(self) -> None:
        check(self)

    def snapshot(self, count: int, seed: int) -> tuple[Request, ...]:
        """So many requests as they are found at some time."""
        draw = np.random.default_rng(seed)
        prompts = _log_normal(draw, self.prompt_mean, self.prompt_median, 0, count)
        answers = _log_normal(draw, self.answer_mean, self.answer_median, 1, count)
        found = np.ceil(prompts + draw.random(count) * answers)
        return tuple(
            Request(length=int(one)) for one in np.clip(found, 1, self.longest).astype(np.int64)
        )

    def arriving(self, count: int, per_s: float, seed: int) -> tuple[Request, ...]:
        """So many requests as they come, `per_s` in a second; at math.inf all at once.

        From one to the next it is an exponential time. Prompt and answer together keep `longest`.
        """
        draw = np.random.default_rng(seed)
        prompts = np.ceil(_log_normal(draw, self.prompt_mean, self.prompt_median, 0, count))
        answers = np.ceil(_log_normal(draw, self.answer_mean, self.answer_median, 0, count))
        times = np.cumsum(draw.exponential(size=count)) / per_s
        prompts = np.clip(prompts, 1, self.longest)
        answers = np.clip(answers, 1, self.longest - prompts + 1)
        return tuple(
            Request(length=int(prompt), output=int(answer), arrival_s=float(time))
            for prompt, answer, time in zip(prompts, answers, times, strict=True)
        )


Lengths.RULES = (
    Rule(
        key="prompt_median",
        holds=lambda p: p.prompt_median <= p.prompt_mean,
        sentence="prompt_median must be at most prompt_mean = {p.prompt_mean}, "
        "not {p.prompt_median}",
    ),
    Rule(
        key="answer_median",
        holds=lambda p: p.answer_median <= p.answer_mean,
        sentence="answer_median must be at most answer_mean = {p.answer_mean}, "
        "not {p.answer_median}",
    ),
)


def sharegpt() -> Lengths:
    """Conversations: prompts of 80 tokens, median 17, answers of 296, median 261."""
    return Lengths()


def alpaca() -> Lengths:
    """Instructions: prompts of 12 tokens, median 11, answers of 56, median 41."""
    return Lengths(prompt_mean=12, prompt_median=11, answer_mean=56, answer_median=41)


DATASETS: Mapping[str, Callable[[], Lengths]] = MappingProxyType(
    {"sharegpt": sharegpt, "alpaca": alpaca}
)
"""Those of the paper, by name."""


def _log_normal(
    draw: Generator, mean: float, median: float, weight: int, count: int
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Drawn in proportion to the law times its value to the power `weight`, which only moves it."""
    spread = 2 * math.log(mean / median)
    return draw.lognormal(math.log(median) + weight * spread, math.sqrt(spread), count)
