"""What a design costs on a workload: exact counts multiplied by the prices of a technology."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from archmodels.counts import Counts, Event, Item, Operation, Stage
from archmodels.technology import Price, Technology
from designs.rules import Int, Real, to_real

LEAKAGE = "leakage"
"""The key of the energy that leaks in the time of all cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """Time, area and energy of one design on one workload; arrays for a grid of them.

    `area_breakdown_um2` has every key of the inventory, and so has `leakage_breakdown_nw`, or none
    where the technology has no leakage. `path_delays_ps` has every path, or none where it has no
    delays. `energy_breakdown_pj` has every key of the activity that performs operations, and
    `leakage`, at the highest frequency, where the technology has both. Area is that of the cells;
    wires and the clock tree are left out of everything.
    """

    counts: Counts = field(repr=False)
    prices: Technology = field(repr=False)
    useful_macs: Int
    peak_macs_per_cycle: Int
    area_breakdown_um2: Mapping[str, Real]
    energy_breakdown_pj: Mapping[str, Real]
    leakage_breakdown_nw: Mapping[str, Real]
    path_delays_ps: Mapping[str, Real]

    @property
    def technology(self) -> str:
        """Name of the technology."""
        return self.prices.name

    @property
    def sources(self) -> tuple[str, ...]:
        """Full titles of what is behind all prices of the technology."""
        return self.prices.titles

    @property
    def cycles(self) -> Int:
        """Cycles from the first operand transfer to the last result transfer."""
        return self.counts.cycles

    @property
    def area_um2(self) -> Real:
        """Area of everything in the inventory."""
        return sum(self.area_breakdown_um2.values(), 0.0)

    @property
    def energy_pj(self) -> Real:
        """Energy of everything in the activity, and of leakage where it is priced."""
        return sum(self.energy_breakdown_pj.values(), 0.0)

    @property
    def leakage_mw(self) -> Real | None:
        """Leakage of everything in the inventory; None where it is not priced."""
        if not self.leakage_breakdown_nw:
            return None
        return 1e-6 * sum(self.leakage_breakdown_nw.values(), 0.0)

    @property
    def period_ps(self) -> Real | None:
        """Delay of the slowest path; None where the technology has no delays."""
        return longest(self.path_delays_ps)

    @property
    def frequency_mhz(self) -> Real | None:
        """Highest clock frequency; None where the technology has no delays."""
        period_ps = self.period_ps
        return None if period_ps is None else 1e6 / period_ps

    @property
    def time_us(self) -> Real | None:
        """Time of all cycles at the highest frequency; None where there is none."""
        period_ps = self.period_ps
        return None if period_ps is None else 1e-6 * period_ps * to_real(self.cycles)

    @property
    def macs_per_cycle(self) -> Real:
        """Useful multiply-accumulates per cycle, mean over the run."""
        return to_real(self.useful_macs) / to_real(self.cycles)

    @property
    def utilisation(self) -> Real:
        """Useful over possible multiply-accumulates, 0 to 1."""
        return self.macs_per_cycle / to_real(self.peak_macs_per_cycle)

    @property
    def energy_pj_per_mac(self) -> Real:
        """Energy per useful multiply-accumulate."""
        return self.energy_pj / to_real(self.useful_macs)

    @property
    def energy_delay_pj_cycles(self) -> Real:
        """Energy-delay product, with the delay in cycles."""
        return self.energy_pj * to_real(self.cycles)

    @property
    def macs_per_cycle_per_um2(self) -> Real:
        """Useful multiply-accumulates per cycle and area."""
        return self.macs_per_cycle / self.area_um2

    @property
    def area_interpolated(self) -> frozenset[str]:
        """Keys whose area is no quotation at some point: priced by a law or by derivation."""
        return frozenset(
            key
            for key, price, item in self.areas()
            if price.is_interpolated(item.bits, item.other_bits)
        )

    @property
    def energy_interpolated(self) -> frozenset[str]:
        """Keys whose energy is no quotation at some point: priced by a law or by derivation."""
        return frozenset(
            key
            for key, price, operation in self.energies()
            if price.is_interpolated(operation.bits, operation.other_bits)
        )

    @property
    def outside_range(self) -> frozenset[str]:
        """Keys of parts, events and paths that are there and priced outside the calibrated range.

        On a grid: at some point.
        """
        priced: list[tuple[str, Price, Item | Operation | Stage]] = []
        for group in (self.areas(), self.leakages(), self.energies(), self.delays()):
            priced += group
        return frozenset(
            key for key, price, sized in priced if is_outside(price, sized, self._amount(key))
        )

    def _amount(self, key: str) -> Int:
        """How often a key is there; a path is there once."""
        if key in self.counts.inventory:
            return self.counts.inventory[key].count
        return self.counts.activity[key].count if key in self.counts.activity else 1

    def areas(self) -> Iterator[tuple[str, Price, Item]]:
        """Parts that are there, with their keys and the prices of their areas."""
        for key, item in self.counts.inventory.items():
            if exists(item.count, item.bits):
                yield key, self.prices.area_price(item.kind, key), item

    def leakages(self) -> Iterator[tuple[str, Price, Item]]:
        """Parts that are there, with keys and the prices of their leakage, if it is priced."""
        for key, item in self.counts.inventory.items() if self.leakage_breakdown_nw else ():
            if exists(item.count, item.bits):
                yield key, self.prices.leakage_price(item.kind, key), item

    def energies(self) -> Iterator[tuple[str, Price, Operation]]:
        """Operations that happen, with their keys and prices."""
        for key, event in self.counts.activity.items():
            for operation in event.operations:
                if exists(event.count, operation.bits):
                    yield key, self.prices.energy_price(operation.kind, key), operation

    def delays(self) -> Iterator[tuple[str, Price, Stage]]:
        """Stages that are there, with the keys of their paths and their prices, if any."""
        for key in self.path_delays_ps:
            for stage in self.counts.paths[key]:
                if exists(stage.bits):
                    yield key, self.prices.delay_price(stage.kind, key), stage


