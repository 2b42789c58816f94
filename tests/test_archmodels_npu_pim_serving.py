"""Serving over time: who enters and leaves, what an iteration takes, and that nothing is lost."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from archmodels.npu_pim import serving as module
from archmodels.npu_pim.admission import longest_served, waiting_tiles
from archmodels.npu_pim.append import append_cycles, prompt_cycles
from archmodels.npu_pim.attention import attention
from archmodels.npu_pim.decode import Decoding, decode
from archmodels.npu_pim.energy import energy
from archmodels.npu_pim.packing import Placement, free_tiles, halves, longest, request_tiles
from archmodels.npu_pim.prefill import Chunk, chunk_cycles
from archmodels.npu_pim.serving import Serving, percentile, serve
from archmodels.npu_pim.span import served
from archmodels.npu_pim.stages import (
    NOTHING,
    Beside,
    in_turn,
    interleaved,
    overlap,
    qkv_cycles,
    rates,
    rest_cycles,
)
from archmodels.npu_pim.work import done, waited
from designs.npu_pim import (
    BlockOrder,
    Fidelity,
    Interleave,
    Levers,
    Llm,
    NpuPimDevice,
    Packing,
    Request,
    ServingPolicy,
    Sharing,
    Split,
    blocked,
    llm,
    published,
)
from designs.npu_pim.gemv import attend, logit
from designs.npu_pim.lengths import Lengths

CHANNEL = replace(published().channel, rows=256, fidelity=Fidelity.CORRECTED)
DEVICE = replace(published(), channels=4, channel=CHANNEL, link_bytes_per_s=10**10)
MODEL = Llm(layers=2, hidden=512, heads=4, kv_heads=4, inner=1024, tensor_parallel=2)
NEVER = ServingPolicy(batch=12, interleave=Interleave.NEVER)
DATA = Lengths(prompt_mean=40, prompt_median=30, answer_mean=12, answer_median=10, longest=400)


class Seen:
    """What every iteration was asked for, and what it took."""

    def __init__(self) -> None:
        self.calls: list[tuple[Placement, Beside, Decoding]] = []


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    found = Seen()

    def watch(name: str) -> None:
        original = getattr(module, name)

        def called(
            device: NpuPimDevice, model: Llm, channels: Placement, split: object, beside: Beside
        ) -> Decoding:
            taken: Decoding = original(device, model, channels, split, beside)
            found.calls.append((channels, beside, taken))
            return taken

        monkeypatch.setattr(module, name, called)

    watch("decode")
    watch("adaptive")
    yield found


def at_once(*lengths: int, output: int = 3) -> list[Request]:
    return [Request(length=one, output=output) for one in lengths]


def entered(result: Serving) -> list[float]:
    return [one.entered for one in result.answers if one is not None]


def test_one_request_takes_its_iterations() -> None:
    """Lengths 90, 91, 92; the first token comes with the first iteration."""
    result = serve(DEVICE, MODEL, at_once(90), NEVER)
    cycles = [decode(DEVICE, MODEL, ((length,),), None).cycles for length in (90, 91, 92)]
    assert [one.cycles for one in result.iterations] == cycles
    assert [(one.firsts, one.requests) for one in result.iterations] == [(1, 0), (0, 1), (0, 1)]
    (answer,) = result.answers
    assert answer is not None
    assert (answer.entered, answer.first, answer.last) == (0, cycles[0], pytest.approx(sum(cycles)))
    assert list(result.between_tokens) == cycles[1:]
    assert result.tokens == 3 and result.refused == 0


@pytest.mark.parametrize("seed", range(3))
def test_time_is_that_of_tiles_that_are_not_looked_up(seen: Seen, seed: int) -> None:
    """Stage B of every iteration, from the products themselves."""
    requests = DATA.arriving(30, math.inf, seed)
    serve(DEVICE, MODEL, requests, NEVER)
    assert len(seen.calls) > 20
    for channels, _, taken in seen.calls:
        whole = 0
        for make in (logit, attend):
            whole += max(
                served(
                    CHANNEL, [one for length in own for one in make(CHANNEL, MODEL.shard, length)]
                ).end_cycle
                if own
                else 0
                for own in channels
            )
        (stages,) = taken.micro_batches
        assert stages.b == whole


@pytest.mark.parametrize(
    "policy",
    [
        NEVER,
        replace(NEVER, packing=Packing.ROTATION, append_tokens=8),
        replace(NEVER, interleave=Interleave.ALWAYS, prefill_tokens=32),
        replace(NEVER, interleave=Interleave.ADAPTIVE, split=Split.BALANCED, append_tokens=1),
    ],
)
def test_everybody_is_answered_and_nothing_is_exceeded(seen: Seen, policy: ServingPolicy) -> None:
    requests = DATA.arriving(60, 40_000.0, 7)
    result = serve(DEVICE, MODEL, requests, policy)
    assert result.tokens == sum(one.output for one in requests)
    assert [answer and answer.request for answer in result.answers] == [*requests]
    assert entered(result) == sorted(entered(result))
    for answer in result.answers:
        assert answer is not None
        assert answer.request.arrival_s * DEVICE.clock_hz <= answer.entered < answer.first
        assert (answer.first < answer.last) == (answer.request.output > 1)
    room = free_tiles(DEVICE, MODEL)
    for channels, beside, _ in seen.calls:
        assert sum(map(len, channels)) <= policy.batch
        assert beside.rows <= policy.prefill_tokens
        for own in channels:
            assert sum(int(request_tiles(DEVICE, MODEL, one)) for one in own) <= room
    assert max(one.requests for one in result.iterations) > 6
    prompts = sum(one.length for one in requests) if policy.prefill_tokens else 0
    assert sum(one.prompt_tokens for one in result.iterations) == prompts
    assert (
        any(one.is_interleaved for one in result.iterations)
        == (policy.interleave == Interleave.ALWAYS)
        or policy.interleave == Interleave.ADAPTIVE
    )


def test_iterations_follow_each_other_or_wait_for_requests() -> None:
    requests = [Request(length=50, output=2), Request(length=50, output=2, arrival_s=1.0)]
    result = serve(DEVICE, MODEL, requests, NEVER)
    for one, other in pairwise(result.iterations[:2]):
        assert other.start == one.start + one.cycles
    last = result.iterations[-2]
    assert last.start == 1.0 * DEVICE.clock_hz
    busy = sum(one.cycles for one in result.iterations)
    idle = 1e9 - sum(one.cycles for one in result.iterations[:2])
    assert result.work.cycles == pytest.approx(busy + idle)
    assert result.start == 0
    later = serve(DEVICE, MODEL, [requests[1]], NEVER)
    assert later.start == 1e9 and later.work.cycles == pytest.approx(busy / 2)


def test_requests_enter_in_order_as_room_comes_free() -> None:
    """Four that nearly fill their channels, and a short one behind a fifth must not pass it."""
    most = longest(DEVICE, MODEL, int(request_tiles(DEVICE, MODEL, 1)))
    filling = [Request(length=most - 4, output=5) for _ in range(5)]
    result = serve(DEVICE, MODEL, [*filling, Request(length=1)], NEVER)
    times = entered(result)
    assert times[:4] == [0.0] * 4 and times[4] > 0 and times[5] >= times[4]
    assert [one.requests + one.firsts for one in result.iterations[:5]] == [4] * 5
    assert [one.waiting for one in result.iterations[:6]] == [2] * 5 + [0]


def test_room_is_kept_for_all_tokens() -> None:
    """Two that fit as they come, but not with one more token each, are not in one channel."""
    device = replace(DEVICE, channels=1)
    room = free_tiles(device, MODEL)
    half = longest(device, MODEL, room - room // 2)
    assert (
        2 * request_tiles(device, MODEL, half) <= room < 2 * request_tiles(device, MODEL, half + 1)
    )
    growing = at_once(half, half, output=2)
    result = serve(device, MODEL, growing, NEVER)
    assert entered(result)[1] > 0
    assert max(one.tokens for one in result.iterations) == 1


def test_the_longest_of_those_that_enter_goes_first_or_all_in_rotation(seen: Seen) -> None:
    requests = [Request(length=one, output=2) for one in (30, 200, 40, 300, 350)]
    serve(DEVICE, MODEL, requests, NEVER)
    assert seen.calls[0][0] == ((350,), (300,), (200,), (30, 40))
    serve(DEVICE, MODEL, requests, replace(NEVER, packing=Packing.ROTATION))
    assert seen.calls[2][0] == ((30, 350), (200,), (40,), (300,))


def test_a_channel_that_the_trace_says(seen: Seen) -> None:
    requests = [Request(length=9, channel=2), Request(length=8, channel=2), Request(length=7)]
    serve(DEVICE, MODEL, requests, NEVER)
    assert seen.calls[0][0] == ((7,), (), (9, 8), ())


def test_refused_where_too_many_wait() -> None:
    """Three are served, two may wait, and three more came at the same time."""
    policy = replace(NEVER, batch=3, queue=2)
    result = serve(DEVICE, MODEL, at_once(*[20] * 8), policy)
    assert result.refused == 3
    assert [one is None for one in result.answers] == [False] * 5 + [True] * 3
    assert result.tokens == 15


@pytest.mark.parametrize(
    ("levers", "sentence"),
    [
        (
            Levers(sharing=Sharing.PARTS),
            "levers.sharing must be published where requests come and go, not parts",
        ),
        (
            Levers(block_order=BlockOrder.INPUTS, prefetch=True),
            "levers.prefetch must be false where requests come and go, not true",
        ),
    ],
)
def test_levers_of_whole_batches_are_refused(levers: Levers, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        serve(replace(DEVICE, levers=levers), MODEL, at_once(20), NEVER)


def test_prompts_ride_in_chunks(seen: Seen) -> None:
    policy = replace(NEVER, prefill_tokens=32)
    result = serve(DEVICE, MODEL, at_once(70, 20, output=2), policy)
    assert [beside.chunks for _, beside, _ in seen.calls] == [
        (Chunk(start=0, tokens=32, channel=0),),
        (Chunk(start=32, tokens=32, channel=0),),
        (Chunk(start=64, tokens=6, channel=0), Chunk(start=0, tokens=20, channel=1)),
        (),
    ]
    assert [channels for channels, _, _ in seen.calls][2:] == [
        ((), (), (), ()),
        ((71,), (21,), (), ()),
    ]
    assert [one.firsts for one in result.iterations] == [0, 0, 2, 0]
    assert [one.requests for one in result.iterations] == [0, 0, 0, 2]
    first, second = result.answers
    assert first is not None and second is not None
    assert first.first == second.first == result.iterations[3].start
    assert list(result.between_tokens) == [result.iterations[3].cycles] * 2


def test_a_prompt_whose_answer_is_one_token() -> None:
    result = serve(DEVICE, MODEL, at_once(10, output=1), replace(NEVER, prefill_tokens=64))
    (one,) = result.iterations
    assert (one.firsts, one.requests, one.prompt_tokens) == (1, 0, 10)


def test_adaptive_is_the_faster_of_both_in_every_iteration(seen: Seen) -> None:
    requests = DATA.arriving(40, math.inf, 3)
    policy = replace(NEVER, batch=40, interleave=Interleave.ADAPTIVE)
    serve(DEVICE, MODEL, requests, policy)
    for channels, _, taken in seen.calls:
        both = [decode(DEVICE, MODEL, channels, split).cycles for split in (None, halves)]
        assert taken.cycles == min(both)


def test_what_an_iteration_does_beside() -> None:
    """Keys and values are written first; chunks go on beside the attention of others."""
    channels = ((100, 60), (200,), (), (30,))
    chunks = (Chunk(start=64, tokens=32, channel=2), Chunk(start=0, tokens=40, channel=1))
    work, heads = attention(DEVICE, MODEL.shard, channels), MODEL.shard
    plain = in_turn(DEVICE, MODEL, channels)
    written = in_turn(DEVICE, MODEL, channels, Beside(append_tokens=4))
    more = append_cycles(CHANNEL, heads, channels, 4)
    assert written == replace(plain, b=plain.b + more) and more > 0
    both = in_turn(DEVICE, MODEL, channels, Beside(chunks=chunks))
    taken = chunk_cycles(DEVICE, MODEL, chunks)
    assert both.b == overlap(taken, work.cycles, rates(DEVICE, work))
    assert plain.b < both.b < plain.b + taken
    assert both.a == qkv_cycles(DEVICE, MODEL, 4 + 72)
    assert both.e == rest_cycles(DEVICE, MODEL, 4 + 72)
    slow = replace(MODEL, heads=4, kv_heads=4)
    bulk = prompt_cycles(CHANNEL, slow.shard, 40)
    longer = in_turn(DEVICE, slow, channels, Beside(append_tokens=4, chunks=chunks))
    expected = overlap(max(taken, bulk), work.cycles, rates(DEVICE, work))
    assert longer.b == pytest.approx(more + expected)
    alone = replace(blocked(), channels=4)
    one = in_turn(alone, MODEL, channels, Beside(chunks=chunks))
    assert one.b == in_turn(alone, MODEL, channels).b + chunk_cycles(alone, MODEL, chunks)


def test_what_interleaved_batches_do_beside() -> None:
    first, second = ((100,), (200,), (), ()), ((60,), (), (), (30,))
    chunks = (Chunk(start=64, tokens=32, channel=2),)
    beside = Beside(append_tokens=2, chunks=chunks)
    found = interleaved(DEVICE, MODEL, first, second, beside)
    heads, prompts = MODEL.shard, chunk_cycles(DEVICE, MODEL, chunks)
    qkv = [float(qkv_cycles(DEVICE, MODEL, count)) for count in (34, 2)]
    rest = [float(rest_cycles(DEVICE, MODEL, count)) for count in (34, 2)]
    prompts = max(prompts, prompt_cycles(CHANNEL, heads, 32))

    def both(arrays: float, batch: Placement) -> float:
        work = attention(DEVICE, heads, batch)
        taken = append_cycles(CHANNEL, heads, batch, 2) + work.cycles
        return overlap(arrays, taken, rates(DEVICE, work))

    assert found.a == qkv[0] and found.f == rest[1]
    assert found.b == both(qkv[1] + prompts, first)
    assert found.c == both(rest[0] + qkv[0], second)
    assert found.d == both(rest[1] + qkv[1] + prompts, first)
    assert found.e == both(rest[0], second)


def test_prompts_of_a_pipeline_are_of_the_first_micro_batch() -> None:
    model = replace(MODEL, pipeline_parallel=2)
    beside = Beside(append_tokens=2, chunks=(Chunk(start=0, tokens=16),))
    found = decode(DEVICE, model, ((10, 20), (30,), (), ()), None, beside)
    assert [one.beside.rows for one in found.parts] == [16, 0]
    assert [one.beside.append_tokens for one in found.parts] == [2, 2]
    alone = decode(DEVICE, model, ((), (), (), ()), None, beside)
    assert [one.beside.rows for one in alone.parts] == [16] and alone.cycles > 0
    assert not decode(DEVICE, model, ((), (), (), ()), None, NOTHING).parts


def test_all_reduce_is_charged() -> None:
    requests = at_once(50, 60)
    slow, fast = (
        serve(replace(DEVICE, link_bytes_per_s=rate), MODEL, requests, NEVER).work.cycles
        for rate in (10**9, 0)
    )
    # Three iterations of two layers, two sums each: 2 x 512 values of two bytes, half sent twice.
    assert slow - fast == pytest.approx(3 * 2 * 2 * (2 * 512 * 2))


def test_work_is_that_of_its_iterations() -> None:
    channels = ((100, 60), (200,), (), (30,))
    found = decode(DEVICE, MODEL, channels, None)
    (part,) = found.parts
    work = done(DEVICE, MODEL, found)
    drawn = energy(DEVICE, MODEL, part.batches, part.stages, 2)
    assert work.cycles == found.cycles
    assert work.memory_pj == pytest.approx(drawn.total_pj)
    assert work.array_macs == 2 * 4 * sum(one.weights for one in MODEL.linears)
    assert work.bank_macs == 2 * 2 * 2 * 128 * 390
    assert work.channel_cycles == 2 * attention(DEVICE, MODEL.shard, channels).mean_cycles
    sum_of_two = work + work
    assert sum_of_two.cycles == 2 * work.cycles and sum_of_two.bank_macs == 2 * work.bank_macs


def test_energy_of_what_is_done_beside() -> None:
    channels = ((100, 60), (200,), (), (30,))
    plain = done(DEVICE, MODEL, decode(DEVICE, MODEL, channels, None))
    written = done(DEVICE, MODEL, decode(DEVICE, MODEL, channels, None, Beside(append_tokens=1)))
    # Of four requests in two layers: a row and 8 accesses of keys, 256 of values.
    act, wr = 828.0, 1068.0
    more = 2 * 4 * ((1 + 256) * act + (8 + 256) * wr)
    assert written.access_pj - plain.access_pj == pytest.approx(more)
    assert written.accesses - plain.accesses == 2 * 4 * (8 + 256)
    assert written.idle_pj > plain.idle_pj
    chunks = (Chunk(start=64, tokens=32),)
    riding = done(DEVICE, MODEL, decode(DEVICE, MODEL, channels, None, Beside(chunks=chunks)))
    weights = sum(one.weights for one in MODEL.linears)
    assert riding.array_macs - plain.array_macs == 2 * (32 * weights + 2 * 256 * 32 * 96)
    assert riding.bank_macs == plain.bank_macs and riding.access_pj > plain.access_pj
    only = done(DEVICE, MODEL, decode(DEVICE, MODEL, ((),), None, Beside(chunks=chunks)))
    assert only.array_macs == riding.array_macs - plain.array_macs
    assert only.bank_macs == only.dot_product_pj == 0 and only.access_pj > 0


def test_a_device_that_waits_is_closed_and_refreshed() -> None:
    found = waited(DEVICE, 3900.0)
    assert found.memory_pj == pytest.approx(
        4 * 2 * 1.2 * (250 - 55) * 260 + 4 * 2 * 2 * 3900 * 1.2 * 40
    )


def test_values_that_wait_take_room() -> None:
    assert waiting_tiles(DEVICE, MODEL, replace(NEVER, append_tokens=1)) == 0
    staged = replace(NEVER, append_tokens=40)
    assert waiting_tiles(DEVICE, MODEL, staged) == 2 * 1 * 2
    assert longest_served(DEVICE, MODEL, staged) < longest_served(DEVICE, MODEL, NEVER)
    wide = replace(NEVER, append_tokens=1000)
    taken = int(request_tiles(DEVICE, MODEL, 3)) + waiting_tiles(DEVICE, MODEL, wide)
    result = serve(replace(DEVICE, channels=1), MODEL, at_once(*[1] * 9), wide)
    assert result.iterations[0].firsts == free_tiles(replace(DEVICE, channels=1), MODEL) // taken
    assert result.iterations[0].firsts < 9


def test_percentiles() -> None:
    values = np.array([4.0, 1.0, 3.0, 2.0])
    assert [percentile(values, part) for part in (25, 50, 51, 99)] == [1, 2, 3, 4]
    assert percentile(np.array([]), 50) == 0


def test_what_cannot_be_served() -> None:
    most = longest_served(DEVICE, MODEL, NEVER)
    with pytest.raises(ValueError, match=f"at most {most} tokens, .* not {most + 1}"):
        serve(DEVICE, MODEL, [Request(length=most, output=2)], NEVER)
    with pytest.raises(ValueError, match="interleave must be never .* not adaptive"):
        serve(blocked(), MODEL, [Request(length=1)], ServingPolicy())
    with pytest.raises(ValueError, match="devices must be at least 11"):
        serve(
            published(),
            replace(llm("gpt3_175b"), tensor_parallel=8, pipeline_parallel=1),
            [Request(length=1)],
            NEVER,
        )


def test_nothing_to_serve() -> None:
    result = serve(DEVICE, MODEL, [], NEVER)
    assert result.answers == result.iterations == () and result.tokens == 0
    assert result.between_tokens.size == 0
