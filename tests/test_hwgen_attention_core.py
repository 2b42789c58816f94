# amaranth: UnusedElaboratable=no
"""The attention core as hardware: no idle state, clean Verilog, resets, jobs, what breaks it."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from amaranth.hdl import Const, Value
from amaranth.sim import Simulator
from attention_grid import POINTS, point
from reset_midway import results_after_reset

import designs
from designs.attention import AttentionParams, Pattern
from designs.attention.hazards import hazards
from designs.attention.schedule import Schedule
from designs.attention.tiles import tile_table
from hwgen.attention import AttentionCore, bank, commands
from hwgen.attention.integer_lane import IntegerLane
from hwgen.attention.interface import tile_layout
from hwgen.emit import emit, write
from hwgen.netlist import count, flattened_count
from sim.bench_attention import counters, entries, plan, results
from sim.golden.attention import Case, attention, draw
from sim.pysim import simulate
from sim.runner import lint
from sim.streams import Pause, SimResult

FORMS = [
    "one_element",
    "late_maximum",
    "sequential",
    "window_grouped",
    "decode",
    "shared_numerators",
    "shared_number",
    "divided",
    "divided_apart",
    "split_whole",
    "split_decode",
]


@pytest.mark.spread(2)
@pytest.mark.parametrize("name", FORMS)
def test_no_register_is_idle(name):
    text = emit("core", POINTS[name][0]).files["core.v"]
    assert flattened_count(text, "core").flip_flop_bits == count(text, "core").flip_flop_bits


@pytest.mark.spread(4)
@pytest.mark.parametrize("name", [*FORMS, "square", "published", "sequential_two_slots"])
def test_verilog_is_clean(name, tmp_path):
    paths = write(emit("dut", POINTS[name][0]), tmp_path)
    assert lint([path for path in paths if path.suffix in (".v", ".vlt")], "dut") == []


@pytest.mark.full
def test_the_array_of_the_paper_is_verilog_too():
    """256 x 256 elements are as few modules as 2 x 2, and a text that grows with the side."""
    wide, narrow = (
        emit("core", replace(designs.load("fuse256").params, side=side)).files["core.v"]
        for side in (256, 4)
    )
    assert abs(wide.count("\nmodule ") - narrow.count("\nmodule ")) < 20
    assert len(wide) < 1_500_000


def example(name, case=Case.RANDOM, seed=5):
    """A point of the grid, its inputs, and what must come of them."""
    params, workload = POINTS[name]
    inputs = draw(params, workload, np.random.default_rng(seed), case)
    return params, workload, inputs, attention(params, workload, inputs)


def differs(params, workload, sent, wanted):
    """Whether a core gives something else."""
    found = results(params, workload, simulate(AttentionCore(params), sent))
    return not np.array_equal(found, wanted)


def run(core, testbench):
    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def test_a_reset_in_the_middle_of_a_job_leaves_nothing_behind():
    params, workload, inputs, wanted = example("square")
    sent = plan(params, workload, inputs)
    whole = simulate(AttentionCore(params), sent)
    cycles = whole.simulated_cycles
    words = results_after_reset(AttentionCore(params), sent, cycles // 2, cycles, run)
    assert words == whole.payloads["o"]
    assert np.array_equal(results(params, workload, whole), wanted)


@pytest.mark.parametrize("name", ["square", "late_maximum", "sequential"])
@pytest.mark.parametrize("tiles", [0, 1])
def test_a_job_ends_without_the_operands_of_the_next_one(name, tiles):
    """Of which `tiles` are there: epochs without a tile let the last ones of the first through."""
    params, workload, inputs, wanted = example(name)
    one = plan(params, workload, inputs)
    words = one.transfers
    sizes = {"q": params.e, "k": params.e, "v": params.f}
    more = {port: list(words[port][: tiles * size]) for port, size in sizes.items()}
    more["tile"] = list(words["tile"])
    sent = replace(one, transfers={port: [*words[port], *more[port]] for port in words})
    cycles = (len(words["tile"]) + 8) * params.epoch
    found = results_after_reset(AttentionCore(params), sent, 1, cycles, run)
    result = SimResult(
        cycles=0, simulated_cycles=0, payloads={"o": found}, transfer_cycles={}, activity={}
    )
    assert np.array_equal(results(params, workload, result), wanted)


def test_results_wait_for_the_report_of_the_job_before():
    """However late a report is taken, each job has one, after all of its results."""
    params, workload, inputs, wanted = example("square")
    one = plan(params, workload, inputs)
    sent = replace(
        one,
        transfers={port: 3 * list(words) for port, words in one.transfers.items()},
        expected={port: 3 * size for port, size in one.expected.items()},
        pauses={"counters": Pause(probability=0.97, seed=1)},
    )
    result = simulate(AttentionCore(params), sent)
    count_of_job = one.expected["o"]
    for job, reported in enumerate(result.transfer_cycles["counters"]):
        mine = result.transfer_cycles["o"][job * count_of_job : (job + 1) * count_of_job]
        later = result.transfer_cycles["o"][(job + 1) * count_of_job :]
        assert mine[-1] < reported and all(reported < cycle for cycle in later)
        words = result.payloads["o"][job * count_of_job : (job + 1) * count_of_job]
        mine_alone = replace(result, payloads={"o": words})
        assert np.array_equal(results(params, workload, mine_alone), wanted)


JOBS = [
    {"queries": 1, "keys": 1},
    {"queries": 3, "keys": 5, "pattern": Pattern.CAUSAL},
    {"queries": 5, "keys": 4, "heads": 2, "kv_heads": 2},
    {"queries": 1, "keys": 7},
]
"""Of one query tile, two, six and one: the places of their first ones differ."""


@pytest.mark.parametrize("query_tiles", [1, 2])
@pytest.mark.parametrize("pause", [0.0, 0.8])
def test_jobs_of_other_shapes_follow_each_other(query_tiles, pause):
    """The ring of query tiles goes on from job to job, and so must the tile table."""
    params = AttentionParams(side=2, e=3, f=2, query_tiles=query_tiles)
    plans, drawn, loaded = [], [], 0
    for seed, sizes in enumerate(JOBS):
        _, workload = point(params, **sizes)
        inputs = draw(params, workload, np.random.default_rng(seed))
        one, tiles = plan(params, workload, inputs), list(tile_table(params, workload, loaded))
        words = {**one.transfers, "tile": list(entries(params, workload, inputs, tiles))}
        loaded += sum(tile.first for tile in tiles)
        plans.append(replace(one, transfers=words))
        drawn.append((workload, inputs))
    sent = replace(
        plans[0],
        transfers={
            port: [word for one in plans for word in one.transfers[port]]
            for port in plans[0].transfers
        },
        expected={port: sum(one.expected[port] for one in plans) for port in plans[0].expected},
        pauses={port: Pause(probability=pause, seed=3) for port in ("tile", "v", "o")},
    )
    result = simulate(AttentionCore(params), sent)
    received = iter(result.payloads["o"])
    for one, (workload, inputs) in zip(plans, drawn, strict=True):
        words = list(islice(received, one.expected["o"]))
        found = results(params, workload, replace(result, payloads={"o": words}))
        assert np.array_equal(found, attention(params, workload, inputs)), workload


@pytest.mark.parametrize("kv_tiles", [1, 2, 3])
@pytest.mark.parametrize("return_registers", [1, 16])
def test_keys_and_values_in_turn_need_more_room_than_the_lag(kv_tiles, return_registers):
    """Tiles of one word each, of keys and values by turns over one channel: all come through."""
    params, workload = point(
        AttentionParams(side=2, e=1, f=1, kv_tiles=kv_tiles, return_registers=return_registers),
        keys=16,
    )
    words = plan(params, workload, draw(params, workload, np.random.default_rng(1))).transfers
    tiles, queries, keys, values = ([(port, word) for word in words[port]] for port in words)
    in_turn = [word for pair in zip(keys, values, strict=True) for word in pair]
    queues = [tiles, queries, in_turn]
    core = AttentionCore(params)

    async def testbench(ctx):
        for _ in range(20 * params.epoch):
            for port in words:
                ctx.set(getattr(core, port).valid, 0)
            for port, word in (queue[0] for queue in queues if queue):
                ctx.set(getattr(core, port).valid, 1)
                ctx.set(Value.cast(getattr(core, port).payload), word)
            offered = [queue for queue in queues if queue]
            taken = [queue for queue in offered if ctx.get(getattr(core, queue[0][0]).ready)]
            await ctx.tick()
            for queue in taken:
                queue.pop(0)

    run(core, testbench)
    assert params.lag == (2 if return_registers > 1 else 1)
    assert (queues == [[], [], []]) == (kv_tiles > params.lag)


@pytest.mark.parametrize("name", ["square", "blocks", "sequential"])
def test_stalls_are_counted(name):
    """Cycles that a job takes longer, since a tile comes late, are those that the core waited."""
    params, workload, inputs, _ = example(name)
    one = plan(params, workload, inputs)
    late = replace(one, pauses={"tile": Pause(probability=0.9, seed=2)})
    quick, slow = (simulate(AttentionCore(params), sent) for sent in (one, late))
    counted = [counters(params, result) for result in (quick, slow)]
    longer = slow.cycles - quick.cycles
    assert longer > 0
    assert counted[1]["stall_cycles"] - counted[0]["stall_cycles"] == longer
    assert [each["cycles"] for each in counted] == [quick.cycles, slow.cycles]


# What would be wrong is found: each of these breaks one thing.


@pytest.mark.parametrize("name", ["square", "late_maximum"])
def test_a_maximum_that_is_taken_an_epoch_early_is_the_wrong_one(name, monkeypatch):
    params, workload, inputs, wanted = example(name)
    schedule = Schedule.of(params)
    early = replace(schedule, lag=schedule.lag - 1)
    assert hazards(params, schedule) == ()
    assert hazards(params, early) != ()
    sent = plan(params, workload, inputs)
    assert not differs(params, workload, sent, wanted)
    monkeypatch.setattr(Schedule, "of", lambda params: early)
    assert differs(params, workload, sent, wanted)


@pytest.mark.full
@pytest.mark.parametrize("lane_stages", [1, 2])
def test_a_numerator_that_is_read_a_cycle_early_is_the_one_before(lane_stages, monkeypatch):
    """Lanes share a memory, and nothing but the last lane's numerator makes the epoch as long."""
    params, workload, inputs, wanted = example("shared_by_all")
    params = replace(params, lane_stages=lane_stages)
    schedule, enough = Schedule.of(params), params.numerator_cycles
    assert params.epoch == enough > max(params.epoch_slots, params.divide_cycles)
    sent = plan(params, workload, inputs)
    assert not differs(params, workload, sent, wanted)
    early = replace(schedule, slots=schedule.slots[:-1])
    assert hazards(params, schedule) == ()
    assert hazards(params, early) != ()
    monkeypatch.setattr(Schedule, "of", lambda params: early)
    monkeypatch.setattr(AttentionParams, "numerator_cycles", enough - 1)
    assert params.epoch == enough - 1
    assert differs(params, workload, sent, wanted)


