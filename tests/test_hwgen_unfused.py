# amaranth: UnusedElaboratable=no
"""Parts of three-pass engines against their contracts."""

import random

import pytest
from amaranth.sim import Simulator

from designs.attention import Attention, Masking
from designs.attention.schedule import PeOp
from designs.attention.unfused import Phase, UnfusedParams, pass_table
from hwgen.attention.element import ElementParams
from hwgen.attention.interface import bound_bits
from hwgen.attention.unfused.element import UnfusedElement
from hwgen.attention.unfused.interface import back_words, pass_layout
from hwgen.attention.unfused.rows import Rows
from hwgen.attention.unfused.sequencer import OPERANDS, UnfusedSequencer


def run(dut, process):
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(process)
    simulator.run()


def wrapped(value, bits):
    """The lowest bits of a number, as a signed one."""
    half = 1 << bits - 1
    return (value + half) % (2 * half) - half


@pytest.mark.parametrize("masking", Masking)
def test_an_element_does_what_it_is_told(masking):
    engine = UnfusedParams(side=3, e=4, f=2, masking=masking).engine
    dut = UnfusedElement(ElementParams(engine=engine, has_east=True))
    draws = random.Random(masking)
    masks = [PeOp.UPPER, PeOp.LOWER][: engine.mask_slots]
    ops = [PeOp.IDLE, PeOp.SCORE, PeOp.WEIGH, PeOp.DRAIN, PeOp.LOAD, PeOp.SUBTRACT, *masks]

    async def process(ctx):
        kept = None
        for _ in range(600):
            op = draws.choice(ops) if kept is not None else PeOp.SCORE
            fresh = int(kept is None or draws.random() < 0.3)
            west = draws.randrange(-128, 128)
            north = draws.randrange(-(2**22), 2**22)
            if op == PeOp.SCORE:
                north = draws.randrange(-128, 128)
                kept_next = wrapped((0 if fresh else kept) + west * north, engine.score_bits)
            elif op in masks:
                west, north = draws.randrange(3), draws.randrange(4)
                hides = (west >= north) == (op == PeOp.UPPER)
                kept_next = -(2 ** (engine.score_bits - 1)) if hides else kept
            elif op == PeOp.LOAD:
                west, north = draws.randrange(2), draws.randrange(2**15 + 1)
                kept_next = north if west else kept
            else:
                kept_next = kept
            south = north
            if op == PeOp.WEIGH:
                south = wrapped(north + west * wrapped(kept, 17), engine.link_bits)
            elif op == PeOp.DRAIN:
                west = draws.randrange(2)
                south = kept if west else north
            ctx.set(dut.command, {"op": op, "fresh": fresh})
            ctx.set(dut.west, west & 0xFF)
            ctx.set(dut.north, north)
            await ctx.tick()
            assert ctx.get(dut.south) == south, op
            assert ctx.get(dut.west_out) == west & 0xFF
            assert (ctx.get(dut.command_out.op), ctx.get(dut.command_out.fresh)) == (op, fresh)
            kept = kept_next

    run(dut, process)


