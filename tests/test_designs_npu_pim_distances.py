"""The table of minimum distances, against every row of what the authors' simulator enforces."""

from dataclasses import replace

import pytest

from designs.npu_pim import DramTiming, Fidelity, PimChannel, Precharge, RowBuffers
from designs.npu_pim.distances import (
    Command,
    Coverage,
    Nearness,
    commands,
    coverage,
    data_span,
    distances,
    least_distance,
    nearness,
    places,
    window,
)

DUAL = PimChannel(fidelity=Fidelity.AS_PUBLISHED)
SINGLE = replace(DUAL, row_buffers=RowBuffers.SINGLE)
CORRECTED = PimChannel()

BANK, GROUP, RANK, OTHER = Nearness
"""The same bank; others of its group; other groups of its rank; the other rank."""

# from, to, nearness, cycles with two row buffers, cycles with one
PUBLISHED = """
ACT ACT bank 48 48
ACT ACT group 6 6
ACT ACT rank 4 4
ACT ACT other 0 0
ACT RD bank 14 14
ACT WR bank 14 14
ACT GWRITE bank 14 14
ACT PRE bank 34 34
ACT G_ACT bank 6 48
ACT G_ACT group 6 6
ACT G_ACT rank 4 4
RD RD bank,group,rank 2 2
RD RD other 4 4
RD GWRITE bank,group,rank 2 2
RD GWRITE other 4 4
RD WR bank,group,rank,other 14 14
RD PRE bank 5 5
RD GEMV bank,group 0 2
RD COMP bank,group 0 2
RD GEMV rank,other 2 2
RD COMP rank,other 2 2
WR RD bank,group 14 14
WR RD rank 12 12
WR WR bank,group,rank,other 2 2
WR PRE bank 22 22
WR GEMV bank,group 0 14
WR COMP bank,group 0 14
WR GEMV rank,other 12 12
WR COMP rank,other 12 12
PRE ACT bank 14 14
PRE REF bank 14 14
PRE G_ACT bank 0 14
G_ACT G_ACT bank,group 48 48
G_ACT G_ACT rank 30 30
G_ACT ACT bank,group,rank 30 30
G_ACT ACT other 0 0
G_ACT GEMV bank 14 14
G_ACT COMP bank 14 14
G_ACT PIM_PRE bank 34 0
G_ACT PRE bank 0 34
GEMV RD bank,group,rank,other 4 4
GEMV WR bank,group,rank,other 14 14
GEMV PRE bank 0 5
GEMV PIM_PRE bank 5 0
GEMV GWRITE bank,group,rank,other 2 2
COMP COMP bank,group,rank,other 2 2
COMP READRES bank,group,rank,other 2 2
COMP RD bank,group,rank,other 2 2
COMP GWRITE bank,group,rank,other 2 2
COMP WR bank,group,rank,other 14 14
COMP PIM_PRE bank 5 0
COMP PRE bank 0 5
READRES RD bank,group,rank,other 2 2
READRES COMP bank,group,rank,other 2 2
READRES WR bank,group,rank,other 14 14
READRES G_ACT bank 19 19
READRES PIM_PRE bank 5 0
READRES PRE bank 0 5
PIM_PRE G_ACT bank 14 0
PIM_PRE REF bank 14 0
GWRITE RD bank 96 96
GWRITE WR bank 96 96
GWRITE PRE bank 96 96
GWRITE GEMV bank,group,rank,other 96 96
GWRITE COMP bank,group,rank,other 96 96
GWRITE READRES bank,group,rank,other 96 96
GWRITE GWRITE bank,group,rank,other 96 96
GWRITE RD group,rank,other 2 2
GWRITE WR group,rank,other 14 14
REF ACT bank,group,rank 260 260
REF G_ACT bank,group,rank 260 260
REF REF bank,group,rank 260 260
REF ACT other 0 0
"""

ROWS = [line.split() for line in PUBLISHED.strip().splitlines()]
NEARNESS = {"bank": BANK, "group": GROUP, "rank": RANK, "other": OTHER}


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_every_published_distance(row: list[str]) -> None:
    before, after, places, *cycles = row
    for channel, expected in zip((DUAL, SINGLE), map(int, cycles), strict=True):
        table = distances(channel)
        for place in places.split(","):
            pair = (Command[before], Command[after], NEARNESS[place])
            assert least_distance(table, *pair) == expected


@pytest.mark.parametrize("channel", [DUAL, SINGLE])
def test_no_distance_is_missing_above(channel: PimChannel) -> None:
    known = {
        (row[0], row[1], place)
        for row in ROWS
        for place in row[2].split(",")
        if row[3 + (channel is SINGLE)] != "0"
    }
    names = {value: name for name, value in NEARNESS.items()}
    for row in distances(channel):
        for near in row.nearness:
            if row.cycles > 0 and not row.per_step and not row.from_oldest:
                assert (row.before.name, row.after.name, names[near]) in known


def test_a_channel_has_the_commands_of_its_kind() -> None:
    stepwise = replace(SINGLE, composite=False, refresh=False)
    assert set(Command) - set(commands(DUAL)) == {Command.COMP, Command.READRES}
    assert set(Command) - set(commands(stepwise)) == {Command.GEMV, Command.PIM_PRE, Command.REF}


