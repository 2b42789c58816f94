"""The device: layers on its arrays, attention on its channels, stages, baselines, energy."""

from dataclasses import replace

import numpy as np
import pytest

from archmodels.npu_pim import (
    adaptive,
    attention,
    currents,
    decode,
    energy,
    halves,
    in_turn,
    interleaved,
    limited_cycles,
    served,
    utilisation,
)
from archmodels.npu_pim.append import append_cycles, key_cycles, staged_tokens, value_cycles
from archmodels.npu_pim.baselines import (
    blocked_published,
    blocked_roofline,
    gpu,
    npu_only_corrected,
    npu_only_published,
    npu_only_roofline,
)
from archmodels.npu_pim.decode import dealt
from archmodels.npu_pim.energy import (
    Traffic,
    access_pj,
    attention_pj,
    command_energy,
    npu_only_energy,
    parse,
    rest_traffic,
)
from archmodels.npu_pim.npu import (
    START_CYCLES,
    drain_cycles,
    exposed_load_cycles,
    head_cycles,
    linear_bytes,
    linear_cycles,
    linear_tile,
    pass_cycles,
    softmax_cycles,
    stream_cycles,
    stream_share,
)
from archmodels.npu_pim.stages import (
    Rates,
    overlap,
    qkv_cycles,
    rates,
    reduction_cycles,
    rest_cycles,
)
from archmodels.npu_pim.tiles import instruction_count
from archmodels.technology.entries import TechnologyError
from designs.npu_pim import (
    ChannelLevers,
    Fidelity,
    Gpu,
    Levers,
    Linear,
    NpuPimDevice,
    PimChannel,
    Precharge,
    blocked,
    llm,
    published,
)
from designs.npu_pim.gemv import attend, logit
from designs.rules import RuleError

DEVICE, MODEL = published(), llm("gpt3_7b")
BATCH = tuple((300 + 7 * one, 90) if one % 3 else (200,) for one in range(32))


def test_a_pass_of_the_weights() -> None:
    assert pass_cycles(DEVICE, MODEL.qkv) == 32 * (128 + 16 * 23)
    assert pass_cycles(DEVICE, Linear(inputs=1, outputs=1)) == 128
    assert drain_cycles(DEVICE) == 2 * 128 - 2 + 16


def test_the_first_block_of_tokens_waits_for_weights() -> None:
    share = stream_share(DEVICE.channel.timing)
    assert share == 1 - 260 / 3900
    once, drain = pass_cycles(DEVICE, MODEL.qkv), drain_cycles(DEVICE)
    for tokens, others in ((1, 0), (128, 0), (129, 1), (256, 1), (512, 3)):
        moved = 2 * (4096 * 3072 + 4096 * tokens) / (1024 * share) + START_CYCLES
        expected = moved + others * once + drain
        assert linear_cycles(DEVICE, MODEL.qkv, tokens) == pytest.approx(expected)
    small = Linear(inputs=128, outputs=1)
    slow = replace(DEVICE, side=1024)
    assert linear_cycles(slow, small, 1) == pytest.approx(
        stream_cycles(slow, 2 * 256) + START_CYCLES + drain_cycles(slow)
    )
    compute = Linear(inputs=2**16, outputs=1)
    assert linear_cycles(DEVICE, compute, 1) == 512 * 128 + drain


def test_a_small_scratchpad_reads_again() -> None:
    layer, tokens = MODEL.up, 256
    once = (layer.weights + layer.inputs * tokens) * 2
    assert linear_bytes(DEVICE, layer, tokens) == once
    small = replace(DEVICE, spad_bytes=7 * 2**20)
    assert linear_tile(small, layer, tokens) == (1024, 256)
    assert linear_bytes(small, layer, tokens) == once + 3 * layer.inputs * tokens * 2
    tiny = replace(DEVICE, spad_bytes=2 * 2 * (64 * 64 + 64 * 32 + 64 * 32))
    wide = Linear(inputs=64, outputs=64)
    assert linear_tile(tiny, wide, 128) == (32, 64)
    assert linear_bytes(tiny, wide, 128) == 2 * (2 * 64 * 64 + 2 * 64 * 128)


