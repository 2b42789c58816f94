"""Algorithms 1 to 3: estimate, packing with capacity, sub-batches."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archmodels.npu_pim import balanced, halves, in_rotation, least_loaded
from archmodels.npu_pim.packing import (
    PUBLISHED_COSTS,
    Placement,
    check_model,
    costs,
    estimate,
    free_tiles,
    longest,
    request_tiles,
)
from designs.npu_pim import Request, llm, published

DEVICE, MODEL = published(), llm("gpt3_7b")
CHANNEL, SHARD = DEVICE.channel, MODEL.shard
FEW, SMALL = replace(DEVICE, channels=3), replace(MODEL, layers=24)

LENGTHS = st.lists(st.integers(1, 2048), min_size=1, max_size=60)


def placed(lengths: list[int]) -> list[Request]:
    return [Request(length=one) for one in lengths]


def total(channels: Placement) -> list[int]:
    return sorted(length for own in channels for length in own)


@pytest.mark.parametrize("length", [1, 32, 33, 512, 513, 2048])
def test_the_published_estimate(length: int) -> None:
    """200 + 368 ceil(L / 32) + 6688 ceil(L / 512) for 7B on four devices."""
    expected = 200 + 368 * -(-length // 32) + 6688 * -(-length // 512)
    assert estimate(CHANNEL, SHARD, length, PUBLISHED_COSTS) == expected


def test_costs_from_the_timing() -> None:
    found = costs(CHANNEL, SHARD)
    assert (found.vector, found.key_tile, found.value_tile) == (124, 197, 143)


def test_capacity() -> None:
    weights = 32 * 12 * 4096**2 // 4 * 2
    assert free_tiles(DEVICE, MODEL) == 32768 - weights // 2**20
    assert request_tiles(DEVICE, MODEL, 512) == 32 * (2 * 16 + 32)
    most = longest(DEVICE, MODEL)
    assert request_tiles(DEVICE, MODEL, most) <= free_tiles(DEVICE, MODEL)
    assert request_tiles(DEVICE, MODEL, most + 1) > free_tiles(DEVICE, MODEL)


def test_a_model_that_does_not_fit_says_how_many_devices_it_takes() -> None:
    large = replace(llm("gpt3_175b"), tensor_parallel=4, pipeline_parallel=1)
    with pytest.raises(ValueError, match="devices must be at least 11, .* not 4"):
        check_model(DEVICE, large)
    check_model(DEVICE, replace(large, pipeline_parallel=3))
    # 33 layers of 384 MiB fit in two devices of 6,400 MiB, 17 of one stage do not fit in one.
    odd = replace(MODEL, layers=33, tensor_parallel=1, pipeline_parallel=2)
    small = replace(DEVICE, channel=replace(DEVICE.channel, rows=6400))
    with pytest.raises(ValueError, match="devices must be at least 3, .* not 2"):
        check_model(small, odd)


def test_the_longest_goes_where_the_load_is_least() -> None:
    found = least_loaded(FEW, SMALL, placed([10, 100, 2000, 1500, 600]), lambda length: length)
    assert found.channels == ((2000,), (1500,), (600, 100, 10))
    assert found.waiting == ()


def test_residents_stay_where_they_are() -> None:
    requests = [Request(length=700, channel=2), Request(length=5), Request(length=9)]
    found = least_loaded(FEW, SMALL, requests, lambda length: length)
    assert found.channels == ((9,), (5,), (700,))
    with pytest.raises(ValueError, match="resident request of 9000 tokens must be one with room"):
        least_loaded(FEW, SMALL, [Request(length=9000, channel=0)], lambda length: length)


@given(LENGTHS)
def test_every_request_is_placed_or_waits(lengths: list[int]) -> None:
    def cost(length: int) -> int:
        return int(estimate(CHANNEL, SHARD, length, PUBLISHED_COSTS))

    for found in (
        least_loaded(FEW, SMALL, placed(lengths), cost),
        in_rotation(FEW, SMALL, placed(lengths)),
    ):
        assert sorted([*total(found.channels), *found.waiting]) == sorted(lengths)
        room = free_tiles(FEW, SMALL)
        for own in found.channels:
            used = sum(request_tiles(FEW, SMALL, one) for one in own)
            assert used <= room
            for one in found.waiting:
                assert used + request_tiles(FEW, SMALL, one) > room
    if not found.waiting:
        loads = [
            sum(map(cost, own)) for own in least_loaded(FEW, SMALL, placed(lengths), cost).channels
        ]
        assert max(loads) - min(loads) <= cost(max(lengths))


def test_in_rotation_skips_full_channels() -> None:
    most = longest(FEW, SMALL)
    found = in_rotation(FEW, SMALL, placed([most, 5, 6, 7, 8]))
    assert found.channels == ((most,), (5, 7), (6, 8))
    full = in_rotation(FEW, SMALL, placed([most] * 4))
    assert full.waiting == (most,)


def test_halves_and_their_odd_ones() -> None:
    first, second = halves(((1, 2, 3), (4,), (), (5, 6, 7), (8, 9)))
    assert first == ((1, 2), (), (), (5, 6), (8,))
    assert second == ((3,), (4,), (), (7,), (9,))


@given(st.lists(st.lists(st.integers(1, 2048), max_size=9).map(tuple), max_size=8).map(tuple))
def test_sub_batches_have_each_request_once(channels: Placement) -> None:
    for first, second in (halves(channels), balanced(channels, lambda length: length)):
        for whole, one, two in zip(channels, first, second, strict=True):
            assert sorted((*one, *two)) == sorted(whole)
            assert abs(len(one) - len(two)) <= 1
        counts = [sum(map(len, part)) for part in (first, second)]
        assert abs(counts[0] - counts[1]) <= 1


def test_balanced_sub_batches_have_as_much_to_do() -> None:
    channels = ((900, 800, 100, 50), (700, 20, 10))
    first, second = balanced(channels, lambda length: length)
    assert first[0] == (900, 50) and second[0] == (800, 100)
    assert {len(first[1]), len(second[1])} == {1, 2}
    apart = [abs(sum(one) - sum(two)) for one, two in zip(first, second, strict=True)]
    halved = [abs(sum(one) - sum(two)) for one, two in zip(*halves(channels), strict=True)]
    assert sum(apart) < sum(halved)
