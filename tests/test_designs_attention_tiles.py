"""The tile table: every pair once, bounds as the mask has them, rings in order."""

import itertools

import numpy as np
import pytest
from test_designs_attention import sees

from designs.attention import Attention, AttentionFit, AttentionParams, Masking, Pattern
from designs.attention.tiles import query_tiles, seen, tile_table
from designs.rules import kept


def job(side, group, blocks, mask, queries, keys):
    params = AttentionParams(
        side=side, group=group, query_tiles=blocks, masking=Masking.WINDOW, e=2, f=2
    )
    workload = Attention(
        batch=2, heads=2 * 2 * group, kv_heads=2, queries=queries, keys=keys, e=2, f=2, **mask
    )
    return params, workload


def table(*case):
    params, workload = job(*case)
    return params, workload, list(tile_table(params, workload))


def sparse(block, sinks, window):
    return {
        "pattern": Pattern.BLOCKS,
        "block": block,
        "sink_blocks": sinks,
        "window_blocks": window,
    }


def fits(case):
    params, workload = job(*case)
    return kept(AttentionFit.RULES, AttentionFit(params=params, workload=workload))


FULL, CAUSAL = {"pattern": Pattern.FULL}, {"pattern": Pattern.CAUSAL}
WINDOW = {"pattern": Pattern.WINDOW, "window": 3}
ENGINES = [
    (side, group, blocks)
    for (side, group), blocks in itertools.product(
        [(1, 1), (2, 1), (4, 1), (4, 2), (3, 3)], (1, 2, 3)
    )
]
DENSE = [
    (*engine, mask, queries, keys)
    for engine, mask, (queries, keys) in itertools.product(
        ENGINES, (FULL, CAUSAL, WINDOW), [(1, 1), (1, 9), (7, 7), (8, 8), (5, 13), (9, 4)]
    )
    if mask == FULL or queries <= keys
]
SPARSE = [
    (*engine, sparse(wide * engine[0], sinks, window), queries, keys)
    for engine, wide, (sinks, window), (queries, keys) in itertools.product(
        ENGINES, (1, 2), [(0, 1), (0, 2), (1, 1), (2, 3), (9, 1)], [(1, 30), (17, 17), (13, 25)]
    )
]
CASES = DENSE + [case for case in SPARSE if fits(case)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_pairs_of_all_tiles_are_those_of_the_workload(case):
    params, workload, tiles = table(*case)
    side, group = params.side, params.group
    found = np.zeros((workload.batch, workload.heads, workload.queries, workload.keys), dtype=int)
    per_head = -(-workload.queries * group // side)
    for tile in tiles:
        place = tile.place
        for column, row in itertools.product(range(side), range(side)):
            grow = column // group if tile.diagonal else 0
            upper, lower = (min(max(b + grow, 0), side) for b in (tile.upper, tile.lower))
            number = place.query_tile % per_head * side + column
            head = place.query_tile // per_head * group + number % group
            query, key = number // group, place.key_tile * side + row
            if lower <= row < upper and query < workload.queries:
                head += place.kv_head * workload.share
                found[place.batch, head, query, key] += 1
    assert np.array_equal(found, np.broadcast_to(sees(workload), found.shape))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rings_are_filled_and_freed_in_order(case):
    params, workload, tiles = table(*case)
    started = released = 0
    live = {}
    for tile in tiles:
        key = (tile.place.batch, tile.place.kv_head, tile.place.query_tile)
        if tile.first:
            assert tile.query == started % params.query_slots
            assert tile.state not in live.values()
            live[key] = tile.state
            started += 1
        assert live[key] == tile.state
        assert started - released <= params.query_slots
        if tile.last:
            del live[key]
        released += tile.query_release
        assert not (tile.query_release and live)
    assert started == released == 2 * 2 * query_tiles(params, workload)
    assert [tile.end for tile in tiles] == [False] * (len(tiles) - 1) + [True]


@pytest.mark.parametrize("loaded", [1, 3, 6])
def test_the_ring_of_query_tiles_goes_on_from_job_to_job(loaded):
    params, workload, _ = table(2, 1, 3, FULL, 8, 8)
    tiles = list(tile_table(params, workload, loaded))
    places = [tile.query for tile in tiles if tile.first]
    assert places == [(loaded + number) % params.query_slots for number in range(len(places))]
    assert len(places) > 1


def test_each_key_tile_is_read_once_for_each_block():
    params, workload, tiles = table(2, 1, 3, FULL, 8, 8)
    reads = [tile.place for tile in tiles if tile.kv_done]
    blocks = -(-query_tiles(params, workload) // 3)
    assert len(reads) == workload.batch * workload.kv_heads * blocks * 4


def test_tiles_without_a_pair_are_skipped():
    *_, tiles = table(1, 1, 1, CAUSAL, 8, 8)
    assert len(tiles) == 2 * 2 * 2 * (8 * 9 // 2)


def test_tiles_of_blocks_are_those_at_the_front_and_the_latest():
    params, workload = job(2, 1, 1, sparse(4, 1, 2), 20, 20)
    rows = [list(seen(params, workload, tile)) for tile in range(10)]
    assert rows == [
        [0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5],
        [0, 1, 4, 5, 6], [0, 1, 4, 5, 6, 7], [0, 1, 6, 7, 8], [0, 1, 6, 7, 8, 9],
    ]  # fmt: skip


def test_only_the_tile_of_its_own_positions_hides_keys_of_blocks():
    params, _, tiles = table(4, 2, 2, sparse(8, 1, 2), 40, 40)
    assert {tile.lower for tile in tiles} == {-params.side}
    for tile in tiles:
        first = tile.place.query_tile % 20 * 2
        hides = tile.place.key_tile * 4 + 4 > first + 1
        assert (tile.upper < params.side) == hides
