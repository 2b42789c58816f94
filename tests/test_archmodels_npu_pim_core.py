"""The event loop of an NPU on channels that compute: against its text, and one cycle at a time."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from npu_pim_channels import FAST
from npu_pim_device_grid import POINTS

from archmodels.npu_pim.controller import run as run_channel
from archmodels.npu_pim.core import Machine, run
from archmodels.npu_pim.shared import SharedChannel
from archmodels.npu_pim.units import accesses, transactions
from archmodels.spans import Span
from designs.npu_pim import NpuPimParams, PimChannel, RowBuffers
from designs.npu_pim.device_program import device_program
from designs.npu_pim.distances import Command
from designs.npu_pim.instructions import (
    DeviceProgram,
    Feed,
    Instruction,
    Job,
    Load,
    Operation,
    Store,
    units,
)
from designs.vector import Divide

OFTEN = replace(FAST, rl_cycles=8, refi_cycles=1400)
CHANNEL = replace(NpuPimParams().channel, rows=64, timing=OFTEN)
MACHINE = replace(NpuPimParams(), channel=CHANNEL)
BLOCKED = replace(MACHINE, channel=replace(CHANNEL, row_buffers=RowBuffers.SINGLE, composite=False))

LOAD = Load(bank=14, row=3, column=1, columns=3, count=11, to=5)
STORE = Store(bank=15, row=7, column=2, columns=1, count=5, word=0, spread=True, byte=9)
FEED = Feed(
    bank=3,
    row=20,
    tile_row=4,
    row_stride=2,
    tiles=3,
    steps=2,
    results=2,
    stride=2,
    to=0,
    to_stride=3,
)
JOB = Job(
    m=3,
    k=16,
    n=8,
    codes=0,
    codes_stride=2,
    weights=0,
    weights_stride=1,
    striped=True,
    channel=0,
    sums=0,
    sums_stride=1,
)
QUOTIENT = Divide(x=0, p=1, register=2)


def instruction(operation: Operation, **waits: int) -> Instruction:
    return Instruction(operation=operation, waits=waits)


def spans(params: NpuPimParams, program: DeviceProgram) -> dict[str, list[Span]]:
    machine = Machine(params, program)
    machine.run()
    return machine.spans


def program(params: NpuPimParams, **lists: list[Instruction]) -> DeviceProgram:
    return {unit: lists.get(unit, []) for unit in units(params)}


def test_accesses_of_an_instruction() -> None:
    """Three columns of banks 14 and 15, of all of the next row's that follow."""
    places = [(one.bank, one.row, one.column) for one in accesses(CHANNEL, LOAD)]
    assert places == [
        (bank, row, column) for bank, row in ((14, 3), (15, 3), (0, 4)) for column in (1, 2, 3)
    ] + [(1, 4, 1), (1, 4, 2)]
    assert [one.tag for one in accesses(CHANNEL, LOAD)] == list(range(5, 16))
    values = list(accesses(CHANNEL, STORE))
    assert [(one.bank, one.row) for one in values] == [(15, 7), (0, 8), (1, 8), (2, 8), (3, 8)]
    assert all(one.write and one.column == 2 for one in values)


@pytest.mark.parametrize("params", [MACHINE, BLOCKED])
def test_an_instruction_of_a_channel_alone(params: NpuPimParams) -> None:
    """What the controller takes for its transfers, the first a cycle after the start."""
    channel = params.channel
    took = run_channel(channel, [], list(accesses(channel, LOAD))).cycles
    read = spans(params, program(params, load_1=[instruction(LOAD)]))["load_1"]
    assert read == [Span(start=0, end=took)]
    fed = spans(params, program(params, pim_0=[instruction(FEED)]))["pim_0"]
    assert fed == [Span(start=0, end=run_channel(channel, list(transactions(FEED))).cycles)]
    written = run_channel(channel, [], list(accesses(channel, STORE))).issues
    last = max(one.cycle for one in written if one.command == Command.WR)
    stored = spans(params, program(params, store_0=[instruction(STORE)]))["store_0"]
    assert stored == [Span(start=0, end=1 + last)]


def test_starts_follow_ends() -> None:
    """A quotient takes 28 cycles; what waits for it starts in the cycle behind."""
    found = spans(
        MACHINE,
        program(
            MACHINE,
            vector=[instruction(QUOTIENT), instruction(QUOTIENT, load_0=1)],
            load_0=[instruction(LOAD, vector=1), instruction(LOAD)],
            array=[instruction(JOB, vector=2, load_0=2)],
        ),
    )
    first, second = found["vector"]
    loads = found["load_0"]
    assert (first.start, first.end) == (0, 28)
    assert loads[0].start == 29 and loads[1].start == 1 + loads[0].end
    assert second.start == 1 + loads[0].end
    assert found["array"][0].start == 1 + max(second.end, loads[1].end)


