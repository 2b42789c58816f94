"""The memory map of a device: which request is where, and what lies in which rows.

Requests go to channels in turn, each to the one that has the fewest tokens so far; of a channel's
requests the first half, rounded up, are sub-batch 0, as published. Or sub-batches come first, alike
in number and in length, and each is shared on its own. Rows have the same numbers in all banks of
all channels. From row 0 on: the weights of every layer, panel after panel; of every layer the keys
and values of each request, as many as it has in the end; where banks attend, the vectors that are
multiplied with them, in rows that all layers use.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from typing import TypeAlias

from designs.npu_pim.channel import PimChannel
from designs.npu_pim.gemv import Heads, key_rows, value_tiles
from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.levers import Sharing
from designs.npu_pim.panels import panel_accesses, panel_columns, panel_parts
from designs.npu_pim.params import NpuPimParams
from designs.npu_pim.program import Cache, Vector, caches, vectors
from designs.rules import ceil_div

Half: TypeAlias = tuple[tuple[int, ...], ...]
"""The requests of a half, of each channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """Columns of a linear layer and where they begin, in each channel alike.

    Weight [i][j] of the panel is byte i * columns + j of it; byte b is in access b // access_bytes,
    access a in channel a % channels, there number a // channels of `accesses`. They lie in a row of
    a bank from column 0 on, then in the next bank, after the last bank in the next row.
    """

    layer: int
    name: str
    k: int
    first: int
    columns: int
    bank: int
    row: int
    accesses: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelPlaces:
    """What a channel has: its requests, and of each layer their caches and vectors in this order.

    vectors: of each request, queries before weights; none where the array attends. rows: of every
    bank that are in use, from 0 on.
    """

    requests: tuple[int, ...]
    caches: tuple[tuple[Cache, ...], ...]
    vectors: tuple[tuple[tuple[Vector, ...], ...], ...]
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where everything is.

    panels: of all layers, in the order in which they are used. turns: of each half rounds of
    requests, at most one of a channel in each, in the order of channels.
    """

    panels: tuple[Panel, ...]
    channels: tuple[ChannelPlaces, ...]
    turns: tuple[tuple[tuple[int, ...], ...], ...]

    def order(self, half: int) -> tuple[int, ...]:
        """The requests of a half in the order in which the units work on them."""
        return tuple(request for turn in self.turns[half] for request in turn)

    def channel_of(self, request: int) -> int:
        return next(c for c, channel in enumerate(self.channels) if request in channel.requests)

    def cache(self, layer: int, request: int) -> Cache:
        """Where keys and values of a request are."""
        channel = self.channels[self.channel_of(request)]
        return channel.caches[layer][channel.requests.index(request)]

    def vectors(self, layer: int, request: int) -> tuple[Vector, ...]:
        """What is multiplied with them, where banks attend."""
        channel = self.channels[self.channel_of(request)]
        return channel.vectors[layer][channel.requests.index(request)]

    def layer_panels(self, layer: int, name: str) -> tuple[Panel, ...]:
        """The panels of a linear layer."""
        return tuple(one for one in self.panels if (one.layer, one.name) == (layer, name))


@lru_cache(maxsize=64)
def places(params: NpuPimParams, workload: GptLayer) -> Places:
    """Where everything of a workload that fits is."""
    panels = tuple(_panels(params, workload))
    last = panels[-1]
    parts = panel_parts(params, last.k, last.columns)
    banks = params.channel.banks
    first_row = ceil_div(last.row * banks + last.bank + int(parts), banks)
    share = _parts_first if params.sharing == Sharing.PARTS else _channels_first
    halves = share(params, workload.lengths)
    dealt = [tuple(chain(*own)) for own in zip(*halves, strict=True)]
    return Places(
        panels=panels,
        channels=tuple(_channel(params, workload, one, first_row) for one in dealt),
        turns=tuple(map(_turns, halves)),
    )


def _panels(params: NpuPimParams, workload: GptLayer) -> Iterator[Panel]:
    part = 0
    for layer in range(workload.layers):
        for name, (k, n) in workload.linears.items():
            size = int(panel_columns(params, k, n))
            for first in range(0, n, size):
                columns = min(size, n - first)
                row, bank = divmod(part, params.channel.banks)
                yield Panel(
                    layer=layer,
                    name=name,
                    k=k,
                    first=first,
                    columns=columns,
                    bank=bank,
                    row=row,
                    accesses=int(panel_accesses(params, k, columns)),
                )
                part += int(panel_parts(params, k, columns))


def _channels_first(params: NpuPimParams, lengths: tuple[int, ...]) -> tuple[Half, ...]:
    """Of the requests of each channel, halves."""
    dealt: tuple[list[int], ...] = tuple([] for _ in range(params.channels))
    tokens = [0] * params.channels
    for request, length in enumerate(lengths):
        least = tokens.index(min(tokens))
        dealt[least].append(request)
        tokens[least] += length
    sizes = [ceil_div(len(own), params.halves) for own in dealt]
    first = tuple(tuple(own[:size]) for own, size in zip(dealt, sizes, strict=True))
    second = tuple(tuple(own[size:]) for own, size in zip(dealt, sizes, strict=True))
    return (first, second)[: params.halves]


def _parts_first(params: NpuPimParams, lengths: tuple[int, ...]) -> tuple[Half, ...]:
    """Longest first, each request goes to the half with fewest requests, or else fewest tokens.

    There it goes to the channel where its half has fewest tokens, or else all halves have.
    """
    channels = range(params.channels)
    halves = [[list[int]() for _ in channels] for _ in range(params.halves)]

    def tokens(*parts: list[int]) -> int:
        return sum(lengths[request] for part in parts for request in part)

    for request in sorted(range(len(lengths)), key=lambda one: -lengths[one]):
        half = min(halves, key=lambda one: (sum(map(len, one)), tokens(*one)))
        own = [tokens(half[channel]) for channel in channels]
        every = [tokens(*(one[channel] for one in halves)) for channel in channels]
        _, _, least = min(zip(own, every, channels, strict=True))
        half[least].append(request)
    return tuple(tuple(tuple(part) for part in half) for half in halves)


def _turns(half: Half) -> tuple[tuple[int, ...], ...]:
    """Rounds of requests, at most one of a channel in each."""
    rounds = zip_longest(*half)
    return tuple(tuple(one for one in turn if one is not None) for turn in rounds)


def _channel(
    params: NpuPimParams, workload: GptLayer, requests: tuple[int, ...], first_row: int
) -> ChannelPlaces:
    lengths, shape = [workload.lengths[one] for one in requests], workload.shape
    lay = _swapped_caches if params.on_array else caches
    of_layers = []
    for _ in range(workload.layers):
        of_layers.append(tuple(lay(params.channel, shape, lengths, first_row)))
        first_row = of_layers[-1][-1].end_row
    found: list[tuple[tuple[Vector, ...], ...]] = []
    rows = first_row
    for placed in of_layers if not params.on_array else ():
        every = tuple(vectors(params.channel, shape, placed, first_row))
        rows = first_row + ceil_div(len(every), params.channel.banks)
        numbers = range(len(placed))
        found.append(tuple(tuple(one for one in every if one.request == n) for n in numbers))
    return ChannelPlaces(
        requests=requests, caches=tuple(of_layers), vectors=tuple(found), rows=rows
    )


def _swapped_caches(
    channel: PimChannel, shape: Heads, lengths: Iterable[int], first_row: int
) -> Iterator[Cache]:
    """Where the array attends: a row of keys has the tokens of a dimension, one of values a token.

    Keys are laid as banks have values. Of values, a row has as many heads of one token as fit, and
    token t is in bank t % banks, row t // banks of those of these heads: heads come first, tokens
    then.
    """
    row = first_row
    for length in lengths:
        pages = ceil_div(length, channel.row_elements)
        value_row = row + shape.kv_heads * value_tiles(channel, shape) * pages
        end_row = value_row + key_rows(channel, shape) * ceil_div(length, channel.banks)
        yield Cache(length=length, key_row=row, value_row=value_row, end_row=end_row)
        row = end_row
