"""What a channel is given for a workload: where things lie, its transactions and the host's.

All of it follows from the channel and the workload alone, never from values. Rows from 0 on of all
banks: of each request its keys, then its values, as `designs.npu_pim.gemv` has them; then the
vectors, number i in bank i % banks; then the rows of the host.
"""

import enum
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from designs.npu_pim.channel import PimChannel
from designs.npu_pim.gemv import (
    Heads,
    Product,
    attend,
    key_rows,
    logit,
    page_tokens,
    row_heads,
    value_rows,
    value_tiles,
)
from designs.npu_pim.workload import HOST_ROWS, PimAttention
from designs.rules import ceil_div

MASKED_SHARE = 0.75
"""Of the host's writes those that leave bytes as they are, where a channel has masks."""


class PimKind(enum.IntEnum):
    """Of a transaction. vector: a row becomes the vector. tile: it is multiplied with a tile."""

    VECTOR = 0
    TILE = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PimTransaction:
    """What the channel is to compute next.

    bank: of a vector; a tile is the row of all banks. steps, results: of a tile; result i takes the
    parts of row and vector from i * stride on, of `step_bytes` each; stride: `steps` if None, and
    where the channel has none.
    """

    kind: PimKind
    row: int
    bank: int = 0
    steps: int = 1
    results: int = 1
    stride: int | None = None

    @property
    def columns(self) -> range:
        """Where each result begins."""
        stride = self.stride or self.steps
        return range(0, self.results * stride, stride)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostAccess:
    """A read or write of `access_bytes`; `column` counts accesses, `tag` tells reads apart.

    mask: bit b says whether byte b is written, where the channel has masks; None: all are.
    """

    write: bool
    bank: int
    row: int
    column: int
    tag: int
    mask: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cache:
    """Where a request's keys and values begin, and the first row behind them."""

    length: int
    key_row: int
    value_row: int
    end_row: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Vector:
    """What is multiplied with tiles of a request, and where it lies.

    heads: each with its part of the row, side by side. page: of the weights of these heads, those
    of the tokens from page * `page_tokens` on; None where the parts are queries. tile_rows: of the
    tiles that it is multiplied with. stride: steps from a part to the next.
    """

    request: int
    heads: tuple[int, ...]
    page: int | None
    product: Product
    tile_rows: range
    stride: int
    bank: int
    row: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What goes into a channel.

    rows: of every bank, from 0 on, that hold something before the first transaction.
    """

    rows: int
    caches: tuple[Cache, ...]
    vectors: tuple[Vector, ...]
    pim: tuple[PimTransaction, ...]
    host: tuple[HostAccess, ...]


@lru_cache(maxsize=64)
def program(channel: PimChannel, workload: PimAttention) -> Program:
    """All of a workload that fits: request by request the logits, then the sums of values."""
    placed = tuple(caches(channel, workload.shape, workload.lengths, 0))
    vector_row = placed[-1].end_row
    found = tuple(vectors(channel, workload.shape, placed, vector_row))
    rows = vector_row + ceil_div(len(found), channel.banks) + HOST_ROWS
    return Program(
        rows=rows,
        caches=placed,
        vectors=found,
        pim=tuple(one for vector in found for one in _transactions(vector)),
        host=tuple(_accesses(channel, workload, rows)),
    )


def caches(
    channel: PimChannel, shape: Heads, lengths: Iterable[int], first_row: int
) -> Iterator[Cache]:
    """Where keys and values of requests of these lengths lie, from a row on."""
    row = first_row
    for length in lengths:
        value_row = row + key_rows(channel, shape) * ceil_div(length, channel.banks)
        end_row = value_row + int(value_rows(channel, shape, length))
        yield Cache(length=length, key_row=row, value_row=value_row, end_row=end_row)
        row = end_row


def vectors(
    channel: PimChannel, shape: Heads, placed: Iterable[Cache], first_row: int
) -> Iterator[Vector]:
    """What is multiplied with the keys and values of requests, one after the other."""
    number = 0
    for request, cache in enumerate(placed):
        found = (*_queries(channel, shape, cache), *_weights(channel, shape, cache))
        for heads, page, product, rows in found:
            is_packed = page is not None and shape.value_heads > 1
            yield Vector(
                request=request,
                heads=heads,
                page=page,
                product=product,
                tile_rows=rows,
                stride=channel.row_steps // shape.value_heads if is_packed else product.steps,
                bank=number % channel.banks,
                row=first_row + number // channel.banks,
            )
            number += 1


_Found = tuple[tuple[int, ...], int | None, Product, range]


def _queries(channel: PimChannel, shape: Heads, cache: Cache) -> Iterator[_Found]:
    """For each row of a token's keys, and each head of a group: queries of the heads of the row."""
    most, stride = row_heads(channel, shape), key_rows(channel, shape)
    for number, product in enumerate(logit(channel, shape, cache.length)):
        chunk, member = divmod(number, shape.group)
        kv_heads = range(chunk * most, chunk * most + product.results)
        first = cache.key_row + chunk
        rows = range(first, first + product.tiles * stride, stride)
        yield tuple(one * shape.group + member for one in kv_heads), None, product, rows


def _weights(channel: PimChannel, shape: Heads, cache: Cache) -> Iterator[_Found]:
    """For each row of values of a dimension, and each head of a group: weights of its tokens.

    Rows of one head, or of as many as share one, come one after the other.
    """
    tiles = value_tiles(channel, shape)
    pages = ceil_div(cache.length, page_tokens(channel, shape))
    for number, product in enumerate(attend(channel, shape, cache.length)):
        row, page = divmod(number, pages)
        chunk, member = divmod(row, shape.group)
        kv_heads = range(chunk * shape.value_heads, chunk * shape.value_heads + product.results)
        first = cache.value_row + (chunk * pages + page) * tiles
        heads = tuple(one * shape.group + member for one in kv_heads)
        yield heads, page, product, range(first, first + tiles)


def _transactions(vector: Vector) -> Iterator[PimTransaction]:
    yield PimTransaction(kind=PimKind.VECTOR, bank=vector.bank, row=vector.row)
    steps, results = vector.product.steps, vector.product.results
    stride = None if vector.stride == steps else vector.stride
    for row in vector.tile_rows:
        yield PimTransaction(
            kind=PimKind.TILE, row=row, steps=steps, results=results, stride=stride
        )


def _accesses(channel: PimChannel, workload: PimAttention, rows: int) -> Iterator[HostAccess]:
    """Half of them in the row of the access before, the others in any row or one of the host."""
    draw = random.Random(f"{workload.seed} accesses")
    host_row = rows - HOST_ROWS
    bank, row = 0, host_row
    for tag in range(workload.accesses):
        if draw.random() < 0.5:
            bank = draw.randrange(channel.banks)
            row = draw.randrange(0 if draw.random() < 0.5 else host_row, rows)
        write, mask = row >= host_row and draw.random() < 0.5, None
        column = draw.randrange(channel.accesses)
        if channel.mask and write and draw.random() < MASKED_SHARE:
            mask = draw.getrandbits(channel.access_bytes)
        yield HostAccess(write=write, bank=bank, row=row, column=column, tag=tag, mask=mask)
