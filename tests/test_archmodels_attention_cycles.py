"""Cycles of attention engines: by hand, against events cycle by cycle, and on grids."""

import dataclasses
from collections import deque

import numpy as np
import pytest
from attention_events import Events
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from test_archmodels_attention_tiles import grid, jobs

from archmodels.attention import Epoch, Tiles, cycles
from archmodels.attention.cycles import machine, may_wait
from archmodels.attention.program import program
from archmodels.attention.tiles import Span
from archmodels.attention.waits import Clock, Machine, Repeat, Ring, Step
from designs.attention import (
    Attention,
    AttentionParams,
    Binding,
    Division,
    ExpMethod,
    Masking,
    Pattern,
)
from designs.attention.schedule import Schedule
from designs.attention.tiles import tile_table
from designs.families import check_fit

TILES_MAX = 150
"""Of a workload that is stepped through cycle by cycle."""


def taken(params, workload):
    """Cycles of a workload."""
    return cycles(params, workload, Epoch.of(params), Tiles.of(params, workload))


def waits(params, workload):
    """Whether the model says that an epoch may have to wait."""
    times = machine(params, Epoch.of(params))
    groups = workload.share // params.group
    return may_wait(times, Span.of(params, workload), groups, params.query_tiles)


def divisors(number):
    return [one for one in range(1, number + 1) if number % one == 0]


