"""What a design does behind memories of finite bandwidth, as commands are told and tell it.

A workload's time is that of the slowest of core, external memory and on-chip buffer; workloads run
one after the other. The core's own cycles and energy stand as they are.
"""

import math
from argparse import Namespace
from collections.abc import Mapping, Sequence

from archmodels.supply import Limit, Supply, SystemReport
from archmodels.technology import Technology
from designs import DesignError
from designs.document import not_among
from dse.dram import memory_of, time_text
from dse.text import energy_text, table

OPTIONS = {
    "bandwidth": "--bandwidth-gbps",
    "on_chip": "--on-chip",
    "sram_bits": "--sram-bits-per-cycle",
    "clock": "--clock-mhz",
}
"""Options that say more of a memory that `--dram` names, by destination."""


def supply_of(args: Namespace, ports: Sequence[str]) -> Supply | None:
    """The memories that the options ask for; None without `--dram`.

    `ports` are the design's data ports. Raises DesignError naming the option at fault.
    """
    if args.dram is None:
        for name, option in OPTIONS.items():
            if getattr(args, name) is not None:
                raise DesignError(f"--dram must be given with {option}")
        return None
    dram = memory_of(args.dram)
    on_chip = args.on_chip.split(",") if args.on_chip is not None else []
    for port in on_chip:
        if port not in ports:
            raise DesignError(not_among("--on-chip", port, ports))
    if args.sram_bits is not None and not on_chip:
        raise DesignError("--on-chip must be given with --sram-bits-per-cycle")
    return Supply(
        dram=dram,
        gb_per_s=args.bandwidth or dram.peak_gb_per_s,
        on_chip=frozenset(on_chip),
        sram_bits_per_cycle=args.sram_bits or math.inf,
        clock_mhz=args.clock or math.inf,
    )


def is_clocked(supply: Supply, prices: Technology) -> bool:
    """Whether the clock of a core is known, from the technology or from `--clock-mhz`."""
    return prices.delay_prices is not None or math.isfinite(supply.clock_mhz)


def check_clocked(supply: Supply, prices: Technology) -> None:
    """Raise DesignError where times of the core and of the memory cannot be compared."""
    if not is_clocked(supply, prices):
        raise DesignError(f"--clock-mhz must be given: {prices.name} has no delay prices")


def content(supply: Supply, reports: Sequence[SystemReport]) -> dict[str, object]:
    """What `--json` says of the system on workloads that run one after the other."""
    limits = limits_ns(reports)
    return {
        "bandwidth_gb_per_s": supply.gb_per_s,
        "on_chip_ports": sorted(supply.on_chip),
        "sram_bits_per_cycle": (
            supply.sram_bits_per_cycle if math.isfinite(supply.sram_bits_per_cycle) else None
        ),
        "clock_mhz": float(reports[0].clock_mhz),
        "limit": max(limits, key=lambda name: limits[name]),
        "time_us": 1e-3 * sum(limits.values()),
        "limited_us": {name: 1e-3 * time_ns for name, time_ns in limits.items()},
        "core_us": 1e-3 * sum(float(one.core_ns) for one in reports),
        "dram_us": 1e-3 * sum(float(one.dram_ns) for one in reports),
        "sram_us": 1e-3 * sum(float(one.sram_ns) for one in reports),
        "stall_us": 1e-3 * sum(float(one.stall_ns) for one in reports),
        "energy_pj": sum(float(one.energy_pj) for one in reports),
        "dram_energy_pj": sum(float(one.dram.energy_pj) for one in reports),
        "core_energy_pj": sum(float(one.core_pj + one.leakage_pj) for one in reports),
        "waiting_energy_pj": sum(float(one.waiting_pj) for one in reports),
    }


def limits_ns(reports: Sequence[SystemReport]) -> dict[str, float]:
    """The time of all workloads by what sets it: `core`, `dram`, `sram`."""
    limits = {limit.name.lower(): 0.0 for limit in Limit}
    for report in reports:
        limits[Limit(int(report.limit)).name.lower()] += float(report.time_ns)
    return limits


def text(supply: Supply, reports: Mapping[str, SystemReport]) -> str:
    """What a terminal shows: a row for each workload, by name, and for all of them."""
    rows: list[tuple[object, ...]] = [
        ("workload", "time", "limit", "core", "DRAM", "SRAM", "core waits", "energy")
    ]
    rows += [_row(name, [report]) for name, report in reports.items()]
    if len(reports) > 1:
        rows.append(_row("in all", [*reports.values()]))
    clock_mhz = float(next(iter(reports.values())).clock_mhz)
    behind = f", {', '.join(sorted(supply.on_chip))} on chip" if supply.on_chip else ""
    return "\n".join(
        [
            f"system: {supply.gb_per_s:,.4g} GB/s{behind}, core at {clock_mhz:,.4g} MHz",
            table(rows),
            "  at best: core and memories work all the time; the core's clock never stops",
        ]
    )


def _row(name: str, reports: Sequence[SystemReport]) -> tuple[object, ...]:
    limits = limits_ns(reports)
    whole = sum(limits.values())
    waits = sum(float(one.stall_ns) for one in reports) / whole
    times = [sum(float(getattr(one, f"{limit}_ns")) for one in reports) for limit in limits]
    return (
        name,
        time_text(whole),
        max(limits, key=lambda limit: limits[limit]),
        *map(time_text, times),
        f"{waits:.1%}",
        energy_text(sum(float(one.energy_pj) for one in reports)),
    )
