# amaranth: UnusedElaboratable=no
"""A channel with its units: what STORE writes, LOAD reads and PIM multiplies."""

import numpy as np
import pytest
from amaranth.sim import Simulator
from npu_pim_grid import channel

from designs.npu_pim.params import NpuPimParams, Site
from designs.systolic import Dataflow, SystolicParams
from hwgen.npu_pim.device_channel import DeviceChannel

ROWS = 6
STORED = 4
"""The rows from here on are written."""

ARRAY = SystolicParams(rows=4, cols=4, dataflow=Dataflow.WS, acc_rows=4, max_k=64)
SIZES = {
    "array": ARRAY,
    "max_hidden": 16,
    "max_kv_width": 16,
    "max_inner": 32,
    "max_heads": 2,
    "max_head_dim": 16,
    "max_keys": 32,
    "max_requests": 2,
}
BANKS = {
    "least": NpuPimParams(
        channels=1,
        channel=channel(1, 1, 2, row_bytes=16, access_bytes=8, lanes=4, mask=True, tag_bits=6),
        vector_lanes=1,
        panel_bytes=256,
        **SIZES,
    ),
    "eight_banks": NpuPimParams(
        channels=2,
        channel=channel(2, 2, 2, mask=True, tag_bits=4),
        vector_lanes=4,
        panel_bytes=512,
        **SIZES,
    ),
}


