"""The cascade of Einsums that reads keys and values once, tile by tile, in any arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from designs.attention import Attention
from designs.rules import Ints
from sim.golden.attention.tensors import Inputs, seen


class Arithmetic(Protocol):
    """What the cascade does with numbers, integers or bit patterns; zero is 0.

    Heads of queries have keys of their own: q (heads, queries, e), k (heads, keys, e), v (heads,
    keys, f).
    """

    @property
    def masked(self) -> int:
        """The score of a key that is not seen, below all others."""

    def scores(self, q: Ints, k: Ints) -> Ints:
        """Products of queries with keys, (heads, queries, keys)."""

    def maximum(self, before: Ints, scores: Ints) -> Ints:
        """RM: the greatest of `before` and of the scores along the last axis.

        Rounded to a whole number of the units that exponents have, so that those of PRM are exact
        and it does not matter how often the maximum has changed.
        """

    def weights(self, highest: Ints, scores: Ints) -> Ints:
        """P: 2 to the scores less `highest`; zero where masked."""

    def factors(self, highest: Ints, before: Ints) -> Ints:
        """PRM: 2 to the maximum `before` less `highest`; anything where that was masked."""

    def total(self, weights: Ints) -> Ints:
        """The sum of P along the last axis."""

    def weighed(self, weights: Ints, v: Ints) -> Ints:
        """The sums of P * v over the keys, (heads, queries, f)."""

    def accumulated(self, factors: Ints, state: Ints, part: Ints) -> Ints:
        """factors * state + part."""

    def quotients(self, rd: Ints, rnv: Ints) -> Ints:
        """rnv / rd, and zero where rd is zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What a tile of keys computes, and the state after it, by the names of FuseMax.

    scores (heads, queries, keys), masked; rm, prm, sld, rd (heads, queries); slnv, rnv (heads,
    queries, f)
    """

    scores: Ints
    rm: Ints
    prm: Ints
    sld: Ints
    slnv: Ints
    rd: Ints
    rnv: Ints


def steps(arithmetic: Arithmetic, workload: Attention, inputs: Inputs, side: int) -> Iterator[Step]:
    """The tiles of `side` keys, the last one maybe shorter, in ascending order.

    Tiles of which a query sees no key leave its state as it is, so that it does not matter whether
    an engine skips them: RM stays, PRM is 1, and before the first seen key RD and RNV are zero.
    """
    q, k, v = (inputs[name].astype(np.int64) for name in ("q", "k", "v"))
    k, v = (np.repeat(tensor, workload.share, axis=0) for tensor in (k, v))
    rm = np.full(q.shape[:2], arithmetic.masked)
    rd = np.zeros_like(rm)
    rnv = np.zeros((*q.shape[:2], workload.f), dtype=np.int64)
    for start in range(0, workload.keys, side):
        tile = np.arange(start, min(start + side, workload.keys))
        products = arithmetic.scores(q, k[:, tile])
        scores = np.where(seen(workload, tile), products, arithmetic.masked)
        before, rm = rm, arithmetic.maximum(rm, scores)
        weights, prm = arithmetic.weights(rm, scores), arithmetic.factors(rm, before)
        sld, slnv = arithmetic.total(weights), arithmetic.weighed(weights, v[:, tile])
        rd = arithmetic.accumulated(prm, rd, sld)
        rnv = arithmetic.accumulated(prm[..., None], rnv, slnv)
        yield Step(scores=scores, rm=rm, prm=prm, sld=sld, slnv=slnv, rd=rd, rnv=rnv)


def run(arithmetic: Arithmetic, workload: Attention, inputs: Inputs, side: int) -> Ints:
    """The outputs (heads, queries, f)."""
    *_, last = steps(arithmetic, workload, inputs, side)
    return arithmetic.quotients(last.rd, last.rnv)
