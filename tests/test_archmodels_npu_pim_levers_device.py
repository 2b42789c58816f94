"""Levers of the device: the NPU, weights that come ahead, sharing, and what all bring together."""

import math
from dataclasses import replace
from itertools import product

import pytest

from archmodels.npu_pim import iteration
from archmodels.npu_pim.attention import attention
from archmodels.npu_pim.decode import adaptive
from archmodels.npu_pim.flow import Flow, Hidden, Segment
from archmodels.npu_pim.iteration import flow_cycles, weights_room
from archmodels.npu_pim.levers import batch_attention, decoded, iteration_cycles
from archmodels.npu_pim.npu import (
    START_CYCLES,
    block_cycles,
    drain_cycles,
    layer_parts,
    linear_bytes,
    linear_cycles,
    pass_cycles,
    stream_cycles,
)
from archmodels.npu_pim.packing import (
    costs,
    estimate,
    free_tiles,
    halves,
    least_loaded,
    request_tiles,
)
from archmodels.npu_pim.sharing import Batch, shared
from archmodels.npu_pim.stages import Load, rest_cycles, vector_work
from designs.npu_pim import Levers, Linear, NpuPimDevice, Request, corrected, llm, published
from designs.npu_pim.lengths import DATASETS, alpaca, sharegpt
from dse.reproduce.neupims.levers import LEVERS, WINNER, pulled, without

MODEL = llm("gpt3_7b")
BASE = corrected(published())
ALL = tuple(LEVERS)
MIB = 2**20


def requests(count: int, seed: int = 1) -> tuple[Request, ...]:
    return sharegpt().snapshot(count, seed)


@pytest.mark.parametrize(("model", "count"), [("gpt3_7b", 256), ("gpt3_30b", 128)])
def test_levers_off_are_neupims(model: str, count: int) -> None:
    """To the last bit: the same packing, stages and choice."""
    one, batch = llm(model), requests(count)
    cost = costs(BASE.channel, one.shard)
    packed = least_loaded(
        BASE, one, batch, lambda length: int(estimate(BASE.channel, one.shard, length, cost))
    )
    expected = adaptive(BASE, one, packed.channels, halves)
    found = decoded(BASE, one, batch)
    assert found.cycles == expected.cycles and found.tokens_per_s == expected.tokens_per_s
    assert BASE.levers == Levers()


def test_weights_that_meet_all_tokens() -> None:
    """Three blocks of tokens: memory or all passes, not memory and two passes."""
    device, layer = pulled(BASE, ["block_order"]), MODEL.up
    once, drain = pass_cycles(BASE, layer), drain_cycles(BASE)
    memory = stream_cycles(BASE, linear_bytes(BASE, layer, 384)) + START_CYCLES
    assert linear_bytes(device, layer, 384) == linear_bytes(BASE, layer, 384)
    assert linear_cycles(BASE, layer, 384) == memory + 2 * once + drain
    assert linear_cycles(device, layer, 384) == 3 * once + drain > memory
    assert linear_cycles(device, layer, 100) == linear_cycles(BASE, layer, 100)


