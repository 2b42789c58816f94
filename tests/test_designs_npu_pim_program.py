"""The workload of a channel, and the program that follows from it."""

from dataclasses import replace

import numpy as np
import pytest

from designs.npu_pim import DramTiming, Fidelity, PimAttention, PimAttentionFit, PimChannel, Slack
from designs.npu_pim.gemv import attend_tiles, cache_tiles, key_vectors, logit_tiles
from designs.npu_pim.program import HostAccess, PimKind, program
from designs.npu_pim.workload import HOST_ROWS
from designs.rules import RuleError, check_rules

SMALL = PimChannel(
    ranks=2, bank_groups=2, banks_per_group=2, rows=64, row_bytes=64, access_bytes=32, lanes=8
)
WORKS = [
    PimAttention(keys=1, head_dim=8),
    PimAttention(keys=33, heads=2, kv_heads=2, head_dim=16),
    PimAttention(keys=70, head_dim=16, heads=4, kv_heads=2, accesses=200),
    PimAttention(requests=3, keys=40, ragged=True, heads=6, kv_heads=3, head_dim=16, seed=5),
]


@pytest.mark.parametrize("work", WORKS)
def test_every_row_has_one_use(work):
    """Tiles are rows of all banks, vectors are rows of one; none lies where another does."""
    found = program(SMALL, work)
    tiles = {row for vector in found.vectors for row in vector.tile_rows}
    lengths = [cache.length for cache in found.caches]
    assert (
        found.caches[-1].end_row
        == len(tiles)
        == sum(cache_tiles(SMALL, work.shape, length) for length in lengths)
    )
    places = {(vector.bank, vector.row) for vector in found.vectors}
    assert len(places) == len(found.vectors)
    used = sorted(tiles | {row for _, row in places})
    assert used == list(range(found.rows - HOST_ROWS))
    assert not tiles & {row for _, row in places}
    assert found.rows <= PimAttentionFit(params=SMALL, workload=work).rows


