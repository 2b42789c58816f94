"""One channel: commands of the reference, closed forms and steps of tiles, all three against."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from npu_pim_channels import AT_ONCE, CORRECTED, NEWTON, PUBLISHED, random_channel
from npu_pim_commands import check

from archmodels.npu_pim.channel import end_cycle, issues
from archmodels.npu_pim.span import served
from archmodels.npu_pim.tiles import instruction_count, period, tile_slots
from designs.npu_pim import (
    Heads,
    PimChannel,
    Product,
    Slack,
    Turns,
)
from designs.npu_pim.distances import (
    Command,
    data_span,
)
from designs.npu_pim.gemv import attend, header_cycles, logit

LOGIT = Product(steps=8, results=4, tiles=6)
ATTEND = Product(steps=32, results=1, tiles=6)
SHARD = Heads(heads=8, kv_heads=8, head_dim=128)

DRAWS = 40


def tile_cycles(channel: PimChannel, product: Product) -> list[int]:
    """From the last command of each tile to that of the next, without refreshes."""
    found = issues(replace(channel, refresh=False), [product])
    last = Command.GEMV if channel.composite else Command.READRES
    ends = [one.cycle for one in found if one.command == last][
        product.results - 1 :: product.results
    ]
    return [late - early for early, late in pairwise(ends)]


@pytest.mark.parametrize(
    ("channel", "product", "cycles"),
    [
        (PUBLISHED, LOGIT, 197),
        (PUBLISHED, ATTEND, 143),
        (NEWTON, LOGIT, 213),
        (NEWTON, ATTEND, 207),
        (CORRECTED, LOGIT, 211),
        (CORRECTED, ATTEND, 205),
        (AT_ONCE, LOGIT, 192),
        (AT_ONCE, ATTEND, 186),
    ],
)
def test_periods_of_the_traces(channel: PimChannel, product: Product, cycles: int) -> None:
    """The first six are of the authors' command traces; the last two follow from the table."""
    assert tile_cycles(channel, product) == [cycles] * 5
    assert period(channel, product) == cycles


def test_commands_of_one_request() -> None:
    """As the authors' simulator counts them, for 512 tokens of 7B on four devices."""
    work = (*logit(PUBLISHED, SHARD, 512), *attend(PUBLISHED, SHARD, 512))
    found = issues(replace(PUBLISHED, refresh=False), work)
    counts = {one: sum(item.command == one for item in found) for one in Command}
    assert counts[Command.GEMV] == 160 and counts[Command.G_ACT] == 512
    assert counts[Command.GWRITE] == 10
    assert counts[Command.PIM_PRE] == 2048 - 32  # the last tile's rows stay open


@pytest.mark.parametrize(
    ("length", "logits", "attends"), [(512, 8658, 7305), (1024, 17286, 14284), (32, 688, 6647)]
)
def test_one_request_alone(length: int, logits: int, attends: int) -> None:
    """Against the authors' simulator, whose refreshes come at an unknown time: one refresh."""
    for make, measured in ((logit, logits), (attend, attends)):
        work = make(PUBLISHED, SHARD, length)
        found = [served(PUBLISHED, work, first).end_cycle for first in range(150, 1951, 100)]
        assert min(found) <= 1.02 * measured and max(found) >= 0.98 * measured


def test_commands_keep_every_distance() -> None:
    work = [replace(LOGIT, tiles=9), replace(ATTEND, tiles=3), Product(steps=3, results=2, tiles=9)]
    for channel in (PUBLISHED, CORRECTED, NEWTON, AT_ONCE):
        found = issues(channel, work, 700)
        assert sum(one.command == Command.REF for one in found) >= 2
        check(channel, found)


@pytest.mark.parametrize(
    ("command", "index"),
    [
        (Command.G_ACT, 2),
        (Command.GEMV, 0),
        (Command.GEMV, 1),
        (Command.PIM_PRE, 0),
        (Command.GWRITE, 1),
        (Command.REF, 0),
    ],
)
def test_a_command_that_is_too_early_is_found(command: Command, index: int) -> None:
    found = issues(CORRECTED, [replace(LOGIT, tiles=3), ATTEND], 1200)
    check(CORRECTED, found)
    place = [place for place, one in enumerate(found) if one.command == command][index]
    moved = replace(found[place], cycle=found[place - 1].cycle + 1)
    assert moved.cycle < found[place].cycle
    with pytest.raises(AssertionError):
        check(CORRECTED, [*found[:place], moved, *found[place + 1 :]])


def test_commands_that_were_legal_as_published_are_not() -> None:
    for work in ([LOGIT], [ATTEND, ATTEND]):
        with pytest.raises(AssertionError):
            check(CORRECTED, issues(PUBLISHED, work))


@pytest.mark.parametrize("seed", range(4))
def test_closed_forms_on_random_channels(seed: int) -> None:
    rng, levers = random.Random(seed), random.Random(seed)
    refreshes = compared = 0
    for _ in range(DRAWS):
        slack, turns = levers.choice([*Slack]), levers.choice([*Turns])
        channel = replace(random_channel(rng), slack=slack, turns=turns)
        work = [
            Product(
                steps=rng.randint(1, channel.row_steps),
                results=rng.randint(1, 3),
                tiles=rng.randint(1, 12),
            )
            for _ in range(rng.randint(1, 5))
        ]
        first = rng.randint(0, channel.refresh_cycles)
        needed = max(header_cycles(channel, channel.banks, one) for one in work)
        if needed + 2 * channel.timing.rfc_cycles > channel.refresh_cycles:
            continue
        found, done = issues(channel, work, first), served(channel, work, first)
        counted = sum(one.command == Command.REF for one in found)
        last = found[-1]
        end = last.cycle + data_span(channel, last.command, last.steps)[1]
        assert (done.end_cycle, done.refreshes) == (end, counted), (channel, work, first)
        refreshes += counted
        compared += 1
        product = replace(work[0], tiles=14)
        assert tile_cycles(channel, product)[-1] == period(channel, product), (channel, product)
    assert refreshes >= 10 and compared > DRAWS // 2


def test_long_requests_take_steps_of_many_tiles() -> None:
    for channel in (PUBLISHED, CORRECTED, NEWTON):
        work = (*logit(channel, SHARD, 900), *attend(channel, SHARD, 900))
        assert served(channel, work, 333).end_cycle == end_cycle(
            channel, issues(channel, work, 333)
        )


def test_what_a_tile_takes_of_the_bus() -> None:
    assert tile_slots(PUBLISHED, LOGIT) == 32 + 1 + 8 + 4
    assert tile_slots(PUBLISHED, ATTEND) == 32 + 1 + 8 + 1
    assert tile_slots(AT_ONCE, LOGIT) == 1 + 1 + 8 + 4
    assert instruction_count(NEWTON, LOGIT) == 1 + 6 * (1 + 4 * 9)
    assert instruction_count(PUBLISHED, ATTEND) == 1 + 6 * 2


@pytest.mark.parametrize("channel", [PUBLISHED, CORRECTED, NEWTON, AT_ONCE])
@pytest.mark.parametrize("product", [LOGIT, ATTEND])
def test_slots_are_the_commands(channel: PimChannel, product: Product) -> None:
    """Of a tile that follows another; and one for the header, which no command has."""
    found = issues(replace(channel, refresh=False), [product])
    last = Command.GEMV if channel.composite else Command.READRES
    ends = [index for index, one in enumerate(found) if one.command == last]
    ends = ends[product.results - 1 :: product.results]
    assert ends[3] - ends[2] + 1 == tile_slots(channel, product)
