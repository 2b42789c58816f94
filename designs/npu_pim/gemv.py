"""Where keys and values lie in a channel, and the products of vectors with them that this gives.

A request's cache is in one channel. A tile is the same row of all banks.
Keys: token t is in bank t % banks; a row has as many heads of one token as fit.
Values: dimension d is in bank d % banks; a row has the tokens of one dimension of `value_heads`
heads, each in as large a part of it.
A vector (queries of the heads of a row; weights of the tokens of a row) is copied to the vector
buffer once and is multiplied with the tiles that it concerns, one after the other.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from designs.npu_pim.channel import PimChannel
from designs.rules import Int, Rule, ceil_div, check, integer, maximum, minimum


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """One vector times `tiles` tiles: in each, `results` dot products of `steps` steps."""

    steps: int
    results: int
    tiles: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Heads:
    """The heads of a layer that a device has."""

    RULES: ClassVar[tuple[Rule["Heads"], ...]]

    heads: int = integer(low=1, high=1024, doc="heads of queries", unit="heads")
    kv_heads: int = integer(low=1, high=1024, doc="heads of keys and values", unit="heads")
    head_dim: int = integer(low=1, high=2**14, doc="width of a head", unit="values")
    value_heads: int = integer(
        default=1, low=1, high=1024, doc="of whose values a row has tokens", unit="heads"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def group(self) -> int:
        """Heads of queries for each of keys and values."""
        return self.heads // self.kv_heads

    @property
    def kv_width(self) -> int:
        """Width of the keys of a token, and of its values."""
        return self.kv_heads * self.head_dim


HEADS_RULES: tuple[Rule[Any], ...] = (
    Rule(
        key="kv_heads",
        holds=lambda p: p.heads % p.kv_heads == 0,
        sentence="kv_heads must divide heads = {p.heads}, not {p.kv_heads}",
    ),
    Rule(
        key="value_heads",
        holds=lambda p: p.value_heads <= p.kv_heads,
        sentence="value_heads must be at most kv_heads = {p.kv_heads}, not {p.value_heads}",
    ),
)
"""What holds for heads, whatever else they are part of."""

Heads.RULES = HEADS_RULES


HEADS_FIT_RULES: tuple[Rule[Any], ...] = (
    Rule(
        key="head_dim",
        holds=lambda p: p.channel.row_elements % p.heads.head_dim == 0,
        sentence="head_dim must divide the {p.channel.row_elements} values of a row, "
        "not {p.heads.head_dim}",
        limit="row_bytes",
    ),
)
"""What holds for the `heads` in rows of a `channel`, whatever else the two are part of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadsFit:
    """Heads in rows of a channel."""

    RULES: ClassVar[tuple[Rule[Any], ...]] = HEADS_FIT_RULES

    channel: PimChannel
    heads: Heads


def row_heads(channel: PimChannel, heads: Heads) -> int:
    """Heads of keys in a row."""
    return channel.row_elements // heads.head_dim


def key_rows(channel: PimChannel, heads: Heads) -> int:
    """Rows of the keys of one token."""
    return ceil_div(heads.kv_heads, row_heads(channel, heads))


def value_tiles(channel: PimChannel, heads: Heads) -> int:
    """Tiles of one head's values of the tokens of a row."""
    return ceil_div(heads.head_dim, channel.banks)


def page_tokens(channel: PimChannel, heads: Heads) -> int:
    """Tokens of a head in a row of values."""
    return channel.row_elements // heads.value_heads


def value_rows(channel: PimChannel, heads: Heads, length: Int) -> Int:
    """Rows of every bank that the values of a request take."""
    pages = ceil_div(length, page_tokens(channel, heads))
    return ceil_div(heads.kv_heads, heads.value_heads) * value_tiles(channel, heads) * pages


def key_vectors(channel: PimChannel, heads: Heads) -> int:
    """Vectors of queries of one token: each head of a group has its own."""
    return key_rows(channel, heads) * heads.group


def logit_tiles(channel: PimChannel, heads: Heads, length: Int) -> Int:
    """Tiles that the logits of a request of `length` tokens open."""
    return key_vectors(channel, heads) * ceil_div(length, channel.banks)


def attend_tiles(channel: PimChannel, heads: Heads, length: Int) -> Int:
    """Tiles that its sums of values open."""
    return heads.group * value_rows(channel, heads, length)


def value_vectors(channel: PimChannel, heads: Heads, length: Int) -> Int:
    """Vectors of weights of one token."""
    rows = ceil_div(heads.kv_heads, heads.value_heads)
    return heads.group * rows * ceil_div(length, page_tokens(channel, heads))


def cache_tiles(channel: PimChannel, heads: Heads, length: Int) -> Int:
    """Rows of every bank that keys and values of a request take, in one layer."""
    keys = key_rows(channel, heads) * ceil_div(length, channel.banks)
    return keys + value_rows(channel, heads, length)


def logit(channel: PimChannel, heads: Heads, length: int) -> tuple[Product, ...]:
    """Queries times keys of one request; the last row of keys may have fewer heads."""
    most, tiles = row_heads(channel, heads), ceil_div(length, channel.banks)
    steps = ceil_div(heads.head_dim, channel.lanes)
    return tuple(
        Product(steps=steps, results=minimum(most, heads.kv_heads - first), tiles=tiles)
        for first in range(0, heads.kv_heads, most)
        for _ in range(heads.group)
    )


def attend(channel: PimChannel, heads: Heads, length: int) -> tuple[Product, ...]:
    """Weights times values of one request, head by head of those that are not in one row."""
    tiles, page = value_tiles(channel, heads), page_tokens(channel, heads)
    return tuple(
        Product(
            steps=ceil_div(minimum(page, length - token), channel.lanes),
            results=minimum(heads.value_heads, heads.kv_heads - first),
            tiles=tiles,
        )
        for first in range(0, heads.kv_heads, heads.value_heads)
        for _ in range(heads.group)
        for token in range(0, length, page)
    )


def header_cycles(channel: PimChannel, rows: int, product: Product) -> int:
    """What the controller takes a tile to need, from its header on: it must end before a refresh.

    rows: that are closed first. It is the estimate of the authors' controller, which leaves more
    time for closing rows than there has to be.
    """
    t = channel.timing
    steps = maximum(product.steps * product.results, t.tree_steps)
    work = t.column_l_cycles * (steps + product.results - 1)
    opening = t.faw_cycles * (channel.bank_groups - 1) + t.rcd_rd_cycles
    return t.rtp_cycles * rows + opening + work


def vector_cycles(channel: PimChannel) -> int:
    """What the controller takes the copy of a vector to need: another row is closed and opened."""
    t = channel.timing
    return t.rp_cycles + t.rcd_rd_cycles + channel.gwrite_cycles
