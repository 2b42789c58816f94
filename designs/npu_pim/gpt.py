"""Decode of one token of each request through layers of a GPT, on a device: the workload."""

from dataclasses import dataclass
from typing import ClassVar

from designs.npu_pim.channel import PimChannel
from designs.npu_pim.gemv import (
    HEADS_FIT_RULES,
    HEADS_RULES,
    Heads,
    cache_tiles,
    key_rows,
    key_vectors,
    page_tokens,
    value_vectors,
)
from designs.npu_pim.levers import Sharing
from designs.npu_pim.panels import panel_columns, panel_count, panel_parts
from designs.npu_pim.params import NpuPimParams
from designs.npu_pim.workload import PimAttention, drawn_lengths
from designs.rules import Int, Rule, as_in, ceil_div, check, integer, maximum, minimum, where
from designs.schedule import COUNT_BITS

PASSES_A_REQUEST = 96
PASSES_A_HEAD = 32
"""More operations than VECTOR has of a request in a layer, beside those of heads and pages."""

CONSTANTS_A_LAYER = 32
"""More instructions than VECTOR has to take in what a layer has of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GptLayer:
    """One new token of each request in `layers` layers of a GPT.

    A layer: norm, queries, keys and values, attention to all `keys` tokens of the request with the
    new one, projection onto the residual, norm, up, GELU, down onto the residual; biases in all.
    ragged: requests have lengths drawn between 1 and `keys`, otherwise all have `keys`.
    """

    RULES: ClassVar[tuple[Rule["GptLayer"], ...]]

    requests: int = as_in(PimAttention, "requests")
    keys: int = integer(low=1, high=2**16, doc="of the longest request", unit="tokens")
    ragged: bool = as_in(PimAttention, "ragged")
    heads: int = as_in(PimAttention, "heads")
    kv_heads: int = as_in(PimAttention, "kv_heads")
    head_dim: int = integer(low=1, high=2**14, doc="width of a head", unit="values")
    value_heads: int = as_in(PimAttention, "value_heads")
    ffn: int = integer(low=1, high=2**16, doc="width between up and down", unit="values")
    layers: int = integer(default=1, low=1, high=4, doc="layers", unit="layers")
    seed: int = integer(default=0, low=0, high=2**31, doc="of lengths")

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        lengths = "up to " if self.ragged else ""
        return (
            f"GptLayer({self.requests} requests of {lengths}{self.keys} tokens, "
            f"{self.heads} heads over {self.kv_heads}, head_dim={self.head_dim}, ffn={self.ffn}, "
            f"{self.layers} layers)"
        )

    @property
    def hidden(self) -> int:
        """Width of the residual."""
        return self.heads * self.head_dim

    @property
    def kv_width(self) -> int:
        """Width of the keys of a token, and of its values."""
        return self.kv_heads * self.head_dim

    @property
    def qkv(self) -> int:
        """Queries, keys and values of a token."""
        return self.hidden + 2 * self.kv_width

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
        """Tokens of each request, the new one included."""
        return drawn_lengths(self)

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The linear layers in their order: inputs and outputs."""
        return {
            "qkv": (self.hidden, self.qkv),
            "proj": (self.hidden, self.hidden),
            "up": (self.hidden, self.ffn),
            "down": (self.ffn, self.hidden),
        }

    @property
    def mac_count(self) -> int:
        """Useful multiply-accumulates: with weights, with keys and with values."""
        weights = sum(k * n for k, n in self.linears.values())
        attention = 2 * sum(self.lengths) * self.hidden
        return self.layers * (self.requests * weights + attention)


GptLayer.RULES = HEADS_RULES