def test_large_matrices_use_more_of_the_bandwidth() -> None:
    found = []
    for name in ("gpt3_7b", "gpt3_13b", "gpt3_30b", "gpt3_175b"):
        layer = llm(name).up
        cycles = linear_cycles(DEVICE, layer, 128) - drain_cycles(DEVICE)
        found.append(linear_bytes(DEVICE, layer, 128) / 1024 / cycles)
    assert found == sorted(found)
    assert 0.87 < found[0] < 0.9 and 0.91 < found[2] < stream_share(DEVICE.channel.timing)


def test_layers_run_on_arrays_of_tokens() -> None:
    tokens = np.array([1, 128, 129, 700], dtype=np.int64)
    whole = linear_cycles(DEVICE, MODEL.up, tokens)
    small = replace(DEVICE, spad_bytes=2**20)
    parts = linear_cycles(small, MODEL.up, tokens)
    for index, one in enumerate(tokens):
        assert np.asarray(whole)[index] == linear_cycles(DEVICE, MODEL.up, int(one))
        assert np.asarray(parts)[index] == linear_cycles(small, MODEL.up, int(one))


@pytest.mark.parametrize(("length", "cycles"), [(1, 5), (128, 5), (129, 12), (512, 22)])
def test_softmax(length: int, cycles: int) -> None:
    assert softmax_cycles(DEVICE, length) == cycles


def test_attention_is_as_slow_as_its_slowest_channel() -> None:
    work = attention(DEVICE, MODEL.shard, BATCH)
    for make, phase in ((logit, work.logit), (attend, work.attend)):
        ends = [
            served(
                DEVICE.channel,
                [one for length in own for one in make(DEVICE.channel, MODEL.shard, length)],
            ).end_cycle
            for own in BATCH
        ]
        assert phase.cycles == max(ends)
        assert phase.mean_cycles == pytest.approx(sum(ends) / 32)
    assert work.cycles == work.logit.cycles + work.attend.cycles
    assert 0.8 < work.bus_share < 0.84 and 0.9 < work.pace < 0.93


def test_heads_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RuleError, match="head_dim must divide the 512 values of a row, not 96"):
        attention(DEVICE, replace(MODEL.shard, head_dim=96), BATCH)


def test_slots_of_the_slowest_channel() -> None:
    """Each vector one; a tile of keys 45, one of values 42."""
    work = attention(DEVICE, MODEL.shard, ((320,), (64,)))
    assert work.logit.slots == 2 * (1 + 10 * 45) and work.logit.tiles == 20
    assert work.attend.slots == 8 * (1 + 4 * 42) and work.attend.tiles == 32
    assert work.attend.bare_cycles == 32 * 143


def test_one_head_on_the_npu_alone() -> None:
    """Of 200 tokens: two tiles of weights, two blocks, three fetches of 44 cycles, a softmax."""
    arrays = (128 + 16) + 2 * 128 + 2 * drain_cycles(DEVICE)
    moved = stream_cycles(DEVICE, 2 * 2 * 128 * 200)
    found = head_cycles(DEVICE, 200, 128)
    assert found == pytest.approx(arrays + moved + 3 * 44 + softmax_cycles(DEVICE, 200))


def test_an_empty_batch_takes_no_time() -> None:
    work = attention(DEVICE, MODEL.shard, ((),) * 32)
    assert work.cycles == 0 and work.bus_share == 1 and work.pace == 1


def test_one_instruction_a_cycle_for_all_channels() -> None:
    machine = blocked()
    free = attention(machine, MODEL.shard, BATCH).cycles
    held = limited_cycles(machine, MODEL.shard, BATCH)
    count = sum(
        instruction_count(machine.channel, one)
        for own in BATCH
        for length in own
        for make in (logit, attend)
        for one in make(machine.channel, MODEL.shard, length)
    )
    assert max(free, count) <= held <= free + count
    alone = ((500,), *[()] * 31)
    assert (
        limited_cycles(machine, MODEL.shard, alone) == attention(machine, MODEL.shard, alone).cycles
    )