@pytest.mark.parametrize("readiness", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("side", [1, 3])
def test_rows_leave_in_order_and_have_room(side, readiness):
    """Rows are written some cycles after they are begun; a memory of one port reads for all."""
    params = UnfusedParams(side=side)
    dut, draws = Rows(params), random.Random(side)
    slots, way = params.row_slots, 2 * side + 2

    async def process(ctx):
        begun, written, read, taken, offered = [], 0, 0, 0, False
        refused = 0
        for cycle in range(400):
            ready = draws.random() < readiness
            outstanding = len(begun) - taken
            assert ctx.get(dut.has_room) == (outstanding < slots)
            assert ctx.get(dut.is_empty) == (outstanding == 0)
            reserve = outstanding < slots and draws.random() < 0.8
            refused += outstanding == slots
            arrives = written < len(begun) and begun[written] + way <= cycle
            ctx.set(dut.reserve, reserve)
            ctx.set(dut.written, arrives)
            ctx.set(dut.ready, ready)
            # The row read a cycle ago is offered, and stays until it is taken.
            assert ctx.get(dut.valid) == offered
            reads = read < written and (ready or not offered)
            assert ctx.get(dut.read_enable) == reads
            if reads:
                assert ctx.get(dut.read_address) == read % slots
            await ctx.tick()
            taken += offered and ready
            offered = reads or (offered and not ready)
            read += reads
            written += arrives
            if reserve:
                begun.append(cycle)
        assert refused > 0 or readiness > 0.5
        assert (taken == 0) == (readiness == 0)

    run(dut, process)


def slots(params, line):
    """The slots of a pass, in order: op, place among those of its kind, streams, whether a row
    leaves."""
    p, last = params, line.last
    if line.phase == Phase.SCORES:
        operands = {"k", "q"} if line.first else {"k"}
        yield from ((PeOp.SCORE, e, operands, False) for e in range(p.e))
        for mask in [PeOp.UPPER, PeOp.LOWER][: p.engine.mask_slots]:
            yield mask, 0, set(), False
        yield from ((PeOp.DRAIN, row, set(), True) for row in range(p.side))
    elif line.phase == Phase.NUMERATORS:
        steps = p.engine.exp_slots
        for row in range(p.side):
            for step in range(steps):
                operands = set() if step else {"s_back"}
                yield PeOp(PeOp.SUBTRACT + step), row, operands, step == steps - 1
    else:
        yield from ((PeOp.LOAD, row, {"sn_back"}, False) for row in range(p.side))
        yield from ((PeOp.WEIGH, f, {"v"}, last) for f in range(p.f))


@pytest.mark.parametrize("likely", [1.0, 0.6])
@pytest.mark.parametrize(
    "params",
    [
        UnfusedParams(side=2, e=3, f=2),
        UnfusedParams(side=3, e=1, f=4, exp_stages=1, masking=Masking.WINDOW),
        UnfusedParams(side=1, e=2, f=1, exp_stages=2, masking=Masking.NONE),
    ],
    ids=str,
)
def test_every_slot_goes_as_soon_as_it_can(params, likely):
    """Operands, room, empty memories and reciprocals come and go by chance."""
    workload = Attention(queries=2 * params.side, keys=3 * params.side, e=params.e, f=params.f)
    lines = list(pass_table(params, workload))
    layout = pass_layout(params)
    dut, draws = UnfusedSequencer(params), random.Random(params.side)

    def chance():
        return draws.random() < likely

    async def process(ctx):
        before, stored = Phase.SCORES, None
        rows, place = 0, 0
        for line in lines:
            known = {"phase": line.phase, "shift": draws.randrange(32)}
            fields = known | {n: getattr(line.tile, n) for n, _ in layout if n not in known}
            ctx.set(dut.tile.payload, fields)
            expected = list(slots(params, line))
            at = 0
            while at < len(expected):
                op, index, operands, leaves = expected[at]
                there = {name: chance() for name in OPERANDS}
                valid, room, empty, done = chance(), chance(), chance(), chance()
                for name, value in there.items():
                    ctx.set(getattr(dut, name), value)
                ctx.set(dut.tile.valid, valid)
                ctx.set(dut.has_room, room)
                ctx.set(dut.is_empty, empty)
                ctx.set(dut.done, done)
                changes = at == 0 and line.phase != before
                goes = valid and all(there[name] for name in operands) and (room or not leaves)
                goes = goes and not (changes and not empty)
                goes = goes and not (at == 0 and line.phase == Phase.OUTPUTS and not done)
                front, back = ctx.get(dut.front), ctx.get(dut.back)
                assert front.op == (op if goes else PeOp.IDLE)
                for name in OPERANDS:
                    assert ctx.get(getattr(dut, f"take_{name}")) == (goes and name in operands)
                assert ctx.get(dut.tile.ready) == (goes and at == len(expected) - 1)
                assert ctx.get(dut.reserve) == (goes and leaves)
                assert back.drains == (goes and op == PeOp.DRAIN)
                assert back.weighs == (goes and op == PeOp.WEIGH)
                # What has left a slot ago is stored.
                numerator = stored is not None and stored[0] == Phase.NUMERATORS
                assert front.store == numerator
                assert back.store == (stored is not None and not numerator)
                if stored is not None:
                    assert front.place == back.place == place % params.row_slots
                    assert numerator is False or (front.first, front.last) == stored[1:]
                    assert back.is_output == (stored[0] == Phase.OUTPUTS)
                    place += 1
                if goes:
                    assert ctx.get(dut.index) == index
                    begins = line.first and (op == PeOp.WEIGH or index == 0)
                    assert op not in (PeOp.DRAIN, PeOp.WEIGH) or back.first == begins
                    if op in (PeOp.UPPER, PeOp.LOWER):
                        bound = line.tile.upper if op == PeOp.UPPER else line.tile.lower
                        assert wrapped(front.address, bound_bits(params)) == bound
                    elif operands & {"s_back", "sn_back"}:
                        assert front.address == ctx.get(dut.place) == rows % back_words(params)
                        rows += 1
                    elif op == PeOp.SCORE:
                        assert front.address == index
                    before = line.phase
                stored = None
                if goes and leaves:
                    ends = line.last and index == params.side - 1
                    stored = (line.phase, line.first and index == 0, ends)
                at += goes
                await ctx.tick()

    run(dut, process)
