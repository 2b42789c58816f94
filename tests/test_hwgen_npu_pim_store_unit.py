"""STORE against a channel that takes writes when it likes, and says when each is on its bus."""

import random

import pytest
from npu_pim_controller import small
from npu_pim_units import ReadPort, Taker, drawn_places, places, played

from hwgen.npu_pim.store_unit import StoreUnit, StoreUnitParams

LATENCY = 4
"""Cycles from a write's transfer to its WR, where nothing is in the way."""

WORDS, COUNT = 40, 35

CHANNELS = {
    "two_banks": small(ranks=1, bank_groups=1, banks_per_group=2, access_bytes=8, rows=32),
    "six_banks": small(ranks=1, bank_groups=3, banks_per_group=2),
    "odd_columns": small(bank_groups=1, row_bytes=96, access_bytes=32, rows=24),
}


def drawn_instructions(channel, draw, how_many):
    """Words of accesses and spread bytes, in turn."""
    size = channel.access_bytes
    for number in range(how_many):
        told = drawn_places(channel, draw, COUNT if number else 1) | {"spread": number % 2}
        if told["spread"]:
            told |= {"columns": 0, "count": draw.choice([0, size - 1, size, COUNT - 1])}
            told["count"] = min(told["count"], COUNT - 1)
            told["row"] = draw.randrange(channel.rows - COUNT // channel.banks - 1)
        words = told["count"] // size if told["spread"] else told["count"]
        yield told | {"word": draw.randrange(WORDS - words), "byte": draw.randrange(size)}


def expected_bytes(channel, instructions, words):
    """All bytes that are written, by place."""
    rows, size = {}, channel.access_bytes
    for told in instructions:
        for number, place in enumerate(places(channel, told)):
            if told["spread"]:
                word, byte = divmod(number, size)
                rows[*place, told["byte"]] = words[told["word"] + word] >> 8 * byte & 255
            else:
                for byte in range(size):
                    rows[*place, byte] = words[told["word"] + number] >> 8 * byte & 255
    return rows


def stored(channel, instructions, words, idle, draw):
    """All bytes that the channel was given, and cycles of instructions."""
    unit = StoreUnit(StoreUnitParams(channel=channel, words=WORDS, count=COUNT))
    taker = Taker(unit.access, idle, draw)
    codes = ReadPort(words, unit.codes_enable, unit.codes_address, unit.codes_data)
    rows, coming, now = {}, [], 0

    def cycle(ctx):
        nonlocal now
        now += 1
        codes.drive(ctx)
        written = bool(coming) and min(coming) <= now and draw.random() >= idle
        ctx.set(unit.written, written)
        if written:
            coming.remove(min(coming))
        one = taker.cycle(ctx)
        if one:
            coming.append(now + LATENCY)
            for byte in range(channel.access_bytes):
                if one["mask"] >> byte & 1:
                    place = one["bank"], one["row"], one["column"], byte
                    rows[place] = one["data"] >> 8 * byte & 255
        codes.look(ctx)

    lengths = played(unit, instructions, cycle)
    assert not coming
    return rows, lengths


@pytest.mark.parametrize("idle", [0, 0.4])
@pytest.mark.parametrize("name", CHANNELS)
def test_bytes_go_where_the_walk_leads(name, idle):
    channel, draw = CHANNELS[name], random.Random(name)
    words = {word: draw.getrandbits(8 * channel.access_bytes) for word in range(WORDS)}
    instructions = list(drawn_instructions(channel, draw, 12))
    rows, lengths = stored(channel, instructions, words, idle, draw)
    assert rows == expected_bytes(channel, instructions, words)
    shortest = [told["count"] + 1 + LATENCY for told in instructions]
    if idle:
        assert all(one >= least for one, least in zip(lengths, shortest, strict=True))
    else:
        assert lengths == shortest
