"""The tile table: which tiles of keys and queries a workload asks for, in which order.

For each sequence, each head of keys and each block of query tiles: every tile of keys that one of
the block's queries sees, and with it each of the block's query tiles that sees any of it. So keys
and values are read once for each block, and tiles without a pair are skipped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from designs.attention.params import AttentionParams
from designs.attention.workload import Attention, Pattern
from designs.rules import ceil_div


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tile is: its sequence, head of keys, and numbers of query tile and key tile."""

    batch: int
    kv_head: int
    query_tile: int
    key_tile: int


@dataclass(frozen=True, slots=True)
class Tile:
    """One line of the tile table; its first fields are what the machine is told.

    query: which of the `query_slots` places of the ring that query tiles arrive in.
    Bounds are those of the first column, relative to the tile's first key, from -side to
    `tile_keys`; with `diagonal` they grow by one for each position of the queries.
    """

    query: int
    state: int
    first: bool
    last: bool
    kv_done: bool
    query_release: int
    upper: int
    lower: int
    diagonal: bool
    end: bool
    place: Place


def query_tiles(params: AttentionParams, workload: Attention) -> int:
    """Tiles of the queries of one head of keys: heads of a group are side by side."""
    groups = workload.share // params.group
    return ceil_div(workload.queries * params.group, params.split_columns) * groups


def tile_table(params: AttentionParams, workload: Attention, loaded: int = 0) -> Iterator[Tile]:
    """The tiles of a workload, in the order in which the machine takes them.

    `loaded`: query tiles of the jobs before it, since a reset: their ring goes on from job to job.
    """
    p, w = params, workload
    heads = [(batch, head) for batch in range(w.batch) for head in range(w.kv_heads)]
    count = query_tiles(p, w)
    for number, (batch, head) in enumerate(heads):
        for start in range(0, count, p.query_tiles):
            block = range(start, min(start + p.query_tiles, count))
            is_end = number == len(heads) - 1 and block.stop == count
            yield from _block(p, w, (batch, head), block, loaded, is_end)
            loaded += len(block)


def seen(params: AttentionParams, workload: Attention, query_tile: int) -> Sequence[int]:
    """The tiles of keys of which a query tile sees any, in ascending order."""
    p, w = params, workload
    key_tiles = ceil_div(w.keys, p.tile_keys)
    if w.pattern == Pattern.FULL:
        return range(key_tiles)
    first = _position(p, w, query_tile)
    last = min(first + p.split_columns // p.group, w.keys) - 1
    causal = range(last // p.tile_keys + 1)
    if w.pattern == Pattern.CAUSAL:
        return causal
    if w.pattern == Pattern.WINDOW:
        return causal[max(first - w.window + 1, 0) // p.tile_keys :]
    per_block = w.block // p.tile_keys
    latest = max(first // w.block - w.window_blocks + 1, w.sink_blocks)
    return (*causal[: w.sink_blocks * per_block], *causal[latest * per_block :])


def _position(params: AttentionParams, workload: Attention, query_tile: int) -> int:
    """Position, among the keys, of a query tile's first query."""
    per_head = ceil_div(workload.queries * params.group, params.split_columns)
    return workload.offset + query_tile % per_head * (params.split_columns // params.group)


def _block(
    params: AttentionParams,
    workload: Attention,
    head: tuple[int, int],
    block: range,
    loaded: int,
    is_end: bool,
) -> Iterator[Tile]:
    """The tiles of one block of query tiles, of which `loaded` were there before."""
    p, w = params, workload
    spans = {number: seen(p, w, number) for number in block}
    users: dict[int, list[int]] = {}
    for number, span in spans.items():
        for key in span:
            users.setdefault(key, []).append(number)
    # Query tiles arrive, and so lie in their ring, in the order in which they are first used.
    arrival = sorted(block, key=lambda number: (spans[number][0], number))
    ring = {number: loaded + rank for rank, number in enumerate(arrival)}
    keys = sorted(users)
    for key in keys:
        for number in users[key]:
            first_position = _position(p, w, number)
            is_done = number == users[key][-1]
            is_last = is_done and key == keys[-1]
            upper, lower, diagonal = _bounds(p, w, first_position, key)
            yield Tile(
                query=ring[number] % p.query_slots,
                state=ring[number] % p.query_tiles,
                first=key == spans[number][0],
                last=key == spans[number][-1],
                kv_done=is_done,
                query_release=len(block) if is_last else 0,
                upper=upper,
                lower=lower,
                diagonal=diagonal,
                end=is_last and is_end,
                place=Place(*head, number, key),
            )


def _bounds(
    params: AttentionParams, workload: Attention, position: int, key_tile: int
) -> tuple[int, int, bool]:
    """Upper and lower bound of a tile, and whether they grow along the columns."""
    p, w = params, workload
    start = key_tile * p.tile_keys
    if w.pattern == Pattern.FULL:
        return _clip(p, w.keys - start), -p.side, False
    lower = position - w.window + 1 - start if w.pattern == Pattern.WINDOW else -p.side
    return _clip(p, position + 1 - start), _clip(p, lower), True


def _clip(params: AttentionParams, bound: int) -> int:
    """A bound as far as it matters: beyond, no column's differs."""
    return max(-params.side, min(bound, params.tile_keys))
