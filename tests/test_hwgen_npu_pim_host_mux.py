"""The accesses of LOAD and STORE as one host: whose comes first, and what of it arrives."""

import itertools
import random

from amaranth.sim import Simulator
from npu_pim_controller import small

from hwgen.npu_pim.host_mux import HostMux, HostMuxParams
from hwgen.npu_pim.load_unit import LoadUnitParams
from hwgen.npu_pim.store_unit import StoreUnitParams

CHANNEL = small(mask=True, tag_bits=5)
CASES = 40


def test_a_write_goes_before_a_read():
    params = HostMuxParams(
        load=LoadUnitParams(channel=CHANNEL, words=32),
        store=StoreUnitParams(channel=CHANNEL, words=20, count=16),
    )
    mux, draw = HostMux(params), random.Random(1)

    def drawn(port):
        return {name: draw.getrandbits(field.width) for name, field in port.payload.shape()}

    async def bench(ctx):
        for load, store, ready in itertools.product((0, 1), repeat=3):
            for _ in range(CASES // 8):
                read, write = drawn(mux.load), drawn(mux.store)
                ctx.set(mux.load.payload, read)
                ctx.set(mux.store.payload, write)
                ctx.set(mux.load.valid, load)
                ctx.set(mux.store.valid, store)
                ctx.set(mux.host.ready, ready)
                await ctx.delay(1e-7)
                assert ctx.get(mux.host.valid) == load | store
                assert ctx.get(mux.store.ready) == ready
                assert ctx.get(mux.load.ready) == (ready and not store)
                host = mux.host.payload
                if store:
                    assert ctx.get(host.write)
                    assert {name: ctx.get(host[name]) for name in write} == write
                elif load:
                    assert not ctx.get(host.write)
                    assert {name: ctx.get(host[name]) for name in read} == read

    simulator = Simulator(mux)
    simulator.add_testbench(bench)
    simulator.run()