@pytest.mark.parametrize(
    ("arrays", "channels", "expected"),
    [
        (100.0, 50.0, 100.0),
        (50.0, 100.0, 100.0),
        (0.0, 70.0, 70.0),
        (70.0, 0.0, 70.0),
    ],
)
def test_overlap_without_interference(arrays: float, channels: float, expected: float) -> None:
    assert overlap(arrays, channels, Rates(arrays=1, channels=1)) == expected


def test_overlap_slows_both_while_both_go_on() -> None:
    speed = Rates(arrays=0.8, channels=0.5)
    assert overlap(40, 100, speed) == 50 + (100 - 25)
    assert overlap(200, 50, speed) == 100 + (200 - 80)
    assert overlap(80, 50, speed) == 100


def test_rates_follow_from_slots_and_from_the_window() -> None:
    found = rates(DEVICE, attention(DEVICE, MODEL.shard, BATCH))
    work = attention(DEVICE, MODEL.shard, BATCH)
    slots = work.logit.slots + work.attend.slots
    assert found.arrays == 1 - slots / work.cycles
    bare = work.logit.tiles * 197 + work.attend.tiles * 143
    tiles = work.logit.tiles + work.attend.tiles
    assert found.channels == pytest.approx(bare / (bare + 15 * tiles))


def test_stages_in_turn_and_interleaved() -> None:
    tokens = sum(map(len, BATCH))
    found = in_turn(DEVICE, MODEL, BATCH)
    assert not found.is_interleaved
    assert found.layer_cycles == found.a + found.b + found.e
    assert found.a == qkv_cycles(DEVICE, MODEL, tokens)
    assert found.iteration_cycles(32) == 32 * found.layer_cycles
    first, second = halves(BATCH)
    mixed = interleaved(DEVICE, MODEL, first, second)
    assert mixed.layer_cycles == mixed.c + mixed.d
    whole = mixed.a + mixed.b + mixed.e + mixed.f
    assert mixed.iteration_cycles(32) == whole + 31 * mixed.layer_cycles
    uneven = interleaved(DEVICE, MODEL, ((40,),), ((1500,) * 4,))
    slow = attention(DEVICE, MODEL.shard, ((1500,) * 4,)).cycles
    one = float(rest_cycles(DEVICE, MODEL, 1) + qkv_cycles(DEVICE, MODEL, 1))
    speed = rates(DEVICE, attention(DEVICE, MODEL.shard, ((1500,) * 4,)))
    assert uneven.c == overlap(one, slow, speed)
    counts = [sum(map(len, one)) for one in (first, second)]
    alone = qkv_cycles(DEVICE, MODEL, counts[0]) + rest_cycles(DEVICE, MODEL, counts[0])
    assert mixed.c >= max(alone, attention(DEVICE, MODEL.shard, second).cycles)


def test_interleaving_pays_for_large_batches_alone() -> None:
    for count, helps in ((1, False), (2, False), (4, False), (8, True), (16, True)):
        batch = ((300,) * count,) * 32
        turned = decode(DEVICE, MODEL, batch, None)
        mixed = decode(DEVICE, MODEL, batch, halves)
        assert (mixed.tokens_per_s > turned.tokens_per_s) == helps
        best = adaptive(DEVICE, MODEL, batch, halves)
        assert best.cycles == min(turned.cycles, mixed.cycles)


def test_sums_over_devices_are_charged_where_there_are_links() -> None:
    linked = replace(DEVICE, link_bytes_per_s=100 * 10**9)
    assert reduction_cycles(DEVICE, MODEL, 256) == 0
    sent = 2 * 3 / 4 * 256 * 4096 * 2
    assert reduction_cycles(linked, MODEL, 256) == pytest.approx(sent / 100)
    extra = rest_cycles(linked, MODEL, 256) - rest_cycles(DEVICE, MODEL, 256)
    assert extra == pytest.approx(2 * sent / 100)
    assert reduction_cycles(linked, replace(MODEL, tensor_parallel=1), 256) == 0