def report(
    counts: Counts, technology: Technology, *, useful_macs: Int, peak_macs_per_cycle: Int
) -> CostReport:
    """Price `counts`; what is nowhere there costs nothing and needs no price.

    Raises MissingPriceError naming the first key that has no price.
    """

    def each(price: Callable[[Item, str], Real]) -> dict[str, Real]:
        return {
            key: price(item, key) if exists(item.count, item.bits) else 0.0
            for key, item in counts.inventory.items()
        }

    energies_pj: dict[str, Real] = {
        key: to_real(event.count) * _energy_pj(event, technology, key)
        for key, event in counts.activity.items()
        if event.operations
    }
    leakages_nw: dict[str, Real] = {}
    delays_ps: dict[str, Real] = {}
    if technology.leakage_prices is not None:
        leakages_nw = each(technology.leakage_nw)
    if technology.delay_prices is not None:
        delays_ps = {
            key: sum((technology.delay_ps(stage, key) for stage in path if exists(stage.bits)), 0.0)
            for key, path in counts.paths.items()
        }
    period_ps = longest(delays_ps)
    if leakages_nw and period_ps is not None:
        time_ns = 1e-3 * period_ps * to_real(counts.cycles)
        energies_pj[LEAKAGE] = 1e-6 * sum(leakages_nw.values(), 0.0) * time_ns
    return CostReport(
        counts=counts,
        prices=technology,
        useful_macs=useful_macs,
        peak_macs_per_cycle=peak_macs_per_cycle,
        area_breakdown_um2=each(technology.area_um2),
        energy_breakdown_pj=energies_pj,
        leakage_breakdown_nw=leakages_nw,
        path_delays_ps=delays_ps,
    )


def longest(delays_ps: Mapping[str, Real]) -> Real | None:
    """The greatest of some delays, point by point; None of none."""
    if not delays_ps:
        return None
    if any(isinstance(delay, np.ndarray) for delay in delays_ps.values()):
        greatest: Real = reduce(np.maximum, delays_ps.values())
        return greatest
    return max(float(delay) for delay in delays_ps.values())


def exists(*amounts: Int) -> bool:
    """Whether all amounts are above 0, each at some point of a grid."""
    return all(bool(one.any()) if isinstance(one, np.ndarray) else one != 0 for one in amounts)


def is_outside(price: Price, sized: Item | Operation | Stage, amount: Int) -> bool:
    """Whether something that is there `amount` times is priced outside its calibrated range."""
    outside = price.is_outside(sized.bits, sized.other_bits)
    return bool(np.any(np.logical_and(outside, np.greater(amount, 0))))


def _energy_pj(event: Event, technology: Technology, key: str) -> Real:
    """Energy of one occurrence of `event`."""
    return sum(
        (
            technology.energy_pj(operation, key)
            for operation in event.operations
            if exists(event.count, operation.bits)
        ),
        0.0,
    )
