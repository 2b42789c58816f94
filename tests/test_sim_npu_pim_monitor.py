"""The monitor of the command bus: what it accepts, and what it catches."""

import copy
import random
import re
from dataclasses import replace

import pytest

from archmodels.npu_pim.channel import issues
from archmodels.npu_pim.timetable import Step, Timetable
from designs.npu_pim import DramTiming, Element, PimChannel, Precharge, RowBuffers, Turns
from designs.npu_pim.distances import Command, commands
from designs.npu_pim.gemv import Heads, attend, logit
from sim.npu_pim_gaps import Seen
from sim.npu_pim_monitor import Bus, violations

DUAL = PimChannel(refresh=False)
SMALL = PimChannel(
    ranks=2, bank_groups=2, banks_per_group=2, row_bytes=128, access_bytes=32, lanes=8
)
CHANNELS = {
    "published": DUAL,
    "refreshed": PimChannel(),
    "small": SMALL,
    "at_once": replace(DUAL, precharge=Precharge.CHANNEL),
    "steps_apart": replace(SMALL, composite=False),
    "newton": replace(SMALL, row_buffers=RowBuffers.SINGLE, composite=False),
    "single": replace(SMALL, row_buffers=RowBuffers.SINGLE),
    "one_rank": replace(SMALL, ranks=1, bank_groups=1, banks_per_group=8, element=Element.BF16),
    "other_timing": replace(
        SMALL,
        timing=DramTiming(
            rl_cycles=9,
            wl_cycles=5,
            burst_cycles=1,
            ccd_s_cycles=2,
            ccd_l_cycles=3,
            rcd_rd_cycles=5,
            rcd_wr_cycles=4,
            rp_cycles=6,
            ras_cycles=11,
            rc_cycles=19,
            faw_cycles=17,
            rrd_s_cycles=2,
            rrd_l_cycles=3,
            rtp_cycles=3,
            rfc_cycles=40,
            tree_steps=3,
        ),
    ),
}


def seen(issue):
    return Seen(
        cycle=issue.cycle,
        command=issue.command.name.lower(),
        bank=issue.bank,
        row=issue.step.row,
        steps=issue.steps,
    )


def reference(channel, length=100):
    """The reference's commands of a request; with two buffers it leaves out the host's ACTs."""
    heads = Heads(heads=2, kv_heads=2, head_dim=16)
    products = (*logit(channel, heads, length), *attend(channel, heads, length))
    return [seen(one) for one in issues(channel, products)]


def fork(bus):
    """A bus that has seen the same."""
    twin = copy.copy(bus)
    for name, held in vars(bus).items():
        if isinstance(held, dict):
            setattr(twin, name, {key: copy.copy(value) for key, value in held.items()})
        elif isinstance(held, list):
            setattr(twin, name, held.copy())
    return twin


def tight(channel, *wanted):
    """Commands (name, bank, row or steps), each in the first cycle that the table allows."""
    table, now, stream = Timetable(channel), 0, []
    for name, bank, number in wanted:
        command = Command[name.upper()]
        step = Step(command=command, bank=bank, row=number, steps=number)
        stream.append(seen(table.issue(step, table.earliest(step, now))))
        now = stream[-1].cycle + 1
    return stream


@pytest.mark.parametrize("name", CHANNELS)
def test_the_reference_keeps_all_rules(name):
    channel = CHANNELS[name]
    stream = reference(channel)
    assert len(stream) > 40
    is_single = channel.row_buffers == RowBuffers.SINGLE
    assert violations(channel, stream, states=is_single) == []
    if not is_single:  # all but the copies, whose rows the host opens
        rest = [one for one in stream if one.command != "gwrite"]
        assert violations(channel, rest) == []


@pytest.mark.parametrize("name", CHANNELS)
def test_table_and_monitor_say_the_same_of_random_streams(name):
    """The first cycle that the table of distances allows is the first that the monitor does."""
    channel, draw = replace(CHANNELS[name], refresh=False), random.Random(name)
    table, bus, now, waits = Timetable(channel), Bus(channel), 0, 0
    has_sum = False
    for _ in range(300):
        command = draw.choice(commands(CHANNELS[name]))
        if command == Command.READRES and not has_sum:
            continue
        has_sum = command == Command.COMP or (has_sum and command != Command.READRES)
        steps = draw.randint(1, channel.row_steps) if command == Command.GEMV else 0
        bank = table.banks(command, draw.randrange(channel.banks)).start
        step = Step(command=command, bank=bank, steps=steps)
        found = seen(table.issue(step, table.earliest(step, now)))
        if found.cycle > now:
            early = replace(found, cycle=found.cycle - 1)
            assert list(fork(bus).faults(early)), early
            waits += 1
        assert list(bus.faults(found)) == [], found
        now = found.cycle + 1
    assert waits > 50


OPENED = [("g_act", bank, 5) for bank in (0, 2, 4, 6)]
"""The same row of all banks."""
CLOSED = [("pim_pre", bank, 0) for bank in range(8)]
ACCESS = [("act", 0, 1), ("rd", 0, 0), ("wr", 0, 0)]
TILE = [("act", 0, 1), ("gwrite", 0, 0), *OPENED, ("gemv", 0, 8)]