class Bench:
    """A channel in Amaranth's simulator, and what its rows ought to hold."""

    def __init__(self, params, seed):
        self.params, self.draw = params, np.random.default_rng(seed)
        self.core = DeviceChannel(params)
        shape = (params.channel.banks, ROWS, params.channel.row_bytes)
        self.rows = self.octets(*shape)

    def octets(self, *shape):
        return self.draw.integers(0, 256, shape, dtype=np.uint8)

    def play(self, testbench):
        simulator = Simulator(self.core)
        simulator.add_clock(1e-9)

        async def whole(ctx):
            self.ctx = ctx
            await self.load()
            await testbench(self)

        simulator.add_testbench(whole)
        simulator.run()

    async def load(self):
        """The contents of all rows."""
        for bank, row in np.ndindex(self.rows.shape[:2]):
            data = int.from_bytes(self.rows[bank, row].tobytes(), "little")
            self.ctx.set(self.core.rows.payload, {"bank": bank, "row": row, "data": data})
            self.ctx.set(self.core.rows.valid, 1)
            await self.ctx.tick()
        self.ctx.set(self.core.rows.valid, 0)

    async def codes(self, word, octets):
        """Codes for STORE, from a word on."""
        ctx, core, lanes = self.ctx, self.core, self.params.vector_lanes
        ctx.set(core.codes_address, word)
        ctx.set(core.codes_start, 1)
        await ctx.tick()
        ctx.set(core.codes_start, 0)
        ctx.set(core.codes_write, 1)
        for part in octets.reshape(-1, lanes):
            ctx.set(core.codes_data, int.from_bytes(part.tobytes(), "little"))
            await ctx.tick()
        ctx.set(core.codes_write, 0)

    async def run(self, **instructions):
        """Units start together; until all are done."""
        ctx, core = self.ctx, self.core
        for unit, told in instructions.items():
            ctx.set(getattr(core, f"{unit}_instruction"), told)
            ctx.set(getattr(core, f"{unit}_start"), 1)
        left, cycles = set(instructions), 0
        while left:
            assert cycles < 2000, f"{left} do not end"
            left -= {unit for unit in left if ctx.get(getattr(core, f"{unit}_done"))}
            await ctx.tick()
            for unit in instructions:
                ctx.set(getattr(core, f"{unit}_start"), 0)
            cycles += 1

    async def weights(self, word):
        """A word that was loaded."""
        self.ctx.set(self.core.weights_address, word)
        self.ctx.set(self.core.weights_enable, 1)
        await self.ctx.tick()
        size = self.params.channel.access_bytes
        return self.ctx.get(self.core.weights_data).to_bytes(size, "little")

    async def results(self, word):
        """The results of all banks in a word."""
        ctx, core, lanes, found = self.ctx, self.core, self.params.vector_lanes, []
        ctx.set(core.results_address, word)
        ctx.set(core.results_start, 1)
        ctx.set(core.results_take, 1)
        for _ in range(self.params.channel.banks // lanes):
            await ctx.tick()
            ctx.set(core.results_start, 0)
            found += ctx.get(core.results_data).to_bytes(4 * lanes, "little")
        return np.array(found, np.uint8).view(np.int32)

    def places(self, bank, row, column, columns, count):
        """Bank, row and bytes of accesses."""
        size = self.params.channel.access_bytes
        for number in range(count):
            turn, at = divmod(number, columns)
            further, where = divmod(bank + turn, self.params.channel.banks)
            yield where, row + further, slice((column + at) * size, (column + at + 1) * size)

    def told(self, bank, row, column, columns, count):
        names = {"bank": bank, "row": row, "column": column}
        return {**names, "columns": columns - 1, "count": count - 1}

    def products(self, vector, tile_row, steps, results):
        """Of the rows of all banks with the vector."""
        width = steps * self.params.channel.lanes
        tiles = self.rows[:, tile_row].view(np.int8).astype(np.int32)
        held = self.rows[vector].view(np.int8).astype(np.int32)
        parts = [slice(i * width, (i + 1) * width) for i in range(results)]
        return [tiles[:, part] @ held[part] for part in parts]


@pytest.mark.spread({"least"})
@pytest.mark.parametrize("name", BANKS)
def test_rows_that_are_stored_are_those_that_are_loaded_and_multiplied(name):
    params = BANKS[name]
    channel = params.channel
    columns, count = channel.accesses, 2 * channel.accesses + 1
    written, read = (1, STORED, 0, columns, count), (0, 0, 0, columns, 4)

    async def testbench(bench):
        octets = bench.octets(count, channel.access_bytes)
        await bench.codes(1, octets)
        await bench.run(
            store=bench.told(*written) | {"word": 1, "spread": 0, "byte": 0},
            load=bench.told(*read) | {"to": 2},
        )
        for number, (bank, row, where) in enumerate(bench.places(*read)):
            assert await bench.weights(2 + number) == bench.rows[bank, row, where].tobytes()
        for data, (bank, row, where) in zip(octets, bench.places(*written), strict=True):
            bench.rows[bank, row, where] = data
        steps, results = channel.row_steps // 2, 2
        dots = {"bank": 1, "row": STORED, "tile_row": STORED - 1, "row_stride": 1, "tiles": 1}
        dots |= {"steps": steps - 1, "results": results - 1, "to": 1, "to_stride": 3}
        await bench.run(load=bench.told(*written) | {"to": 0}, pim=dots)
        for number, (bank, row, where) in enumerate(bench.places(*written)):
            assert await bench.weights(number) == bench.rows[bank, row, where].tobytes()
        for tile in range(2):
            expected = bench.products((1, STORED), STORED - 1 + tile, steps, results)
            for i in range(results):
                assert (await bench.results(1 + 3 * i + tile) == expected[i]).all()

    Bench(params, 1).play(testbench)


@pytest.mark.spread({"least"})
@pytest.mark.parametrize("name", BANKS)
def test_bytes_that_are_spread_leave_the_others_as_they_are(name):
    params = BANKS[name]
    size, banks = params.channel.access_bytes, params.channel.banks
    count = min(2 * banks, size)  # two rows of each bank, where a word has enough bytes

    async def testbench(bench):
        octets = bench.octets(2, size)
        await bench.codes(0, octets)
        place = (0, STORED, 1, 1, count)
        await bench.run(store=bench.told(*place) | {"word": 1, "spread": 1, "byte": size - 2})
        for value, (bank, row, where) in zip(octets[1], bench.places(*place), strict=False):
            bench.rows[bank, row, where][size - 2] = value
        for row in range(STORED, ROWS):
            read = (0, row, 0, params.channel.accesses, banks * params.channel.accesses)
            for start in range(0, read[-1], params.weight_words):
                part = min(read[-1] - start, params.weight_words)
                bank, column = divmod(start, params.channel.accesses)
                assert column == 0
                chunk = (bank, row, 0, params.channel.accesses, part)
                await bench.run(load=bench.told(*chunk) | {"to": 0})
                for number, (at, line, where) in enumerate(bench.places(*chunk)):
                    data = bench.rows[at, line, where].tobytes()
                    assert await bench.weights(number) == data

    Bench(params, 2).play(testbench)


def test_without_dot_products_there_are_no_units_for_them():
    params = NpuPimParams(
        attention=Site.ARRAY,
        channels=1,
        channel=channel(1, 1, 2, mask=True, tag_bits=4),
        vector_lanes=1,
        panel_bytes=256,
        **SIZES,
    )
    names = set(DeviceChannel(params).signature.members)
    assert not {name for name in names if name.startswith(("pim", "results"))}
