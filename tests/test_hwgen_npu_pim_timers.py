# amaranth: UnusedElaboratable=no
"""Timers and refresh of a channel, against the table of distances in every cycle."""

import functools
import itertools
import random
from collections import Counter
from dataclasses import replace

import pytest
from amaranth.sim import Simulator
from npu_pim_channels import POINTS, SMALL, random_channel

from designs.npu_pim import Fidelity, PimChannel
from designs.npu_pim.distances import (
    Command,
    Coverage,
    Nearness,
    commands,
    coverage,
    data_span,
    distances,
    window,
)
from hwgen.npu_pim.refresh import Refresh
from hwgen.npu_pim.timers import Timers
from hwgen.npu_pim.waits import ready_bits


class Expected:
    """What may be on the bus: each row of the table, place by place, the window and the data."""

    def __init__(self, channel: PimChannel) -> None:
        self.channel = channel
        self.rows, self.window = distances(channel), window(channel)
        sizes = {
            Coverage.BANK: 1,
            Coverage.GROUP: channel.banks_per_group,
            Coverage.RANK: channel.banks_per_rank,
            Coverage.CHANNEL: channel.banks,
        }
        self.places = {
            command: [
                tuple(range(first, first + sizes[covered]))
                for first in range(0, channel.banks, sizes[covered])
            ]
            for command, covered in coverage(channel).items()
            if command in commands(channel)
        }
        self.due = {command: [0] * len(places) for command, places in self.places.items()}
        self.first: dict[Command, int] = {}
        self.opened: list[tuple[int, int, int]] = []
        self.taken: set[int] = set()
        self.near = functools.cache(self.nearness)

    def nearness(self, banks: tuple[int, ...], others: tuple[int, ...]) -> set[Nearness]:
        p = self.channel
        found = set()
        for one, other in itertools.product(banks, others):
            ranks = one // p.banks_per_rank, other // p.banks_per_rank
            groups = one // p.banks_per_group, other // p.banks_per_group
            kinds = (one == other, groups[0] == groups[1], ranks[0] == ranks[1], True)
            found.add(Nearness(kinds.index(True)))
        return found

    def data(self, cycle: int, command: Command, steps: int) -> set[int]:
        start, end = data_span(self.channel, command, steps)
        return set(range(cycle + start, cycle + end))

    def ready(self, cycle: int) -> dict[Command, list[bool]]:
        """Of each place; a GEMV may come whatever its steps, or not at all."""
        ready = {}
        for command, due in self.due.items():
            steps = range(1, self.channel.row_steps + 1) if command == Command.GEMV else [0]
            free = {self.taken.isdisjoint(self.data(cycle, command, one)) for one in steps}
            waited = all(
                cycle >= self.first[row.before] + row.cycles
                for row in self.rows
                if row.from_oldest and row.after == command and row.before in self.first
            )
            allowed = [
                one <= cycle and waited and self.fits(command, banks[0], cycle)
                for one, banks in zip(due, self.places[command], strict=True)
            ]
            assert len(free) == 1 or not any(allowed)
            ready[command] = [one and all(free) for one in allowed]
        return ready

    def fits(self, command: Command, bank: int, cycle: int) -> bool:
        """Whether the window of its rank has room."""
        rank = bank // self.channel.banks_per_rank
        latest = cycle - self.window.cycles
        opened = sum(count for at, where, count in self.opened if at > latest and where == rank)
        return opened + self.window.needs.get(command, 0) <= self.window.most

    def issue(self, cycle: int, command: Command, place: int, steps: int) -> None:
        banks = self.places[command][place]
        for row in self.rows:
            if row.from_oldest and row.after == command:
                self.first.pop(row.before, None)
            if row.before != command or row.after not in self.due:
                continue
            if row.from_oldest:
                self.first.setdefault(command, cycle)
                continue
            due = self.due[row.after]
            for other, others in enumerate(self.places[row.after]):
                if self.near(banks, others) & set(row.nearness):
                    due[other] = max(due[other], cycle + row.least(steps))
        count = self.window.enters.get(command, 0)
        self.opened.append((cycle, banks[0] // self.channel.banks_per_rank, count))
        self.opened = [one for one in self.opened if one[0] > cycle - self.window.cycles]
        self.taken |= self.data(cycle, command, steps)


def drawn(rng: random.Random, ready: dict[Command, list[bool]]) -> tuple[Command, int] | None:
    """A command that may come and its place."""
    there = [one for one, places in ready.items() if any(places)]
    if not there:
        return None
    command = rng.choice(there)
    return command, rng.choice([place for place, is_it in enumerate(ready[command]) if is_it])


def run(channel: PimChannel, cycles: int, seed: int) -> Counter[Command]:
    """Compare in every cycle; commands come as soon as they may, or now and then."""
    rng = random.Random(seed)
    dut, expected = Timers(channel), Expected(channel)
    issued: Counter[Command] = Counter()

    async def bench(ctx):
        idle = 0
        for cycle in range(cycles):
            ready = expected.ready(cycle)
            for command, places in ready.items():
                found = ctx.get(getattr(dut, f"ready_{command.name.lower()}"))
                alike = len(places) // ready_bits(channel, command)
                expanded = [bool(found >> at // alike & 1) for at in range(len(places))]
                assert expanded == places, (cycle, command)
            chosen = drawn(rng, ready) if idle == 0 else None
            if idle == 0 and rng.random() < 0.1:
                idle = rng.randint(1, channel.timing.rc_cycles)
            idle = max(idle - 1, 0)
            steps = rng.randint(1, channel.row_steps)
            ctx.set(dut.valid, chosen is not None)
            ctx.set(dut.command, rng.choice(list(Command)))
            ctx.set(dut.bank, rng.randrange(channel.banks))
            if channel.composite:
                ctx.set(dut.steps, steps - 1)
            if chosen is not None:
                command, place = chosen
                ctx.set(dut.command, command)
                ctx.set(dut.bank, expected.places[command][place][0])
                expected.issue(cycle, command, place, steps if command == Command.GEMV else 0)
                issued[command] += 1
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return issued


@pytest.mark.spread({"steps", "single", "odd_bursts", "one_of_each"})
@pytest.mark.parametrize("name", POINTS)
def test_ready_is_what_the_table_allows(name):
    channel = POINTS[name]
    issued = run(channel, 700, seed=1)
    assert set(issued) == set(commands(channel))


@pytest.mark.spread(1)
@pytest.mark.parametrize("seed", range(4))
def test_ready_on_random_channels(seed):
    rng = random.Random(seed)
    channel = replace(
        random_channel(rng),
        fidelity=Fidelity.CORRECTED,
        ranks=rng.randint(1, 2),
        bank_groups=rng.randint(1, 2),
    )
    run(channel, 300, seed)


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_refresh_counts_and_ranks_take_turns(ranks):
    channel = replace(SMALL, ranks=ranks, access_bytes=32)
    dut, rng = Refresh(channel), random.Random(ranks)
    interval = channel.refresh_cycles

    async def bench(ctx):
        for _ in range(7):
            assert (ctx.get(dut.left), ctx.get(dut.rank)) == (interval, 0)
            await ctx.tick()
        left, rank = interval, 0
        for cycle in range(6 * interval):
            assert (ctx.get(dut.left), ctx.get(dut.rank)) == (left, rank), cycle
            done = left < -rng.randint(0, 40) or left == 1 - interval
            ctx.set(dut.start, cycle == 0 or rng.random() < 0.3)
            ctx.set(dut.done, done)
            left += interval - 1 if done else -1
            rank = (rank + done) % ranks
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
