"""What one channel is asked for: decode attention of the requests whose caches it has."""

import random
from dataclasses import dataclass
from typing import ClassVar, Protocol

from designs.npu_pim.channel import CIRCUIT_RULES, PimChannel
from designs.npu_pim.gemv import (
    HEADS_FIT_RULES,
    HEADS_RULES,
    Heads,
    cache_tiles,
    key_vectors,
    value_vectors,
)
from designs.rules import Int, Rule, boolean, ceil_div, check, integer

HOST_ROWS = 2
"""Rows of every bank, behind all others, that the host alone has: it writes nowhere else."""


class _Requests(Protocol):
    """A workload of requests that may have lengths of their own."""

    @property
    def requests(self) -> int: ...
    @property
    def keys(self) -> int: ...
    @property
    def ragged(self) -> bool: ...
    @property
    def seed(self) -> int: ...


def drawn_lengths(workload: _Requests) -> tuple[int, ...]:
    """Tokens of each request: all as long as the longest, or drawn."""
    if not workload.ragged:
        return (workload.keys,) * workload.requests
    draw = random.Random(f"{workload.seed} lengths")
    return tuple(draw.randint(1, workload.keys) for _ in range(workload.requests))


@dataclass(frozen=True, kw_only=True, slots=True)
class PimAttention:
    """One new token of each request: its queries times the keys, and weights times the values.

    The products are what the channel computes; the softmax between them is not its work, so the
    weights are given. Heads h of queries share the keys and values of head h // (heads / kv_heads).
    ragged: requests have lengths drawn between 1 and `keys`, otherwise all have `keys`.
    accesses: reads and writes of a host that go on beside, at places that are drawn.
    """

    RULES: ClassVar[tuple[Rule["PimAttention"], ...]]

    requests: int = integer(default=1, low=1, high=1024, doc="requests", unit="requests")
    keys: int = integer(low=1, high=2**16, doc="of the longest request", unit="tokens")
    ragged: bool = boolean(default=False, doc="whether requests have lengths of their own")
    heads: int = integer(default=1, low=1, high=1024, doc="heads of queries", unit="heads")
    kv_heads: int = integer(
        default=1, low=1, high=1024, doc="heads of keys and values", unit="heads"
    )
    head_dim: int = integer(low=1, high=2**14, doc="width of a head", unit="values")
    accesses: int = integer(
        default=0, low=0, high=2**16, doc="reads and writes of the host", unit="accesses"
    )
    seed: int = integer(default=0, low=0, high=2**31, doc="of lengths and accesses")
    value_heads: int = integer(
        default=1, low=1, high=1024, doc="of whose values a row has tokens", unit="heads"
    )

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        lengths = "up to " if self.ragged else ""
        return (
            f"PimAttention({self.requests} requests of {lengths}{self.keys} tokens, "
            f"{self.heads} heads over {self.kv_heads}, head_dim={self.head_dim}, "
            f"{self.accesses} accesses)"
        )

    @property
    def shape(self) -> Heads:
        """The heads."""
        return Heads(
            heads=self.heads,
            kv_heads=self.kv_heads,
            head_dim=self.head_dim,
            value_heads=self.value_heads,
        )

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each request."""
        return drawn_lengths(self)

    @property
    def mac_count(self) -> int:
        """Useful multiply-accumulates: with keys and with values."""
        return 2 * sum(self.lengths) * self.heads * self.head_dim


PimAttention.RULES = HEADS_RULES


@dataclass(frozen=True, kw_only=True, slots=True)
class PimAttentionFit:
    """Decode attention on a channel."""

    RULES: ClassVar[tuple[Rule["PimAttentionFit"], ...]]

    params: PimChannel
    workload: PimAttention

    @property
    def channel(self) -> PimChannel:
        """The machine, under the name that `HEADS_FIT_RULES` have for it."""
        return self.params

    @property
    def heads(self) -> Heads:
        """The heads of the workload."""
        return self.workload.shape

    @property
    def tags(self) -> Int:
        """Accesses that can be told apart."""
        tags: Int = 1 << self.params.tag_bits
        return tags

    @property
    def rows(self) -> Int:
        """Rows of every bank that it takes where all requests have as many tokens as the longest.

        Keys and values, vectors (a row of one bank each), and the rows of the host.
        """
        p, w = self.params, self.workload
        vectors = key_vectors(p, w.shape) + value_vectors(p, w.shape, w.keys)
        caches = w.requests * cache_tiles(p, w.shape, w.keys)
        return caches + ceil_div(w.requests * vectors, p.banks) + HOST_ROWS


def _of_channel(rule: Rule[PimChannel]) -> Rule[PimAttentionFit]:
    """A rule of a channel, as one of what it runs."""
    return Rule(
        key="", holds=lambda p: rule.holds(p.params), sentence=rule.sentence, limit=rule.key
    )


PimAttentionFit.RULES = (
    *map(_of_channel, CIRCUIT_RULES),
    *HEADS_FIT_RULES,
    Rule(
        key="head_dim",
        holds=lambda p: p.workload.head_dim % p.params.lanes == 0,
        sentence="head_dim must be a multiple of lanes = {p.params.lanes}, "
        "not {p.workload.head_dim}",
        limit="lanes",
    ),
    Rule(
        key="value_heads",
        holds=lambda p: (p.workload.value_heads == 1) | p.params.strides,
        sentence="value_heads must be 1 where the channel has no strides, "
        "not {p.workload.value_heads}",
        limit="strides",
    ),
    Rule(
        key="value_heads",
        holds=lambda p: p.params.row_steps % p.workload.value_heads == 0,
        sentence="value_heads must divide the {p.params.row_steps} steps of a row, "
        "not {p.workload.value_heads}",
        limit="row_bytes",
    ),
    Rule(
        key="keys",
        holds=lambda p: p.rows <= p.params.rows,
        sentence="keys and requests must take at most the {p.params.rows} rows of a bank for "
        "caches, vectors and the rows of the host, not {p.rows}",
        limit="rows",
    ),
    Rule(
        key="accesses",
        holds=lambda p: p.workload.accesses <= p.tags,
        sentence="accesses must be at most 2**tag_bits = {p.tags}, for each has a "
        "tag of its own, not {p.workload.accesses}",
        limit="tag_bits",
    ),
)
