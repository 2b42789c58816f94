# amaranth: UnusedElaboratable=no
"""The controller of a channel: what is on its command bus, against table, reference and policy."""

import random
from dataclasses import replace

import pytest
from npu_pim_commands import check, check_rows
from npu_pim_controller import access, play, small, tile, vector

from archmodels.npu_pim.channel import TILE_ROW, Sequencer
from designs.npu_pim import DramTiming, Precharge, Product, RowBuffers
from designs.npu_pim.distances import Command, data_span
from designs.npu_pim.order import PASSES_MAX
from designs.npu_pim.program import PimKind
from hwgen.npu_pim.controller import ISSUE_CYCLES

SINGLE = {"row_buffers": RowBuffers.SINGLE}
AT_ONCE = {"precharge": Precharge.CHANNEL}
STEPS = {"composite": False}
POINTS = {
    "dual": small(),
    "dual_at_once": small(**AT_ONCE),
    "dual_steps": small(**STEPS),
    "dual_at_once_steps": small(**AT_ONCE, **STEPS),
    "dual_without_refresh": small(refresh=False),
    "single": small(**SINGLE),
    "single_steps": small(**SINGLE, **STEPS),
    "single_without_refresh": small(**SINGLE, refresh=False),
    "default_timing": small(timing=DramTiming()),
    "default_timing_at_once": small(timing=DramTiming(), **AT_ONCE),
    "groups_of_three": small(ranks=1, banks_per_group=3),
    "one_rank": small(ranks=1, bank_groups=1),
    "two_entries": small(host_queue=2, pim_queue=2),
}


class Acting(Sequencer):
    """The reference of the commands of dot products, which opens the rows of vectors itself."""

    def _copy(self):
        bank = self._vectors % self._channel.banks
        self._vectors += 1
        while (step := self._rows.for_vector(bank, vector_row(self._vectors))).command != (
            Command.GWRITE
        ):
            self._put(step)
        self._now = self._put(step) + self._channel.gwrite_cycles


def vector_row(number):
    return TILE_ROW + number


def transactions(channel, products):
    for number, product in enumerate(products):
        yield vector(number % channel.banks, vector_row(number + 1))
        for _ in range(product.tiles):
            yield tile(TILE_ROW, product.steps, product.results)


def some_products(channel, rng, count):
    for _ in range(count):
        steps = rng.randint(1, channel.row_steps)
        most = channel.row_steps // steps
        yield Product(steps=steps, results=rng.randint(1, most), tiles=rng.randint(1, 3))


def expected(channel, products):
    """Commands as the reference has them; its first decision is in its cycle 0."""
    sequencer = Acting(channel, channel.refresh_cycles - ISSUE_CYCLES)
    for product in products:
        sequencer.serve(product)
    return [
        (one.cycle + ISSUE_CYCLES, one.command, one.bank, one.step.row if opens(one) else 0)
        for one in sequencer.issues
    ]


def opens(one):
    return one.command in (Command.ACT, Command.G_ACT)


def found(played):
    return [
        (one.cycle, one.command, one.bank, one.row if opens(one) else 0) for one in played.commands
    ]


@pytest.mark.spread({"dual", "single"})
@pytest.mark.parametrize("name", [name for name in POINTS if name != "two_entries"])
def test_without_the_host_commands_are_those_of_the_reference(name):
    channel, rng = POINTS[name], random.Random(name)
    products = list(some_products(channel, rng, 5))
    want = expected(channel, products)
    got = found(play(channel, transactions(channel, products), cycles=want[-1][0] + 1))
    assert got == want
    refreshes = sum(command == Command.REF for _, command, _, _ in want)
    assert not channel.refresh or refreshes >= want[-1][0] // channel.refresh_cycles - 1