@pytest.mark.parametrize("channel", [DUAL, SINGLE, CORRECTED])
@pytest.mark.parametrize(("steps", "cycles"), [(1, 14), (6, 14), (7, 16), (8, 18), (32, 66)])
def test_a_gemv_is_busy_for_its_steps(channel: PimChannel, steps: int, cycles: int) -> None:
    table = distances(channel)
    for near in Nearness:
        found = least_distance(table, Command.GEMV, Command.GEMV, near, steps)
        assert found == cycles == 2 * (max(steps, 6) + 1)


@pytest.mark.parametrize("channel", [DUAL, SINGLE, CORRECTED])
def test_a_result_waits_for_the_tree(channel: PimChannel) -> None:
    (row,) = (row for row in distances(channel) if row.from_oldest)
    assert (row.before, row.after, row.cycles) == (Command.COMP, Command.READRES, 6)
    assert set(row.nearness) == set(Nearness)


@pytest.mark.parametrize("steps", [1, 8, 32])
def test_corrected_distances_wait_for_the_last_step(steps: int) -> None:
    table = distances(CORRECTED)
    close = least_distance(table, Command.GEMV, Command.PIM_PRE, BANK, steps)
    assert close == 2 * (steps - 1) + 5
    copy = least_distance(table, Command.GEMV, Command.GWRITE, OTHER, steps)
    assert copy == 2 * (max(steps, 6) + 1)
    assert data_span(CORRECTED, Command.GEMV, steps) == (
        2 * max(steps, 6) + 14,
        2 * max(steps, 6) + 16,
    )
    assert least_distance(table, Command.WR, Command.GWRITE, BANK) == 14


def test_corrected_differs_behind_a_gemv_and_a_write_alone() -> None:
    published, corrected = set(distances(DUAL)), set(distances(CORRECTED))
    pairs = {(row.before, row.after) for row in published ^ corrected}
    gemv = Command.GEMV
    assert pairs == {
        (gemv, Command.PIM_PRE),
        (gemv, Command.GWRITE),
        (Command.WR, Command.GWRITE),
    }


def test_data_spans() -> None:
    assert data_span(DUAL, Command.RD) == data_span(DUAL, Command.READRES) == (14, 16)
    assert data_span(DUAL, Command.GEMV, 32) == (14, 16)
    assert data_span(DUAL, Command.WR) == (4, 6)
    assert data_span(DUAL, Command.ACT) == (0, 0)


def test_windows() -> None:
    found = window(DUAL)
    assert (found.cycles, found.most) == (30, 4)
    assert found.needs == {Command.ACT: 1, Command.G_ACT: 1}
    assert found.enters == {Command.ACT: 1, Command.G_ACT: 0}
    assert (
        window(CORRECTED).needs
        == window(CORRECTED).enters
        == {
            Command.ACT: 1,
            Command.G_ACT: 4,
        }
    )
    assert window(replace(CORRECTED, banks_per_group=2)).enters[Command.G_ACT] == 2


def test_coverage_follows_what_one_command_closes() -> None:
    assert coverage(DUAL)[Command.PIM_PRE] == Coverage.BANK
    wide = replace(DUAL, precharge=Precharge.CHANNEL)
    assert coverage(wide)[Command.PIM_PRE] == Coverage.CHANNEL
    assert set(coverage(DUAL)) == set(Command)


def test_places_and_nearness_of_two_ranks_of_two_groups_of_three_banks() -> None:
    odd = replace(DUAL, ranks=2, bank_groups=2, banks_per_group=3)
    places_of = {command: [[*one] for one in places(odd, command)] for command in Command}
    groups = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert places_of[Command.ACT] == [[bank] for bank in range(12)]
    assert places_of[Command.G_ACT] == groups
    assert places_of[Command.REF] == [groups[0] + groups[1], groups[2] + groups[3]]
    assert places_of[Command.GEMV] == [[*range(12)]]
    found = "".join(str(int(nearness(odd, 4, other))) for other in range(12))
    assert found == "222101333333"


def test_distances_follow_the_timing() -> None:
    timing = DramTiming(
        burst_cycles=4, rl_cycles=11, wl_cycles=7, rtp_cycles=3, wr_cycles=9, rtrs_cycles=1
    )
    table = distances(replace(DUAL, timing=timing))
    assert least_distance(table, Command.RD, Command.WR, BANK) == 11 + 4 + 1 - 7
    assert least_distance(table, Command.WR, Command.PRE, BANK) == 7 + 4 + 9
    assert least_distance(table, Command.GEMV, Command.GEMV, OTHER, 8) == 4 * 9
    assert least_distance(table, Command.READRES, Command.G_ACT, BANK) == 3 + 14
    far = DramTiming(wl_cycles=14, rl_cycles=14)
    assert (
        least_distance(distances(replace(DUAL, timing=far)), Command.WR, Command.RD, OTHER)
        == 14 + 2 + 2 - 14
    )
