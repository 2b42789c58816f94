"""What happens in a channel during one workload, how long it takes, and what works each time.

It steps through the commands of a program, and so takes no grids.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from archmodels.counts import Event, Item, Kind, Operation
from archmodels.items import use_events
from archmodels.npu_pim.controller import run
from designs.npu_pim import PimAttention, PimChannel
from designs.npu_pim.distances import Command, commands
from designs.npu_pim.program import PimKind, program

PARTS_OF_RESULTS = ("unit.rounding", "unit.excess", "unit.denormal")
"""Parts of the units that work for a result, and not for each step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What a workload makes a channel do.

    cycles: from the first transfer to the last. commands: on the bus in these cycles, by kind.
    units, accesses, results: transfers. steps: of dot products, in all banks each.
    """

    cycles: int
    commands: Mapping[Command, int]
    units: int
    accesses: int
    results: int
    steps: int


@lru_cache(maxsize=64)
def work(params: PimChannel, workload: PimAttention) -> Work:
    """Of a workload that fits, from an idle channel."""
    given = program(params, workload)
    done = run(params, given.pim, given.host)
    tiles = [one for one in given.pim if one.kind == PimKind.TILE]
    return Work(
        cycles=done.cycles,
        commands=Counter(issue.command for issue in done.counted),
        units=len(given.pim),
        accesses=len(given.host),
        results=sum(one.results for one in tiles),
        steps=sum(one.results * one.steps for one in tiles),
    )


def cycles(params: PimChannel, workload: PimAttention) -> int:
    """Cycles from the first transfer, of a unit or an access, to the last result or read."""
    return work(params, workload).cycles


def activity(
    params: PimChannel, workload: PimAttention, items: Mapping[str, Item]
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    `mac.slots`: products of all lanes in all steps; `mac.useful`: those of the workload;
    `<port>.transfers`; `commands.<name>`: on the bus in these cycles; `read.bytes`,
    `written.bytes`: of the host's accesses; `array.reads`, `.writes`: of rows; `vector.reads`,
    `.writes`: of what a step takes of the vector; `<part>.uses`: what a part of the inventory does.
    Of the controller only the clock is charged, which `counts` adds.
    """
    return {"mac.useful": Event(count=workload.mac_count)} | channel_events(
        params, work(params, workload), items
    )


def channel_events(params: PimChannel, found: Work, items: Mapping[str, Item]) -> dict[str, Event]:
    """All events but `mac.useful`, of a channel that has done this work."""
    p, counted = params, found.commands
    transfers = {
        "host": found.accesses,
        "pim": found.units,
        "read": counted[Command.RD],
        "result": found.results,
    }
    return {
        "mac.slots": Event(count=found.steps * p.macs_per_step),
        **{f"{name}.transfers": Event(count=count) for name, count in transfers.items()},
        **{
            f"commands.{command.name.lower()}": Event(count=counted[command])
            for command in commands(p)
        },
        "read.bytes": Event(count=counted[Command.RD] * p.access_bytes),
        "written.bytes": Event(count=counted[Command.WR] * p.access_bytes),
        **_memories(p, found, items),
        **_uses(p, found, items),
    }


def opened_rows(params: PimChannel, found: Work) -> int:
    """Rows that come out of their arrays."""
    groups = found.commands[Command.G_ACT] * params.banks_per_group
    return found.commands[Command.ACT] + groups


def _memories(params: PimChannel, found: Work, items: Mapping[str, Item]) -> dict[str, Event]:
    """A row goes back into its array when it is closed for accesses, written or not."""
    accesses = {
        "array": (opened_rows(params, found), found.commands[Command.PRE]),
        "vector": (found.steps, found.commands[Command.GWRITE] * params.row_steps),
    }
    events = {}
    for place, (reads, writes) in accesses.items():
        memory, register = items[f"{place}.memory"], items[f"{place}.read"]
        access = Operation(kind=Kind.MEMORY, bits=memory.bits, other_bits=memory.other_bits)
        read = Operation(kind=register.kind, bits=register.bits)
        events[f"{place}.reads"] = Event(count=reads, operations=(access, read))
        events[f"{place}.writes"] = Event(count=writes, operations=(access,))
    return events


def _uses(params: PimChannel, found: Work, items: Mapping[str, Item]) -> dict[str, Event]:
    """Of banks all work in a step, and one for an access."""
    reads, writes = found.commands[Command.RD], found.commands[Command.WR]
    often = {
        "row_buffer.row": opened_rows(params, found),
        "bank.read": reads,
        "bank.copied": found.commands[Command.GWRITE] * params.row_steps,
        "bank.step": found.steps,
        "write.about": writes,
        "read.about": reads + found.results,
        "read.results": found.results,
    } | {
        part: found.results if part in PARTS_OF_RESULTS else found.steps
        for part in items
        if part.startswith("unit.")
    }
    one_of = {part: items[part].count for part in ("row_buffer.row", "bank.read", "bank.copied")}
    written = Operation(kind=items["row_buffer.row"].kind, bits=8 * params.access_bytes)
    return {
        **use_events(items, often, one_of),
        "row_buffer.writes": Event(count=writes, operations=(written,)),
    }
