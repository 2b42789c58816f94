"""Devices and layers of GPTs: rules, sizes that follow, and where everything lies."""

from dataclasses import replace

import pytest
from npu_pim_device_grid import POINTS, device, layer

from designs.npu_pim import (
    Element,
    Fidelity,
    GptLayer,
    GptLayerFit,
    NpuPimParams,
    PimAttention,
    Sharing,
    Site,
    Slack,
)
from designs.npu_pim.instructions import units
from designs.npu_pim.panels import panel_columns, panel_count
from designs.npu_pim.places import Places, places
from designs.rules import RuleError, check_rules
from designs.systolic import Dataflow

TOY = device()


def changed(part, **changes):
    return {part: replace(getattr(TOY, part), **changes)}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            changed("channel", element=Element.FP16, lanes=4),
            "channel.element must be int8, not of 2 bytes",
        ),
        (
            changed("channel", fidelity=Fidelity.AS_PUBLISHED),
            "channel.fidelity must be corrected where .*",
        ),
        (changed("channel", slack=Slack.EXACT), "channel.slack must be published or postponed .*"),
        ({"max_value_heads": 2}, "max_value_heads must be 1 where .* no strides, .*, not 2"),
        (changed("channel", mask=False), "channel.mask must be true, for .*, not false"),
        (
            changed("array", dataflow=Dataflow.OS, acc_rows=1024),
            "array.dataflow must be ws, for weights stay, not os",
        ),
        (changed("array", a_bits=7), "array.a_bits must be 8, of a code, not 7"),
        (changed("array", w_bits=7), "array.w_bits must be 8, of a code, not 7"),
        (changed("array", a_signed=False), "array.a_signed must be true, for codes are, not false"),
        (changed("array", w_signed=False), "array.w_signed must be true, for codes are, not false"),
        (changed("array", max_k=2**17), "array must have sums of at most 32 bits, .*, not 33"),
        (changed("array", max_k=31), "array.max_k must be at least the 32 of .*, not 31"),
        ({"channels": 3}, "channels must be a power of two, for accesses .* go over all, not 3"),
        (
            changed("channel", access_bytes=48, row_bytes=96),
            "channel.access_bytes must be a power of two, for its bytes count, not 48",
        ),
        (
            changed("channel", row_bytes=96) | changed("array", rows=64),
            "array.rows must divide channel.row_bytes = 96, not 64",
        ),
        (
            changed("channel", lanes=6, row_bytes=96),
            "channel.lanes must be a power of two, for a head fills lanes of all units, not 6",
        ),
        (changed("array", rows=6), "array.rows must be a power of two, for .*, not 6"),
        ({"vector_lanes": 3}, "vector_lanes must be a power of two, for words have parts, not 3"),
        (changed("array", cols=3), "array.cols must divide channel.access_bytes = 32, not 3"),
        (
            {"vector_lanes": 8},
            "vector_lanes must divide rows and cols of array, the 8 banks .*, not 8",
        ),
        ({"max_hidden": 7}, "max_hidden must be at least the 8 of rows and cols .*, not 7"),
        ({"max_head_dim": 7}, "max_head_dim must be at least the 8 of rows and cols .*, not 7"),
        ({"max_requests": 1}, "max_requests must be at least channels = 2, and at most .*, not 1"),
        ({"max_requests": 5}, "max_requests must be .* at most array.acc_rows = 4, .*, not 5"),
        ({"attention": Site.ARRAY, "max_heads": 5}, "max_requests must be .* as max_heads .*"),
        ({"panel_bytes": 96}, r"panel_bytes must be a multiple of .* = 2 \* 32, not 96"),
        (
            {"attention": Site.ARRAY},
            "panel_bytes must be at least 512, for the narrowest heads, not 256",
        ),
        (
            changed("channel", tag_bits=4),
            "channel.tag_bits must be 3, for the tag of a read is its word of the 8 .*, not 4",
        ),
        (
            {"panel_slots": 5},
            "channel.tag_bits must be 5, for the tag of a read is its word of the 20 .*, not 3",
        ),
    ],
)
def test_rules(changes, sentence):
    with pytest.raises(RuleError, match=f"^{sentence}$"):
        replace(TOY, **changes)


def fits(params: NpuPimParams, workload: GptLayer) -> None:
    check_rules(GptLayerFit.RULES, GptLayerFit(params=params, workload=workload))


