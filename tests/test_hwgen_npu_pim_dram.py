# amaranth: UnusedElaboratable=no
"""The banks of a channel, against what a plain model of their contents says."""

import random
from dataclasses import replace

import pytest
from amaranth.hdl import ResetInserter, Signal, Value
from amaranth.sim import Simulator
from npu_pim_channels import FAST
from npu_pim_dram import CHANNELS, Sent, Stream, data_cycle

from designs.npu_pim import Element, Fidelity, PimChannel
from designs.npu_pim.distances import Command, Nearness, distances, least_distance
from hwgen.npu_pim.dram import Dram

GARBAGE_CYCLES = 80


def inputs(dram):
    return [dram.command, dram.write_data, dram.load.valid, dram.load.payload]


async def scramble(ctx, dram, reset, draw):
    """Leave every register and memory in some state, then reset."""
    for _ in range(GARBAGE_CYCLES):
        for port in map(Value.cast, inputs(dram)):
            ctx.set(port, draw.getrandbits(len(port)))
        await ctx.tick()
    for port in map(Value.cast, inputs(dram)):
        ctx.set(port, 0)
    ctx.set(reset, 1)
    await ctx.tick()
    ctx.set(reset, 0)


async def load(ctx, dram, rows):
    for bank, words in enumerate(rows):
        for row, word in enumerate(words):
            ctx.set(dram.load.valid, 1)
            ctx.set(
                dram.load.payload,
                {"bank": bank, "row": row, "data": int.from_bytes(word, "little")},
            )
            await ctx.tick()
    ctx.set(dram.load.valid, 0)


def played(channel, rows, sent, seed=0):
    """(cycle, tag, data) that were read and (cycle, words) of results; cycles of the bus."""
    dram, reset, draw = Dram(channel), Signal(), random.Random(seed)
    simulator = Simulator(ResetInserter(reset)(dram))
    simulator.add_clock(1e-6)
    by_cycle = {one.cycle: one for one in sent}
    writes = {data_cycle(channel, one): one.word for one in sent if one.command == Command.WR}
    reads, results = [], []
    end = max(data_cycle(channel, one) for one in sent) + 3

    async def testbench(ctx):
        await scramble(ctx, dram, reset, draw)
        await load(ctx, dram, rows)
        for cycle in range(end):
            bus = draw.getrandbits(len(Value.cast(dram.command))) & ~1
            ctx.set(Value.cast(dram.command), bus)
            one = by_cycle.get(cycle)
            if one is not None:
                fields = {name: getattr(one, name) for name in ("command", "bank", "row")}
                fields |= {"column": one.column, "steps": one.steps - 1, "tag": one.tag}
                ctx.set(dram.command, {"valid": 1, **fields})
            word = writes.get(cycle, draw.randbytes(channel.access_bytes))
            ctx.set(dram.write_data, int.from_bytes(word, "little"))
            if ctx.get(dram.read.valid):
                tag, data = ctx.get(dram.read.payload.tag), ctx.get(dram.read.payload.data)
                reads.append((cycle, tag, data.to_bytes(channel.access_bytes, "little")))
            if ctx.get(dram.result.valid):
                payload = dram.result.payload
                results.append((cycle, [ctx.get(payload[bank]) for bank in range(channel.banks)]))
            await ctx.tick()

    simulator.add_testbench(testbench)
    simulator.run()
    return reads, results


def expected(stream):
    """What `played` is to give for a stream."""
    channel = stream.channel
    cycles = {
        kind: [data_cycle(channel, one) for one in stream.sent if one.command in kind]
        for kind in ((Command.RD,), (Command.GEMV, Command.READRES))
    }
    read_cycles, result_cycles = cycles.values()
    reads = zip(read_cycles, stream.contents.reads, strict=True)
    return (
        [(cycle, *read) for cycle, read in reads],
        list(zip(result_cycles, stream.contents.results, strict=True)),
    )


@pytest.mark.spread({"tight", "steps", "single_steps"})
@pytest.mark.parametrize("name", CHANNELS)
def test_data_of_any_commands_that_keep_their_distances(name):
    channel = CHANNELS[name]
    stream = Stream(channel, seed=name).extend(300)
    found = played(channel, stream.rows, stream.sent)
    assert found == expected(stream)
    assert min(map(len, found)) > 5


TINY = PimChannel(
    ranks=1,
    bank_groups=1,
    banks_per_group=2,
    rows=4,
    row_bytes=16,
    access_bytes=8,
    lanes=4,
    element=Element.INT8,
    timing=FAST,
)
LONG = replace(TINY, row_bytes=32, timing=replace(FAST, burst_cycles=6, rl_cycles=9))
"""A vector is copied faster than it is read."""