@pytest.mark.spread(1)
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("divided_sequential", "a division must wait for its reciprocal"),
        ("divided_shared", "a numerator must be kept before its division"),
    ],
)
def test_a_division_a_slot_early_divides_something_else(name, sentence, monkeypatch):
    params, workload, inputs, wanted = example(name)
    schedule = Schedule.of(params)
    early = replace(schedule, tail=schedule.tail[1:])
    assert hazards(params, schedule) == ()
    assert any(text.startswith(sentence) for text in hazards(params, early))
    sent = plan(params, workload, inputs)
    assert not differs(params, workload, sent, wanted)
    monkeypatch.setattr(Schedule, "of", lambda params: early)
    assert differs(params, workload, sent, wanted)


def test_a_state_that_is_not_rescaled_is_wrong(monkeypatch):
    params, workload, inputs, wanted = example("square", Case.INCREASING)
    sent = plan(params, workload, inputs)
    assert not differs(params, workload, sent, wanted)
    compare = IntegerLane.compare
    monkeypatch.setattr(
        IntegerLane, "compare", lambda self, *known: (compare(self, *known)[0], Const(0))
    )
    assert differs(params, workload, sent, wanted)


def test_a_maximum_that_does_not_begin_with_the_least_is_wrong(monkeypatch):
    params, workload, inputs, _ = example("square")
    lowest = {**inputs, "q": np.full_like(inputs["q"], 127), "k": np.full_like(inputs["k"], -128)}
    lowest |= {"shift": np.full_like(inputs["shift"], 3)}
    wanted = attention(params, workload, lowest)
    sent = plan(params, workload, lowest)
    assert not differs(params, workload, sent, wanted)
    monkeypatch.setattr(bank, "least_score", lambda params: 0)
    assert differs(params, workload, sent, wanted)