@pytest.mark.parametrize(
    ("params", "sizes", "sentence"),
    [
        ({}, {"head_dim": 24, "heads": 1, "kv_heads": 1}, "head_dim must divide the 64 .* 24"),
        (
            {"max_hidden": 32},
            {"heads": 4},
            "heads must be at most max_heads = 2, not 4",
        ),
        ({}, {"head_dim": 16, "heads": 1, "kv_heads": 1}, ".* at most max_head_dim = 8, not 16"),
        (
            {"max_heads": 4},
            {"heads": 4},
            "head_dim must be fewer, for hidden must be at most max_hidden = 16, not 32",
        ),
        (
            {"max_heads": 4, "max_hidden": 32},
            {"heads": 4, "kv_heads": 4},
            "kv_heads must be fewer, for kv_width must be at most max_kv_width = 16, not 32",
        ),
        ({}, {"value_heads": 2}, "value_heads must be at most max_value_heads = 1, not 2"),
        (
            {"channel": {"strides": True, "access_bytes": 64, "row_bytes": 192}}
            | {"max_value_heads": 2},
            {"value_heads": 2},
            "value_heads must leave each head .* 192 bytes of a row, not 2",
        ),
        ({}, {"ffn": 36}, "ffn must be at most max_inner = 32, not 36"),
        ({}, {"keys": 41}, "keys must be at most max_keys = 40, not 41"),
        (
            {"side": 16, "max_heads": 2, "max_head_dim": 16},
            {},
            "head_dim must be a multiple of the 16 of rows and cols .*, not 8",
        ),
        ({"side": 8}, {"ffn": 28}, "ffn must be a multiple of rows and cols of array, 8 .* 28"),
        ({}, {"requests": 3}, r"requests must be at least channels \* halves = 2 \* 2, not 3"),
        (
            {},
            {"requests": 9, "ragged": False},
            "requests must be fewer, for a half can have at most max_requests = 4, not 5",
        ),
        (
            {"panel_bytes": 64},
            {},
            "ffn and hidden must be at most the 64 of panel_bytes over 4 columns, not 32 and 16",
        ),
        (
            {"attention": Site.ARRAY, "panel_bytes": 1024},
            {"keys": 17},
            "keys must be fewer, or panel_bytes more, .* can take at most 16 accesses, not 17",
        ),
        (
            {"channel": {"rows": 16}},
            {},
            "keys must be fewer, or requests: weights, .* .* 16 rows of a bank, not 29",
        ),
    ],
)
def test_fit(params, sizes, sentence):
    with pytest.raises(RuleError, match=f"^{sentence}$"):
        fits(device(**params), layer(**sizes))


def test_units_can_count_their_instructions():
    many = device(max_requests=128, max_heads=8, max_hidden=64, channel={"rows": 2**16})
    many = replace(many, halves=1)
    sizes = {"requests": 128, "heads": 8, "keys": 1, "ragged": False}
    fits(many, layer(**sizes, layers=1))
    sentence = "requests must be fewer, or layers: units count up to 65535 .*, not 98368"
    with pytest.raises(RuleError, match=f"^{sentence}$"):
        fits(many, layer(**sizes, layers=2))


def test_a_layer_has_the_work_of_its_parts():
    work = layer(requests=3, ragged=False, keys=5, layers=2, heads=4, kv_heads=2)
    assert (work.hidden, work.kv_width, work.qkv) == (32, 16, 64)
    products = 32 * 64 + 32 * 32 + 2 * 32 * 32
    assert work.mac_count == 2 * (3 * products + 2 * 15 * 32)
    assert str(work) == (
        "GptLayer(3 requests of 5 tokens, 4 heads over 2, head_dim=8, ffn=32, 2 layers)"
    )
    ragged = layer(requests=7, keys=9, seed=3)
    assert (
        ragged.lengths == PimAttention(requests=7, keys=9, head_dim=8, ragged=True, seed=3).lengths
    )


def test_a_device_without_its_banks_has_no_units_for_them():
    assert units(TOY) == (
        *("array", "vector"),
        *("load_0", "store_0", "pim_0", "load_1", "store_1", "pim_1"),
    )
    alone = device(attention=Site.ARRAY, panel_bytes=2048, channels=1)
    assert units(alone) == ("array", "vector", "load_0", "store_0")