@pytest.mark.parametrize("work", WORKS)
def test_transactions_are_those_of_the_closed_forms(work):
    found = program(SMALL, work)
    kinds = [one.kind for one in found.pim]
    lengths, shape = work.lengths, work.shape
    tiles = (logit_tiles(SMALL, shape, n) + attend_tiles(SMALL, shape, n) for n in lengths)
    assert kinds.count(PimKind.TILE) == sum(tiles)
    pages = (-(-length // SMALL.row_elements) for length in lengths)
    assert kinds.count(PimKind.VECTOR) == sum(
        key_vectors(SMALL, shape) + work.heads * count for count in pages
    )
    assert all(one.steps * one.results <= SMALL.row_steps for one in found.pim)
    assert kinds[0] == PimKind.VECTOR


def test_every_head_has_its_keys_and_values():
    """Head h of queries is multiplied with the tiles of head h // group, and of no other."""
    work = WORKS[3]
    found, seen = program(SMALL, work), set()
    for vector in found.vectors:
        cache = found.caches[vector.request]
        for head in vector.heads:
            seen.add((vector.request, head, vector.page))
        if vector.page is None:
            assert max(vector.tile_rows) < cache.value_row
            assert len({head // 2 for head in vector.heads}) == len(vector.heads)
        else:
            (head,) = vector.heads
            pages = -(-cache.length // SMALL.row_elements)
            tiles = len(vector.tile_rows)
            first = cache.value_row + (head // 2 * pages + vector.page) * tiles
            assert vector.tile_rows.start == first
    for request, cache in enumerate(found.caches):
        pages = [None, *range(-(-cache.length // SMALL.row_elements))]
        for head in range(work.heads):
            assert {(request, head, page) for page in pages} <= seen


def test_the_host_writes_where_nothing_is_computed():
    found = program(SMALL, WORKS[2])
    assert [access.tag for access in found.host] == list(range(200))
    writes = [access for access in found.host if access.write]
    reads = [access for access in found.host if not access.write]
    assert {access.row for access in writes} == {found.rows - 2, found.rows - 1}
    assert len({access.row for access in reads}) > found.rows // 2
    assert {access.bank for access in found.host} == set(range(SMALL.banks))
    assert {access.column for access in found.host} == {0, 1}
    written = {(access.bank, access.row, access.column) for access in writes}
    assert len(written & {(access.bank, access.row, access.column) for access in reads}) > 10
    pairs = zip(found.host, found.host[1:], strict=False)
    stayed = sum((a.bank, a.row) == (b.bank, b.row) for a, b in pairs)
    assert 80 < stayed < 120


def test_what_is_drawn_follows_from_the_seed():
    work = WORKS[3]
    assert len(set(work.lengths)) == 3 and all(1 <= length <= 40 for length in work.lengths)
    assert work.lengths == replace(work).lengths != replace(work, seed=6).lengths
    some = replace(work, accesses=9)
    assert program(SMALL, some) == program.__wrapped__(SMALL, some)
    assert program(SMALL, some).host != program(SMALL, replace(some, seed=6)).host
    assert program(SMALL, replace(some, accesses=1)).host == program(SMALL, some).host[:1]
    assert isinstance(program(SMALL, some).host[0], HostAccess)


def test_published_layer():
    """GPT-3 7B on four devices, 512 tokens: 64 headers and 10 vectors, as the simulator has."""
    work = PimAttention(keys=512, heads=8, kv_heads=8, head_dim=128)
    found = program(PimChannel(), work)
    tiles = [one for one in found.pim if one.kind == PimKind.TILE]
    assert (len(tiles), len(found.pim) - len(tiles)) == (64, 10)
    assert sum(one.results for one in tiles) == 160
    assert np.unique([one.steps for one in tiles]).tolist() == [8, 32]


@pytest.mark.parametrize(
    ("channel", "work", "sentence"),
    [
        ({}, {"head_dim": 24}, "head_dim must divide the 32 values of a row, not 24"),
        ({}, {"head_dim": 4}, "head_dim must be a multiple of lanes = 8, not 4"),
        ({}, {"keys": 600}, "keys and requests must take at most the 64 rows of .*, not 99"),
        ({}, {"kv_heads": 2, "heads": 2, "value_heads": 2}, "value_heads must be 1 where .* not 2"),
        (
            {"strides": True},
            {"kv_heads": 3, "heads": 3, "value_heads": 3},
            "value_heads must divide the 4 steps of a row, not 3",
        ),
        ({}, {"accesses": 257}, r"accesses must be at most 2\*\*tag_bits = 256, .* not 257"),
        ({"fidelity": Fidelity.AS_PUBLISHED}, {}, "fidelity must be corrected .* as_published"),
        ({"slack": Slack.EXACT}, {}, "slack must be published or postponed .* not exact"),
    ],
)
def test_what_does_not_fit(channel, work, sentence):
    given = PimAttention(**({"keys": 4, "head_dim": 8} | work))
    with pytest.raises(RuleError, match=sentence):
        check_rules(
            PimAttentionFit.RULES,
            PimAttentionFit(params=replace(SMALL, **channel), workload=given),
        )


def test_masks_are_of_writes_where_the_channel_has_them():
    channel = replace(SMALL, mask=True)
    given, masked = program(SMALL, WORKS[2]).host, program(channel, WORKS[2]).host
    assert all(one.mask is None for one in given) and len(masked) == len(given)
    masks = [one.mask for one in masked if one.write]
    assert None in masks and len(set(masks)) > 2 and max(filter(None, masks)) < 2**32
    assert not any(one.mask for one in masked if not one.write)


def test_heads_share_keys():
    with pytest.raises(RuleError, match="kv_heads must divide heads = 3, not 2"):
        PimAttention(keys=1, heads=3, kv_heads=2, head_dim=8)
    with pytest.raises(RuleError, match="value_heads must be at most kv_heads = 2, not 3"):
        PimAttention(keys=1, heads=4, kv_heads=2, head_dim=8, value_heads=3)
    assert PimAttention(keys=5, heads=4, kv_heads=2, head_dim=8).mac_count == 2 * 5 * 4 * 8


def test_timing_is_no_matter():
    slow = replace(SMALL, timing=DramTiming(rl_cycles=20))
    assert program(slow, WORKS[2]) == program(SMALL, WORKS[2])