def test_a_pipeline_decodes_micro_batches() -> None:
    parts = dealt(((1, 2, 3), (4, 5), (6,)), 2)
    assert [sum(map(len, part)) for part in parts] == [3, 3]
    assert sorted(one for part in parts for own in part for one in own) == [1, 2, 3, 4, 5, 6]
    deep = replace(MODEL, pipeline_parallel=2)
    found = decode(DEVICE, deep, BATCH, None)
    assert len(found.micro_batches) == 2
    cycles = sum(16 * in_turn(DEVICE, deep, part).layer_cycles for part in dealt(BATCH, 2))
    assert found.cycles == cycles and found.requests == sum(map(len, BATCH))
    assert found.tokens_per_s == pytest.approx(found.requests * 1e9 / cycles)


def test_use_of_arrays_and_channels() -> None:
    parts = halves(BATCH)
    turned, mixed = in_turn(DEVICE, MODEL, BATCH), interleaved(DEVICE, MODEL, *parts)
    apart = utilisation(DEVICE, MODEL, [BATCH], turned)
    both = utilisation(DEVICE, MODEL, parts, mixed)
    for one in (apart, both):
        assert 0 < one.array_macs < one.array_busy < 1
        assert 0 < one.channel_macs < one.channel_busy < 1
    macs = 12 * 4096**2 / 4 * sum(map(len, BATCH))
    assert apart.array_macs == pytest.approx(macs / (131_072 * turned.layer_cycles))
    tokens = sum(map(sum, BATCH))
    dots = 2 * 1024 * tokens / (32 * 32 * 16 / 2 * turned.layer_cycles)
    assert apart.channel_macs == pytest.approx(dots)


def test_baselines_are_in_order() -> None:
    found = [
        one(DEVICE, MODEL, BATCH).layer_cycles
        for one in (npu_only_roofline, npu_only_corrected, npu_only_published)
    ]
    assert found == sorted(found) and found[2] > 3 * found[1]
    held, free = blocked_published(blocked(), MODEL, BATCH), in_turn(blocked(), MODEL, BATCH)
    assert held.b > free.b and (held.a, held.e) == (free.a, free.e)
    slow = replace(DEVICE, vector_units=1, vector_lanes=2)
    lanes = 8 * sum(softmax_cycles(slow, length) for own in BATCH for length in own)
    assert npu_only_corrected(slow, MODEL, BATCH).b == lanes + drain_cycles(slow)
    roof = npu_only_roofline(DEVICE, MODEL, BATCH)
    assert roof.b == 2 * 1024 * sum(map(sum, BATCH)) * 2 / 1024
    assert exposed_load_cycles(DEVICE, MODEL.qkv, 128) == 0
    assert exposed_load_cycles(DEVICE, MODEL.qkv, 129) == 32 * 128


def test_a_gpu_is_bound_by_bandwidth_or_by_multipliers() -> None:
    one = Gpu(compute_share=1, stream_share=1, attention_share=1)
    few = gpu(one, MODEL, ((10,),), 2)
    weights = sum(layer.weights for layer in MODEL.linears)
    assert few.linear_s == pytest.approx(2 * weights / 1555e9, rel=0.01)
    assert few.attention_s == pytest.approx(2 * 1024 * 10 * 2 / 1555e9)
    many = gpu(one, MODEL, ((10,) * 4096,), 2)
    assert many.linear_s == pytest.approx(2 * weights * 4096 / 312e12)
    with pytest.raises(ValueError, match="stream_share must be between 0.01 and 1, not 2"):
        Gpu(stream_share=2)