@dataclass(frozen=True, kw_only=True, slots=True)
class GptLayerFit:
    """Layers of a GPT on a device."""

    RULES: ClassVar[tuple[Rule["GptLayerFit"], ...]]

    params: NpuPimParams
    workload: GptLayer

    @property
    def channel(self) -> PimChannel:
        """Each of the channels, under the name that `HEADS_FIT_RULES` have for it."""
        return self.params.channel

    @property
    def heads(self) -> Heads:
        """The heads of the workload."""
        return self.workload.shape

    @property
    def half_requests(self) -> Int:
        """Most requests of a half: of every channel the first half of its requests, rounded up.

        Where sub-batches come first, half of all.
        """
        requests, channels = self.workload.requests, self.params.channels
        each, more = requests // channels, requests % channels
        alike = more * ceil_div(each + 1, 2) + (channels - more) * ceil_div(each, 2)
        first = where(self.workload.ragged, (requests + channels) // 2, alike)
        is_alike = self.params.sharing == Sharing.PARTS
        first = where(is_alike, ceil_div(requests, 2), first)
        return where(self.params.halves == 1, requests, first)

    @property
    def channel_requests(self) -> Int:
        """Most requests of a channel: with lengths of their own all but one a channel."""
        requests, channels = self.workload.requests, self.params.channels
        return where(self.workload.ragged, requests - channels + 1, ceil_div(requests, channels))

    @property
    def rows(self) -> Int:
        """Rows of every bank that it takes where all requests are as long as the longest.

        Of every layer the weights, and keys and values of each request; then vectors, a row of one
        bank each.
        """
        p, w, banks = self.params, self.workload, self.params.channel.banks
        parts: Int = 0
        for k, n in w.linears.values():
            columns = panel_columns(p, k, n)
            parts = parts + panel_count(p, k, n) * panel_parts(p, k, columns)
        caches = self.channel_requests * cache_tiles(p.channel, self.heads, w.keys)
        weights = value_vectors(p.channel, self.heads, w.keys)
        vectors = where(p.on_array, 0, key_vectors(p.channel, self.heads) + weights)
        rows: Int = ceil_div(w.layers * parts, banks) + w.layers * caches
        rows = rows + ceil_div(self.channel_requests * vectors, banks)
        return rows

    @property
    def part_step(self) -> Int:
        """What a row of values is a multiple of."""
        channel = self.params.channel
        return self.workload.value_heads * maximum(channel.access_bytes, channel.lanes)

    @property
    def cache_accesses(self) -> Int:
        """Most accesses that bring the keys of a head, or values of a request, to ARRAY at once."""
        channel, w = self.params.channel, self.workload
        row = minimum(w.keys, channel.row_elements)
        keys = w.head_dim * ceil_div(row, channel.access_bytes)
        width = minimum(w.kv_width, channel.row_bytes)
        return maximum(keys, w.keys * ceil_div(width, channel.access_bytes))

    @property
    def instructions(self) -> Int:
        """No unit has more: VECTOR's, then those of ARRAY and LOAD."""
        p, w = self.params, self.workload
        pages = ceil_div(w.keys, page_tokens(p.channel, self.heads))
        of_head = PASSES_A_HEAD + 4 * pages
        vector = CONSTANTS_A_LAYER + w.requests * (PASSES_A_REQUEST + w.heads * of_head)
        panels: Int = 0
        for k, n in w.linears.values():
            panels = panels + panel_count(p, k, n)
        of_caches = w.kv_heads * pages + key_rows(p.channel, self.heads) + w.kv_heads
        array = p.halves * panels + w.requests * of_caches
        return w.layers * maximum(vector, array)


def _at_most(key: str, size: str, limit: str) -> Rule[GptLayerFit]:
    """A size of the workload and the greatest that the machine takes."""
    what = key if key == size else f"{key} must be fewer, for {size}"
    most = f"at most {limit} = {{p.params.{limit}}}"
    return Rule(
        key=key,
        holds=lambda p: getattr(p.workload, size) <= getattr(p.params, limit),
        sentence=f"{what} must be {most}, not {{p.workload.{size}}}",
        limit=limit,
    )


GptLayerFit.RULES = (
    *HEADS_FIT_RULES,
    _at_most("heads", "heads", "max_heads"),
    _at_most("head_dim", "head_dim", "max_head_dim"),
    _at_most("head_dim", "hidden", "max_hidden"),
    _at_most("kv_heads", "kv_width", "max_kv_width"),
    _at_most("ffn", "ffn", "max_inner"),
    _at_most("keys", "keys", "max_keys"),
    _at_most("value_heads", "value_heads", "max_value_heads"),
    Rule(
        key="value_heads",
        holds=lambda p: p.params.channel.row_bytes % p.part_step == 0,
        sentence="value_heads must leave each head whole accesses and steps of the "
        "{p.params.channel.row_bytes} bytes of a row, not {p.workload.value_heads}",
        limit="channel",
    ),
    Rule(
        key="head_dim",
        holds=lambda p: p.workload.head_dim % p.params.head_step == 0,
        sentence="head_dim must be a multiple of the {p.params.head_step} of rows and cols of "
        "array, lanes of channel and vector_lanes together, not {p.workload.head_dim}",
        limit="array",
    ),
    Rule(
        key="ffn",
        holds=lambda p: p.workload.ffn % p.params.column_step == 0,
        sentence="ffn must be a multiple of rows and cols of array, {p.params.column_step} "
        "together, not {p.workload.ffn}",
        limit="array",
    ),
    Rule(
        key="requests",
        holds=lambda p: p.workload.requests >= p.params.channels * p.params.halves,
        sentence="requests must be at least channels * halves = {p.params.channels} * "
        "{p.params.halves}, not {p.workload.requests}",
        limit="channels",
    ),
    Rule(
        key="requests",
        holds=lambda p: p.half_requests <= p.params.max_requests,
        sentence="requests must be fewer, for a half can have at most max_requests = "
        "{p.params.max_requests}, not {p.half_requests}",
        limit="max_requests",
    ),
    Rule(
        key="ffn",
        holds=lambda p: (
            maximum(p.workload.hidden, p.workload.ffn) * p.params.column_step
            <= p.params.panel_bytes
        ),
        sentence="ffn and hidden must be at most the {p.params.panel_bytes} of panel_bytes over "
        "{p.params.column_step} columns, not {p.workload.ffn} and {p.workload.hidden}",
        limit="panel_bytes",
    ),
    Rule(
        key="keys",
        holds=lambda p: (p.params.on_array ^ True) | (p.cache_accesses <= p.params.slot_words),
        sentence="keys must be fewer, or panel_bytes more, where attention is array: keys of a "
        "head, and values, can take at most {p.params.slot_words} accesses, not {p.cache_accesses}",
        limit="panel_bytes",
    ),
    Rule(
        key="keys",
        holds=lambda p: p.rows <= p.params.channel.rows,
        sentence="keys must be fewer, or requests: weights, caches and vectors can take at most "
        "the {p.params.channel.rows} rows of a bank, not {p.rows}",
        limit="channel",
    ),
    Rule(
        key="requests",
        holds=lambda p: p.instructions < 1 << COUNT_BITS,
        sentence="requests must be fewer, or layers: units count up to "
        f"{(1 << COUNT_BITS) - 1} instructions, not {{p.instructions}}",
        limit="layers",
    ),
)