def random_transactions(channel, rng, count):
    """Vectors and tiles of few rows, so that they often meet those of the host."""
    for _ in range(count):
        if rng.random() < 0.3:
            yield vector(rng.randrange(channel.banks), rng.randrange(3))
        else:
            steps = rng.randint(1, channel.row_steps)
            yield tile(rng.randrange(3), steps, rng.randint(1, channel.row_steps // steps))


def random_accesses(channel, rng, count):
    """Accesses with data and tags of their own; half of them are where the one before was."""
    bank = row = 0
    for number in range(count):
        if rng.random() < 0.5:
            bank, row = rng.randrange(channel.banks), rng.randrange(4)
        column = rng.randrange(channel.accesses)
        yield access(bank, row, column, write=rng.random() < 0.4, tag=number), number + 1000


def served(channel, played, host):
    """For each access the cycle of its RD or WR; it is of its row and column."""
    cycles, mem = {}, [None] * channel.banks
    tags = {one.tag: number for number, (one, _) in enumerate(host) if not one.write}
    datas = {data: number for number, (one, data) in enumerate(host) if one.write}
    last = data_span(channel, Command.WR)[1] - 1
    for one in played.commands:
        if one.command == Command.ACT:
            mem[one.bank] = one.row
        if one.command == Command.RD:
            number = tags[one.tag]
        elif one.command == Command.WR:
            number = datas[played.writes[one.cycle + last]]
        else:
            continue
        wanted = host[number][0]
        assert (one.bank, mem[one.bank], one.column) == (wanted.bank, wanted.row, wanted.column)
        assert number not in cycles
        cycles[number] = one.cycle
    return cycles


def in_order(host, cycles):
    """Of two accesses to the same place, of which one writes, the first came first; and at most so
    many passed any by since it was the oldest of its bank."""
    for bank in {one.bank for one, _ in host}:
        own = [number for number, (one, _) in enumerate(host) if one.bank == bank]
        for at, number in enumerate(own):
            one = host[number][0]
            for later in own[at + 1 :]:
                other = host[later][0]
                if (one.row, one.column) == (other.row, other.column) and (
                    one.write or other.write
                ):
                    assert cycles[number] < cycles[later]
            oldest = max((cycles[earlier] for earlier in own[:at]), default=-1)
            passed = [x for x in own[at + 1 :] if oldest < cycles[x] < cycles[number]]
            assert len(passed) <= PASSES_MAX


@pytest.mark.spread({"dual_at_once", "single_steps"})
@pytest.mark.parametrize(
    "name",
    [
        "dual",
        "dual_at_once",
        "dual_steps",
        "single",
        "single_steps",
        "groups_of_three",
        "two_entries",
        "default_timing",
    ],
)
def test_random_traffic_is_legal_and_every_access_is_served(name):
    channel, rng = POINTS[name], random.Random(f"traffic {name}")
    pim = list(random_transactions(channel, rng, 10))
    host = list(random_accesses(channel, rng, 120))
    played = play(
        channel,
        pim,
        host,
        cycles=5000 if channel.timing == DramTiming() else 1600,
        pauses={"pim": lambda cycle: cycle // 300 % 2, "host": lambda cycle: cycle // 500 % 2},
    )
    check(channel, played.commands)
    check_rows(channel, played.commands)
    assert len(played.accepted["pim"]) == len(pim)
    cycles = served(channel, played, host)
    assert len(cycles) == len(host)
    in_order(host, cycles)
    assert done(played) == work(channel, pim)
    refreshed(channel, played)


def done(played):
    """Vectors and dot products, in order."""
    kept = (Command.GWRITE, Command.GEMV, Command.COMP, Command.READRES)
    return [(one.command, *what(one)) for one in played.commands if one.command in kept]


def what(one):
    """Of a command what counts."""
    return {
        Command.GWRITE: lambda: (one.bank,),
        Command.GEMV: lambda: (one.column, one.steps),
        Command.COMP: lambda: (one.column,),
        Command.READRES: lambda: (),
    }[one.command]()


def work(channel, pim):
    """What `done` gives of these transactions."""
    found = []
    for one in pim:
        if one.kind == PimKind.VECTOR:
            found.append((Command.GWRITE, one.bank))
            continue
        for first in range(0, one.steps * one.results, one.steps):
            if channel.composite:
                found.append((Command.GEMV, first, one.steps))
                continue
            found += [(Command.COMP, first + step) for step in range(one.steps)]
            found.append((Command.READRES,))
    return found


def refreshed(channel, played):
    """Ranks take turns, each time when it is due, or as soon as a unit is done and rows closed."""
    found = [one for one in played.commands if one.command == Command.REF]
    last = played.commands[-1].cycle
    late = channel.longest_tile_cycles + channel.timing.ras_cycles + channel.timing.rfc_cycles
    assert len(found) >= (last - late) // channel.refresh_cycles
    for number, one in enumerate(found):
        due = (number + 1) * channel.refresh_cycles
        assert one.bank == number % channel.ranks * channel.banks_per_rank
        assert due <= one.cycle <= due + late


def end_of_work(played):
    kinds = (Command.GWRITE, Command.GEMV, Command.COMP)
    return max(one.cycle for one in played.commands if one.command in kinds)


KEEPING = {
    "writes_of_the_tiles_row": lambda number: access(0, 1, number % 2, write=True),
    "reads_of_the_tiles_row": lambda number: access(0, 1, number % 2),
    "other_rows": lambda number: access(number % 4, 4 + number // 4 % 8),
    "writes": lambda number: access(number % 8, 5, number % 2, write=True),
    "reads_of_another_rank": lambda number: access(number % 4, 5, number % 2),
    "the_vectors_bank": lambda number: access(4, 4 + number % 8),
}
"""Accesses that, if they went on, would keep a command of a vector or a tile waiting."""


@pytest.mark.spread({"writes_of_the_tiles_row", "other_rows"})
@pytest.mark.parametrize(
    ("name", "composite"), [*((name, True) for name in KEEPING), ("writes", False)]
)
def test_accesses_do_not_keep_vectors_and_tiles_waiting(name, composite):
    # Few commands of dot products, so that there are slots enough for what keeps others waiting.
    channel = small(refresh=False, composite=composite, bank_groups=1, banks_per_group=4, **AT_ONCE)
    pim = [vector(4, 3), tile(1, 4, 2), tile(1, 4, 2), vector(6, 3), tile(1, 4, 2)]
    host = [(KEEPING[name](number), 0) for number in range(200)]
    alone = end_of_work(play(channel, pim, cycles=300))
    played = play(channel, pim, host, cycles=400, pauses={"pim": lambda cycle: cycle < 40})
    assert done(played) == work(channel, pim)
    assert len(played.accepted["host"]) > 20
    assert end_of_work(played) <= alone + 40 + 2 * channel.timing.rc_cycles


def test_vectors_and_tiles_do_not_keep_accesses_waiting_for_more_than_a_refresh():
    channel = small()
    pim = [tile(1, 1) for _ in range(120)]
    host = [(access(bank, 1 + bank % 2, tag=bank), 0) for bank in range(channel.banks)]
    played = play(channel, pim, host, cycles=720, pauses={"host": lambda cycle: cycle < 100})
    cycles = served(channel, played, host)
    assert len(played.accepted["pim"]) < len(pim)  # dot products have not come to an end
    assert max(cycles.values()) < 100 + 2 * channel.refresh_cycles
    assert len(cycles) == len(host)


@pytest.mark.spread(1)
@pytest.mark.parametrize("refresh", [True, False])
def test_with_one_row_buffer_there_are_accesses_or_dot_products(refresh):
    channel, rng = small(**SINGLE, refresh=refresh), random.Random(5)
    pim = [vector(0, 3), tile(1, 4), tile(2, 4), vector(1, 3), tile(1, 2, 3)]
    host = list(random_accesses(channel, rng, 60))
    played = play(channel, pim, host, cycles=1500, pauses={"pim": lambda cycle: cycle < 50})
    assert done(played) == work(channel, pim)
    first, last = played.accepted["pim"][0], end_of_work(played)
    begun = min(one.cycle for one in played.commands if one.command == Command.GWRITE)
    for cycle in played.accepted["host"]:
        assert not first < cycle <= last
    before = sum(cycle <= first for cycle in played.accepted["host"])
    assert 0 < before < len(host)
    cycles = served(channel, played, host)
    assert len(cycles) == len(host)
    assert sum(cycle < begun for cycle in cycles.values()) == before
    assert all(cycle < begun or cycle > last for cycle in cycles.values())


@pytest.mark.parametrize("name", ["dual", "single"])
def test_queues_are_as_deep_as_their_params_say(name):
    channel = replace(POINTS[name], host_queue=3, pim_queue=5)
    played = play(channel, [vector(0, 1)] * 9, [], cycles=12)
    assert len(played.accepted["pim"]) == 5
    # Each reads another row, and the first cannot be read before its row is open.
    rows = [(access(2, number), 0) for number in range(9)]
    played = play(channel, [], rows, cycles=channel.timing.rcd_rd_cycles + 2)
    assert played.accepted["host"] == [0, 1, 2]
