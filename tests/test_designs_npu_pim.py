"""Timing, channel, heads, models and device: what they may be, and what follows from it."""

from dataclasses import replace

import pytest

from designs.grid import Grid
from designs.npu_pim import (
    DramTiming,
    Element,
    Fidelity,
    Heads,
    Llm,
    NpuPimDevice,
    PimChannel,
    Precharge,
    Product,
    RowBuffers,
    blocked,
    corrected,
    llm,
    llms,
    published,
)
from designs.npu_pim.gemv import (
    HeadsFit,
    attend,
    attend_tiles,
    cache_tiles,
    header_cycles,
    logit,
    logit_tiles,
    vector_cycles,
)
from designs.rules import RuleError, check_rules

CHANNEL = PimChannel()
SHARD = Heads(heads=8, kv_heads=8, head_dim=128)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rc_cycles": 47}, r"rc_cycles must be .* ras_cycles \+ rp_cycles = 34 \+ 14, not 47"),
        ({"ras_cycles": 13}, "ras_cycles must be at least rcd_rd_cycles = 14, .*, not 13"),
        ({"ras_cycles": 16, "rcd_wr_cycles": 17}, "ras_cycles must be at least rcd_wr_cycles = 17"),
        ({"rrd_l_cycles": 3}, "rrd_l_cycles must be at least rrd_s_cycles = 4, not 3"),
        ({"ccd_s_cycles": 3}, "ccd_l_cycles must be at least ccd_s_cycles = 3, not 2"),
        ({"wtr_s_cycles": 9}, "wtr_l_cycles must be at least wtr_s_cycles = 9, not 8"),
        ({"faw_cycles": 3}, "faw_cycles must be at least rrd_s_cycles = 4, not 3"),
        ({"wl_cycles": 15}, "rl_cycles must be at least wl_cycles = 15, not 14"),
        ({"refi_cycles": 308}, r"refi_cycles must be more than rfc_cycles \+ rc_cycles = 260"),
        ({"rcd_rd_cycles": 1}, "rcd_rd_cycles must be between 2 and 65536, not 1"),
        ({"rp_cycles": 0}, "rp_cycles must be between 1 and 65536, not 0"),
    ],
)
def test_a_timing_contradicts_itself(change: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        DramTiming(**change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lanes": 24}, r"row_bytes must be a multiple of lanes \* element_bytes = 48, not 1024"),
        ({"access_bytes": 96}, "row_bytes must be a multiple of access_bytes = 96, not 1024"),
        (
            {"element": Element.INT8},
            r"access_bytes must be at least 32 banks \* 4 bytes of a result, .*, not 64",
        ),
        (
            {"lanes": 512},
            r"row_bytes must be more than lanes \* element_bytes = 1024",
        ),
        ({"access_bytes": 1024}, "row_bytes must be more than access_bytes = 1024, .*, not 1024"),
        (
            {"ranks": 1, "bank_groups": 1, "banks_per_group": 1},
            "banks_per_group must be more than 1 where .*, not 1",
        ),
        (
            {"timing": DramTiming(rl_cycles=5)},
            r"timing.rl_cycles \+ burst_cycles must be at least 8, for sums of 16 lanes .*, not 7",
        ),
        ({"access_bytes": 32}, r"access_bytes must be at least 32 banks \* 2 bytes .*, not 32"),
        (
            {"row_buffers": RowBuffers.SINGLE, "precharge": Precharge.CHANNEL},
            "precharge must be bank where row_buffers is single, .*, not channel",
        ),
        (
            {"timing": DramTiming(refi_cycles=600)},
            r"timing.refi_cycles / 2 must be more than .* a tile's 390, .* not 300",
        ),
    ],
)
def test_a_channel_contradicts_itself(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(RuleError, match=sentence):
        PimChannel(**change)  # type: ignore[arg-type]


def test_the_published_channel_and_device() -> None:
    channel, device = CHANNEL, published()
    assert (channel.banks, channel.groups, channel.banks_per_rank) == (32, 8, 16)
    assert (channel.row_elements, channel.row_steps, channel.step_bytes) == (512, 32, 32)
    assert channel.capacity_bytes == 2**30 and channel.tile_bytes == 2**15
    assert (channel.refresh_cycles, channel.gwrite_cycles) == (1950, 96)
    assert device.peak_bytes_per_cycle == 1024 and device.capacity_bytes == 2**35
    assert device.peak_macs == 131_072 and channel.macs_per_step == 512
    assert device.channel.fidelity == Fidelity.AS_PUBLISHED
    assert corrected(device) == NpuPimDevice() and corrected(blocked()) == blocked()
    assert blocked().channel.fidelity == Fidelity.AS_PUBLISHED
    assert blocked().channel.row_buffers == RowBuffers.SINGLE
    assert blocked().channel.composite is False


def test_an_element_says_what_values_and_results_are() -> None:
    halves = [replace(CHANNEL, element=one) for one in (Element.FP16, Element.BF16)]
    assert [(one.element_bytes, one.result_bytes, one.accesses) for one in halves] == [
        (2, 2, 16)
    ] * 2
    bytes_ = replace(CHANNEL, element=Element.INT8, access_bytes=128, lanes=32)
    assert (bytes_.element_bytes, bytes_.result_bytes, bytes_.accesses) == (1, 4, 8)
    assert (bytes_.row_elements, bytes_.row_steps) == (1024, 32)


def test_properties_are_the_same_on_a_grid() -> None:
    points = [
        replace(CHANNEL, element=element, lanes=lanes, access_bytes=128, bank_groups=groups)
        for element in Element
        for lanes in (4, 16)
        for groups in (2, 4)
    ]
    columns = {
        name: [getattr(one, name) for one in points]
        for name in ("element", "lanes", "access_bytes", "bank_groups")
    }
    grid = Grid(PimChannel, columns, len(points))
    assert grid.valid().all()
    names = ("element_bytes", "result_bytes", "accesses", "row_steps", "longest_tile_cycles")
    for name in names:
        assert getattr(grid, name).tolist() == [getattr(one, name) for one in points]


@pytest.mark.parametrize("lanes", [4, 16, 256])
@pytest.mark.parametrize("groups", [1, 4])
def test_the_longest_tile_is_one_of_single_steps_behind_all_rows(lanes: int, groups: int) -> None:
    channel = replace(CHANNEL, lanes=lanes, bank_groups=groups)
    longest = Product(steps=1, results=channel.row_steps, tiles=1)
    assert channel.longest_tile_cycles == header_cycles(channel, channel.banks, longest)


def test_products_of_7b_on_four_devices() -> None:
    keys = logit(CHANNEL, SHARD, 512)
    assert keys == (Product(steps=8, results=4, tiles=16),) * 2
    values = attend(CHANNEL, SHARD, 512)
    assert values == (Product(steps=32, results=1, tiles=4),) * 8
    assert sum(one.results * one.tiles for one in (*keys, *values)) == 160
    assert sum(one.tiles for one in (*keys, *values)) == 64
    assert len(keys) + len(values) == 10


def test_the_last_row_of_keys_and_the_last_chunk_of_values() -> None:
    odd = Heads(heads=14, kv_heads=14, head_dim=128)
    assert [one.results for one in logit(CHANNEL, odd, 33)] == [4, 4, 4, 2]
    assert {one.tiles for one in logit(CHANNEL, odd, 33)} == {2}
    assert [one.steps for one in attend(CHANNEL, odd, 700)[:2]] == [32, 12]
    assert len(attend(CHANNEL, odd, 700)) == 28


def test_each_head_of_a_group_opens_the_keys_again() -> None:
    shared = Heads(heads=8, kv_heads=2, head_dim=128)
    assert shared.group == 4 and shared.kv_width == 256
    assert logit(CHANNEL, shared, 64) == (Product(steps=8, results=2, tiles=2),) * 4
    assert len(attend(CHANNEL, shared, 64)) == 8
    assert cache_tiles(CHANNEL, shared, 64) == 2 + 2 * 4


@pytest.mark.parametrize("heads", [SHARD, Heads(heads=14, kv_heads=7, head_dim=64)])
@pytest.mark.parametrize("length", [1, 31, 32, 33, 300, 512, 513, 1024])
def test_tiles_are_those_of_the_products(heads: Heads, length: int) -> None:
    for products, count in ((logit, logit_tiles), (attend, attend_tiles)):
        found = sum(one.tiles for one in products(CHANNEL, heads, length))
        assert found == count(CHANNEL, heads, length)


def test_what_the_controller_reserves() -> None:
    assert header_cycles(CHANNEL, 32, Product(steps=8, results=4, tiles=1)) == 334
    assert header_cycles(CHANNEL, 32, Product(steps=32, results=1, tiles=1)) == 328
    assert header_cycles(CHANNEL, 0, Product(steps=2, results=1, tiles=1)) == 90 + 14 + 12
    assert vector_cycles(CHANNEL) == 14 + 14 + 96


def test_heads_fit_in_rows() -> None:
    check_rules(HeadsFit.RULES, HeadsFit(channel=CHANNEL, heads=SHARD))
    with pytest.raises(RuleError, match="head_dim must divide the 512 values of a row, not 96"):
        heads = replace(SHARD, head_dim=96)
        check_rules(HeadsFit.RULES, HeadsFit(channel=CHANNEL, heads=heads))
    with pytest.raises(RuleError, match="kv_heads must divide heads = 8, not 3"):
        Heads(heads=8, kv_heads=3, head_dim=128)


def test_models_that_ship() -> None:
    assert [*llms()] == [
        "gpt3_7b", "gpt3_13b", "gpt3_30b", "gpt3_175b",
        "llama2_7b", "llama2_13b", "llama2_70b", "llama3_8b", "llama3_70b",
    ]  # fmt: skip
    for name, model in llms().items():
        assert model.head_dim == 128, name
        check_rules(HeadsFit.RULES, HeadsFit(channel=CHANNEL, heads=model.shard))
    small = llm("gpt3_7b")
    assert small.shard == SHARD and small.devices == 4
    shapes = [(one.inputs, one.outputs) for one in small.linears]
    assert shapes == [(4096, 3072), (1024, 4096), (4096, 4096), (4096, 4096)]
    assert small.device_weights * small.devices == 32 * 12 * 4096**2
    wide = llm("llama3_70b")
    assert wide.shard == Heads(heads=8, kv_heads=1, head_dim=128)
    assert wide.up.outputs == 2 * 28672 // 8 and wide.down.inputs == 28672 // 8
    with pytest.raises(ValueError, match=r"model must be one of gpt3_7b, .*did you mean gpt3_7b"):
        llm("gpt3_7")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"heads": 3}, "heads must divide hidden = 64, not 3"),
        ({"kv_heads": 3}, "kv_heads must divide heads = 8, not 3"),
        ({"tensor_parallel": 3}, "tensor_parallel must divide heads = 8, not 3"),
        (
            {"heads": 12, "hidden": 96, "kv_heads": 6, "tensor_parallel": 4},
            "tensor_parallel must divide kv_heads = 6 or be a multiple of it, not 4",
        ),
        ({"pipeline_parallel": 3}, "pipeline_parallel must be at most layers = 2, not 3"),
    ],
)
def test_models_contradict_themselves(change: dict[str, int], sentence: str) -> None:
    small = {"layers": 2, "hidden": 64, "heads": 8, "kv_heads": 8, "inner": 256}
    with pytest.raises(RuleError, match=sentence):
        Llm(**(small | change))


def test_heads_of_keys_are_kept_twice_where_there_are_too_few() -> None:
    model = Llm(layers=3, hidden=64, heads=8, kv_heads=2, inner=256, tensor_parallel=4)
    assert model.shard == Heads(heads=2, kv_heads=1, head_dim=8)
    assert replace(model, pipeline_parallel=2).stage_layers == 2


@pytest.mark.parametrize(
    ("field", "value", "low"), [("vector_lanes", 1, 2), ("spad_bytes", 31, 32)]
)
def test_a_device_has_room_for_a_part_of_anything(field: str, value: int, low: int) -> None:
    """A lane alone reduces nothing, and no part of a layer fits in less."""
    with pytest.raises(ValueError, match=f"{field} must be between {low} and .*, not {value}"):
        replace(published(), **{field: value})