def test_a_small_scratchpad_takes_a_layer_in_parts() -> None:
    """7 MiB: 256 tokens go with half of the outputs, and are read twice; 768 go in two parts too.

    Bytes: inputs, sums, and the weights of 128 inputs twice.
    """
    small, layer = pulled(replace(BASE, spad_bytes=7 * MIB), ["block_order"]), MODEL.up
    weights, inputs = layer.weights * 2, 4096 * 2
    for tokens, by_tokens, by_outputs in ((128, 1, 1), (256, 1, 2), (768, 2, 4)):
        parts = layer_parts(small, layer, tokens)
        assert (parts.tokens, parts.outputs) == (by_tokens, by_outputs)
        rows, columns = tokens // by_tokens, 4096 // by_outputs
        fits = rows * (inputs + 4 * columns) + 2 * 128 * columns * 2
        assert fits <= 7 * MIB
        read = by_tokens * weights + by_outputs * tokens * inputs
        assert linear_bytes(small, layer, tokens) == read
        assert block_cycles(small, layer, parts) == by_outputs * 32 * (
            128 + 16 * (columns // 128 - 1)
        )


def test_activations_stay_only_if_they_fit() -> None:
    """256 tokens: inputs, outputs and residual are 6 MiB, and sums and weights come on top."""
    for spad_mib, stays in ((7, False), (8, True)):
        device = pulled(replace(BASE, spad_bytes=spad_mib * MIB), ["resident"])
        assert layer_parts(device, MODEL.up, 256).is_resident == stays
        assert vector_work(device, MODEL, 256).moves != stays


def test_stationary_values_that_load_while_others_work() -> None:
    """32 blocks of inputs, 32 tiles of weights, 16 cycles each: 128 once, not for each block."""
    device = pulled(BASE, ["double_stationary"])
    assert pass_cycles(BASE, MODEL.up) == 32 * (128 + 16 * 31)
    assert pass_cycles(device, MODEL.up) == 128 + 32 * 16 * 32 - 16
    narrow = Linear(inputs=512, outputs=256)
    assert pass_cycles(device, narrow) == 128 + 4 * 128 - 16


def test_what_stays_in_the_scratchpad_is_not_read() -> None:
    device = pulled(BASE, ["resident"])
    whole = pulled(BASE, ["block_order"])
    inputs = 256 * MODEL.up.inputs * 2
    assert linear_bytes(whole, MODEL.up, 256) - linear_bytes(device, MODEL.up, 256) == inputs
    work = vector_work(device, MODEL, 256)
    assert work.norm == 32 * (2 * 33 + 5 * 32)  # 32 tokens a unit; 4096 to 32 to one
    assert work.residual == 256 * 4096 / 1024 and not work.moves
    assert vector_work(whole, MODEL, 256).moves
    assert rest_cycles(device, MODEL, 256) < rest_cycles(whole, MODEL, 256)


def loads(device: NpuPimDevice, count: int) -> list[Load]:
    own = shared(device, MODEL, requests(count), 2).micro_batches[0]
    return [
        Load(tokens=one.requests, work=attention(device, MODEL.shard, one.channels)) for one in own
    ]


def bounds(device: NpuPimDevice, counts: list[int], fetches: float) -> tuple[float, float]:
    """Cycles of a layer that arrays cannot do without, and those that memory cannot."""
    passes = sum(
        math.ceil(count / device.side) * int(pass_cycles(device, layer))
        for count in counts
        for layer in MODEL.linears
    )
    weights = sum(layer.weights for layer in MODEL.linears) * device.element_bytes
    return passes, float(stream_cycles(device, int(weights * fetches)))


@pytest.mark.parametrize(("names", "fetches"), [(("prefetch",), 2.0), (("keep_weights",), 1.0)])
@pytest.mark.parametrize("spad_mib", [137, 1000])
def test_bytes_and_products_are_conserved(
    names: tuple[str, ...], fetches: float, spad_mib: int
) -> None:
    """No schedule is faster than its passes, or than its weights come; the best is near."""
    others = ("resident", "slack", "value_heads", "sharing")
    device = pulled(replace(BASE, spad_bytes=spad_mib * MIB), (*names, *others))
    own = loads(device, 256)
    layer = flow_cycles(device, MODEL, own) / MODEL.layers
    arrays, memory = bounds(device, [one.tokens for one in own], fetches)
    assert layer >= max(arrays, memory) * 31 / 32
    assert layer <= 1.35 * max(arrays, memory)


def test_more_room_is_no_worse_and_none_is_refused() -> None:
    found = []
    for spad_mib in (2, 16, 64, 137, 500):
        device = pulled(replace(BASE, spad_bytes=spad_mib * MIB), ("keep_weights", "resident"))
        found.append(flow_cycles(device, MODEL, loads(device, 256)))
    assert found[0] == math.inf
    assert found[1:] == sorted(found[1:], reverse=True) and found[1] > 1.3 * found[-1]


def test_room_is_what_inputs_and_sums_leave() -> None:
    layers = MODEL.linears
    most = max(256 * (2 * one.inputs + 4 * one.outputs) for one in layers)
    assert weights_room(BASE, MODEL, 256) == BASE.spad_bytes - most


def test_what_is_kept_has_its_room() -> None:
    """One byte a cycle from START_CYCLES on, room for two pieces of ten bytes, 100 cycles each.

    The second piece of the second segment waits for the first's room, not for what is kept; it does
    not where nothing is kept, and where what was kept has been freed.
    """
    first = Segment(cycles=100, pieces=1, fetched=10)
    others = [Segment(cycles=100, pieces=2, fetched=10)]
    freed = Segment(cycles=100, pieces=1, freed=10)
    for segments, end in (
        ([first, *others], START_CYCLES + 10 + 300),
        ([replace(first, kept=10), *others], START_CYCLES + 10 + 200 + 10 + 100),
        ([replace(first, kept=10), freed, *others], START_CYCLES + 10 + 400),
    ):
        assert Flow(1.0, 20.0, []).run(segments) == end


def test_bytes_come_slowly_beside_attention_and_not_beside_vector_work() -> None:
    """A hundred bytes behind ten: beside attention at half the rate; behind thirty other cycles."""
    first = Segment(cycles=0, pieces=1, fetched=10)
    last = Segment(cycles=0, pieces=1, fetched=100)
    beside = [Hidden(cycles=50, memory=0.5)]
    moves = Segment(cycles=30, moves=True)
    attends = replace(first, begins=0)
    assert Flow(1.0, 200.0, beside).run([attends, last]) == START_CYCLES + 10 + 50 + 75
    assert Flow(1.0, 200.0, []).run([first, moves, last]) == START_CYCLES + 10 + 30 + 100
    assert Flow(1.0, 200.0, []).run([first, replace(moves, moves=False), last]) == (
        START_CYCLES + 110
    )
    both = [attends, replace(moves, cycles=20), last]  # 20 at half the rate are 40 cycles
    assert Flow(1.0, 200.0, beside).run(both) == START_CYCLES + 10 + 40 + 10 + 95
    waits = [attends, replace(last, waits=0), replace(first, cycles=7)]
    assert Flow(1.0, 200.0, [Hidden(cycles=500, memory=1.0)]).run(waits) == START_CYCLES + 517


def test_layers_beyond_those_that_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in (("prefetch",), ("keep_weights",)):
        device = pulled(BASE, names)
        short = flow_cycles(device, MODEL, loads(device, 256))
        monkeypatch.setattr(iteration, "STEADY_LAYERS", MODEL.layers)
        assert flow_cycles(device, MODEL, loads(device, 256)) == pytest.approx(short, rel=1e-3)
        monkeypatch.undo()


def test_attention_that_is_slow_decides() -> None:
    """With attention ten times as long, the arrays wait: two attentions a layer and little else."""
    device = pulled(BASE, ("keep_weights",))
    slow = [replace(one, work=one.work.later(9 * one.work.cycles)) for one in loads(device, 256)]
    least = sum(one.work.cycles / one.work.pace for one in slow)
    layer = flow_cycles(device, MODEL, slow) / MODEL.layers
    assert least <= layer <= 1.1 * least


def test_sub_batches_fill_the_arrays() -> None:
    """384 requests are three blocks of 128, not two halves of two blocks each."""
    device = pulled(BASE, ("sharing",))
    for count, sizes in ((384, [256, 128]), (300, [256, 44]), (256, [128, 128]), (90, [45, 45])):
        own = shared(device, MODEL, requests(count), 2).micro_batches[0]
        assert [one.requests for one in own] == sizes


@pytest.mark.parametrize("parts", [1, 2])
def test_every_request_is_in_one_sub_batch_and_has_room(parts: int) -> None:
    model, device = llm("gpt3_30b"), pulled(BASE, ("stripe_tokens", "value_heads"))
    batch = requests(500)
    own = shared(device, model, batch, parts)
    every = [one for batches in own.micro_batches for one in batches]
    lengths = sum(sum(map(sum, one.channels)) for one in every)
    assert lengths + sum(own.waiting) == sum(one.length for one in batch)
    assert sum(one.requests for one in every) + len(own.waiting) == len(batch)
    counts = [one.requests for one in every]
    assert len(every) == 2 * parts and max(counts) - min(counts) <= 1
    for channel in range(device.channels):
        taken = sum(
            int(request_tiles(device, model, length))
            for one in every
            for length in one.channels[channel]
        )
        assert taken <= free_tiles(device, model)


def test_stripes_of_a_request_are_in_channels_of_their_own() -> None:
    device = pulled(BASE, ("stripe_tokens",))
    own = shared(device, MODEL, [Request(length=2000)], 1).micro_batches[0][0]
    assert own.requests == 1 and own.extra == 3
    assert sorted(map(len, own.channels))[-4:] == [1, 1, 1, 1] and max(map(len, own.channels)) == 1
    together = own | Batch(channels=own.channels, requests=1)
    assert together.extra == 6


def test_channels_wait_for_each_other_where_a_request_is_in_several() -> None:
    """And 3 sums of 1024 values are added, a cycle each on 8 units of 128 lanes."""
    device = pulled(BASE, ("stripe_tokens", "flows"))
    plain = pulled(BASE, ("stripe_tokens",))
    for length, extra in ((500, 0), (2000, 3)):
        batch = shared(device, MODEL, [Request(length=length)], 1).micro_batches[0][0]
        waits = attention(plain, MODEL.shard, batch.channels).cycles
        found = batch_attention(device, MODEL, batch).cycles
        assert (found == waits + extra) == (extra > 0)
        assert batch_attention(plain, MODEL, batch).cycles == waits + extra


def test_what_has_no_room_waits() -> None:
    """13B, 512 short ones: rows of values of several heads leave room for those that waited."""
    model = llm("gpt3_13b")
    batch = alpaca().snapshot(512, 1)
    plain = shared(pulled(BASE, ("sharing",)), model, batch, 1)
    packed = shared(pulled(BASE, ("sharing", "value_heads")), model, batch, 1)
    assert plain.waiting and not packed.waiting


@pytest.mark.parametrize(
    ("data", "count", "least"),
    [("sharegpt", 256, 2.3), ("sharegpt", 64, 1.5), ("alpaca", 128, 1.3)],
)
def test_all_levers_beat_neupims(data: str, count: int, least: float) -> None:
    batch = DATASETS[data]().snapshot(count, 1)
    ratio = decoded(pulled(BASE, WINNER), MODEL, batch).tokens_per_s
    assert ratio / decoded(BASE, MODEL, batch).tokens_per_s > least


MODELS = ("gpt3_7b", "gpt3_13b", "gpt3_30b", "gpt3_175b")
TABLE = [*product(MODELS, DATASETS, (64, 128, 256, 512))]


@pytest.mark.spread(2)
@pytest.mark.parametrize(("name", "draw", "count"), TABLE)
def test_the_winner_is_never_below_neupims(name: str, draw: str, count: int) -> None:
    """As few as 16 requests a micro-batch, whose weights are all that there is to do, and more."""
    model, batch = llm(name), DATASETS[draw]().snapshot(count, 1)
    before = decoded(BASE, model, batch)
    after = decoded(pulled(BASE, WINNER), model, batch)
    assert after.tokens_per_s > 1.05 * before.tokens_per_s
    assert after.requests >= before.requests


def test_a_schedule_that_is_slower_is_not_taken() -> None:
    """Weights ahead, or sub-batches: each is a choice."""
    batch = shared(BASE, MODEL, requests(256), 2).micro_batches[0]
    plain, ahead = pulled(BASE, ("block_order",)), pulled(BASE, ("prefetch",))
    whole = [batch[0] | batch[1]]
    for own in (whole, batch):
        assert iteration_cycles(ahead, MODEL, own) <= iteration_cycles(plain, MODEL, own)
    best = decoded(ahead, MODEL, requests(256)).cycles
    assert best <= min(iteration_cycles(ahead, MODEL, own) for own in (whole, batch))


def test_without_a_lever_those_that_need_it_are_left_out() -> None:
    assert without(ALL, "block_order") == tuple(
        one for one in ALL if one not in ("block_order", "resident", "prefetch", "keep_weights")
    )
