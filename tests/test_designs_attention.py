"""Attention: what can be asked for, and its counts of pairs."""

import contextlib
import dataclasses
import itertools
import re

import numpy as np
import pytest

from designs.attention import Attention, AttentionFit, AttentionParams, Division, Element, Pattern
from designs.families import check_fit, least_work
from designs.grid import Grid
from designs.rules import RuleError, kept


def sees(workload):
    """Mask (queries, keys) of the pairs of one head, by the definition."""
    position = workload.keys - workload.queries + np.arange(workload.queries)[:, None]
    key = np.arange(workload.keys)[None, :]
    if workload.pattern == Pattern.FULL:
        return np.ones((workload.queries, workload.keys), dtype=bool)
    past = key <= position
    if workload.pattern == Pattern.BLOCKS:
        block, own = key // workload.block, position // workload.block
        latest = np.stack([block == own - before for before in range(workload.window_blocks)])
        return past & (latest.any(axis=0) | (block < workload.sink_blocks))
    return past & (key > position - workload.window) if workload.pattern == 2 else past


MASKS = [
    {"pattern": Pattern.FULL},
    {"pattern": Pattern.CAUSAL},
    *({"pattern": Pattern.WINDOW, "window": window} for window in (1, 2, 4, 20)),
    *(
        {"pattern": Pattern.BLOCKS, "block": block, "sink_blocks": sinks, "window_blocks": window}
        for block, sinks, window in itertools.product((1, 2, 3, 20), (0, 1, 3, 20), (1, 2, 20))
    ),
]
SHAPES = [
    mask | {"queries": queries, "keys": keys}
    for mask, queries, keys in itertools.product(MASKS, (1, 2, 5, 8, 23), (1, 3, 8, 13, 31))
    if mask["pattern"] == Pattern.FULL or queries <= keys
]


