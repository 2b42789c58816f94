"""The cascade of Einsums that reads keys and values once, tile by tile, in any arithmetic."""

from collections.abc import Iterator, Sequence
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

    def joined(self, weights: Ints, state: Ints, others: Ints) -> Ints:
        """others + weights * state, of the states of groups of keys."""

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


def tiles(keys: int, side: int, splits: int = 1) -> list[list[Ints]]:
    """The keys of each tile in ascending order, the last maybe fewer, for each group that has any.

    Of each `splits` tiles of `side` keys that follow each other a group has one.
    """
    each = [np.arange(start, min(start + side, keys)) for start in range(0, keys, side)]
    return [each[group::splits] for group in range(min(splits, len(each)))]


def steps(
    arithmetic: Arithmetic, workload: Attention, inputs: Inputs, keys: Sequence[Ints]
) -> Iterator[Step]:
    """The tiles of one group, see `tiles`.

    Tiles of which a query sees no key leave its state as it is, so that it does not matter whether
    an engine skips them: RM stays, PRM is 1, and before the first seen key RD and RNV are zero.
    """
    q, k, v = (inputs[name].astype(np.int64) for name in ("q", "k", "v"))
    k, v = (np.repeat(tensor, workload.share, axis=0) for tensor in (k, v))
    rm = np.full(q.shape[:2], arithmetic.masked)
    rd = np.zeros_like(rm)
    rnv = np.zeros((*q.shape[:2], workload.f), dtype=np.int64)
    for tile in keys:
        products = arithmetic.scores(q, k[:, tile])
        scores = np.where(seen(workload, tile), products, arithmetic.masked)
        before, rm = rm, arithmetic.maximum(rm, scores)
        weights, prm = arithmetic.weights(rm, scores), arithmetic.factors(rm, before)
        sld, slnv = arithmetic.total(weights), arithmetic.weighed(weights, v[:, tile])
        rd = arithmetic.accumulated(prm, rd, sld)
        rnv = arithmetic.accumulated(prm[..., None], rnv, slnv)
        yield Step(scores=scores, rm=rm, prm=prm, sld=sld, slnv=slnv, rd=rd, rnv=rnv)


def combined(arithmetic: Arithmetic, ends: Sequence[Step]) -> tuple[Ints, Ints]:
    """RD and RNV of all groups of keys, from the last steps of each.

    A group weighs 2 to its maximum less the greatest one; products are added in ascending order,
    from zero on. So one group alone has its own RD and RNV, and one that has seen no key, whose RD
    and RNV are zero, counts for nothing.
    """
    highest = arithmetic.maximum(ends[0].rm, np.stack([end.rm for end in ends], axis=-1))
    rd, rnv = np.zeros_like(ends[0].rd), np.zeros_like(ends[0].rnv)
    for end in ends:
        weights = arithmetic.factors(highest, end.rm)
        rd = arithmetic.joined(weights, end.rd, rd)
        rnv = arithmetic.joined(weights[..., None], end.rnv, rnv)
    return rd, rnv


def run(
    arithmetic: Arithmetic, workload: Attention, inputs: Inputs, side: int, splits: int = 1
) -> Ints:
    """The outputs (heads, queries, f)."""
    ends = []
    for keys in tiles(workload.keys, side, splits):
        *_, last = steps(arithmetic, workload, inputs, keys)
        ends.append(last)
    return arithmetic.quotients(*combined(arithmetic, ends))
