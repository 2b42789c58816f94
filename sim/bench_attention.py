"""The bench of attention engines: heads of attention as the transfers of streams, and back."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.attention import Attention, AttentionParams
from designs.attention.tiles import Tile, query_tiles, tile_table
from hwgen.attention.interface import streams, tile_layout
from sim import cores
from sim.golden.attention.inputs import draw
from sim.packing import packed, unpacked
from sim.streams import Interface, Pause, Plan, SimResult

Inputs: TypeAlias = Mapping[str, NDArray[Any]]
Ints: TypeAlias = NDArray[np.int64]


def operands(params: AttentionParams, workload: Attention, seed: int) -> tuple[Attention, Inputs]:
    """The workload, and an example of what goes into it."""
    return workload, draw(params, workload, np.random.default_rng(seed))


def interface(params: AttentionParams) -> Interface:
    """The streams of an engine, and the width of each event it can be probed for."""
    events = {"mac_slots": params.mac_slots_per_cycle.bit_length()}
    ports = cores.ports(streams(params), configuring=("tile", "counters"))
    return Interface(ports=ports, events=events)


def plan(
    params: AttentionParams,
    workload: Attention,
    inputs: Inputs,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """All heads of all sequences, tile by tile as the tile table has them."""
    p, w = params, workload
    tiles = list(tile_table(p, w))
    transfers: dict[str, list[int]] = {
        "tile": list(entries(p, w, inputs, tiles)),
        "q": list(_queries(p, w, inputs["q"], tiles)),
        "k": list(_keys(p, w, inputs["k"], tiles)),
        "v": list(_keys(p, w, inputs["v"], tiles)),
    }
    return Plan(
        interface=interface(p),
        transfers=transfers,
        expected={"o": p.f * sum(tile.last for tile in tiles), "counters": 1},
        pauses=pauses or {},
        timeout_cycles=timeout_cycles,
    )


def results(params: AttentionParams, workload: Attention, result: SimResult) -> NDArray[Any]:
    """Attention (batch * heads, queries, f), from the transfers on `o`."""
    p, w = params, workload
    columns = p.split_columns
    out = np.zeros((w.batch, w.kv_heads, query_tiles(p, w) * columns, p.f), dtype=np.int64)
    words = unpacked(result.payloads["o"], columns, p.out_bits, not p.is_float)
    ended = [tile.place for tile in tile_table(p, w) if tile.last]
    for place, values in zip(ended, words.reshape(-1, p.f, columns), strict=True):
        start = place.query_tile * columns
        out[place.batch, place.kv_head, start : start + columns] = values.T
    found = heads_of(p, w, out)
    return found.astype(np.uint32).view(np.float32) if p.is_float else found.astype(np.int16)


def activity(params: AttentionParams, result: SimResult, sent: Plan) -> dict[str, int]:
    """Products, transfers, tiles, and the slots in which elements and lanes had work."""
    counted = counters(params, result)
    return cores.activity(params, result, sent) | {
        "tiles": counted["epochs"],
        "array.busy": counted["array_busy"],
        "lanes.busy": counted["lanes_busy"],
    }


def counters(params: AttentionParams, result: SimResult) -> dict[str, int]:
    """What the engine has counted, by name."""
    (word,) = result.payloads["counters"]
    layout = streams(params)["counters"].signature.members["payload"].shape
    return {name: word >> item.offset & ((1 << item.width) - 1) for name, item in layout}


def rows_of(params: AttentionParams, workload: Attention, values: Ints) -> Ints:
    """Queries (batch * heads, queries, e) as rows (batch, kv_heads, rows, e).

    The heads of a group are side by side; zeros fill up the last tile of each group.
    """
    p, w = params, workload
    groups = w.share // p.group
    split = values.reshape(w.batch, w.kv_heads, groups, p.group, w.queries, -1)
    rows = split.swapaxes(3, 4).reshape(w.batch, w.kv_heads, groups, w.queries * p.group, -1)
    missing = -rows.shape[3] % p.split_columns
    whole = np.pad(rows, [(0, 0), (0, 0), (0, 0), (0, missing), (0, 0)])
    return whole.reshape(w.batch, w.kv_heads, -1, values.shape[-1])


def heads_of(params: AttentionParams, workload: Attention, rows: Ints) -> Ints:
    """The inverse of `rows_of`."""
    p, w = params, workload
    groups = w.share // p.group
    split = rows.reshape(w.batch, w.kv_heads, groups, -1, rows.shape[-1])
    split = split[:, :, :, : w.queries * p.group]
    heads = split.reshape(w.batch, w.kv_heads, groups, w.queries, p.group, -1).swapaxes(3, 4)
    return heads.reshape(w.batch * w.heads, w.queries, -1)


def entries(
    params: AttentionParams, workload: Attention, inputs: Inputs, tiles: list[Tile]
) -> Iterator[int]:
    """The lines of the tile table as the machine takes them."""
    layout = tile_layout(params)
    for tile in tiles:
        fields = {name: getattr(tile, name) for name, _ in layout if name != "shift"}
        if not params.is_float:
            fields["shift"] = int(inputs["shift"][_head(workload, tile)])
        yield layout.const(fields).as_bits()


def _queries(
    params: AttentionParams, workload: Attention, q: Ints, tiles: list[Tile]
) -> Iterator[int]:
    """Each query tile before its first tile of keys: for each of e, its queries side by side."""
    p = params
    rows = rows_of(p, workload, q.astype(np.int64))
    for place in (tile.place for tile in tiles if tile.first):
        start = place.query_tile * p.split_columns
        block = rows[place.batch, place.kv_head, start : start + p.split_columns]
        yield from packed(block.T.reshape(-1, p.query_values), p.element_bits)


def _keys(
    params: AttentionParams, workload: Attention, values: Ints, tiles: list[Tile]
) -> Iterator[int]:
    """Each tile of keys, or values, as often as it is read: for each of e or f, all its keys.

    In several transfers, each has the same rows of every group of columns.
    """
    p = params
    missing = -values.shape[1] % p.tile_keys
    whole = np.pad(values.astype(np.int64), [(0, 0), (0, missing), (0, 0)])
    for tile in tiles:
        if tile.kv_done:
            start = tile.place.key_tile * p.tile_keys
            block = whole[_head(workload, tile), start : start + p.tile_keys]
            beats = block.T.reshape(-1, p.splits, p.port_beats, p.side // p.port_beats)
            yield from packed(beats.swapaxes(1, 2).reshape(-1, p.key_values), p.element_bits)


def _head(workload: Attention, tile: Tile) -> int:
    """Number of a tile's head of keys, among those of all sequences."""
    return tile.place.batch * workload.kv_heads + tile.place.kv_head
