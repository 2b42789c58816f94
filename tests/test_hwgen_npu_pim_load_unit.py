"""LOAD against a channel that takes reads when it likes, and gives them in any order."""

import random

import pytest
from npu_pim_controller import small
from npu_pim_units import Taker, drawn_places, places, played

from hwgen.npu_pim.load_unit import LoadUnit, LoadUnitParams

LATENCY = 9
"""Cycles from a read's transfer to its data, where nothing is in the way."""

CHANNELS = {
    "two_banks": small(ranks=1, bank_groups=1, banks_per_group=2, access_bytes=8, rows=32),
    "six_banks": small(ranks=1, bank_groups=3, banks_per_group=2),
    "odd_columns": small(bank_groups=1, row_bytes=96, access_bytes=32, rows=24),
}


def loaded(params, instructions, idle, draw):
    """The words that reads went to, each as the place it came from, and cycles of instructions."""
    unit = LoadUnit(params)
    taker = Taker(unit.access, idle, draw)
    words, coming, now = {}, [], 0

    def cycle(ctx):
        nonlocal now
        now += 1
        ready = [one for one in coming if one[0] <= now]
        one = draw.choice(ready) if ready and draw.random() >= idle else None
        ctx.set(unit.read, one is not None)
        if one:
            coming.remove(one)
            read = one[1]
            assert read["tag"] not in words
            words[read["tag"]] = read["bank"], read["row"], read["column"]
        taken = taker.cycle(ctx)
        if taken:
            coming.append((now + LATENCY + draw.randrange(1 + int(20 * idle)), taken))

    lengths = played(unit, instructions, cycle)
    assert not coming
    return words, lengths


@pytest.mark.parametrize("idle", [0, 0.4])
@pytest.mark.parametrize("name", CHANNELS)
def test_each_word_is_what_the_walk_reads(name, idle):
    channel, draw = CHANNELS[name], random.Random(name)
    params = LoadUnitParams(channel=channel, words=37)
    full = {"bank": 1, "row": 0, "column": 0, "columns": channel.accesses - 1, "count": 36}
    one = {"bank": 0, "row": 3, "column": 1, "columns": 0, "count": 0}
    for drawn in (full, one, *(drawn_places(channel, draw, 37) for _ in range(6))):
        told = drawn | {"to": draw.randrange(37 - drawn["count"])}
        words, (length,) = loaded(params, [told], idle, draw)
        expected = dict(enumerate(places(channel, told), start=told["to"]))
        assert words == expected
        shortest = told["count"] + 1 + LATENCY
        assert length == shortest if not idle else length >= shortest


def test_the_next_instruction_finds_nothing_of_the_last():
    channel, draw = CHANNELS["six_banks"], random.Random(2)
    params = LoadUnitParams(channel=channel, words=64)
    instructions = [drawn_places(channel, draw, 8) | {"to": 8 * one} for one in range(8)]
    words, lengths = loaded(params, instructions, 0.3, draw)
    assert words == {
        told["to"] + number: place
        for told in instructions
        for number, place in enumerate(places(channel, told))
    }
    assert len(lengths) == len(instructions)