def test_energy_of_commands() -> None:
    """Worked from the currents: 1.2 V, and mA x V x ns is pJ."""
    one = command_energy(DEVICE.channel, currents(), 1.0)
    assert one.act_pj == pytest.approx(1.2 * (65 * 48 - 55 * 34 - 40 * 14))
    assert (one.rd_pj, one.wr_pj) == pytest.approx((804, 1068))
    assert one.ref_pj == pytest.approx(60_840) and one.g_act_pj == pytest.approx(3312)
    assert (one.comp_pj, one.readres_pj) == pytest.approx((3216, 804))
    assert one.gwrite_pj == pytest.approx(16 * 804)
    assert (one.open_pj, one.closed_pj) == pytest.approx((66, 48))
    tile = 8 * one.g_act_pj + 32 * one.comp_pj + 4 * one.readres_pj
    assert tile == pytest.approx(132_624)


def test_energy_of_a_layer_adds_up() -> None:
    turned = in_turn(DEVICE, MODEL, BATCH)
    found = energy(DEVICE, MODEL, [BATCH], turned, 1)
    parts = (found.access_pj, found.dot_product_pj, found.refresh_pj, found.idle_pj)
    assert found.total_pj == sum(parts) and min(parts) > 0
    refreshes = 32 * turned.layer_cycles / 1950
    assert found.refresh_pj == pytest.approx(refreshes * 60_840)
    twice = energy(DEVICE, MODEL, [BATCH], turned, 2)
    assert twice.total_pj == pytest.approx(2 * found.total_pj)
    work = attention(DEVICE, MODEL.shard, BATCH)
    open_cycles = turned.a + turned.e + work.mean_cycles
    idle = 64 * (open_cycles * 66 + (2 * turned.layer_cycles - open_cycles) * 48)
    assert found.idle_pj == pytest.approx(idle)
    sub = halves(BATCH)
    mixed = energy(DEVICE, MODEL, sub, interleaved(DEVICE, MODEL, *sub), 1)
    assert mixed.access_pj > found.access_pj
    assert mixed.dot_product_pj == pytest.approx(found.dot_product_pj)
    least, most = 2 * 64 * 48 * turned.layer_cycles, 2 * 64 * 66 * turned.layer_cycles
    assert least < found.idle_pj < most
    single = replace(DEVICE, channel=blocked().channel)
    assert energy(single, MODEL, [BATCH], turned, 1).idle_pj < most / 2


def test_energy_of_one_request() -> None:
    """Of 64 tokens: two vectors of four tiles of keys, eight of 32 tiles of values, weights."""
    keys = 2 * (16 * 804 + 2 * (8 * 3312 + 32 * 3216 + 4 * 804))
    values = 8 * (16 * 804 + 4 * (8 * 3312 + 4 * 3216 + 804))
    written = 8 * 2 * 1068
    found = attention_pj(DEVICE, MODEL, ((64,),), currents())
    assert found == pytest.approx(keys + values + written)
    assert access_pj(DEVICE, Traffic(read=4096, written=1024), currents()) == pytest.approx(
        64 * 804 + 16 * 1068 + 5 * 828
    )


def test_energy_with_levers_is_that_of_the_tiles_they_open() -> None:
    """Four heads in a row of values: two vectors for all, each with four tiles of four results.

    Two heads of queries beside each other, of four with the same keys: half as many tiles.
    """
    keys = 2 * (16 * 804 + 2 * (8 * 3312 + 32 * 3216 + 4 * 804))
    values = 2 * (16 * 804 + 4 * (8 * 3312 + 16 * 3216 + 4 * 804))
    packed = replace(DEVICE, levers=Levers(value_heads=4))
    assert attention_pj(packed, MODEL, ((64,),), currents()) == pytest.approx(
        keys + values + 8 * 2 * 1068
    )
    grouped, lengths = llm("llama3_8b"), ((64, 500),)
    ready = NpuPimDevice(channel=PimChannel(precharge=Precharge.CHANNEL))
    shared = replace(ready, levers=Levers(channel=ChannelLevers(vectors=2)))
    tiles = sum(
        one.tiles
        for length in lengths[0]
        for make in (logit, attend)
        for one in make(ready.channel, grouped.shard, length)
    )
    assert grouped.shard.group == 4
    saved = attention_pj(ready, grouped, lengths, currents()) - attention_pj(
        shared, grouped, lengths, currents()
    )
    assert saved == pytest.approx(tiles / 2 * 8 * 3312)