def test_writes_go_before_reads() -> None:
    """LOAD offers its accesses in cycles in which STORE has none."""
    far = replace(STORE, bank=0, row=30)
    machine = Machine(
        MACHINE,
        program(MACHINE, load_0=[instruction(LOAD)], store_0=[instruction(far), instruction(far)]),
    )
    machine.run()
    issues = machine.channels[0].issues
    commands = [one.command for one in issues if one.command in (Command.RD, Command.WR)]
    assert commands[0] == Command.WR
    alone = spans(MACHINE, program(MACHINE, load_0=[instruction(LOAD)]))["load_0"]
    assert machine.spans["load_0"][0].end > alone[0].end


def test_what_waits_for_itself_is_refused() -> None:
    circle = program(
        MACHINE,
        load_0=[instruction(LOAD, store_0=1)],
        store_0=[instruction(STORE, load_0=1)],
    )
    with pytest.raises(ValueError, match="program must not have instructions that wait"):
        spans(MACHINE, circle)


class EveryCycle(Machine):
    """Sleeps through none."""

    def _next(self, now: int) -> int:
        for channel in self.channels:
            if channel.next is not None:
                channel.next = now + 1
        return now + 1


def random_operation(rng: random.Random, unit: str) -> Operation:
    row, bank, count = rng.randrange(40), rng.randrange(CHANNEL.banks), rng.randint(1, 20)
    match unit.split("_")[0]:
        case "array":
            return replace(JOB, m=rng.randint(1, 6), k=8 * rng.randint(1, 6), n=rng.randint(1, 30))
        case "load":
            return replace(LOAD, bank=bank, row=row, columns=rng.randint(1, 3), count=count)
        case "store":
            return replace(STORE, bank=bank, row=row, column=rng.randrange(4), count=count)
        case "pim":
            return replace(FEED, bank=bank, row=40 + row % 20, tiles=rng.randint(1, 5))
    return QUOTIENT


def random_program(rng: random.Random, params: NpuPimParams) -> DeviceProgram:
    """Each instruction waits for some of those that were drawn before it."""
    found = program(params)
    for _ in range(40):
        unit = rng.choice(units(params))
        others = rng.sample(units(params), 2)
        waits = {one: rng.randint(0, len(found[one])) for one in others if one != unit}
        found[unit].append(instruction(random_operation(rng, unit), **waits))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_nothing_happens_while_channels_sleep(seed: int) -> None:
    rng = random.Random(seed)
    for params in (MACHINE, BLOCKED):
        drawn = random_program(rng, params)
        machine, slow = Machine(params, drawn), EveryCycle(params, drawn)
        machine.run()
        slow.run()
        assert machine.spans == slow.spans
        for own, other in zip(machine.channels, slow.channels, strict=True):
            last = own.issues[-1].cycle if own.issues else -1
            assert own.issues == [one for one in other.issues if one.cycle <= last]
        for unit, found in machine.spans.items():
            assert all(early.end < late.start for early, late in pairwise(found))
            for one, span in zip(drawn[unit], found, strict=True):
                ends = [machine.spans[name][n - 1].end for name, n in one.waits.items() if n]
                assert all(end < span.start for end in ends)


@pytest.mark.parametrize("name", ["neupims", "npu_only"])
def test_a_layer_of_each_request(name: str) -> None:
    """Each instruction starts in the cycle behind the last end that it waits for."""
    params, workload = POINTS[name]
    found, given = run(params, workload), device_program(params, workload)
    for unit, instructions in given.items():
        ends = [-1]
        for one, span in zip(instructions, found.spans[unit], strict=True):
            ends += [
                found.spans[other][count - 1].end for other, count in one.waits.items() if count
            ]
            assert span.start == 1 + max(ends)
            ends = [span.end]
    assert (found.first, found.last) == (1, found.spans["vector"][-1].end)
    assert found.cycles == found.last
    assert all(0 <= one.cycle for issues in found.issues for one in issues)


class ReadsFirst(SharedChannel):
    """A mistake: LOAD's accesses go before STORE's."""

    def __init__(self, channel: PimChannel) -> None:
        super().__init__(channel)
        self._accesses = dict(reversed(self._accesses.items()))


def test_whose_access_goes_first_is_seen_in_spans() -> None:
    """Not in the cycles of all, for the vector unit works meanwhile."""
    params, workload = POINTS["npu_only"]
    other = Machine(params, device_program(params, workload))
    other.channels = [ReadsFirst(params.channel) for _ in range(params.channels)]
    other.run()
    found = run(params, workload)
    assert other.spans["load_0"] != list(found.spans["load_0"])
    assert other.spans["store_0"] != list(found.spans["store_0"])
