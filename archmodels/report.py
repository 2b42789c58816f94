"""What a design costs on a workload: exact counts multiplied by the prices of a technology."""

from collections.abc import Mapping
from dataclasses import dataclass

from archmodels.counts import Counts, Event
from archmodels.technology import Real, Technology, to_real
from designs.rules import Int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """Time, area and energy of one design on one workload; arrays for a grid of them.

    `area_breakdown_um2` has every key of the inventory, `energy_breakdown_pj` every key of the
    activity that performs operations. `area_interpolated` and `energy_interpolated` name the keys
    that are priced off a published point at some point of the grid, by the law or by derivation;
    the others are quotations. Area is that of the cells. Energy is dynamic: leakage is left out,
    as are wires and the clock tree, for which horowitz45 has no data. `sources` are the full
    titles behind all prices of the technology.
    """

    technology: str
    sources: tuple[str, ...]
    cycles: Int
    useful_macs: Int
    peak_macs_per_cycle: Int
    area_breakdown_um2: Mapping[str, Real]
    energy_breakdown_pj: Mapping[str, Real]
    area_interpolated: frozenset[str]
    energy_interpolated: frozenset[str]

    @property
    def area_um2(self) -> Real:
        """Area of everything in the inventory."""
        return sum(self.area_breakdown_um2.values(), 0.0)

    @property
    def energy_pj(self) -> Real:
        """Energy of everything in the activity."""
        return sum(self.energy_breakdown_pj.values(), 0.0)

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


def report(
    counts: Counts, technology: Technology, *, useful_macs: Int, peak_macs_per_cycle: Int
) -> CostReport:
    """Price `counts`. Raises MissingPriceError naming the first key that has no price."""
    events = {key: event for key, event in counts.activity.items() if event.operations}
    return CostReport(
        technology=technology.name,
        sources=tuple(technology.sources.values()),
        cycles=counts.cycles,
        useful_macs=useful_macs,
        peak_macs_per_cycle=peak_macs_per_cycle,
        area_breakdown_um2={
            key: technology.area_um2(item, key) for key, item in counts.inventory.items()
        },
        energy_breakdown_pj={
            key: to_real(event.count) * _energy_pj(event, technology, key)
            for key, event in events.items()
        },
        area_interpolated=frozenset(
            key
            for key, item in counts.inventory.items()
            if technology.area_price(item.kind).is_interpolated(item.bits, item.other_bits)
        ),
        energy_interpolated=frozenset(
            key
            for key, event in events.items()
            for operation in event.operations
            if technology.energy_price(operation.kind).is_interpolated(
                operation.bits, operation.other_bits
            )
        ),
    )


def _energy_pj(event: Event, technology: Technology, key: str) -> Real:
    """Energy of one occurrence of `event`."""
    return sum((technology.energy_pj(operation, key) for operation in event.operations), 0.0)
