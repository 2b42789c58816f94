"""Attention heads to predict on: planted ones, and those of the demo's model; and how well it goes.

A planted head: keys of independent Gaussians, whose channels have scales of their own and whose
tokens do too; the query is drawn with the channels' scales; a few keys get a part along the query.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from designs.rules import Ints
from dse.layer import head_projections
from sim.golden.bitlinear import absmax
from sim.golden.lop import scale_codes, scale_value

Reals = NDArray[np.float64]

CHANNEL_SPREAD, TOKEN_SPREAD = 0.5, 0.3  # standard deviations of the logarithms of the scales
PLANTED_COUNT, PLANTED_SCORE = 4, 9.5  # in standard deviations of the other keys' scores
TEXT = Path(__file__).parent.parent / "LICENSE"
WORDS, STARTS = 360, (0, 400, 800, 1200)  # of the text: at most 512 tokens each
STEPS = 32  # of decoding, at the end of each piece of text


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Head:
    """One step of one head: query (d,), keys and values (m, d)."""

    query: Reals
    keys: Reals
    values: Reals

    @property
    def scores(self) -> Reals:
        """Scores of all tokens, of which attention is the softmax."""
        found: Reals = self.keys @ self.query / np.sqrt(len(self.query))
        return found


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Codes:
    """A head in int8; keys are multiplied by `scales`, or `scale_units`, which have eight bits."""

    query: Ints
    keys: Ints
    scales: Reals
    scale_units: Ints
    dequantised: Head

    @classmethod
    def of(cls, head: Head) -> "Codes":
        """Each token of a head with a scale of its own."""
        (query, query_scale), (keys, scales), (values, value_scales) = (
            _quantised(part) for part in (head.query[None], head.keys, head.values)
        )
        return cls(
            query=query[0],
            keys=keys,
            scales=scales,
            scale_units=scale_value(scale_codes(scales.astype(np.float32))),
            dequantised=Head(
                query=(query * query_scale[:, None])[0],
                keys=keys * scales[:, None],
                values=values * value_scales[:, None],
            ),
        )


class Quality(NamedTuple):
    """Of the best keys: the part that survived; the softmax mass of the survivors; and the error of
    int8 attention on them, relative to the head's output.
    """

    recall: float
    mass: float
    error: float


def quality(head: Head, codes: Codes, survivors: Ints) -> Quality:
    """How good a choice of survivors is."""
    best = np.argsort(-head.scores, kind="stable")[: len(survivors)]
    weights = softmax(head.scores)
    output = weights @ head.values
    kept = softmax(codes.dequantised.scores[survivors]) @ codes.dequantised.values[survivors]
    return Quality(
        recall=len(np.intersect1d(best, survivors)) / len(survivors),
        mass=float(weights[survivors].sum()),
        error=float(np.linalg.norm(kept - output) / np.linalg.norm(output)),
    )


def softmax(scores: Reals) -> Reals:
    """Weights that add up to 1."""
    powers = np.exp(scores - scores.max())
    weights: Reals = powers / powers.sum()
    return weights


def planted(random: np.random.Generator, context: int, width: int) -> Head:
    """A head of this many tokens and channels."""
    channels = np.exp(random.normal(0, CHANNEL_SPREAD, width))
    tokens = np.exp(random.normal(0, TOKEN_SPREAD, context))
    query = random.normal(size=width) * channels
    query *= np.sqrt(width) / np.linalg.norm(query * channels)  # scores of deviation 1
    keys = random.normal(size=(context, width)) * channels * tokens[:, None]
    direction = query * channels**2
    relevant = random.choice(context, PLANTED_COUNT, replace=False)
    keys[relevant] += PLANTED_SCORE * np.sqrt(width) * direction / (query @ direction)
    return Head(query=query, keys=keys, values=random.normal(size=(context, width)))


def of_the_model() -> Iterator[tuple[int, Head]]:
    """Heads of the demo's model reading pieces of a text, with their numbers.

    The last tokens of a piece attend to those before and themselves, as if they had been decoded.
    """
    words = TEXT.read_text(encoding="utf-8").split()
    for start in STARTS:
        queries, keys, values = head_projections(" ".join(words[start : start + WORDS]))
        for number, (q, k, v) in enumerate(zip(queries, keys, values, strict=True)):
            for token in range(len(q) - STEPS, len(q)):
                parts = (q[token], k[: token + 1], v[: token + 1])
                query, past, carried = (part.astype(np.float64) for part in parts)
                yield number, Head(query=query, keys=past, values=carried)


def _quantised(values: Reals) -> tuple[Ints, Reals]:
    """Codes of tokens, and what to multiply each token's by."""
    codes, scales = absmax(values.astype(np.float32))
    return codes.astype(np.int64), 1 / scales[:, 0].astype(np.float64)
