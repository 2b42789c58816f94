"""One channel with its controller: against tiles, the reference, the table and the text."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from npu_pim_channels import AT_ONCE, CORRECTED, NEWTON, PUBLISHED, random_channel
from npu_pim_commands import check, check_rows

from archmodels.npu_pim.channel import issues
from archmodels.npu_pim.controller import Controller, Run, run, serve
from archmodels.npu_pim.span import served
from archmodels.npu_pim.tiles import period
from archmodels.npu_pim.timetable import Issue
from designs.npu_pim import PimChannel, Precharge, Product, RowBuffers
from designs.npu_pim.distances import Command, data_span
from designs.npu_pim.gemv import header_cycles
from designs.npu_pim.order import PASSES_MAX
from designs.npu_pim.program import HostAccess, PimKind, PimTransaction

LOGIT = Product(steps=8, results=4, tiles=6)
ATTEND = Product(steps=32, results=1, tiles=6)

VECTOR_ROW = 40
"""Row of the first vector; those of tiles are below."""


def commands(done: Run) -> Counter[Command]:
    """Of each kind."""
    return Counter(one.command for one in done.issues)


def units(channel: PimChannel, products: Sequence[Product]) -> list[PimTransaction]:
    """Of products whose vectors are in the banks in turn, each in a row of its own."""
    found = []
    for number, product in enumerate(products):
        bank, row = number % channel.banks, VECTOR_ROW + number
        found.append(PimTransaction(kind=PimKind.VECTOR, bank=bank, row=row))
        found += [
            PimTransaction(
                kind=PimKind.TILE, row=row % 7, steps=product.steps, results=product.results
            )
            for row in range(product.tiles)
        ]
    return found


def random_products(rng: random.Random, channel: PimChannel) -> list[Product]:
    found = []
    for _ in range(rng.randint(1, 5)):
        results = rng.randint(1, min(3, channel.row_steps))
        steps = rng.randint(1, channel.row_steps // results)
        found.append(Product(steps=steps, results=results, tiles=rng.randint(1, 9)))
    return found


def random_accesses(rng: random.Random, channel: PimChannel, count: int) -> list[HostAccess]:
    """In few rows, among them those of vectors and tiles; sometimes long in one of them."""
    bank = row = 0
    found = []
    for tag in range(count):
        if rng.random() < 0.5:
            bank, row = rng.randrange(channel.banks), rng.choice((0, 1, 2, VECTOR_ROW, 60))
        found.append(
            HostAccess(
                write=rng.random() < 0.4,
                bank=bank,
                row=row,
                column=rng.randrange(channel.accesses),
                tag=tag % 256,
            )
        )
    return found


def refreshed_often(channel: PimChannel) -> PimChannel:
    """The interval between refreshes is that of few tiles."""
    t = channel.timing
    interval = channel.longest_tile_cycles + t.rc_cycles + 4 * t.rfc_cycles
    timing = replace(t, refi_cycles=channel.ranks * interval)
    return replace(channel, timing=timing)


def is_tight(channel: PimChannel, products: Sequence[Product]) -> bool:
    """Whether a tile fits in hardly any interval between refreshes."""
    needed = max(header_cycles(channel, channel.banks, one) for one in products)
    return needed + 3 * channel.timing.rfc_cycles > channel.refresh_cycles


@pytest.mark.parametrize("channel", [PUBLISHED, CORRECTED, NEWTON, AT_ONCE])
@pytest.mark.parametrize("product", [LOGIT, ATTEND])
def test_tiles_follow_each_other_in_a_period(channel: PimChannel, product: Product) -> None:
    found = run(replace(channel, refresh=False), units(channel, [product])).issues
    last = Command.GEMV if channel.composite else Command.READRES
    ends = [one.cycle for one in found if one.command == last]
    ends = ends[product.results - 1 :: product.results]
    assert [late - early for early, late in pairwise(ends)] == [period(channel, product)] * 5


def bare(found: Sequence[Issue]) -> list[tuple[int, Command, int, int]]:
    """Commands without the opening of vectors' rows, counted from the first."""
    own = [one for one in found if one.command != Command.ACT]
    return [(one.cycle - own[0].cycle, one.command, one.bank, one.steps) for one in own]


