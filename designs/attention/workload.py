"""Attention as a workload: heads of queries over heads of keys and values."""

import enum
from dataclasses import dataclass
from typing import ClassVar, overload

from designs.rules import Int, Rule, check, choice, integer, maximum, where

LENGTH_MAX = 2**20
"""Longest sequence of queries, and of keys."""


class Pattern(enum.IntEnum):
    """Which keys a query sees; query p of n is at position keys - n + p.

    full: all. causal: those up to its own position. window: of these the last `window`. blocks: of
    these the ones in the first `sink_blocks` and the latest `window_blocks` blocks of `block` keys,
    the query's own block included.

    The last is what BigBird, Longformer and StreamingLLM have in common: global keys and a window.
    Blocks chosen at random, and tokens that see everything, are not there.
    """

    FULL = 0
    CAUSAL = 1
    WINDOW = 2
    BLOCKS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """softmax(Q K^T / sqrt(e)) V for each head: Q (queries, e), K (keys, e), V (keys, f).

    Heads h of queries share the keys and values of head h // (heads / kv_heads). Prefill has as
    many queries as keys, decoding has few.
    """

    RULES: ClassVar[tuple[Rule["Attention"], ...]]

    batch: int = integer(default=1, low=1, high=1024, doc="sequences", unit="sequences")
    heads: int = integer(default=1, low=1, high=1024, doc="heads of queries", unit="heads")
    kv_heads: int = integer(
        default=1, low=1, high=1024, doc="heads of keys and values", unit="heads"
    )
    queries: int = integer(low=1, high=LENGTH_MAX, doc="queries of a sequence", unit="queries")
    keys: int = integer(low=1, high=LENGTH_MAX, doc="keys of a sequence", unit="keys")
    e: int = integer(low=1, high=1024, doc="width of a query and a key", unit="values")
    f: int = integer(low=1, high=1024, doc="width of a value", unit="values")
    pattern: Pattern = choice(
        default=Pattern.FULL, doc="keys that a query sees: full, causal, window or blocks"
    )
    window: int = integer(
        default=1, low=1, high=LENGTH_MAX, doc="keys of a window (window only)", unit="keys"
    )
    block: int = integer(
        default=64, low=1, high=LENGTH_MAX, doc="keys of a block (blocks only)", unit="keys"
    )
    sink_blocks: int = integer(
        default=0,
        low=0,
        high=LENGTH_MAX,
        doc="first blocks, which every query sees (blocks only)",
        unit="blocks",
    )
    window_blocks: int = integer(
        default=1,
        low=1,
        high=LENGTH_MAX,
        doc="latest blocks that a query sees, its own included (blocks only)",
        unit="blocks",
    )

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        seen = {
            Pattern.FULL: "",
            Pattern.CAUSAL: ", causal",
            Pattern.WINDOW: f", window {self.window}",
            Pattern.BLOCKS: f", first {self.sink_blocks} and latest {self.window_blocks} "
            f"blocks of {self.block}",
        }
        return (
            f"Attention({self.batch} x {self.heads} heads over {self.kv_heads}, "
            f"{self.queries} queries, {self.keys} keys, e={self.e}, f={self.f}"
            f"{seen[self.pattern]})"
        )

    @property
    def share(self) -> int:
        """Heads of queries for each of keys and values."""
        return self.heads // self.kv_heads

    @property
    def offset(self) -> int:
        """Position of the first query."""
        return self.keys - self.queries

    @property
    def blocks_before(self) -> int:
        """Blocks before its own that a query sees, of as many as there are (blocks only)."""
        return self.sink_blocks + self.window_blocks - 1

    @property
    def pair_count(self) -> int:
        """Pairs of a query and a key that it sees, of one head of one sequence."""
        causal = self.queries * self.offset + triangle(self.queries)
        seen = causal - self._hidden(self.keys) + self._hidden(self.offset)
        return where(self.pattern == Pattern.FULL, self.queries * self.keys, seen)

    def _hidden(self, count: int) -> int:
        """Pairs of a query at one of the first `count` positions and a key before it, not seen."""
        # A query with c keys before and at its own loses c - window of them, where that is more.
        by_window = triangle(maximum(count - self.window, 0))
        # A query in block b loses all keys of b - blocks_before blocks, where b is more.
        far = maximum(count - self.block * self.blocks_before, 0)
        whole, rest = far // self.block, far % self.block
        by_blocks = self.block * (self.block * triangle(whole - 1) + rest * whole)
        hidden = where(self.pattern == Pattern.BLOCKS, by_blocks, 0)
        return where(self.pattern == Pattern.WINDOW, by_window, hidden)

    @property
    def mac_count(self) -> int:
        """Useful multiply-accumulates: products with keys, and with values, of all pairs."""
        return self.batch * self.heads * self.pair_count * (self.e + self.f)


@overload
def triangle(n: int) -> int: ...
@overload
def triangle(n: Int) -> Int: ...
def triangle(n: Int) -> Int:
    """1 + 2 + ... + n."""
    total: Int = n * (n + 1) // 2
    return total


Attention.RULES = (
    Rule(
        key="kv_heads",
        holds=lambda p: p.heads % p.kv_heads == 0,
        sentence="kv_heads must divide heads = {p.heads}, not {p.kv_heads}",
    ),
    Rule(
        key="queries",
        holds=lambda p: (p.pattern == Pattern.FULL) | (p.queries <= p.keys),
        sentence="queries must be at most keys = {p.keys} where a query sees what is before it, "
        "not {p.queries}",
    ),
    Rule(
        key="queries",
        holds=lambda p: p.batch * p.heads * p.queries * p.keys <= 2**50,
        sentence="queries must be fewer: batch * heads * queries * keys is at most 2**50, "
        "not with {p.queries}",
    ),
)
