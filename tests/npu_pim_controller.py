"""The controller of a channel in Amaranth's simulator: transactions in, commands out."""

from dataclasses import dataclass

from amaranth.sim import Simulator
from npu_pim_channels import FAST

from designs.npu_pim import Element, PimChannel
from designs.npu_pim.distances import Command
from designs.npu_pim.program import HostAccess, PimKind, PimTransaction
from hwgen.npu_pim.controller import Controller


def small(**changes):
    """A channel of 8 banks."""
    fields = {
        "ranks": 2,
        "bank_groups": 2,
        "banks_per_group": 2,
        "rows": 16,
        "row_bytes": 64,
        "access_bytes": 32,
        "lanes": 4,
        "element": Element.INT8,
        "timing": FAST,
    }
    return PimChannel(**(fields | changes))


@dataclass(frozen=True)
class Seen:
    """A command on the bus."""

    cycle: int
    command: Command
    bank: int
    row: int
    column: int
    steps: int
    tag: int


@dataclass
class Played:
    """What came of transactions; cycles are counted from the first transfer.

    accepted: of the accesses and of the others, the cycles of their transfers. writes: write_data
    of each cycle.
    """

    commands: list
    accepted: dict
    writes: list


def pim_payload(channel, one):
    return {
        "kind": one.kind,
        "bank": one.bank,
        "row": one.row,
        "steps": one.steps - 1,
        "results": one.results - 1,
        **({"stride": one.columns.step - 1} if channel.strides else {}),
    }


def host_payload(one, data=0):
    return {
        "write": int(one.write),
        "bank": one.bank,
        "row": one.row,
        "column": one.column,
        "tag": one.tag,
        "data": data,
    }


def seen(cycle, told):
    return Seen(
        cycle=cycle,
        command=Command(int(told.command)),
        bank=told.bank,
        row=told.row,
        column=told.column,
        steps=told.steps + 1,
        tag=told.tag,
    )


def play(channel, pim=(), host=(), *, cycles, pauses=None, core=None):
    """`cycles` cycles of a controller whose streams are valid whenever there is something left.

    pauses: of each stream a function of the cycle that says when it is not.
    """
    core = core or Controller(channel)
    simulator = Simulator(core)
    simulator.add_clock(1e-9)
    payloads = {
        "pim": [pim_payload(channel, one) for one in pim],
        "host": [host_payload(one, data) for one, data in host],
    }
    commands, accepted, writes = [], {"pim": [], "host": []}, []

    async def bench(ctx):
        left = {name: list(ones) for name, ones in payloads.items()}
        for cycle in range(cycles):
            for name, ones in left.items():
                port = getattr(core, name)
                waits = (pauses or {}).get(name)
                ctx.set(port.valid, bool(ones) and not (waits and waits(cycle)))
                if ones:
                    ctx.set(port.payload, ones[0])
            for name, ones in left.items():
                port = getattr(core, name)
                if ctx.get(port.valid) and ctx.get(port.ready):
                    accepted[name].append(cycle)
                    ones.pop(0)
            told = ctx.get(core.command)
            if told.valid:
                commands.append(seen(cycle, told))
            writes.append(ctx.get(core.write_data))
            await ctx.tick()

    simulator.add_testbench(bench)
    simulator.run()
    return Played(commands=commands, accepted=accepted, writes=writes)


def vector(bank, row):
    return PimTransaction(kind=PimKind.VECTOR, bank=bank, row=row)


def tile(row, steps, results=1):
    return PimTransaction(kind=PimKind.TILE, row=row, steps=steps, results=results)


def access(bank, row, column=0, *, write=False, tag=0):
    return HostAccess(write=write, bank=bank, row=row, column=column, tag=tag)