def test_energy_of_the_npu_alone() -> None:
    machine = blocked()
    stages = npu_only_published(machine, MODEL, BATCH)
    found = npu_only_energy(machine, MODEL, BATCH, stages, 1)
    turned = energy(machine, MODEL, [BATCH], stages, 1)
    cached = 2 * 1024 * sum(map(sum, BATCH)) * 2
    extra = cached // 64 * 804 + cached // 1024 * 828
    assert found.access_pj - turned.access_pj == pytest.approx(extra, rel=1e-6)
    assert found.dot_product_pj == 0 and found.refresh_pj == turned.refresh_pj
    assert 64 * 48 * stages.layer_cycles < found.idle_pj < 64 * 66 * stages.layer_cycles


def test_a_file_of_currents_is_checked() -> None:
    with pytest.raises(TechnologyError, match="hbm2_pim.yaml: currents is missing"):
        parse("sources: {a: b}\ncommands: {}\n")


def test_what_corrections_cost() -> None:
    """One request of 512 tokens on the authors' simulator, patched: 3 % of logits, 33 % of sums."""
    for make, measured in ((logit, 1.03), (attend, 9680 / 7305)):
        cycles = []
        for channel in (DEVICE.channel, PimChannel(fidelity=Fidelity.CORRECTED)):
            work = make(channel, MODEL.shard, 512)
            ends = [served(channel, work, first).end_cycle for first in range(150, 1950, 50)]
            cycles.append(sum(ends))
        assert cycles[1] / cycles[0] == pytest.approx(measured, abs=0.05)


def test_a_new_token_costs_a_row_for_each_dimension_of_its_value() -> None:
    """1024 rows of 7B on four devices, eight in a window of 30 cycles: 3,840 cycles."""
    assert value_cycles(DEVICE.channel, MODEL.shard, 1) == 3840
    assert staged_tokens(DEVICE.channel) == 32
    assert value_cycles(DEVICE.channel, MODEL.shard, 32) == 120
    key = 2 * (14 + 16 * 2 + 4 + 16 + 14)
    assert key_cycles(DEVICE.channel, MODEL.shard) == key
    uneven = ((1, 2, 3), (4,), ())
    assert append_cycles(DEVICE.channel, MODEL.shard, uneven, 1) == 3 * (key + 3840)
    assert append_cycles(DEVICE.channel, MODEL.shard, (), 1) == 0


def test_a_gate_is_read_and_not_written() -> None:
    gated = llm("llama2_7b")
    plain = replace(gated, gated=False)
    tokens, inner = 200, 11008 // 4
    extra = linear_cycles(DEVICE, gated.up, tokens) - linear_cycles(DEVICE, plain.up, tokens)
    cycles = rest_cycles(DEVICE, gated, tokens) - rest_cycles(DEVICE, plain, tokens)
    assert cycles - extra == pytest.approx(2 * tokens * inner / 1024)
    more, less = (rest_traffic(DEVICE, one, tokens) for one in (gated, plain))
    assert more.read - less.read == 2 * inner * (4096 + tokens)
    assert more.written - less.written == 2 * inner * tokens


def test_a_blocked_machine_is_not_faster_than_its_roofline() -> None:
    """Banks bring 16 times what the bus does, 32 of 32 bytes every other cycle."""
    machine = blocked()
    roof, real = blocked_roofline(machine, MODEL, BATCH), in_turn(machine, MODEL, BATCH)
    assert roof.b < real.b and roof.a <= real.a and roof.e <= real.e
    alone = npu_only_roofline(machine, MODEL, BATCH)
    assert (roof.a, roof.e) == (alone.a, alone.e) and alone.b == pytest.approx(16 * roof.b)