@pytest.mark.parametrize(
    ("tile", "field", "by"), [(5, "upper", 1), (5, "upper", -1), (3, "first", -1), (3, "query", -1)]
)
def test_a_wrong_line_of_the_tile_table_is_found(tile, field, by):
    """The last tile has one key: it sees a key too many, or none; the second query tile begins
    with tile 3, and would go on with the first one's state, or its queries."""
    params, workload = point(AttentionParams(side=2, e=3, f=3), queries=4, keys=5)
    inputs = draw(params, workload, np.random.default_rng(1))
    sent = plan(params, workload, inputs)
    words, place = list(sent.transfers["tile"]), tile_layout(params)[field]
    mask = (1 << place.width) - 1
    value = words[tile] >> place.offset & mask
    words[tile] ^= (value ^ value + by & mask) << place.offset
    broken = replace(sent, transfers={**sent.transfers, "tile": words})
    wanted = attention(params, workload, inputs)
    assert not differs(params, workload, sent, wanted)
    assert differs(params, workload, broken, wanted)


def test_room_that_is_given_free_too_early_is_overwritten(monkeypatch):
    params, workload = point(AttentionParams(side=4, e=4, f=6, kv_tiles=1), queries=4, keys=16)
    inputs = draw(params, workload, np.random.default_rng(2))
    wanted = attention(params, workload, inputs)
    sent = plan(params, workload, inputs)
    assert not differs(params, workload, sent, wanted)
    right = commands.release_slot
    monkeypatch.setattr(commands, "release_slot", lambda slots, op: max(right(slots, op) - 1, 0))
    assert differs(params, workload, sent, wanted)