@pytest.mark.parametrize("channel", [PUBLISHED, CORRECTED, AT_ONCE])
def test_one_product_is_as_the_reference_has_it(channel: PimChannel) -> None:
    """The reference finds the vector's row open."""
    idle = replace(channel, refresh=False)
    for product in (LOGIT, ATTEND):
        done = run(idle, units(channel, [product]))
        assert bare(done.issues) == bare(issues(idle, [product]))


@pytest.mark.spread(1)
@pytest.mark.parametrize("seed", range(3))
def test_one_row_buffer_is_as_the_reference_and_the_closed_forms_have_it(seed: int) -> None:
    """All commands a cycle later, which is that in which a transaction is seen; refreshes too."""
    rng, refreshes, points = random.Random(seed), 0, 0
    while points < 20:
        channel = refreshed_often(
            replace(random_channel(rng), row_buffers=RowBuffers.SINGLE, precharge=Precharge.BANK)
        )
        products = random_products(rng, channel)
        if is_tight(channel, products):
            continue
        until = channel.refresh_cycles - 1
        done, expected = run(channel, units(channel, products)), issues(channel, products, until)
        own = [(one.cycle - 1, one.command, one.bank, one.steps) for one in done.issues]
        assert own[: len(expected)] == [
            (one.cycle, one.command, one.bank, one.steps) for one in expected
        ], (channel, products)
        assert all(
            command == Command.REF or command == Command.PRE
            for _, command, *_ in own[len(expected) :]
        )
        assert done.cycles - 1 == served(channel, products, until).end_cycle
        refreshes += commands(done)[Command.REF]
        points += 1
    assert refreshes > 10


def check_services(
    channel: PimChannel, done: Run, pim: Sequence[PimTransaction], host: Sequence[HostAccess]
) -> None:
    """Everything is done once, each bank's accesses to a place in their order, none too late."""
    waiting: dict[int, list[HostAccess]] = defaultdict(list)
    for access in host:
        waiting[access.bank].append(access)
    opened: dict[int, int] = {}
    passed: Counter[int] = Counter()
    for issue in done.issues:
        if issue.command == Command.ACT:
            opened[issue.bank] = issue.row
        if issue.command not in (Command.RD, Command.WR):
            continue
        own = waiting[issue.bank]
        place = next(place for place, one in enumerate(own) if one.row == opened[issue.bank])
        access = own.pop(place)
        passed[issue.bank] = passed[issue.bank] + 1 if place else 0
        assert place < channel.host_queue and passed[issue.bank] <= PASSES_MAX
        assert (access.column, access.write) == (issue.step.column, issue.command == Command.WR)
    assert not any(waiting.values())
    tiles = [one for one in pim if one.kind == PimKind.TILE]
    rows = [one.row for one in done.issues if one.command == Command.G_ACT]
    assert rows == [one.row for one in tiles for _ in range(channel.groups)]
    columns = [one.step.column for one in done.issues if one.command == Command.GEMV]
    if channel.composite:
        assert columns == [i * one.steps for one in tiles for i in range(one.results)]
    assert commands(done)[Command.READRES] == (
        0 if channel.composite else sum(one.results for one in tiles)
    )
    assert commands(done)[Command.GWRITE] == len(pim) - len(tiles)


@pytest.mark.spread(3)
@pytest.mark.parametrize("seed", range(6))
def test_random_programs_beside_a_host(seed: int) -> None:
    rng, points = random.Random(seed), 0
    seen: Counter[Command] = Counter()
    while points < 8:
        channel = replace(
            refreshed_often(random_channel(rng)),
            host_queue=rng.randint(1, 6),
            pim_queue=rng.randint(1, 5),
        )
        products = random_products(rng, channel)
        if is_tight(channel, products):
            continue
        pim, host = units(channel, products), random_accesses(rng, channel, rng.randint(0, 250))
        done = run(channel, pim, host)
        check(channel, done.issues)
        check_rows(channel, done.issues)
        check_services(channel, done, pim, host)
        seen.update(commands(done))
        points += 1
    assert seen.keys() == set(Command)