def job(shape):
    return Attention(e=3, f=2, batch=2, heads=6, kv_heads=3, **shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pairs_are_those_of_the_mask(shape):
    workload = job(shape)
    assert workload.pair_count == sees(workload).sum()
    assert workload.mac_count == 2 * 6 * workload.pair_count * 5


def test_a_grid_of_workloads_says_what_its_points_say():
    names = [item.name for item in dataclasses.fields(Attention)]
    columns = {name: [getattr(job(shape), name) for shape in SHAPES] for name in names}
    grid = Grid(Attention, columns, len(SHAPES))
    assert grid.valid().all()
    for name in ("pair_count", "mac_count"):
        assert getattr(grid, name).tolist() == [getattr(job(shape), name) for shape in SHAPES]


def test_blocks_of_the_longest_sequence_are_counted_exactly():
    length, block = 2**20, 2**7
    workload = Attention(
        queries=length, keys=length, e=1, f=1, pattern=Pattern.BLOCKS, block=block,
        sink_blocks=2, window_blocks=3,
    )  # fmt: skip
    # Each query sees half its own block (and its own key), and up to four blocks more.
    own = length * (block + 1) // 2
    assert workload.pair_count == own + block**2 * (0 + 1 + 2 + 3 + 4 * (length // block - 4))


def test_what_is_asked_for_can_be_read():
    shape = {"queries": 8, "keys": 8, "pattern": Pattern.BLOCKS, "block": 4, "sink_blocks": 1}
    assert str(job(shape)) == (
        "Attention(2 x 6 heads over 3, 8 queries, 8 keys, e=3, f=2, "
        "first 1 and latest 1 blocks of 4)"
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"heads": 6, "kv_heads": 4}, "kv_heads must divide heads = 6, not 4"),
        (
            {"queries": 9, "pattern": Pattern.CAUSAL},
            "queries must be at most keys = 8 where a query sees what is before it, not 9",
        ),
        (
            {"batch": 1024, "heads": 1024, "queries": 1025, "keys": 2**20},
            "queries must be fewer: batch * heads * queries * keys is at most 2**50, not with 1025",
        ),
        ({"keys": 0}, f"keys must be between 1 and {2**20}, not 0"),
    ],
)
def test_a_wrong_workload_is_named(fields, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Attention(**({"queries": 8, "keys": 8, "e": 4, "f": 4} | fields))


@pytest.mark.parametrize(
    ("params", "workload", "sentence"),
    [
        ({}, {"e": 8}, "e must be that of the machine, 16, not 8"),
        ({}, {"f": 8}, "f must be that of the machine, 16, not 8"),
        ({"max_keys": 8}, {}, "keys must be at most max_keys = 8, not 16"),
        (
            {"group": 4},
            {"heads": 4, "kv_heads": 2},
            "heads for each of kv_heads must be a multiple of group = 4, not 4 / 2",
        ),
        (
            {"masking": 0},
            {"keys": 13},
            "keys must be a multiple of those of a tile, 8, without masking, not 13",
        ),
        (
            {"masking": 1},
            {"pattern": Pattern.WINDOW},
            "pattern must be full, or one that the machine's masking can hide keys for",
        ),
        (
            {"masking": 0},
            {"pattern": Pattern.BLOCKS, "block": 8},
            "pattern must be full, or one that the machine's masking can hide keys for",
        ),
        (
            {},
            {"pattern": Pattern.BLOCKS, "block": 12},
            "block must be a multiple of the keys of a tile, 8, not 12",
        ),
        (
            {},
            {"pattern": Pattern.BLOCKS, "block": 8, "keys": 17},
            "queries must be in one block, or the first at a multiple of those of a tile, not at 9",
        ),
    ],
)
def test_a_workload_that_does_not_fit_is_named(params, workload, sentence):
    kinds = {"masking": type(AttentionParams().masking)}
    params = {name: kinds.get(name, int)(value) for name, value in params.items()}
    with pytest.raises(RuleError, match=re.escape(sentence)):
        check_fit(
            AttentionParams(**params),
            Attention(**({"queries": 8, "keys": 16, "e": 16, "f": 16} | workload)),
        )


def positions_of_tiles(params, workload):
    """The positions of each query tile's queries."""
    width = params.side // params.group
    starts = range(workload.keys - workload.queries, workload.keys, width)
    return [range(start, min(start + width, workload.keys)) for start in starts]


def test_query_tiles_of_a_workload_that_fits_each_lie_in_one_block():
    found = set()
    for (side, group), tiles, queries, keys in itertools.product(
        [(1, 1), (4, 1), (4, 2), (6, 3)], (1, 2), range(1, 14), range(1, 27)
    ):
        if queries > keys:
            continue
        params = AttentionParams(side=side, group=group, e=3, f=2)
        shape = {"pattern": Pattern.BLOCKS, "block": tiles * side}
        workload = Attention(heads=group, e=3, f=2, queries=queries, keys=keys, **shape)
        blocks = [
            {position // workload.block for position in positions}
            for positions in positions_of_tiles(params, workload)
        ]
        fits = all(len(one) == 1 for one in blocks)
        assert kept(AttentionFit.RULES, AttentionFit(params=params, workload=workload)) == fits
        found.add(fits)
    assert found == {True, False}


def test_fits_of_a_grid_are_those_of_its_points():
    sides = [1, 2, 4, 8, 16, 6]
    grid = Grid(AttentionParams, {"side": sides, "group": 1}, len(sides))
    shape = {"pattern": Pattern.BLOCKS, "block": 8, "queries": 9, "keys": 13}
    workload = Attention(e=16, f=16, **shape)
    alone = [
        kept(AttentionFit.RULES, AttentionFit(params=AttentionParams(side=side), workload=workload))
        for side in sides
    ]
    # The first query is at position 4, and not all are in one block.
    assert alone == [True, True, True, False, False, False]
    assert kept(AttentionFit.RULES, AttentionFit(params=grid, workload=workload)).tolist() == alone


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"exp_segments": 12}, "exp_segments must be a power of two, not 12"),
        ({"splits": 3}, "splits must divide side = 8, not 3"),
        ({"group": 3}, "group must divide side / splits = 8, not 3"),
        ({"numerator_lanes": 3}, "numerator_lanes must divide lanes = 8, not 3"),
        ({"group": 4, "splits": 4}, "group must divide side / splits = 2, not 4"),
        (
            {"splits": 2, "division": Division.EXPOSED},
            "division must be hidden where splits = 2 groups are",
        ),
        (
            {"columns_per_lane": 2, "division": Division.EXPOSED},
            "division must be hidden where a lane serves columns_per_lane = 2",
        ),
        ({"result_tiles": 1}, "result_tiles must be at least 2 where tiles overlap, not 1"),
        (
            {"lane_stages": 2, "fma_lanes": False},
            "lane_stages must be 1 without fma_lanes, where products are kept anyway, not 2",
        ),
        (
            {"lane_stages": 2, "columns_per_lane": 2, "element": Element.FP16},
            "lane_stages must be 1 where a lane for floats has several columns, not 2",
        ),
        (
            {"columns_per_lane": 2, "fma_lanes": False},
            "columns_per_lane must be 1 without fma_lanes, not 2",
        ),
        ({"columns_per_lane": 2, "side": 3}, "columns_per_lane must divide side = 3, not 2"),
        (
            {"columns_per_lane": 2, "splits": 2},
            "columns_per_lane must be 1 with several splits, not 2",
        ),
        ({"splits": 2, "port_beats": 8}, "port_beats must divide side / splits = 4, not 8"),
    ],
)
def test_wrong_params_are_named(fields, sentence):
    with pytest.raises(RuleError, match=re.escape(sentence)):
        AttentionParams(**fields)


