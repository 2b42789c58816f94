"""PIM against banks that take transactions when they like, and give results in their order."""

import random
from collections import deque

import pytest
from npu_pim_controller import small
from npu_pim_units import Taker, played

from designs.npu_pim.program import PimKind
from hwgen.npu_pim.pim_feed import PimFeed, PimFeedParams

LATENCY = 11
"""Cycles from a tile's transfer to its first result, where nothing is in the way."""

CHANNELS = {
    "two_banks": small(ranks=1, bank_groups=1, banks_per_group=2, access_bytes=8, rows=32),
    "six_banks": small(ranks=1, bank_groups=3, banks_per_group=2, rows=24),
    "two_steps": small(bank_groups=1, row_bytes=16, access_bytes=8, lanes=8, banks_per_group=1),
}


def drawn_instruction(params, draw, tiles, results):
    """So many tiles, of so many results each, somewhere."""
    channel = params.channel
    told = {name: draw.getrandbits(1) for name in params.passed}
    return told | {
        "bank": draw.randrange(channel.banks),
        "row": draw.randrange(channel.rows),
        "tile_row": draw.randrange(2),
        "row_stride": draw.randrange((channel.rows - 2) // tiles + 1),
        "tiles": tiles - 1,
        "results": results - 1,
        "to": draw.randrange(params.words - results * tiles + 1),
        "to_stride": tiles,
    }


def fed(params, instructions, idle, draw):
    """What became of instructions: transactions, words with (tile, result), and their cycles."""
    unit = PimFeed(params)
    taker = Taker(unit.pim, idle, draw)
    words, coming, now, number, free = [], deque(), 0, 0, 0

    def cycle(ctx):
        nonlocal now, number, free
        now += 1
        there = bool(coming) and coming[0][0] <= now and draw.random() >= idle
        ctx.set(unit.result, there)
        assert ctx.get(unit.write) == there
        if there:
            words.append((ctx.get(unit.address), coming.popleft()[1]))
        one = taker.cycle(ctx)
        if one and one["kind"] == PimKind.VECTOR:
            number = 0
        elif one:
            for result in range(one["results"] + 1):
                free = max(free + 1, now + LATENCY)
                coming.append((free, (number, result)))
            number += 1

    lengths = played(unit, instructions, cycle)
    assert not coming
    return taker.taken, words, lengths


@pytest.mark.parametrize("idle", [0, 0.5])
@pytest.mark.parametrize("name", CHANNELS)
def test_transactions_and_words_are_those_that_are_told(name, idle):
    channel, draw = CHANNELS[name], random.Random(name)
    params = PimFeedParams(channel=channel, words=50, tiles=9)
    most = channel.row_steps
    shapes = [(1, 1), (9, 1), (1, most), (2, 2), (5, min(3, most)), (1, 1)]
    instructions = [drawn_instruction(params, draw, *shape) for shape in shapes]
    transactions, words, lengths = fed(params, instructions, idle, draw)
    expected, places = [], []
    for told, (tiles, results) in zip(instructions, shapes, strict=True):
        passed = {field: told[field] for field in params.passed}
        rows = [told["tile_row"] + tile * told["row_stride"] for tile in range(tiles)]
        whole = {"bank": told["bank"]} | passed
        expected.append(whole | {"kind": PimKind.VECTOR, "row": told["row"]})
        expected += [whole | {"kind": PimKind.TILE, "row": row} for row in rows]
        places += [
            (told["to"] + result * tiles + tile, (tile, result))
            for tile in range(tiles)
            for result in range(results)
        ]
    assert transactions == expected
    assert words == places
    if not idle:
        assert lengths == [
            max(1 + tiles + LATENCY + results - 1, 2 + LATENCY + tiles * results - 1)
            for tiles, results in shapes
        ]