@pytest.mark.parametrize(
    ("wanted", "last", "distance", "sentence"),
    [
        pytest.param([*TILE], ("pim_pre", 0, 0), 5, "is 5 behind gemv .*, not 19", id="pim_pre"),
        pytest.param([*TILE], ("gwrite", 0, 0), 2, "while a dot product needs", id="gwrite"),
        pytest.param([*TILE], ("gemv", 0, 1), 17, "while a dot product needs", id="gemv"),
        pytest.param([*TILE], ("rd", 0, 0), 15, "has its data on the bus", id="data"),
        pytest.param([*TILE], ("pre", 0, 0), 0, "shares its slot", id="slot"),
        pytest.param(ACCESS, ("pre", 0, 0), 21, "is 21 behind wr of bank 0, not 22", id="wr_pre"),
        pytest.param(ACCESS, ("rd", 1, 0), 13, "is 13 behind wr of bank 0, not 14", id="turn"),
        pytest.param(ACCESS, ("rd", 1, 0), 14, "finds no row open", id="closed"),
        pytest.param(ACCESS, ("act", 0, 3), 60, "which has one open", id="open"),
        pytest.param(ACCESS, ("ref", 0, 0), 60, r"finds rows open in banks \[0\]", id="ref_open"),
        pytest.param(
            [("act", 2, 7), *OPENED[:1]], ("g_act", 2, 7), 60, "other row buffer", id="coherence"
        ),
        pytest.param(OPENED, ("act", 3, 5), 60, "in its other row buffer", id="coherence_act"),
        pytest.param(OPENED, ("g_act", 2, 6), 60, "which has one open", id="g_act_open"),
        pytest.param(
            [*OPENED, *CLOSED[:1]], ("gemv", 0, 4), 20, r"finds rows \[-1, 5\]", id="gemv_closed"
        ),
        pytest.param(
            [*OPENED[:3], ("g_act", 6, 4)], ("gemv", 0, 4), 20, r"rows \[4, 5\]", id="gemv_rows"
        ),
        pytest.param(
            [*OPENED, *CLOSED], ("ref", 4, 0), 60, "is not of rank 0, whose turn", id="turns"
        ),
        pytest.param(
            [*OPENED, *CLOSED, ("ref", 0, 0)], ("act", 1, 0), 259, "behind ref .* 260", id="rfc"
        ),
        pytest.param(
            [*OPENED[:2], *CLOSED[:4]], ("ref", 0, 0), 13, "behind pim_pre .* 14", id="ref_early"
        ),
        pytest.param(ACCESS, ("pre", 0, 0), 3900, "later than a refresh", id="refresh_late"),
        pytest.param(OPENED[:1], ("act", 2, 9), 29, "behind g_act of bank 0, not 30", id="faw"),
    ],
)
def test_planted_violations_are_caught(wanted, last, distance, sentence):
    """All is right up to the last command, which comes `distance` behind the one before."""
    stream = tight(SMALL, *wanted)
    assert violations(SMALL, stream) == []
    name, bank, number = last
    cycle = stream[-1].cycle + distance
    planted = Seen(cycle=cycle, command=name, bank=bank, row=number, steps=number)
    found = violations(SMALL, [*stream, planted])
    assert any(re.search(sentence, one) for one in found), found
    assert all(one.startswith(f"cycle {cycle}: {name} of bank {bank} ") for one in found)


def test_ranks_that_are_refreshed_together_are_due_together():
    """SMALL: 3900 cycles; each rank's refresh may come an interval late, then all are late."""
    channel = replace(SMALL, turns=Turns.TOGETHER)
    first, second = (Seen(cycle=3901 + one, command="ref", bank=4 * one) for one in range(2))
    end = Seen(cycle=3 * 3900, command="act", bank=0)
    assert violations(channel, [first, second, end]) == []
    assert "than a refresh that was due in cycle 3900" in violations(channel, [first, end])[0]
    again = replace(second, cycle=second.cycle + 300)
    assert "is not of rank 0" in violations(channel, [first, second, again])[0]
    assert any("was due in cycle 5850" in one for one in violations(SMALL, [first, second, end]))


def test_a_window_of_four():
    """Five rows are too many in 30 cycles, and those of a group of four count as four."""
    stream = [Seen(cycle=6 * one, command="act", bank=4 * one) for one in range(4)]
    fifth = Seen(cycle=29, command="act", bank=1, row=3)
    (found,) = violations(DUAL, [*stream, fifth])
    assert "opens more than 4 rows of rank 0 in a window" in found
    assert violations(DUAL, [*stream, replace(fifth, cycle=30)]) == []
    group = Seen(cycle=29, command="g_act", bank=12, row=3)
    assert any("in a window" in one for one in violations(DUAL, [*stream[:1], group]))
    assert violations(DUAL, [*stream[:1], replace(group, cycle=30)]) == []


def test_sums_that_are_not_there():
    """READRES comes 6 cycles behind the first COMP of its sum, and never without one."""
    channel = replace(SMALL, composite=False)
    stream = tight(channel, *OPENED, ("comp", 0, 0), ("readres", 0, 0))
    assert violations(channel, stream) == []
    early = [*stream[:-1], replace(stream[-1], cycle=stream[-1].cycle - 1)]
    assert "that was begun in cycle" in violations(channel, early)[0]
    again = [*stream, replace(stream[-1], cycle=stream[-1].cycle + 10)]
    assert "was not begun" in violations(channel, again)[0]


def test_one_row_buffer_is_for_one_thing_at_a_time():
    channel = CHANNELS["single"]
    stream = tight(channel, ("act", 0, 1), ("pre", 0, 0), *OPENED)
    between = Seen(cycle=stream[-1].cycle + 60, command="rd", bank=0)
    assert "between the rows of a tile" in violations(channel, [*stream, between])[0]
    assert "which has one open" in violations(channel, [*stream[:1], *stream[2:3]])[-1]
