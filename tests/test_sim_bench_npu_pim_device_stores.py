# amaranth: UnusedElaboratable=no
"""A device whose STORE does a thing wrong has other outputs: the smallest one shows it."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from npu_pim_device_grid import POINTS

from hwgen.npu_pim import device_channel
from hwgen.npu_pim.device import NpuPimCore
from hwgen.npu_pim.store_unit import StoreUnit
from sim import bench_npu_pim_device as bench
from sim import pysim
from sim.golden.npu_pim.device import device


class WritesAllBytes(StoreUnit):
    """A value takes those beside it along."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = unit = StoreUnit(self.params)
        wiring.connect(m, wiring.flipped(self), unit)
        m.d.comb += self.access.payload.mask.eq(-1)
        return m


class IsDoneWhenTaken(StoreUnit):
    """What waits for it finds the row as it was."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = unit = StoreUnit(self.params)
        wiring.connect(m, wiring.flipped(self), unit)
        m.d.comb += unit.written.eq(self.access.valid & self.access.ready)
        return m


@pytest.mark.spread(1)
@pytest.mark.parametrize("store", [IsDoneWhenTaken, WritesAllBytes])
def test_it_shows(store, monkeypatch):
    params, workload = POINTS["least"]
    workload, inputs = bench.operands(params, workload, 0)
    expected = device(params, workload, inputs)["o"]
    monkeypatch.setattr(device_channel, "StoreUnit", store)
    result = pysim.Simulation(NpuPimCore(params)).play(bench.plan(params, workload, inputs))
    assert not np.array_equal(bench.results(params, workload, result)["o"], expected)