@pytest.mark.parametrize("name", POINTS)
def test_every_point_has_a_place_for_all(name):
    """No two things share a row part, and none lies behind the rows that the fit allows."""
    params, work = POINTS[name]
    fits(params, work)
    found = places(params, work)
    rows = GptLayerFit(params=params, workload=work).rows
    assert max(channel.rows for channel in found.channels) <= rows <= params.channel.rows
    assert sorted(one for half in range(params.halves) for one in found.order(half)) == list(
        range(work.requests)
    )
    assert max(len(found.order(half)) for half in range(params.halves)) <= params.max_requests
    for number, channel in enumerate(found.channels):
        assert channel.requests
        assert {found.channel_of(one) for one in channel.requests} == {number}
        used = list(parts(params, found, number))
        assert len(used) == len(set(used))
        assert max(row for row, _ in used) < channel.rows


def parts(params, found: Places, number):
    """The rows of banks that a channel has in use: of layer after layer, vectors of the last."""
    banks = params.channel.banks
    for panel in found.panels:
        count = -(-panel.accesses // params.channel.accesses)
        first = panel.row * banks + panel.bank
        yield from (divmod(part, banks) for part in range(first, first + count))
    channel = found.channels[number]
    for placed in channel.caches:
        for cache in placed:
            yield from (
                (row, bank) for row in range(cache.key_row, cache.end_row) for bank in range(banks)
            )
    if not params.on_array:
        for vectors in channel.vectors[-1]:
            yield from ((one.row, one.bank) for one in vectors)


@pytest.mark.parametrize("name", POINTS)
def test_panels_are_all_columns_and_fit_a_slot_of_the_memory(name):
    params, work = POINTS[name]
    found = places(params, work)
    for number in range(work.layers):
        for key, (k, n) in work.linears.items():
            panels = found.layer_panels(number, key)
            assert len(panels) == panel_count(params, k, n)
            assert [one.first for one in panels] == [*range(0, n, int(panel_columns(params, k, n)))]
            assert sum(one.columns for one in panels) == n
            for one in panels:
                assert one.columns % params.column_step == 0
                assert one.accesses <= params.slot_words
                assert one.accesses * params.channels * params.channel.access_bytes >= (
                    k * one.columns
                )


def test_requests_go_where_the_fewest_tokens_are():
    params, work = POINTS["neupims"]
    found, lengths = places(params, work), work.lengths
    tokens = [0, 0]
    for request, length in enumerate(lengths):
        number = found.channel_of(request)
        assert tokens[number] == min(tokens)
        tokens[number] += length
    for channel in found.channels:
        count = -(-len(channel.requests) // 2)
        assert [one for one in channel.requests if one in found.order(0)] == list(
            channel.requests[:count]
        )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("halves", [1, 2])
def test_sub_batches_are_alike_before_channels_are(halves, seed):
    """In requests and in tokens; of each the last request of a channel went where fewest were."""
    sizes = {"halves": halves, "max_requests": 16, "sharing": Sharing.PARTS}
    work = layer(requests=11, keys=40, seed=seed)
    found = places(device(channel={"rows": 256}, **sizes), work)
    own = [[work.lengths[one] for one in found.order(half)] for half in range(halves)]
    assert max(map(len, own)) == -(-work.requests // halves)
    assert max(map(sum, own)) - min(map(sum, own)) <= max(work.lengths)
    for half in range(halves):
        dealt = [
            [work.lengths[one] for one in found.order(half) if one in channel.requests]
            for channel in found.channels
        ]
        for one in dealt:
            assert one == sorted(one, reverse=True)
            assert sum(one[:-1]) <= min(map(sum, dealt))


def test_requests_that_are_alike_fill_all_channels_alike():
    """However few a sub-batch has more than channels."""
    params = device(channels=4, channel={"rows": 128}, max_requests=8, sharing=Sharing.PARTS)
    for requests in range(8, 17):
        found = places(params, layer(requests=requests, keys=9, ragged=False))
        counts = [len(channel.requests) for channel in found.channels]
        assert max(counts) == -(-requests // 4)
        assert min(counts) == requests // 4


def test_layers_share_vectors_but_not_caches():
    params, work = POINTS["two_layers"]
    found = places(params, work)
    first, second = found.vectors(0, 3), found.vectors(1, 3)
    assert [(one.row, one.bank) for one in first] == [(one.row, one.bank) for one in second]
    assert found.cache(0, 3).end_row <= found.cache(1, 3).key_row
    moved = found.cache(1, 3).key_row - found.cache(0, 3).key_row
    assert {b.tile_rows[0] - a.tile_rows[0] for a, b in zip(first, second, strict=True)} == {moved}