def stream_of(channel, *commands):
    """What (cycle, command, fields) make of drawn rows, were each done at once."""
    stream = Stream(channel, seed=0)
    for cycle, name, fields in commands:
        stream.put(Sent(cycle=cycle, command=Command[name], **{"bank": 0, **fields}))
    return stream


WITH_VECTOR = [(0, "ACT", {"row": 1}), (10, "GWRITE", {})]
WORD = bytes(range(100, 108))
T = FAST
EDGES = {
    "row opened to read": (T.rcd_rd_cycles, lambda d: [(0, "ACT", {"row": 2}), (d, "RD", {})]),
    "row opened to written": (
        T.rcd_wr_cycles,
        lambda d: [(0, "ACT", {"row": 2}), (d, "WR", {"word": WORD}), (30, "RD", {})],
    ),
    "row opened to copied": (
        T.rcd_rd_cycles,
        lambda d: [
            *((0, "ACT", {"row": 1}), (d, "GWRITE", {})),
            *((40, "G_ACT", {"row": 2}), (50, "GEMV", {"steps": 4})),
        ],
    ),
    "row opened to closed": (
        T.ras_cycles,
        lambda d: [
            *((0, "ACT", {"row": 2}), (d, "PRE", {})),
            *((30, "ACT", {"row": 3}), (40, "RD", {})),
        ],
    ),
    "row closed to opened": (
        T.rp_cycles,
        lambda d: [
            *((0, "ACT", {"row": 2}), (20, "PRE", {})),
            *((20 + d, "ACT", {"row": 3}), (40, "RD", {})),
        ],
    ),
    "refresh to row opened": (
        T.rfc_cycles,
        lambda d: [(0, "REF", {}), (d, "ACT", {"row": 3}), (40, "RD", {})],
    ),
    "rows opened to multiplied": (
        T.rcd_rd_cycles,
        lambda d: [*WITH_VECTOR, (50, "G_ACT", {"row": 2}), (50 + d, "GEMV", {"steps": 4})],
    ),
    "rows opened for products to closed": (
        T.ras_cycles,
        lambda d: [
            *(*WITH_VECTOR, (50, "G_ACT", {"row": 2})),
            *((50 + d, "PIM_PRE", {}), (50 + d + 1, "PIM_PRE", {"bank": 1})),
            *((70, "G_ACT", {"row": 3}), (80, "GEMV", {"steps": 2})),
        ],
    ),
    "rows closed after products to opened": (
        T.rp_cycles,
        lambda d: [
            *(*WITH_VECTOR, (50, "G_ACT", {"row": 2})),
            *((70, "PIM_PRE", {"bank": 1}), (71, "PIM_PRE", {})),
            *((71 + d, "G_ACT", {"row": 3}), (80, "GEMV", {"steps": 2})),
        ],
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_a_command_that_comes_a_cycle_too_soon_spoils_data(name):
    least, commands = EDGES[name]
    for cycles, is_right in ((least, True), (least - 1, False)):
        stream = stream_of(TINY, *commands(cycles))
        found = played(TINY, stream.rows, stream.sent)
        assert (found == expected(stream)) == is_right


def test_results_are_read_a_step_after_the_last_one():
    channel = replace(TINY, composite=False)
    least = channel.timing.column_l_cycles
    for cycles, is_right in ((least, True), (least - 1, False)):
        steps = [(60 + 3 * step, "COMP", {"column": step}) for step in range(4)]
        commands = [*WITH_VECTOR, (50, "G_ACT", {"row": 2}), *steps, (69 + cycles, "READRES", {})]
        stream = stream_of(channel, *commands)
        assert (played(channel, stream.rows, stream.sent) == expected(stream)) == is_right


@pytest.mark.parametrize("fidelity", Fidelity)
@pytest.mark.parametrize("after", ["PIM_PRE", "GWRITE"])
def test_distances_as_published_spoil_dot_products(after, fidelity):
    """Rows are closed, and the vector is copied over, while they are still multiplied."""
    steps = LONG.row_steps
    other = [(50, "PRE", {}), (54, "ACT", {"row": 3})]
    before = [*WITH_VECTOR, *other, (60, "G_ACT", {"row": 2}), (70, "GEMV", {"steps": steps})]
    rows = distances(replace(LONG, fidelity=fidelity))
    command = Command[after]
    least = least_distance(rows, Command.GEMV, command, Nearness.BANK, steps)
    stream = stream_of(LONG, *before, (70 + least, after, {}))
    is_right = played(LONG, stream.rows, stream.sent) == expected(stream)
    assert is_right == (fidelity == Fidelity.CORRECTED)
