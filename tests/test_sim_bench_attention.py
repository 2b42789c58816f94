"""The bench of attention engines: the order in which it sends and takes what engines compute."""

import dataclasses

import numpy as np
import pytest
from attention_grid import POINTS

from designs.attention import Attention, AttentionParams
from hwgen.attention.interface import tile_layout
from sim import bench_attention
from sim.packing import packed, unpacked
from sim.streams import SimResult

GROUPED = AttentionParams(side=4, e=1, f=2, group=2)
SHARED = Attention(batch=2, heads=4, kv_heads=1, queries=3, keys=5, e=1, f=2)
"""Two groups of two heads; three queries of each are a tile and a half."""


def numbered(shape, start=1):
    return np.arange(start, start + np.prod(shape)).reshape(shape)


def sent(params=GROUPED):
    inputs = {
        "q": numbered((8, 3, 1)),
        "k": numbered((2, 5, 1), 50),
        "v": numbered((2, 5, 2), 70),
        "shift": np.array([3, 9]),
    }
    return bench_attention.plan(params, SHARED, inputs)


def test_heads_of_a_group_are_side_by_side():
    """Positions follow each other, those of both heads in turn; zeros fill up the last tile."""
    words = unpacked(sent().transfers["q"], 4, 8, True).tolist()
    assert words == [
        [1, 4, 2, 5], [3, 6, 0, 0], [7, 10, 8, 11], [9, 12, 0, 0],
        [13, 16, 14, 17], [15, 18, 0, 0], [19, 22, 20, 23], [21, 24, 0, 0],
    ]  # fmt: skip


def test_keys_come_once_for_each_block_of_queries():
    transfers = sent().transfers
    keys = unpacked(transfers["k"], 4, 8, True).tolist()
    first, second = [[50, 51, 52, 53], [54, 0, 0, 0]], [[55, 56, 57, 58], [59, 0, 0, 0]]
    assert keys == 4 * first + 4 * second
    values = unpacked(transfers["v"], 4, 8, True).tolist()
    assert values[:4] == [[70, 72, 74, 76], [71, 73, 75, 77], [78, 0, 0, 0], [79, 0, 0, 0]]
    assert values[:16] == 4 * values[:4] and values[16] == [80, 82, 84, 86]


def test_narrow_ports_take_a_row_in_several_transfers():
    """The lowest values come first."""
    narrow = dataclasses.replace(GROUPED, port_beats=2)
    for name in "qkv":
        rows = unpacked(sent().transfers[name], 4, 8, True)
        halves = unpacked(sent(narrow).transfers[name], 2, 8, True)
        assert halves.tolist() == rows.reshape(-1, 2).tolist()


@pytest.mark.parametrize("beats", [1, 2])
def test_groups_of_columns_have_keys_of_their_own(beats):
    """A tile has keys 0 to 3 for the first group, 4 to 7 for the other; each beat has some of both.

    Two columns are two queries, of each head of the group one.
    """
    transfers = sent(dataclasses.replace(GROUPED, splits=2, port_beats=beats)).transfers
    keys = unpacked(transfers["k"], 8 // beats, 8, True).tolist()
    first, second = [50, 51, 52, 53], [54, 0, 0, 0]
    both = [
        first[at : at + 4 // beats] + second[at : at + 4 // beats] for at in range(0, 4, 4 // beats)
    ]
    assert keys[:beats] == both and len(keys) == 12 * beats
    queries = unpacked(transfers["q"], 2 // beats, 8, True)
    assert queries.reshape(-1, 2)[:4].tolist() == [[1, 4], [2, 5], [3, 6], [7, 10]]


def test_tiles_have_the_shift_of_their_keys():
    layout = tile_layout(GROUPED)
    shifts = [layout.from_bits(word).shift for word in sent().transfers["tile"]]
    assert shifts == 8 * [3] + 8 * [9]


@pytest.mark.parametrize("name", POINTS)
def test_rows_are_heads_in_another_order(name):
    params, workload = POINTS[name]
    values = numbered((workload.batch * workload.heads, workload.queries, 3))
    rows = bench_attention.rows_of(params, workload, values)
    assert rows.shape[2] % params.split_columns == 0 and rows.sum() == values.sum()
    assert (bench_attention.heads_of(params, workload, rows) == values).all()


def test_results_are_put_where_their_queries_are():
    plan = sent()
    rows = numbered((8, 2, 4))  # query tiles, values, queries
    words = [word for tile in rows for word in packed(tile, GROUPED.out_bits)]
    assert plan.expected == {"o": len(words), "counters": 1}
    found = bench_attention.results(GROUPED, SHARED, taken(plan, words))
    assert found.shape == (8, 3, 2) and found.dtype == np.int16
    assert found[0].tolist() == [[1, 5], [3, 7], [9, 13]]
    assert found[1].tolist() == [[2, 6], [4, 8], [10, 14]]
    assert found[7].tolist() == [[50, 54], [52, 56], [58, 62]]
    with pytest.raises(ValueError, match="zip"):
        bench_attention.results(GROUPED, SHARED, taken(plan, words[:-2]))


def taken(plan, words):
    """What a simulation that brought these outputs has found."""
    counters = [0] * plan.expected["counters"]
    payloads = {"o": words, "counters": counters}
    return SimResult(
        cycles=0, simulated_cycles=0, payloads=payloads, transfer_cycles={}, activity={}
    )