FIELDS = {
    "side": [1, 2, 3, 8, 64, 256, 512],
    "e": [1, 3, 16, 64, 1000],
    "f": [1, 2, 8, 64, 100],
    "element": [0, 1, 2],
    "exp_method": [0, 1],
    "exp_segments": [2, 6, 16, 32],
    "exp_degree": [2, 3, 5],
    "exp_stages": [1, 2, 3],
    "fma_lanes": [False, True],
    "lane_stages": [1, 2],
    "columns_per_lane": [1, 2],
    "query_tiles": [1, 3, 64],
    "numerator_lanes": [1, 2, 3, 4, 32, 256, 512],
    "division": [0, 1],
    "binding": [0, 1],
    "idle_slot": [False, True],
    "masking": [0, 1, 2],
    "group": [1, 1, 2, 3],
    "kv_tiles": [1, 2],
    "return_registers": [1, 5, 16],
    "max_keys": [1, 1000, 2**20],
    "splits": [1, 1, 2, 3],
    "result_tiles": [1, 2, 3, 8],
    "port_beats": [1, 1, 2],
}


def draw_codes(random):
    """Fields of one random engine as numbers, whether or not it may be."""
    return {name: values[random.integers(len(values))] for name, values in FIELDS.items()}


def made(codes):
    """The engine of such fields."""
    defaults = AttentionParams()
    return AttentionParams(
        **{name: type(getattr(defaults, name))(code) for name, code in codes.items()}
    )


def draw_params(random):
    """Params of one random engine, and the same fields as numbers."""
    while True:
        codes = draw_codes(random)
        with contextlib.suppress(RuleError):
            return made(codes), codes


def test_a_grid_masks_what_a_point_refuses():
    """Each rule by itself: the first one that a point breaks is the one that it names."""
    random = np.random.default_rng(6)
    points = [draw_codes(random) for _ in range(1000)]
    columns = {name: [codes[name] for codes in points] for name in FIELDS}
    grid = Grid(AttentionParams, columns, len(points))
    rules = AttentionParams.RULES
    holds = np.array([np.broadcast_to(rule.holds(grid), len(points)) for rule in rules])
    assert not holds.all(axis=1).any()  # each is broken somewhere
    assert grid.valid().tolist() == holds.all(axis=0).tolist()
    assert 20 < grid.valid().sum() < 500
    for index, codes in enumerate(points):
        if holds[:, index].all():
            made(codes)
            continue
        with pytest.raises(RuleError) as error:
            made(codes)
        assert error.value.key == rules[holds[:, index].argmin()].key


def test_a_grid_says_what_its_points_say():
    random = np.random.default_rng(5)
    points = [draw_params(random) for _ in range(300)]
    columns = {name: [codes[name] for _, codes in points] for name in points[0][1]}
    grid = Grid(AttentionParams, columns, len(points))
    names = [name for name, member in vars(AttentionParams).items() if isinstance(member, property)]
    assert len(names) > 15
    for name in names:
        wanted = [int(getattr(params, name)) for params, _ in points]
        assert np.broadcast_to(getattr(grid, name), len(points)).tolist() == wanted, name


def test_widths_hold_what_a_million_keys_give():
    params = AttentionParams(side=256, e=64, f=64, max_keys=2**20)
    assert params.denominator_bits == 36  # 2**20 keys of 2**15 each
    assert params.numerator_bits == 44  # the same times 2**7, and a sign
    assert params.score_bits == 22 + 1  # 64 products of 2**14, with sign; and a bit for masks
    assert params.psum_bits == 32


def test_the_published_epochs():
    """Cycles of a tile at E = F = 64, from the shares of Einsums in the specification."""
    base = {"side": 256, "e": 64, "f": 64, "masking": type(AttentionParams().masking).NONE}
    assert AttentionParams(**base).epoch == 133
    assert AttentionParams(**base, idle_slot=True).epoch == 134
    published = AttentionParams(
        **base,
        exp_method=type(AttentionParams().exp_method).POLYNOMIAL,
        exp_degree=5,
        fma_lanes=False,
    )
    assert published.epoch == 2 * 64 + 7 + 3


def test_every_machine_can_run_the_least_work():
    for group, masking in itertools.product((1, 2, 4), type(AttentionParams().masking)):
        params = AttentionParams(group=group, masking=masking)
        check_fit(params, least_work(params))
