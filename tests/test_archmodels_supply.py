"""Cores behind memories of finite bandwidth: the slowest sets the time, and waiting has a price."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import timed_technology

import archmodels
from archmodels import dram, technology
from archmodels.counts import Counts
from archmodels.report import CostReport
from archmodels.supply import Limit, Supply, latest, supplied
from designs import Gemm, SystolicParams
from designs.grid import Grid

BITS = {"a": 8_000, "w": 16_000, "o": 800}
"""3,100 bytes."""

MEMORY = Supply(dram=dram.load("lpddr5x"), gb_per_s=8.0)


def cost(cycles: Any = 1000, period_ps: Any = 500.0) -> CostReport:
    """1,000 cycles of 500 ps; 500 pJ of work, 100 pJ of clock; 2 mW leak."""
    return CostReport(
        counts=Counts(inventory={}, activity={}, cycles=cycles),
        prices=technology.load("horowitz45"),
        useful_macs=1,
        peak_macs_per_cycle=1,
        area_breakdown_um2={},
        energy_breakdown_pj={"mac": 500.0, "clock.cycles": 100.0, "leakage": 7.0},
        leakage_breakdown_nw={"part": 2e6},
        path_delays_ps={} if period_ps is None else {"path": period_ps},
    )


def test_a_core_that_is_slower_than_its_memory_never_waits() -> None:
    found = supplied(cost(), BITS, MEMORY)
    assert (found.core_ns, found.dram_ns, found.sram_ns) == pytest.approx((500, 3100 / 8, 0))
    assert found.time_ns == found.core_ns and found.stall_ns == 0 and found.limit == Limit.CORE
    dram_pj = MEMORY.dram.traffic(24_000, 800).energy_pj
    assert found.energy_pj == pytest.approx(600 + 2 * 500 + dram_pj)


def test_a_core_that_waits_leaks_and_is_clocked() -> None:
    found = supplied(cost(), BITS, replace(MEMORY, gb_per_s=1.0))
    assert (found.time_ns, found.stall_ns) == pytest.approx((3100, 2600))
    assert found.limit == Limit.DRAM
    assert found.leakage_pj == pytest.approx(2 * 3100)
    assert found.waiting_pj == pytest.approx(0.1 * 2600 * 2)  # 0.1 pJ in a cycle of 2 GHz
    dram_pj = MEMORY.dram.traffic(24_000, 800).energy_pj  # of bits, whatever the bandwidth
    assert found.dram.energy_pj == pytest.approx(dram_pj)
    assert found.energy_pj == pytest.approx(600 + 6200 + 520 + dram_pj)


def test_ports_on_chip_load_the_buffer_alone() -> None:
    on_chip = replace(MEMORY, gb_per_s=1.0, on_chip=frozenset({"a", "o"}), sram_bits_per_cycle=4)
    found = supplied(cost(), BITS, on_chip)
    assert found.dram_ns == pytest.approx(2000) and found.sram_ns == pytest.approx(8800 / 4 * 0.5)
    assert found.limit == Limit.DRAM
    assert found.dram.energy_pj == pytest.approx(MEMORY.dram.traffic(16_000, 0).energy_pj)
    narrow = supplied(cost(), BITS, replace(on_chip, sram_bits_per_cycle=1.0))
    assert narrow.time_ns == pytest.approx(4400) and narrow.limit == Limit.SRAM
    whole = supplied(cost(), BITS, replace(on_chip, on_chip=frozenset(BITS)))
    assert whole.dram_ns == whole.dram.energy_pj == 0 and whole.limit == Limit.SRAM


def test_bandwidth_without_end_is_the_core_alone() -> None:
    found = supplied(cost(), BITS, replace(MEMORY, gb_per_s=math.inf))
    assert found.dram_ns == 0 and found.time_ns == 500 and found.limit == Limit.CORE


def test_a_clock_is_a_wish_that_no_core_outruns() -> None:
    slow = supplied(cost(), BITS, replace(MEMORY, clock_mhz=100.0))
    assert slow.clock_mhz == pytest.approx(100) and slow.core_ns == pytest.approx(10_000)
    fast = supplied(cost(), BITS, replace(MEMORY, clock_mhz=9000.0))
    assert fast.clock_mhz == pytest.approx(2000)
    untimed = supplied(cost(period_ps=None), BITS, replace(MEMORY, clock_mhz=100.0))
    assert untimed.core_ns == pytest.approx(10_000)
    with pytest.raises(ValueError) as caught:
        supplied(cost(period_ps=None), BITS, MEMORY)
    assert str(caught.value) == "clock_mhz must be given: horowitz45 has no delay prices"


def test_the_greatest_time_of_each_point() -> None:
    assert latest(1.0, 3.0, 2.0) == 3.0
    assert latest(np.array([1.0, 5.0]), 3.0).tolist() == [3.0, 5.0]


def test_a_grid_is_its_points() -> None:
    prices, gemm = timed_technology.timed(), Gemm(m=7, k=12, n=9)
    columns = {"rows": [1, 4, 16, 16], "cols": [1, 5, 16, 3], "a_bits": [8, 4, 8, 16]}
    grid: Any = Grid(SystolicParams, columns, 4)
    memory = Supply(
        dram=dram.load("ddr4"), gb_per_s=0.5, on_chip=frozenset({"o"}), sram_bits_per_cycle=3.0,
        clock_mhz=2500.0,
    )  # fmt: skip
    whole = archmodels.estimate(grid, gemm, prices)
    every = supplied(whole, archmodels.transferred_bits(grid, whole.counts), memory)
    for place in range(4):
        params = SystolicParams(**{name: int(values[place]) for name, values in columns.items()})
        alone = archmodels.estimate(params, gemm, prices)
        one = supplied(alone, archmodels.transferred_bits(params, alone.counts), memory)
        for name in ("clock_mhz", "time_ns", "stall_ns", "energy_pj", "limit", "waiting_pj"):
            found = np.broadcast_to(getattr(every, name), 4)[place]
            assert found == pytest.approx(getattr(one, name)), name
    assert len({int(limit) for limit in np.broadcast_to(every.limit, 4)}) > 1


def test_transferred_bits_are_transfers_times_payloads() -> None:
    params, gemm = SystolicParams(rows=3, cols=5, a_bits=8, w_bits=4), Gemm(m=7, k=12, n=9)
    counts = archmodels.MODELS[SystolicParams](params, gemm)
    bits = archmodels.transferred_bits(params, counts)
    # three tiles of m times two of n, each 12 steps of 3 activations and 5 weights
    assert bits["a"] == 6 * 12 * 3 * 8 and bits["w"] == 6 * 12 * 5 * 4
    assert set(bits) == {"a", "w", "o"}
