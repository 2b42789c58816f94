"""What a core does behind memories of finite bandwidth: it waits for the slowest of them.

The core's own cycles stay what they are, exact and as if operands were always there. What is said
here is another figure, of the whole system: the time in which the core, the external memory and an
on-chip buffer have all done their part, each busy from beginning to end, as with buffers that
smooth the traffic of a workload and no more. So it is the best that can be.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass

from archmodels.dram import Dram, Traffic
from archmodels.report import LEAKAGE, CostReport, longest
from designs.rules import Int, Real, to_real, where

CLOCK = "clock.cycles"
"""The event of the clock's pins, which happens in a cycle of waiting too."""


class Limit(enum.IntEnum):
    """What sets the time of a workload: the core, the external memory, or the on-chip buffer."""

    CORE = 0
    DRAM = 1
    SRAM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The memories behind the data ports of a core, and the clock of the core between them.

    dram: memory behind every port that is not `on_chip`; its energies are those of a bit, whatever
        the bandwidth
    gb_per_s: its bandwidth, in 10^9 bytes per second: of one channel, of several, or a share of one
    on_chip: ports that an on-chip buffer is behind, whose own area and energy are left out
    sram_bits_per_cycle: what this buffer gives and takes in a cycle of the core
    clock_mhz: clock of the core; one whose highest frequency is lower runs at that
    """

    dram: Dram
    gb_per_s: float
    on_chip: frozenset[str] = frozenset()
    sram_bits_per_cycle: float = math.inf
    clock_mhz: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemReport:
    """Time and energy of one workload in a whole system; arrays for a grid of designs.

    clock_mhz: clock that the core runs at
    core_ns, dram_ns, sram_ns: time that each would need alone
    core_pj: energy of the core's activity, without leakage
    leakage_mw, clock_pj: power that leaks, and energy of the clock in one cycle, both to the end
    dram: what the external memory's traffic costs
    """

    clock_mhz: Real
    core_ns: Real
    dram_ns: Real
    sram_ns: Real
    core_pj: Real
    leakage_mw: Real
    clock_pj: Real
    dram: Traffic

    @property
    def time_ns(self) -> Real:
        """Time until the slowest is done."""
        return latest(self.core_ns, self.dram_ns, self.sram_ns)

    @property
    def stall_ns(self) -> Real:
        """Time that the core waits."""
        return self.time_ns - self.core_ns

    @property
    def limit(self) -> Int:
        """The slowest, as the code of a Limit; of equal ones the first."""
        others = where(self.sram_ns > self.dram_ns, Limit.SRAM, Limit.DRAM)
        return where(self.stall_ns > 0, others, Limit.CORE)

    @property
    def waiting_pj(self) -> Real:
        """Energy of the clock while the core waits, for nothing turns it off."""
        return self.clock_pj * self.stall_ns * self.clock_mhz * 1e-3

    @property
    def leakage_pj(self) -> Real:
        """Energy that leaks in all of the time."""
        return self.leakage_mw * self.time_ns

    @property
    def energy_pj(self) -> Real:
        """Energy of core and external memory."""
        return self.core_pj + self.leakage_pj + self.waiting_pj + self.dram.energy_pj


def supplied(cost: CostReport, port_bits: Mapping[str, Int], supply: Supply) -> SystemReport:
    """What a core of this cost does behind these memories.

    `port_bits` are all bits that cross each data port. Raises ValueError where the clock is not
    known.
    """
    on_chip_bits = sum(bits for port, bits in port_bits.items() if port in supply.on_chip)
    others = {port: bits for port, bits in port_bits.items() if port not in supply.on_chip}
    traffic, clock_mhz = supply.dram.port_traffic(others), _clock_mhz(cost, supply)
    cycle_ns = 1e3 / clock_mhz
    energies_pj = cost.energy_breakdown_pj
    return SystemReport(
        clock_mhz=clock_mhz,
        core_ns=to_real(cost.cycles) * cycle_ns,
        dram_ns=traffic.transfer_ns * (supply.dram.peak_gb_per_s / supply.gb_per_s),
        sram_ns=to_real(on_chip_bits) / supply.sram_bits_per_cycle * cycle_ns,
        core_pj=sum((part for key, part in energies_pj.items() if key != LEAKAGE), 0.0),
        leakage_mw=cost.leakage_mw if cost.leakage_mw is not None else 0.0,
        clock_pj=energies_pj.get(CLOCK, 0.0) / to_real(cost.cycles),
        dram=traffic,
    )


def latest(*times: Real) -> Real:
    """The greatest of some times, point by point."""
    greatest = longest({str(place): time for place, time in enumerate(times)})
    return 0.0 if greatest is None else greatest


def _clock_mhz(cost: CostReport, supply: Supply) -> Real:
    period_ps = cost.period_ps
    if period_ps is None:
        if math.isinf(supply.clock_mhz):
            raise ValueError(f"clock_mhz must be given: {cost.technology} has no delay prices")
        return supply.clock_mhz
    return 1e6 / latest(period_ps, 1e6 / supply.clock_mhz)
