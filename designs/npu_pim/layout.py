"""Where keys and values lie under levers, and the work that this gives a channel.

As `designs.npu_pim.gemv`, with two differences. A row of values has the tokens of one dimension of
`value_heads` heads, so that short requests leave less of it empty. Where the vector buffer holds
the queries of several heads that share their keys, a tile is opened once for all of them.
"""

from dataclasses import dataclass, replace

from designs.npu_pim.device import NpuPimDevice
from designs.npu_pim.gemv import (
    Heads,
    Product,
    attend,
    cache_tiles,
    logit,
    page_tokens,
    row_heads,
    value_tiles,
)
from designs.rules import Int, ceil_div, minimum


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """A product, and the rows that are copied to the vector buffer before it."""

    product: Product
    copies: int = 1


def shared_heads(device: NpuPimDevice, heads: Heads) -> int:
    """Heads of queries for which a tile is opened once: those that the vector buffer holds."""
    return minimum(heads.group, device.levers.channel.vectors)


def vector_sets(device: NpuPimDevice, heads: Heads) -> int:
    """Products whose vectors the buffer holds at once."""
    return device.levers.channel.vectors // shared_heads(device, heads)


def packed_heads(device: NpuPimDevice, heads: Heads) -> int:
    """Heads of a row of values: no more than there are, with whole steps for each."""
    channel, most = device.channel, minimum(device.levers.value_heads, heads.kv_heads)
    return max(one for one in range(1, most + 1) if channel.row_steps % one == 0)


def _packed(device: NpuPimDevice, heads: Heads) -> Heads:
    """The same heads, several of whose values share a row."""
    return replace(heads, value_heads=packed_heads(device, heads))


def cache_rows(device: NpuPimDevice, heads: Heads, length: Int) -> Int:
    """Rows of every bank that keys and values of a request take, in one layer."""
    return cache_tiles(device.channel, _packed(device, heads), length)


def stripes(device: NpuPimDevice, length: int) -> tuple[int, ...]:
    """Tokens of a request in each of the channels that it takes."""
    most = device.levers.stripe_tokens
    if not most or length <= most:
        return (length,)
    count = ceil_div(length, most)
    pages = ceil_div(length, count)
    size = minimum(most, ceil_div(pages, device.channel.banks) * device.channel.banks)
    return tuple(minimum(size, length - first) for first in range(0, length, size))


def _rounds(device: NpuPimDevice, heads: Heads) -> tuple[int, ...]:
    """Heads of queries that share an open tile, in each round until all have had it."""
    most = shared_heads(device, heads)
    return tuple(minimum(most, heads.group - one) for one in range(0, heads.group, most))


def logit_work(device: NpuPimDevice, heads: Heads, length: int) -> tuple[Work, ...]:
    """Queries times keys of one request."""
    if shared_heads(device, heads) == 1:
        return tuple(Work(product=one) for one in logit(device.channel, heads, length))
    most = row_heads(device.channel, heads)
    steps = ceil_div(heads.head_dim, device.channel.lanes)
    tiles = ceil_div(length, device.channel.banks)
    return tuple(
        Work(
            product=Product(
                steps=steps, results=minimum(most, heads.kv_heads - first) * share, tiles=tiles
            ),
            copies=share,
        )
        for first in range(0, heads.kv_heads, most)
        for share in _rounds(device, heads)
    )


def attend_work(device: NpuPimDevice, heads: Heads, length: int) -> tuple[Work, ...]:
    """Weights times values of one request."""
    own = _packed(device, heads)
    if shared_heads(device, heads) == 1:
        return tuple(Work(product=one) for one in attend(device.channel, own, length))
    tiles, page = value_tiles(device.channel, own), page_tokens(device.channel, own)
    chunks = [minimum(page, length - first) for first in range(0, length, page)]
    return tuple(
        Work(
            product=Product(
                steps=ceil_div(tokens, device.channel.lanes),
                results=minimum(own.value_heads, heads.kv_heads - first) * share,
                tiles=tiles,
            ),
            copies=share,
        )
        for first in range(0, heads.kv_heads, own.value_heads)
        for share in _rounds(device, heads)
        for tokens in chunks
    )
