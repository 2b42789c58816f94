# amaranth: UnusedElaboratable=no
"""A shared memory of running numerators: each lane's words, when the lane wants and has them."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from designs.attention import AttentionParams
from hwgen.attention.numerators import Numerators

POINTS = {
    "two": {"side": 2, "f": 3, "numerator_lanes": 2},
    "one_word": {"side": 5, "f": 1, "numerator_lanes": 5},
    "resident": {"side": 6, "f": 2, "numerator_lanes": 3, "query_tiles": 3},
    "far": {"side": 20, "f": 1, "numerator_lanes": 20, "query_tiles": 2},
    "floats": {"side": 4, "f": 2, "numerator_lanes": 4, "element": 2},
}
CYCLES = 150


class Traffic:
    """Random reads and writes, and what lane b must be given b cycles after the word is read."""

    def __init__(self, params, rng):
        self.lanes, self.bits = params.numerator_lanes, params.numerator_bits
        words = params.f << (params.query_tiles - 1).bit_length()
        shape = (CYCLES + self.lanes, self.lanes)
        # What lane b has at its own time, the memory's less lanes - 1 - b cycles.
        self.data = rng.integers(0, 1 << self.bits, shape, dtype=np.int64)
        self.reads, self.writes = (rng.integers(2, size=CYCLES) for _ in range(2))
        self.writes[: self.lanes - 1] = 0  # what comes out of a delay line has gone in before
        self.read_addresses, self.write_addresses = (
            rng.integers(words, size=CYCLES) for _ in range(2)
        )
        self.wanted = list(self.words(words))

    def words(self, count):
        """The word that is there after each cycle, or None: of one address alone, the newest."""
        memory, word = [None] * count, None
        for cycle in range(CYCLES):
            if self.reads[cycle]:
                word = memory[self.read_addresses[cycle]]
            if self.writes[cycle]:
                memory[self.write_addresses[cycle]] = [
                    self.data[cycle, lane] for lane in range(self.lanes)
                ]
            yield memory[0] if count == 1 else word

    def presented(self, cycle):
        """What the lanes show in a cycle: the earlier one, what is written the later."""
        later = (cycle + self.lanes - 1 - lane for lane in range(self.lanes))
        return sum(int(self.data[at, lane]) << lane * self.bits for lane, at in enumerate(later))


@pytest.mark.parametrize("name", POINTS)
def test_words_arrive_lane_by_lane(name):
    fields = POINTS[name]
    kind = type(AttentionParams().element)
    params = AttentionParams(**fields | {"element": kind(fields.get("element", 0))})
    traffic, dut = Traffic(params, np.random.default_rng(len(name))), Numerators(params)
    found = []

    async def bench(ctx):
        for cycle in range(CYCLES):
            ctx.set(dut.read, int(traffic.reads[cycle]))
            ctx.set(dut.read_address, int(traffic.read_addresses[cycle]))
            ctx.set(dut.write, int(traffic.writes[cycle]))
            ctx.set(dut.write_address, int(traffic.write_addresses[cycle]))
            ctx.set(dut.data, traffic.presented(cycle))
            found.append(ctx.get(dut.word))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    checked = 0
    for cycle, word in enumerate(traffic.wanted):
        for lane in range(traffic.lanes):
            at = cycle + 1 + lane
            if word is not None and at < CYCLES:
                given = found[at] >> lane * traffic.bits & (1 << traffic.bits) - 1
                assert given == word[lane], (cycle, lane)
                checked += 1
    assert checked > CYCLES
