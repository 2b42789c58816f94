"""Tiles of attention in closed form, against the masks themselves, pair by pair."""

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archmodels.attention import Tiles
from archmodels.attention.sums import floor_sum
from archmodels.attention.tiles import Span
from designs.attention import Attention, AttentionParams, Masking, Pattern
from designs.families import check_fit
from designs.grid import Grid


def seen(workload):
    """Whether a query sees a key: (queries, keys)."""
    position = workload.keys - workload.queries + np.arange(workload.queries)[:, None]
    key = np.arange(workload.keys)[None, :]
    if workload.pattern == Pattern.FULL:
        return np.ones((workload.queries, workload.keys), dtype=bool)
    if workload.pattern == Pattern.BLOCKS:
        own, of_key = position // workload.block, key // workload.block
        is_latest = (of_key > own - workload.window_blocks) & (key <= position)
        return is_latest | ((of_key < workload.sink_blocks) & (key <= position))
    window = workload.window if workload.pattern == Pattern.WINDOW else workload.keys
    return (key <= position) & (key > position - window)


def tiles_seen(params, workload):
    """Whether a query tile of a group of heads sees any key of a key tile."""
    positions, side = params.split_columns // params.group, params.tile_keys
    mask = seen(workload)
    padded = np.pad(mask, [(0, -mask.shape[0] % positions), (0, -mask.shape[1] % side)])
    split = padded.reshape(-1, positions, padded.shape[1] // side, side)
    return split.any(axis=(1, 3))


def counted(params, workload):
    """Query tiles, blocks, pairs and loads, from the masks."""
    group = np.tile(tiles_seen(params, workload), (workload.share // params.group, 1))
    size, heads = params.query_tiles, workload.batch * workload.kv_heads
    blocks = [group[start : start + size] for start in range(0, len(group), size)]
    loads = sum(int(block.any(axis=0).sum()) for block in blocks)
    return Tiles(
        queries=heads * len(group),
        blocks=heads * len(blocks),
        kept=heads * int(group.sum()),
        loads=heads * loads,
    )


@st.composite
def queries_in_blocks(draw, positions, block):
    """Queries, and the position of the first, so that no tile's positions are in two blocks."""
    if draw(st.booleans()):
        return draw(st.integers(1, 50)), positions * draw(st.integers(0, 15))
    start = draw(st.integers(0, block - 1))
    return draw(st.integers(1, block - start)), block * draw(st.integers(0, 5)) + start


@st.composite
def jobs(draw):
    """An engine, and a workload of which it may skip tiles."""
    group = draw(st.integers(1, 4))
    splits = draw(st.sampled_from([1, 1, 1, 2, 3]))
    side = group * splits * draw(st.integers(1, 5 if splits == 1 else 2))
    pattern = draw(st.sampled_from(list(Pattern)))
    block = splits * side * draw(st.integers(1, 3))
    if pattern == Pattern.BLOCKS:
        queries, offset = draw(queries_in_blocks(side // splits // group, block))
        keys = offset + queries
    else:
        keys = draw(st.integers(1, 60))
        queries = draw(st.integers(1, 70 if pattern == Pattern.FULL else keys))
    kv_heads = draw(st.integers(1, 2))
    params = AttentionParams(
        side=side,
        group=group,
        splits=splits,
        query_tiles=draw(st.integers(1, 9)),
        e=2,
        f=2,
        masking=Masking.WINDOW,
    )
    workload = Attention(
        batch=draw(st.integers(1, 2)),
        heads=kv_heads * group * draw(st.integers(1, 5)),
        kv_heads=kv_heads,
        queries=queries,
        keys=keys,
        e=2,
        f=2,
        pattern=pattern,
        window=draw(st.integers(1, 70)),
        block=block,
        sink_blocks=draw(st.integers(0, 3)),
        window_blocks=draw(st.integers(1, 3)),
    )
    check_fit(params, workload)
    return params, workload


@given(st.integers(0, 60), st.integers(0, 50), st.integers(0, 300), st.integers(1, 40))
def test_a_sum_of_quotients_is_that_of_its_terms(count, step, start, divisor):
    assert floor_sum(count, step, start, divisor) == sum(
        (step * x + start) // divisor for x in range(count)
    )


def test_a_long_sum_of_quotients_is_exact():
    count, step, start, divisor = 2**20, 2**15 - 1, 2**20 + 1, 509
    terms = (step * np.arange(count, dtype=np.int64) + start) // divisor
    assert floor_sum(count, step, start, divisor) == int(terms.sum())


@given(jobs())
@settings(max_examples=300, deadline=None)
def test_tiles_are_those_that_some_query_sees(job):
    found = Tiles.of(*job)
    assert found == counted(*job)
    assert all(type(value) is int for value in dataclasses.astuple(found))


SHORT_LAST = (
    AttentionParams(side=4, e=2, f=2, masking=Masking.WINDOW),
    Attention(queries=5, keys=6, e=2, f=2, pattern=Pattern.WINDOW, window=2),
)
"""The last query tile has one query, which sees fewer key tiles than those before it."""


@given(jobs())
@example(SHORT_LAST)
@settings(max_examples=100, deadline=None)
def test_spans_and_their_bounds(job):
    params, workload = job
    span, table = Span.of(params, workload), tiles_seen(params, workload)
    assert len(table) == span.tiles
    for tile, row in enumerate(table):
        (keys,) = row.nonzero()
        assert [key for run in span.runs(tile) for key in run] == keys.tolist()
    seen_keys = table.sum(axis=1)
    assert span.least <= seen_keys.min()
    for count in range(1, 6):
        runs = sum(np.roll(seen_keys, -ahead) for ahead in range(count))
        assert span.least_run(count) <= runs.min()


def test_causal_tiles_are_a_triangle_and_dense_ones_a_square():
    params = AttentionParams(side=4, e=2, f=2)
    dense = Attention(queries=64, keys=64, e=2, f=2)
    causal = dataclasses.replace(dense, pattern=Pattern.CAUSAL)
    assert Tiles.of(params, dense) == Tiles(queries=16, blocks=16, kept=256, loads=256)
    assert Tiles.of(params, causal) == Tiles(queries=16, blocks=16, kept=136, loads=136)
    # A million of each: 65536 tiles of 16 either way.
    long = dataclasses.replace(causal, queries=2**20, keys=2**20)
    tiles = Tiles.of(dataclasses.replace(params, side=16), long)
    assert tiles.kept == 2**16 * (2**16 + 1) // 2


def test_tiles_of_blocks_do_not_grow_with_the_square():
    params = AttentionParams(side=16, e=2, f=2)
    workload = Attention(
        queries=2**20, keys=2**20, e=2, f=2, pattern=Pattern.BLOCKS, block=64, sink_blocks=1,
        window_blocks=4,
    )  # fmt: skip
    # Each query tile sees 1 to 4 tiles of its own block, and all 4 of up to four blocks more.
    own = 2**14 * (1 + 2 + 3 + 4)
    before = 4 * 4 * (0 + 1 + 2 + 3 + 4 * (2**14 - 4))
    tiles = Tiles.of(params, workload)
    assert tiles.kept == tiles.loads == own + before
    # Two query tiles share what the later one of them sees: the second and the fourth of a block.
    pairs = Tiles.of(dataclasses.replace(params, query_tiles=2), workload)
    assert pairs.loads == 2**14 * (2 + 4) + before // 2
    assert Tiles.of(params, dataclasses.replace(workload, queries=1)).kept == 4 * 4 + 4


@pytest.mark.parametrize("query_tiles", [1, 2, 3, 5, 7])
def test_keys_and_values_are_read_once_for_each_block(query_tiles):
    params = AttentionParams(side=4, e=2, f=2, query_tiles=query_tiles)
    workload = Attention(batch=2, heads=3, kv_heads=3, queries=40, keys=24, e=2, f=2)
    tiles = Tiles.of(params, workload)
    assert tiles.blocks == 6 * -(-10 // query_tiles)
    assert tiles.loads == tiles.blocks * 6


@given(st.lists(jobs(), min_size=1, max_size=40))
@settings(max_examples=20, deadline=None)
def test_a_grid_is_its_points(points):
    params, workloads = zip(*points, strict=True)
    whole = Tiles.of(grid(AttentionParams, params), grid(Attention, workloads))
    for name in ("queries", "blocks", "kept", "loads"):
        alone = [getattr(Tiles.of(*job), name) for job in points]
        assert np.broadcast_to(getattr(whole, name), len(points)).tolist() == alone


def grid(kind, points):
    """Points of a params or workload type as one object."""
    names = [field.name for field in dataclasses.fields(kind)]
    columns = {name: [getattr(point, name) for point in points] for name in names}
    return Grid(kind, columns, len(points))