@st.composite
def engines(draw, job):
    """A job on an engine that has the job's tiles, of any other structure."""
    params, workload = job
    widths = st.one_of(st.integers(1, 9), st.integers(1, 40))
    e, f = draw(widths), draw(widths)
    fields = {
        "e": e,
        "f": f,
        "kv_tiles": draw(st.integers(1, 4)),
        "binding": (binding := draw(st.sampled_from(Binding))),
        "result_tiles": draw(st.integers(1 if binding == Binding.SEQUENTIAL else 2, 5)),
        "fma_lanes": draw(st.booleans()),
        "lane_stages": draw(st.integers(1, 2)),
        "idle_slot": draw(st.booleans()),
        "division": draw(st.sampled_from(Division)),
        "exp_method": draw(st.sampled_from(ExpMethod)),
        "exp_stages": draw(st.integers(1, 3)),
        "exp_degree": draw(st.integers(2, 5)),
        "masking": draw(st.sampled_from([Masking.UPPER, Masking.WINDOW])),
        "return_registers": draw(st.sampled_from([1, 2, 16])),
        "numerator_lanes": draw(st.sampled_from([1, params.side])),
        "port_beats": draw(st.sampled_from([1, 1, 1, *divisors(params.split_columns)])),
    }
    if params.splits > 1:
        fields["division"] = Division.HIDDEN
    elif params.side % 2 == 0:
        fields["columns_per_lane"] = columns = draw(st.integers(1, 2))
        fields["numerator_lanes"] = max(1, fields["numerator_lanes"] // columns)
        fields["division"] = Division.HIDDEN if columns > 1 else fields["division"]
    fields["fma_lanes"] |= max(fields["lane_stages"], fields.get("columns_per_lane", 1)) > 1
    return dataclasses.replace(params, **fields), dataclasses.replace(workload, e=e, f=f)


any_engine = jobs().flatmap(engines)


@given(any_engine)
@settings(max_examples=100, deadline=None)
def test_the_epoch_is_that_of_the_schedule(job):
    params, _ = job
    schedule, epoch = Schedule.of(params), Epoch.of(params)
    assert (epoch.cycles, epoch.lag) == (len(schedule.slots), schedule.lag)
    assert epoch.tail == len(schedule.tail)
    busy = sum(slot.pe != 0 for slot in schedule.slots)
    assert busy == params.e + params.f + epoch.array_busy
    lanes = sum(slot.lane != 0 for slot in schedule.slots)
    assert lanes == epoch.pitch * params.f + epoch.lanes_busy


@given(any_engine)
@settings(max_examples=150, deadline=None)
def test_cycles_are_those_of_the_events(job):
    assume(Tiles.of(*job).kept <= TILES_MAX)
    found, events = taken(*job), Events(*job)
    assert found == events.end
    params, _ = job
    steps = np.diff(events.starts)
    event("waits" if len(steps) and steps.max() > params.epoch else "never waits")


# Most engines that are drawn may wait.
@given(any_engine)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_where_nothing_may_wait_nothing_does(job):
    assume(Tiles.of(*job).kept <= TILES_MAX and not waits(*job))
    params, workload = job
    longer = params.epoch + len(Schedule.of(params).tail)
    steps = np.diff(Events(*job).starts).tolist()
    assert set(steps) <= {params.epoch, longer}
    ends = sum(tile.last for tile in tile_table(params, workload))
    assert longer == params.epoch or steps.count(longer) == ends - 1


WAITING = {
    "one tile of keys": {"side": 8, "kv_tiles": 1},
    "array longer than an epoch": {"side": 24, "e": 2, "f": 2},
    "three results at once": {"query_tiles": 3},
    "short keys": {"side": 16, "kv_tiles": 4},
    "narrow ports": {"side": 4, "port_beats": 4, "kv_tiles": 4},
}


@pytest.mark.parametrize("fields", WAITING.values(), ids=WAITING)
def test_each_reason_to_wait(fields):
    params = AttentionParams(**({"side": 4, "e": 8, "f": 8} | fields))
    keys = params.side if "kv_tiles" in fields else 40
    workload = Attention(queries=5 * params.side, keys=keys, e=params.e, f=params.f)
    assert waits(params, workload)
    events = Events(params, workload)
    assert np.diff(events.starts).max() > params.epoch
    assert taken(params, workload) == events.end


small = st.integers(-12, 4)
rings = st.tuples(small, st.tuples(small, small))


@given(st.integers(1, 4), rings, rings)
@settings(max_examples=1000)
def test_rings_that_look_alike_go_on_alike(words, one, other):
    """What differs between them is so long past that every tile is there before it can be used."""

    def seen(end, room):
        ring = Ring(len(room), words)
        ring.end, ring.room = end, deque(room)
        return ring.state(0), [max(ring.arrival(), 0) for _ in room]

    (state, arrivals), (other_state, other_arrivals) = seen(*one), seen(*other)
    assert state != other_state or arrivals == other_arrivals


def flat(parts, number=0):
    """A program without repetitions, as it is in a round of the repetition around it."""
    steps = []
    for part in parts:
        if isinstance(part, Repeat):
            times = part.times + number * part.more
            steps += [step for each in range(times) for step in flat(part.body, each)]
        else:
            steps.append(part)
    return steps


def folded(params, workload):
    """The program of a workload."""
    groups, heads = workload.share // params.group, workload.batch * workload.kv_heads
    return program(Span.of(params, workload), groups, params.query_tiles, heads)


def table(params, workload):
    """The steps of a workload, one by one."""
    tiles = list(tile_table(params, workload))
    begins = [True, *(tile.kv_done for tile in tiles)]
    return [
        Step(tile.first, tile.last, begin, tile.kv_done, tile.query_release)
        for tile, begin in zip(tiles, begins, strict=False)
    ]


@st.composite
def long_jobs(draw):
    """As `jobs`, with so many key tiles that parts of a program grow often and start anew often."""
    group = draw(st.integers(1, 3))
    side, unit = group * draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 7, 12]))
    keys = side * draw(st.integers(15, 40)) - draw(st.integers(0, side - 1))
    offset = draw(st.integers(0, 9)) * (side // group)
    params = AttentionParams(
        side=side, group=group, query_tiles=draw(st.integers(1, 5)), e=2, f=2,
        masking=Masking.WINDOW,
    )  # fmt: skip
    workload = Attention(
        batch=draw(st.integers(1, 3)), heads=group * draw(st.integers(1, 4)),
        queries=keys - offset, keys=keys, e=2, f=2, pattern=draw(st.sampled_from(Pattern)),
        window=draw(st.integers(1, keys)), block=side * unit, sink_blocks=draw(st.integers(0, 3)),
        window_blocks=draw(st.integers(1, 3)),
    )  # fmt: skip
    check_fit(params, workload)
    return params, workload


@given(st.one_of(jobs(), long_jobs()))
@settings(max_examples=200, deadline=None)
def test_a_program_is_the_tile_table(job):
    assert flat(folded(*job)) == table(*job)


def stepped(times, steps):
    """Cycles of steps one by one."""
    clock = Clock(times)
    for step in steps:
        clock.step(step)
    clock.flush()
    return clock.end


@st.composite
def machines(draw):
    """Times that no engine need have, such as make what is waited for change often."""
    short, long = st.integers(1, 12), st.integers(1, 60)
    lag, later = draw(st.integers(0, 3)), draw(st.integers(0, 1))
    return Machine(
        epoch=draw(short), tail=draw(short) - 1, lag=lag, weighed=lag + later,
        kv_tiles=draw(st.integers(1, 4)),
        query_tiles=2, result_tiles=draw(st.integers(1 + later, 8)),
        keys=draw(short), values=draw(short), f=draw(short),
        keys_free=draw(long), values_free=draw(long),
        results=draw(long), quotient=draw(long), turn=draw(st.sampled_from([0, 0, 5, 40])),
    )  # fmt: skip


@given(long_jobs(), machines())
@settings(max_examples=100, deadline=None)
def test_strides_take_as_long_as_steps(job, times):
    params, workload = job
    times = dataclasses.replace(times, query_tiles=2 * params.query_tiles)
    clock = Clock(times)
    clock.run(folded(params, workload))
    clock.flush()
    assert clock.end == stepped(times, table(params, workload))


@given(long_jobs().flatmap(engines))
@settings(max_examples=100, deadline=None)
def test_long_workloads_take_as_long_as_steps(job):
    params, _ = job
    assert taken(*job) == stepped(machine(params, Epoch.of(params)), table(*job))


@pytest.mark.parametrize("query_tiles", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "fields",
    [
        {"pattern": Pattern.CAUSAL},
        {"pattern": Pattern.WINDOW, "window": 300_000},
        {"pattern": Pattern.BLOCKS, "block": 4096, "sink_blocks": 2, "window_blocks": 20},
        {"pattern": Pattern.BLOCKS, "block": 2**18, "sink_blocks": 1, "window_blocks": 2},
    ],
    ids=["causal", "window", "many blocks", "few blocks"],
)
def test_a_million_keys_are_few_steps(monkeypatch, fields, query_tiles):
    params = AttentionParams(
        side=16, e=64, f=64, query_tiles=query_tiles, kv_tiles=1, masking=Masking.WINDOW,
        max_keys=2**20,
    )  # fmt: skip
    workload = Attention(batch=8, queries=2**20, keys=2**20, e=64, f=64, **fields)
    steps, step = [], Clock.step
    monkeypatch.setattr(Clock, "step", lambda clock, new: (steps.append(new), step(clock, new)))
    assert waits(params, workload)
    least = Tiles.of(params, workload).kept * Epoch.of(params).cycles
    assert least < taken(params, workload) < 2 * least
    assert len(steps) < 5000


def test_the_published_form_and_the_constant_to_it():
    # Specification, section 5.2: N = 16, E = F = 8, 64 keys and queries, exponentials of 7 slots
    # take (tiles + q) T + 2F + 2N - 1 = 489 cycles, from the first injection to the last numerator.
    params = AttentionParams(
        side=16, e=8, f=8, exp_method=ExpMethod.POLYNOMIAL, exp_degree=5, fma_lanes=False,
        masking=Masking.NONE,
    )  # fmt: skip
    workload = Attention(queries=64, keys=64, e=8, f=8)
    epoch = Epoch.of(params)
    assert (epoch.cycles, epoch.lag) == (26, 1)
    published = (16 + 1) * 26 + 2 * 8 + 2 * 16 - 1
    assert published == 489
    # Before it a tile of keys arrives, and the first slot reaches the first element two cycles
    # after the epoch begins; behind it three stages and a transfer for each of F.
    assert taken(params, workload) == 8 + 2 + published + 3 + 8


def test_divisions_take_their_time_for_each_query_tile():
    params = AttentionParams(side=4, e=8, f=6, division=Division.EXPOSED)
    hidden = dataclasses.replace(params, division=Division.HIDDEN)
    workload = Attention(queries=12, keys=20, e=8, f=6)
    assert not waits(params, workload)
    # A slot for each of F, and one to the multiplier, for all query tiles but the last. The first
    # result of that one comes 3 cycles after the last division, in slot 25; or else 4 after the
    # reciprocal of the sum in the last slot of the epoch before.
    assert Epoch.of(params).tail == 7
    assert params.epoch == 8 + 6 + 1 + 1 + 3 + 1
    assert taken(params, workload) - taken(hidden, workload) == 2 * 7 + (25 + 3) - (-1 + 10 + 4)
    apart = dataclasses.replace(params, binding=Binding.SEQUENTIAL)
    # The sum of weights is six slots before the end, ten before its reciprocal.
    assert Epoch.of(apart).tail == 7 + 10 - 7


def test_sequential_tiles_wait_for_their_own_maximum():
    params = AttentionParams(side=4, e=8, f=6, binding=Binding.SEQUENTIAL, masking=Masking.NONE)
    # Scores, the maximum, its way of N + W, three slots of exp but for the first, sum, products.
    assert Epoch.of(params).cycles == 8 + 1 + 4 + 3 + 1 + 6
    workload = Attention(queries=4, keys=12, e=8, f=6)
    # A tile of keys of 8, two epochs and the way to the last lane's sum of weights, in slot 16; its
    # reciprocal, three stages, and 6 results. The last product, in slot 22, is done before.
    assert taken(params, workload) == 8 + 2 * 23 + (2 + 16 + 7) + 11 + 3 + 6


def test_causal_halves_the_time():
    params = AttentionParams(side=8, kv_tiles=3, max_keys=2**18)
    dense = Attention(queries=2**18, keys=2**18, e=16, f=16)
    causal = dataclasses.replace(dense, pattern=Pattern.CAUSAL)
    assert not waits(params, causal)
    assert taken(params, dense) / taken(params, causal) == pytest.approx(2, rel=1e-4)


@given(st.lists(any_engine, min_size=1, max_size=40))
@settings(max_examples=10, deadline=None)
def test_a_grid_is_its_points(points):
    params, workloads = zip(*points, strict=True)
    whole = taken(grid(AttentionParams, params), grid(Attention, workloads))
    assert np.broadcast_to(whole, len(points)).tolist() == [taken(*job) for job in points]


def test_a_long_sequence_is_no_slower_to_count():
    params = AttentionParams(side=256, e=64, f=64, query_tiles=4, kv_tiles=4, max_keys=2**20)
    workload = Attention(batch=64, heads=12, kv_heads=12, queries=2**16, keys=2**16, e=64, f=64)
    tiles, epoch = Tiles.of(params, workload), Epoch.of(params)
    assert (epoch.cycles, epoch.lag) == (134, 2)
    # The last product of a tile leaves the array and the last lane 2 + 63 + 511 cycles after its
    # epoch has begun, as 64 results from four cycles later on. Of the four query tiles of a block
    # the third and the fourth each wait for that instead of two epochs.
    passage = 2 + 63 + 511 + 4 + 64
    late = 2 * (134 + passage - 2 * 134)
    assert taken(params, workload) == (
        64 + (tiles.kept + epoch.lag) * 134 + tiles.blocks * late + passage
    )
