# amaranth: UnusedElaboratable=no
"""Rings of tiles, room for results, and performance counters of attention engines."""

import random

import pytest
from amaranth.sim import Simulator

from designs.attention import AttentionParams
from hwgen.attention.counters import EVENTS, Counters
from hwgen.attention.interface import counters_layout
from hwgen.attention.loader import Loader, LoaderParams
from hwgen.attention.staging import Staging, StagingParams


def play(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("busy", [0.05, 0.3])
@pytest.mark.parametrize(
    ("tiles", "words", "release", "beats"),
    [
        (1, 1, 1, 1),
        (1, 3, 1, 1),
        (2, 1, 1, 1),
        (3, 4, 1, 1),
        (6, 2, 3, 1),
        (1, 3, 1, 2),
        (2, 1, 1, 3),
    ],
)
def test_a_loader_fills_its_ring_tile_by_tile(tiles, words, release, beats, busy):
    params = LoaderParams(name="some", tiles=tiles, words=words, release=release, beats=beats)
    loader, draw, fullest = Loader(params), random.Random(words), []

    async def testbench(ctx):
        transfers = taken = released = 0
        for _ in range(400):
            complete = transfers // beats // words
            fullest.append(complete - released)
            take = complete > taken and draw.random() < busy
            leaves = draw.randint(0, min(release, taken - released)) if draw.random() < busy else 0
            valid = draw.random() < 0.8
            ctx.set(loader.valid, valid)
            ctx.set(loader.take, take)
            ctx.set(loader.released, leaves)
            ready = complete - released < tiles
            assert ctx.get(loader.ready) == ready
            assert ctx.get(loader.is_there) == (complete > taken)
            assert ctx.get(loader.held) == complete - released
            if ready:
                assert ctx.get(loader.address) == transfers // beats % (tiles * words)
                assert ctx.get(loader.beat) == transfers % beats
            transfers += valid and ready
            taken += take
            released += leaves
            await ctx.tick()
        assert transfers > 3 * tiles * words * beats

    play(loader, testbench)
    assert max(fullest) == tiles


def test_room_for_two_query_tiles_and_where_jobs_end():
    staging, draw, waiting = Staging(StagingParams(tiles=2)), random.Random(3), []
    seen = set()

    async def testbench(ctx):
        for _ in range(300):
            free = len(waiting) < 2
            assert ctx.get(staging.is_free) == free
            assert ctx.get(staging.is_empty) == (not waiting)
            reserve, final = free and draw.random() < 0.5, draw.random() < 0.5
            freed = bool(waiting) and draw.random() < 0.4
            for name, value in (("reserve", reserve), ("is_final", final), ("freed", freed)):
                ctx.set(getattr(staging, name), value)
            assert ctx.get(staging.ended) == (freed and waiting[0])
            seen.add((len(waiting), reserve, freed))
            if freed:
                waiting.pop(0)
            if reserve:
                waiting.append(final)
            await ctx.tick()

    play(staging, testbench)
    assert len(seen) == 8


@pytest.mark.parametrize("taken", [1.0, 0.2])
def test_counters_report_a_job_and_begin_anew(taken):
    """What happens in a cycle in which a report waits and is not taken is in none."""
    params = AttentionParams(kv_tiles=3)
    counters, draw = Counters(params), random.Random(7)
    tiles = {"q": params.query_slots, "k": params.kv_tiles, "v": params.kv_tiles}
    reports = []

    async def testbench(ctx):
        totals = dict.fromkeys((name for name, _ in counters_layout(params)), 0)
        waits, active = False, False
        for _ in range(600):
            ended = not waits and draw.random() < 0.1
            ready = draw.random() < taken
            events = {name: draw.random() < 0.3 for name in EVENTS}
            held = {
                name: draw.randint(0, count) * (draw.random() < 0.1)
                for name, count in tiles.items()
            }
            for name, value in events.items():
                ctx.set(getattr(counters, name), value)
            for name, value in held.items():
                ctx.set(getattr(counters, f"{name}_held"), value)
            ctx.set(counters.ended, ended)
            ctx.set(counters.report.ready, ready)
            assert ctx.get(counters.report.valid) == waits
            if waits:
                payload = counters.report.payload
                assert {name: ctx.get(getattr(payload, name)) for name in totals} == totals
            if waits and ready:
                reports.append(dict(totals))
                totals = dict.fromkeys(totals, 0)
            moves = events["q"] or events["k"] or events["v"]
            if not waits or ready:
                for name, value in events.items():
                    in_time = name != "stall_cycles" or active or moves
                    totals[name] += value and in_time
                totals["cycles"] += active or moves
                for name, value in held.items():
                    totals[f"{name}_tiles"] = max(totals[f"{name}_tiles"], value)
            active = moves or (any(held.values()) if ended else active)
            waits = ended or (waits and not ready)
            await ctx.tick()

    play(counters, testbench)
    assert len(reports) > 5
    assert all(report["cycles"] >= report["q"] for report in reports)