class EveryCycle(Controller):
    """Looks at each cycle, skipping none."""

    def _decide(self) -> int:
        super()._decide()
        return self._now + 1


@pytest.mark.spread(1)
@pytest.mark.parametrize("seed", range(3))
def test_no_cycle_is_skipped_in_which_anything_happens(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(6):
        channel = random_channel(rng)
        products = random_products(rng, channel)
        if is_tight(channel, products):
            continue
        pim, host = units(channel, products), random_accesses(rng, channel, 80)
        assert list(run(channel, pim, host).issues) == list(
            serve(EveryCycle(channel), pim, host)
        ), channel


def access(bank: int, row: int, column: int = 0, write: bool = False) -> HostAccess:
    return HostAccess(write=write, bank=bank, row=row, column=column, tag=0)


def found(done: Run) -> list[tuple[int, Command, int]]:
    return [(one.cycle, one.command, one.bank) for one in done.issues]


def test_an_access_alone() -> None:
    """Seen a cycle after it came; its data are on the bus `read_cycles` after the RD."""
    done = run(CORRECTED, [], [access(5, 9)])
    assert found(done) == [(1, Command.ACT, 5), (15, Command.RD, 5)]
    assert done.cycles == 15 + 16


def test_accesses_to_the_open_row_pass_four_times() -> None:
    """ACT of row 1, the oldest; then row 2 waits while four of row 1 pass it."""
    rows = [1, 2, 1, 1, 1, 1, 1, 1]
    channel = replace(CORRECTED, refresh=False, host_queue=8)
    done = run(channel, [], [access(0, row, column) for column, row in enumerate(rows)])
    assert [one.step.column for one in done.issues if one.command == Command.RD] == [
        0, 2, 3, 4, 5, 1, 6, 7,
    ]  # fmt: skip


def test_banks_take_turns() -> None:
    """Rows are opened at 1 and 5, so that from 19 on both banks have reads, every two cycles."""
    channel = replace(CORRECTED, refresh=False)
    accesses = [access(bank, 3) for bank in (9, 1, 9, 1, 6)]
    acts = [one.bank for one in run(channel, [], accesses).issues if one.command == Command.ACT]
    assert acts == [9, 1, 6]
    reads = [access(bank, 3) for bank in (0, 0, 0, 0, 4, 4, 4, 4)]
    order = [one.bank for one in run(channel, [], reads).issues if one.command == Command.RD]
    assert order == [0, 0, 4, 0, 4, 0, 4, 4]


def test_a_refresh_comes_when_its_time_is_there() -> None:
    """The host keeps the channel busy; ranks take turns, and open rows are closed before."""
    rng = random.Random(1)
    done = run(CORRECTED, [], random_accesses(rng, CORRECTED, 4000))
    refreshes = [one for one in done.issues if one.command == Command.REF]
    assert [one.bank for one in refreshes[:4]] == [0, 16, 0, 16]
    for number, one in enumerate(refreshes, 1):
        due = number * CORRECTED.refresh_cycles
        assert due <= one.cycle <= due + 100


def test_a_tile_of_the_row_that_the_host_reads_comes_between() -> None:
    """The row is closed for the tile; behind it what the tile opened is closed for the host."""
    channel = replace(CORRECTED, refresh=False)
    vector = PimTransaction(kind=PimKind.VECTOR, row=40)
    tile = PimTransaction(kind=PimKind.TILE, row=3, steps=2, results=1)
    done = run(channel, [vector, tile], [access(7, 3)] * 80)
    own = [(cycle, command) for cycle, command, bank in found(done) if bank == 7]
    last = next(cycle for cycle, command, _ in found(done) if command == Command.GEMV)
    before = [command for cycle, command in own if cycle < last]
    reads = before.count(Command.RD)
    assert 0 < reads < 80 and before == [Command.ACT, *[Command.RD] * reads, Command.PRE]
    assert [command for cycle, command in own if cycle > last] == [
        Command.PIM_PRE,
        Command.ACT,
        *[Command.RD] * (80 - reads),
    ]


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("rows", [1, 3000])
def test_a_host_that_never_stops_does_not_stop_tiles(write: bool, rows: int) -> None:
    """Accesses of a rank, to ever new rows or to the same."""
    product = replace(LOGIT, tiles=8)
    host = [access(one % 16, one % rows + 60, one % 16, write) for one in range(3000)]
    done = run(CORRECTED, units(CORRECTED, [product]), host)
    last = max(one.cycle for one in done.issues if one.command == Command.GEMV)
    assert last < 1.25 * product.tiles * period(CORRECTED, product) < done.issues[-1].cycle


@pytest.mark.parametrize("bank", [0, 20])
def test_a_host_that_never_stops_does_not_stop_vectors(bank: int) -> None:
    """Reads of the bank that the second vector is in, or of the other rank."""
    channel = replace(CORRECTED, refresh=False)
    vectors = [PimTransaction(kind=PimKind.VECTOR, bank=one, row=40) for one in (1, 0)]
    host = [access(bank + one % 2 * 4, 10, one % 16) for one in range(600)]
    done = run(channel, vectors, host)
    first, second = [one.cycle for one in done.issues if one.command == Command.GWRITE]
    assert second < first + channel.gwrite_cycles + 40 < done.issues[-1].cycle


def test_nothing_of_a_tile_is_closed_for_the_host_while_another_is_inside() -> None:
    """The second waits until a row that was written is closed; the first's go in their order."""
    slow = replace(CORRECTED.timing, wr_cycles=30)
    channel = replace(CORRECTED, refresh=False, timing=slow)
    vector = PimTransaction(kind=PimKind.VECTOR, row=40)
    tile = PimTransaction(kind=PimKind.TILE, row=3, steps=1, results=1)
    write = access(7, 4, write=True)
    host = [*[write] * 70, access(9, 3), *[write] * 60]
    done = run(channel, [vector, tile, replace(tile, row=4)], host)
    names = [(one.command, one.bank) for one in done.issues]
    first = names.index((Command.PIM_PRE, 0))
    assert names[first - 1] == (Command.PRE, 7)
    assert (Command.PIM_PRE, 9) in names[first:]


def test_the_queue_of_units_has_the_one_that_is_inside() -> None:
    """With one place, the tile behind a vector comes when the vector has left."""
    cycles = [
        run(replace(CORRECTED, pim_queue=places), units(CORRECTED, [ATTEND])).issues[2].cycle
        for places in (1, 2)
    ]
    assert cycles == [1 + 14 + 96 + 2, 1 + 14 + 96 + 1]


def test_what_comes_while_data_travel_belongs_to_a_run() -> None:
    """The row of the last read is closed for the refresh that is due a cycle later."""
    reads = (CORRECTED.refresh_cycles - 15) // 2 + 1
    done = run(CORRECTED, [], [access(0, 1)] * reads)
    last = CORRECTED.refresh_cycles - 1
    assert found(done)[-2:] == [(last, Command.RD, 0), (last + 5, Command.PRE, 0)]


def test_a_queue_of_one_place_is_filled_when_nothing_else_happens() -> None:
    """Without refresh nothing but the next transfer follows the end of the second vector."""
    channel = replace(CORRECTED, refresh=False, pim_queue=1)
    done = run(channel, units(channel, [replace(LOGIT, tiles=10)] * 2))
    assert commands(done)[Command.GEMV] == 2 * 10 * LOGIT.results


def test_cycles_end_with_what_leaves() -> None:
    """Not with the data of a write, nor with its row; what comes later is not counted."""
    done = run(CORRECTED, [], [access(0, 1), access(16, 1), *[access(0, 1, write=True)] * 9])
    read = [one for one in done.issues if one.command == Command.RD][-1]
    assert done.cycles == read.cycle + data_span(CORRECTED, Command.RD)[1]
    assert 0 < len(done.counted) < len(done.issues)
    assert done.counted[-1].cycle < done.cycles <= done.issues[len(done.counted)].cycle
    assert run(CORRECTED, [], [access(0, 1, write=True)]).cycles == 0
