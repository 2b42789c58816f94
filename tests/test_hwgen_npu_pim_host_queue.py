"""The queue of a bank against a list: which access is next, and where its data are."""

import random

import pytest
from amaranth.sim import Simulator

from designs.npu_pim.order import PASSES_MAX
from hwgen.npu_pim.host_queue import HostQueue, HostQueueParams


class Expected:
    """Accesses that wait, the oldest first, as (row, tag), and how many passed the oldest."""

    def __init__(self):
        self.waiting = []
        self.passes = 0

    def next(self, is_open, row):
        """Place of the next access, and whether it hits."""
        hits = [at for at, (own, _) in enumerate(self.waiting) if is_open and own == row]
        at = hits[0] if hits and self.passes < PASSES_MAX else 0
        return at, at in hits

    def take(self, at):
        self.passes = self.passes + 1 if at else 0
        return self.waiting.pop(at)


@pytest.mark.parametrize("entries", [1, 2, 3, 4])
def test_the_oldest_that_hits_is_next_until_so_many_have_passed(entries):
    params = HostQueueParams(entries=entries, row_bits=2, column_bits=1, tag_bits=8)
    queue, expected, rng = HostQueue(params), Expected(), random.Random(entries)
    most, slots = [], {}

    async def bench(ctx):
        is_open, row = 0, 0
        for cycle in range(600):
            if rng.random() < 0.1:
                is_open, row = rng.random() < 0.9, rng.randrange(3)
            waiting = expected.waiting
            push = len(waiting) < entries and rng.random() < 0.8
            access = {"write": cycle & 1, "row": rng.randrange(3), "column": 0, "tag": cycle % 256}
            at, hits = expected.next(is_open, row) if waiting else (0, False)
            take = bool(waiting) and rng.random() < 0.7 and (hits or rng.random() < 0.1)
            for name, value in (("is_open", is_open), ("row", row), ("push", push), ("take", take)):
                ctx.set(getattr(queue, name), value)
            ctx.set(queue.access, access)
            found = ctx.get(queue.candidate)
            assert ctx.get(queue.is_full) == (len(waiting) == entries)
            assert ctx.get(queue.is_empty) == (not waiting)
            assert found.valid == bool(waiting)
            if waiting:
                assert (found.access.row, found.access.tag) == waiting[at]
                assert (found.hits, found.slot) == (hits, slots[found.access.tag])
            free = ctx.get(queue.free)
            assert not push or free not in slots.values()
            if take:
                del slots[expected.take(at)[1]]
                most.append(expected.passes)
            if push:
                waiting.append((access["row"], access["tag"]))
                slots[access["tag"]] = free
            await ctx.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()
    assert max(most) == (PASSES_MAX if entries > 1 else 0)
