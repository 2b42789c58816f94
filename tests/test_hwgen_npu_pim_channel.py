# amaranth: UnusedElaboratable=no
"""A whole channel: reads and results of random transactions are those of the rows as they are."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator
from npu_pim_controller import access, host_payload, pim_payload, seen, small, tile, vector

from designs.npu_pim import Precharge, RowBuffers
from designs.npu_pim.distances import Command, data_span
from designs.npu_pim.program import PimKind
from hwgen.npu_pim import PimChannelCore

POINTS = {
    "dual": small(),
    "dual_at_once_steps": small(precharge=Precharge.CHANNEL, composite=False),
    "single": small(row_buffers=RowBuffers.SINGLE),
}
ROWS = 4


def word(octets):
    return int.from_bytes(bytes(octets), "little")


def drawn(channel, rng):
    """Contents of all rows that are used, and transactions that meet in them."""
    octets = np.random.default_rng(rng.randrange(2**32))
    rows = octets.integers(0, 256, (channel.banks, ROWS, channel.row_bytes), dtype=np.uint8)
    pim, host = [], []
    for _ in range(6):
        steps = rng.randint(1, channel.row_steps)
        results = rng.randint(1, min(channel.row_steps // steps, 3))
        if rng.random() < 0.3:
            pim.append(vector(rng.randrange(channel.banks), rng.randrange(ROWS)))
        pim.append(tile(rng.randrange(ROWS), steps, results))
    for tag in range(50):
        place = rng.randrange(channel.banks), rng.randrange(ROWS), rng.randrange(channel.accesses)
        host.append(access(*place, write=rng.random() < 0.5, tag=tag))
    datas = octets.integers(0, 256, (len(host), channel.access_bytes), dtype=np.uint8)
    return rows, [vector(0, 0), *pim], list(zip(host, datas, strict=True))


def replayed(channel, rows, host, commands):
    """Reads by tag and results, from rows that change with each WR in the order of the bus."""
    rows, reads, results, sums = rows.copy(), {}, [], 0
    mem, row, held = [0] * channel.banks, 0, np.zeros(channel.row_bytes, np.int64)
    writes = {}  # what waits for its WR, by place
    for one, data in host:
        if one.write:
            writes.setdefault((one.bank, one.row, one.column), []).append(data)

    def dot(first, steps):
        part = slice(first * channel.step_bytes, (first + steps) * channel.step_bytes)
        return rows[:, row, part].view(np.int8).astype(np.int64) @ held[part]

    for one in commands:
        place = slice(one.column * channel.access_bytes, (one.column + 1) * channel.access_bytes)
        match one.command:
            case Command.ACT:
                mem[one.bank] = one.row
            case Command.G_ACT:
                row = one.row
            case Command.RD:
                reads[one.tag] = rows[one.bank, mem[one.bank], place].copy()
            case Command.WR:
                data = writes[one.bank, mem[one.bank], one.column].pop(0)
                rows[one.bank, mem[one.bank], place] = data
            case Command.GWRITE:
                held = rows[one.bank, mem[one.bank]].view(np.int8).astype(np.int64)
            case Command.GEMV:
                results.append(dot(one.column, one.steps))
            case Command.COMP:
                sums = sums + dot(one.column, 1)
            case Command.READRES:
                results.append(sums)
                sums = 0
    return reads, results


def play(channel, rows, pim, host):
    """The commands, and read and result as (cycle, payload)."""
    core = PimChannelCore(channel)
    simulator = Simulator(core)
    simulator.add_clock(1e-9)
    given = {
        "pim": [pim_payload(channel, one) for one in pim],
        "host": [host_payload(one, word(data)) for one, data in host],
    }
    commands, out = [], {"read": [], "result": []}
    wanted = {
        "read": sum(not one.write for one, _ in host),
        "result": sum(one.results for one in pim if one.kind == PimKind.TILE),
    }

    async def bench(ctx):
        for bank, row in np.ndindex(rows.shape[:2]):
            ctx.set(core.load.payload, {"bank": bank, "row": row, "data": word(rows[bank, row])})
            ctx.set(core.load.valid, 1)
            assert ctx.get(core.load.ready)
            await ctx.tick()
        ctx.set(core.load.valid, 0)
        cycle = 0
        while any(len(out[name]) < count for name, count in wanted.items()):
            assert cycle < 3000
            for name, ones in given.items():
                port = getattr(core, name)
                ctx.set(port.valid, bool(ones))
                if ones:
                    ctx.set(port.payload, ones[0])
                    if ctx.get(port.ready):
                        ones.pop(0)
            told = ctx.get(core.events["bus"])
            assert ctx.get(core.written) == (told.valid and told.command == Command.WR)
            if told.valid:
                commands.append(seen(cycle, told))
            for name, found in out.items():
                port = getattr(core, name)
                if ctx.get(port.valid):
                    found.append((cycle, ctx.get(port.payload)))
            await ctx.tick()
            cycle += 1

    simulator.add_testbench(bench)
    simulator.run()
    return commands, out["read"], out["result"]


@pytest.mark.spread({"dual"})
@pytest.mark.parametrize("name", POINTS)
def test_reads_and_results_are_of_the_rows_as_they_are(name):
    channel, rng = POINTS[name], random.Random(f"channel {name}")
    rows, pim, host = drawn(channel, rng)
    commands, read, result = play(channel, rows, pim, host)
    reads, results = replayed(channel, rows, host, commands)
    for kinds, found in (((Command.RD,), read), ((Command.GEMV, Command.READRES), result)):
        asked = [one for one in commands if one.command in kinds]
        ends = [one.cycle + data_span(channel, one.command, one.steps)[1] - 1 for one in asked]
        assert [cycle for cycle, _ in found] == ends
    assert len(read) == len(reads)
    for _, payload in read:
        assert payload.data == word(reads[payload.tag])
    for want, (_, payload) in zip(results, result, strict=True):
        assert [int(one) for one in payload] == want.tolist()
