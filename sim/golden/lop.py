"""Leading-one prediction: which keys of a cache are worth reading, told from four bits of each.

A key's int8 values are kept a second time as signed powers of two. Their products with those of the
query are powers of two, whose sum stands for the score; the key's scale corrects it. The best keys,
the first tokens and the latest ones survive; attention runs on the survivors alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

SIGN = 8
"""The sign of a code; below it is the level."""

TOP_LEVEL = 7

MANTISSA_BITS = 4
"""Bits of the mantissa of a scale, and of its exponent."""

DROPPED_BITS = 23 - MANTISSA_BITS
LEAST_SCALE = 113 << MANTISSA_BITS
"""Of a float32 pattern: what is cut off from the mantissa, and what 2**-14 has above that."""


def leading_one(x: Ints) -> Ints:
    """LO: 4-bit codes of int8 values: a sign, and the position of the leading one plus 1.

    Zero is level 0; 64 to 127 are level 7, and so is -128, which has no level of its own.
    """
    magnitude = np.abs(_checked(x))
    level = np.minimum(np.frexp(magnitude.astype(np.float64))[1], TOP_LEVEL)
    return _signed(level.astype(np.int64), x)


def rounded_leading_one(x: Ints) -> Ints:
    """RLO: 4-bit codes of int8 values: a sign, and the exponent of the nearest power of two.

    Where the bit below the leading one is 1, the exponent is the next. Level 0 is zero and has 1
    and -1 too, whose exponent is 0; 96 to 128 are level 7.
    """
    magnitude = np.abs(_checked(x))
    position = np.frexp(magnitude.astype(np.float64))[1].astype(np.int64) - 1
    rounds_up = (magnitude << 1 >> np.maximum(position, 0)) == 3
    level = np.where(magnitude > 1, position + rounds_up, 0)
    return _signed(level, x)


def power(codes: Ints) -> Ints:
    """What codes stand for: 0, or 2**(level - 1) with the sign.

    Of RLO that is half of the value; all scores are a quarter then, and keep their order.
    """
    level = codes & (SIGN - 1)
    magnitude: Ints = np.where(level > 0, 1 << np.maximum(level - 1, 0), 0)
    return np.where(codes & SIGN, -magnitude, magnitude)


def surrogate(query: Ints, keys: Ints) -> Ints:
    """Scores (m,) of the codes of a query (d,) and of keys (m, d): exact sums of powers of two."""
    scores: Ints = power(keys) @ power(query)
    return scores


def scale_codes(scales: NDArray[np.float32]) -> Ints:
    """8-bit codes of positive scales: mantissa f below exponent e, for (16 + f) * 2**(e - 18).

    The four leading bits below the first one are cut off from the others; a scale below 2**-14
    takes the least code, one of 4 or more the greatest. Raises ValueError for scales that are not
    positive and finite.
    """
    wrong = scales[~((scales > 0) & np.isfinite(scales))]
    if wrong.size:
        raise ValueError(f"scales must be positive and finite, not {wrong.flat[0]}")
    patterns = np.asarray(scales, dtype=np.float32).view(np.uint32).astype(np.int64)
    codes: Ints = np.clip((patterns >> DROPPED_BITS) - LEAST_SCALE, 0, 255)
    return codes


def scale_value(codes: Ints) -> Ints:
    """The scales of codes, in units of 2**-18."""
    one = 1 << MANTISSA_BITS
    scales: Ints = (one + (codes & (one - 1))) << (codes >> MANTISSA_BITS)
    return scales


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What survives: `kept` tokens, among them the first `sinks` and the latest `recent`.

    The others are chosen in `rounds` of a histogram with `buckets`, a power of two. The hardware
    has one round and 64 buckets; what more rounds would be worth is for a study to say.
    """

    kept: int
    sinks: int = 1
    recent: int = 8
    buckets: int = 64
    rounds: int = 1

    def __post_init__(self) -> None:
        if min(self.sinks, self.recent) < 0 or self.kept < self.sinks + self.recent:
            raise ValueError(
                f"kept must be at least sinks + recent = {self.sinks + self.recent}, "
                f"not {self.kept}"
            )
        if self.buckets < 2 or self.buckets & (self.buckets - 1):
            raise ValueError(f"buckets must be a power of two from 2, not {self.buckets}")
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, not {self.rounds}")


def buckets(scores: Ints, selection: Selection) -> Ints:
    """Which bucket each score falls into, the least score into bucket 0.

    In the first round a bucket is as wide as the least power of two with which the greatest score
    has one of the `buckets`. Each further round cuts one of them into as many; it is only ever the
    one that must not be taken whole, so that all of them might be cut.
    """
    above: Ints = scores - scores.min(initial=scores.max(initial=0))
    span = int(above.max(initial=0)).bit_length()
    round_bits = selection.buckets.bit_length() - 1
    return above >> max(span - selection.rounds * round_bits, 0)


def select(scores: Ints, selection: Selection) -> Ints:
    """Survivors among tokens with scores (m,), ascending: exactly `kept`, or all m where that is
    not less.

    The tokens between the first and the latest ones fall into buckets by their scores. Buckets are
    taken whole from the top; of the one that would be too much, the newest tokens.
    """
    return _survivors(scores, selection, lambda middle: buckets(middle, selection))


def select_sorted(scores: Ints | NDArray[np.float64], selection: Selection) -> Ints:
    """As `select`, by the scores themselves; of equal ones the newest."""
    return _survivors(scores, selection, lambda middle: middle)


def _survivors(
    scores: NDArray[Any], selection: Selection, ranked: Callable[[NDArray[Any]], NDArray[Any]]
) -> Ints:
    tokens = np.arange(len(scores))
    if len(scores) <= selection.kept:
        return tokens
    latest = len(scores) - selection.recent
    middle = tokens[selection.sinks : latest]
    wanted = selection.kept - selection.sinks - selection.recent
    best = middle[np.lexsort((middle, ranked(scores[middle])))][len(middle) - wanted :]
    return np.sort(np.concatenate([tokens[: selection.sinks], best, tokens[latest:]]))


def _signed(level: Ints, x: Ints) -> Ints:
    return np.where((x < 0) & (level > 0), level | SIGN, level)


def _checked(x: Ints) -> Ints:
    wrong = x[(x < -128) | (x > 127)]
    if wrong.size:
        raise ValueError(f"values must be between -128 and 127, not {wrong.flat[0]}")
    return x.astype(np.int64)
