"""Levers of a channel: tile periods and time of works, against commands from the table."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from archmodels.npu_pim import ahead
from archmodels.npu_pim.ahead import LATCH_ROWS, VECTOR_ROWS
from archmodels.npu_pim.attention import attention, turn_cycles
from archmodels.npu_pim.channel import end_cycle
from archmodels.npu_pim.pace import ahead_period, beside_period, serve
from archmodels.npu_pim.setting import Setting
from archmodels.npu_pim.span import served
from archmodels.npu_pim.timetable import Issue
from designs.npu_pim import (
    ChannelLevers,
    DramTiming,
    Fidelity,
    Heads,
    Levers,
    PimChannel,
    Precharge,
    Product,
    Sharing,
    Slack,
    Turns,
    published,
)
from designs.npu_pim.distances import Command, distances, window
from designs.npu_pim.gemv import attend
from designs.npu_pim.layout import Work, attend_work, cache_rows, logit_work, packed_heads, stripes
from designs.rules import RuleError

AT_ONCE = PimChannel(precharge=Precharge.CHANNEL)
DEVICE = replace(published(), channel=AT_ONCE)
SHARD = Heads(heads=8, kv_heads=8, head_dim=128)
GROUPED = Heads(heads=8, kv_heads=2, head_dim=128)
LOGIT = Product(steps=8, results=4, tiles=12)
ATTEND = Product(steps=32, results=1, tiles=12)

POINTS = 40


def setting(channel: PimChannel, sets: int = 1, **levers: int) -> Setting:
    return Setting(channel=channel, levers=ChannelLevers(**levers), vector_sets=sets)


def between_tiles(own: Setting, product: Product, activations: int = 0) -> list[int]:
    """From the last GEMV of each tile to that of the next, without refreshes."""
    found = ahead.issues(own, [Work(product=product)], activations=activations)
    ends = [one.cycle for one in found if one.command == Command.GEMV]
    return [late - early for early, late in pairwise(ends[product.results - 1 :: product.results])]


@pytest.mark.parametrize(
    ("latches", "product", "cycles"),
    [
        (1, LOGIT, 192),
        (1, ATTEND, 186),
        (2, LOGIT, 120),
        (2, ATTEND, 120),
        (2, Product(steps=4, results=8, tiles=12), 120),
        (2, Product(steps=8, results=16, tiles=12), 288),
    ],
)
def test_periods(latches: int, product: Product, cycles: int) -> None:
    """Four groups in 30 cycles each are 120; 16 results are 16 * 2 * (8 + 1)."""
    own = setting(replace(AT_ONCE, refresh=False), latches=latches, vectors=2)
    assert set(between_tiles(own, product)) == {cycles}
    assert ahead_period(own, product) == cycles


@pytest.mark.parametrize(("activations", "cycles"), [(1, 150), (2, 154), (3, 158)])
def test_periods_beside_activations_of_the_host(activations: int, cycles: int) -> None:
    """A window more, and rrd_s_cycles for each activation but the first."""
    own = setting(replace(AT_ONCE, refresh=False), latches=2)
    found = between_tiles(own, ATTEND, activations)
    assert set(found[2:]) == {cycles}
    rows = cycles / AT_ONCE.ranks / (AT_ONCE.accesses * AT_ONCE.timing.burst_cycles)
    assert (beside_period(own, ATTEND) == cycles) == (activations - 1 < rows <= activations)


def draw(source: random.Random) -> PimChannel:
    timing = DramTiming(
        rcd_rd_cycles=source.randint(5, 20),
        rcd_wr_cycles=5,
        rp_cycles=source.randint(3, 20),
        ras_cycles=source.randint(20, 40),
        rc_cycles=source.randint(60, 80),
        faw_cycles=source.randint(6, 40),
        rtp_cycles=source.randint(1, 8),
        tree_steps=source.randint(1, 8),
        rfc_cycles=source.randint(50, 300),
        refi_cycles=4400,
    )
    return replace(
        AT_ONCE,
        timing=timing,
        ranks=source.choice([1, 2]),
        bank_groups=source.choice([1, 2, 4]),
        slack=source.choice([*Slack]),
        turns=source.choice([*Turns]),
    )


def draw_works(source: random.Random) -> list[Work]:
    return [
        Work(
            product=Product(
                steps=source.randint(1, 32),
                results=source.randint(1, 6),
                tiles=source.randint(1, 9),
            ),
            copies=source.choice([1, 1, 2]),
        )
        for _ in range(source.randint(1, 12))
    ]


def draw_levers(source: random.Random) -> ChannelLevers:
    return ChannelLevers(
        latches=source.choice([1, 2, 2]),
        vectors=source.choice([2, 4]),
    )


def test_time_is_that_of_the_commands() -> None:
    source = random.Random(1)
    for _ in range(POINTS):
        own = Setting(
            channel=draw(source), levers=draw_levers(source), vector_sets=source.choice([1, 2])
        )
        works, first = draw_works(source), source.randint(300, 2000)
        found = ahead.issues(own, works, first)
        took = serve(own, works, first)
        assert took.end_cycle == end_cycle(own.channel, found)
        assert took.refreshes == sum(one.command == Command.REF for one in found)


def test_commands_of_works() -> None:
    """Every tile is opened and multiplied once, every vector copied, whatever the levers."""
    works = [Work(product=LOGIT, copies=2), Work(product=ATTEND)]
    for latches in (1, 2):
        found = ahead.issues(setting(AT_ONCE, sets=2, latches=latches, vectors=4), works)
        counts = {one: sum(item.command == one for item in found) for one in Command}
        assert counts[Command.G_ACT] == 24 * AT_ONCE.groups
        assert counts[Command.GEMV] == 12 * 4 + 12
        assert counts[Command.GWRITE] == 3


def test_distances_hold_but_between_latches_and_vectors() -> None:
    """Of each pair that is not for one latch or vector; and no rank opens five rows at once."""
    channel = replace(AT_ONCE, slack=Slack.POSTPONED)
    own = setting(channel, sets=2, latches=2, vectors=2)
    found = ahead.issues(own, [Work(product=ATTEND)] * 8 + [Work(product=LOGIT)] * 3, 700)
    rows = [
        row
        for row in distances(AT_ONCE)
        if (row.before, row.after) not in LATCH_ROWS | VECTOR_ROWS and not row.from_oldest
    ]
    same = {Command.G_ACT: lambda bank: bank // 4, Command.REF: lambda bank: bank // 16}
    for index, late in enumerate(found):
        for early in found[max(0, index - 40) : index]:
            place = same.get(late.command, lambda bank: 0)
            if place(early.bank) != place(late.bank):
                continue
            for row in rows:
                if (row.before, row.after) == (early.command, late.command):
                    assert late.cycle - early.cycle >= row.least(early.steps), (early, late)
    limit = window(AT_ONCE)
    for rank in range(AT_ONCE.ranks):
        opened = [
            one.cycle for one in found if one.command == Command.G_ACT and one.bank // 16 == rank
        ]
        assert all(late - early >= limit.cycles for early, late in pairwise(opened))
    assert all(early.cycle < late.cycle for early, late in pairwise(found))


def spoiled(found: list[Issue]) -> list[tuple[int, int]]:
    """GEMVs between the opening of rows in a latch and the opening that follows in it: none."""
    tiles = [one.cycle for one in found if one.command == Command.G_ACT]
    first = tiles[:: AT_ONCE.groups]
    work = [one.cycle for one in found if one.command == Command.GEMV]
    return [
        (late, work[index])
        for index, late in enumerate(first[2:])
        if late < work[index] + 2 * (ATTEND.steps - 1)
    ]


def test_a_latch_keeps_its_row_until_the_last_step() -> None:
    """Tile i + 2 has the latch of tile i, whose last column is read 2 * (steps - 1) later."""
    own = setting(replace(AT_ONCE, refresh=False), latches=2)
    assert spoiled(ahead.issues(own, [Work(product=replace(ATTEND, tiles=40))])) == []


def test_levers_off_are_todays_channel() -> None:
    works = [Work(product=LOGIT), Work(product=ATTEND)] * 20
    for channel in (AT_ONCE, PimChannel(), PimChannel(fidelity=Fidelity.AS_PUBLISHED)):
        for first in (300, 1234):
            took = serve(setting(channel), works, first)
            assert took == served(channel, [one.product for one in works], first)


def test_time_before_a_refresh() -> None:
    """An estimate that is exact costs no more than the authors', and none least; all refresh."""
    works = [Work(product=replace(ATTEND, tiles=4))] * 60
    for channel in (PimChannel(), AT_ONCE):
        took = [serve(setting(replace(channel, slack=one)), works) for one in Slack]
        assert took[0].end_cycle >= took[1].end_cycle > took[2].end_cycle
        assert (took[0] == took[1]) == (channel is AT_ONCE)  # as many tiles between refreshes
        for one in took:
            assert abs(one.end_cycle // channel.refresh_cycles - one.refreshes) <= 1


def test_ranks_that_refresh_together_stop_all_banks_half_as_often() -> None:
    works = [Work(product=replace(ATTEND, tiles=4))] * 60
    apart, at_once = (
        serve(setting(replace(AT_ONCE, slack=Slack.POSTPONED, turns=one)), works) for one in Turns
    )
    saved = apart.end_cycle - at_once.end_cycle
    assert abs(apart.refreshes - at_once.refreshes) <= 3
    assert saved >= 0.4 * apart.refreshes * AT_ONCE.timing.rfc_cycles


def test_rows_of_values_of_several_heads() -> None:
    """60 tokens: 8 heads of 64 tokens in a row are a tile for 32 dimensions, not one for each."""
    packed = replace(DEVICE, levers=Levers(value_heads=8))
    assert sum(one.product.tiles for one in attend_work(DEVICE, SHARD, 60)) == 32
    assert attend_work(packed, SHARD, 60) == (Work(product=Product(steps=4, results=8, tiles=4)),)
    assert cache_rows(DEVICE, SHARD, 60) == 4 + 32
    assert cache_rows(packed, SHARD, 60) == 4 + 4
    own = replace(SHARD, value_heads=8)
    assert tuple(one.product for one in attend_work(packed, SHARD, 60)) == attend(AT_ONCE, own, 60)
    whole, every = attend_work(DEVICE, SHARD, 512), attend_work(packed, SHARD, 512)
    assert sum(one.product.tiles for one in whole) == sum(one.product.tiles for one in every)


def test_a_row_of_values_has_no_more_heads_than_there_are() -> None:
    """Two heads of values in rows of up to eight: 256 tokens of each; three: two of them."""
    packed = replace(DEVICE, levers=Levers(value_heads=8))
    found = attend_work(packed, GROUPED, 256)
    assert {(one.product.steps, one.product.results) for one in found} == {(16, 2)}
    assert len(found) == GROUPED.group
    assert packed_heads(packed, Heads(heads=3, kv_heads=3, head_dim=128)) == 2
    assert cache_rows(packed, Heads(heads=8, kv_heads=1, head_dim=128), 512) == 16 + 4


def test_heads_that_share_keys_open_a_row_once() -> None:
    """Four queries for each head of keys: a quarter of the tiles, as many dot products."""
    shared = replace(DEVICE, levers=Levers(channel=ChannelLevers(vectors=4)))
    for make in (logit_work, attend_work):
        plain, own = make(DEVICE, GROUPED, 300), make(shared, GROUPED, 300)
        tiles = [sum(one.product.tiles for one in works) for works in (plain, own)]
        work = [
            sum(one.product.tiles * one.product.results for one in works) for works in (plain, own)
        ]
        assert tiles[0] == 4 * tiles[1] and work[0] == work[1]
        assert sum(one.copies for one in plain) == sum(one.copies for one in own)


def test_stripes_are_whole_and_even() -> None:
    levers = Levers(stripe_tokens=512, sharing=Sharing.PARTS)
    striped = replace(DEVICE, levers=levers)
    assert stripes(striped, 512) == (512,)
    assert stripes(striped, 1100) == (384, 384, 332)
    for length in range(1, 2049, 37):
        found = stripes(striped, length)
        assert sum(found) == length and max(found) <= 512


def test_a_channel_that_flows_waits_for_its_own_logits() -> None:
    """Two channels, of which one has more logits and the other more values."""
    channels = ((33, 33, 33), (512,))
    plain = attention(DEVICE, SHARD, channels)
    flows = attention(replace(DEVICE, levers=Levers(flows=True)), SHARD, channels)
    alone = [
        attention(DEVICE, SHARD, (own,)).cycles + turn_cycles(DEVICE, SHARD, own[-1])
        for own in channels
    ]
    assert flows.cycles == max(alone)
    assert flows.logit == plain.logit and flows.attend == plain.attend


@pytest.mark.parametrize(
    ("channel", "levers", "sentence"),
    [
        (PimChannel(), Levers(channel=ChannelLevers(latches=2)), "one latch and one vector"),
        (AT_ONCE, Levers(value_heads=64), "must divide the 512 values"),
        (AT_ONCE, Levers(stripe_tokens=48, sharing=Sharing.PARTS), "multiple of the 32 banks"),
    ],
)
def test_levers_that_do_not_fit_are_refused(
    channel: PimChannel, levers: Levers, sentence: str
) -> None:
    with pytest.raises(RuleError, match=sentence):
        replace(DEVICE, channel=channel, levers=levers)


def test_levers_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(RuleError, match="stripe_tokens must be 0"):
        Levers(stripe_tokens=512)
    with pytest.raises(RuleError, match="keep_weights must be false"):
        Levers(keep_weights=True)
    with pytest.raises(RuleError, match="prefetch must be false"):
        Levers(prefetch=True)
