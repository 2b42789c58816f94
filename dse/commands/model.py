"""`hwgen model`: cycles, frequency, activity, traffic, area and energy from the cost model."""

from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import archmodels
from archmodels import technology
from archmodels.counts import FLIP_FLOPS, Counts, Item, Kind
from archmodels.report import CostReport
from archmodels.supply import Supply, SystemReport, supplied
from archmodels.technology import Real, Technology
from designs import Design, DesignError, Workload
from designs.document import not_among
from dse import arguments, dram, supply
from dse.arguments import Commands
from dse.request import design_of, workloads_of
from dse.text import Outcome, area_text, energy_text, table

STORAGE = FLIP_FLOPS | {Kind.MEMORY, Kind.MEMORY_READ_REGISTER}
"""What an inventory gives in bits; everything else is counted."""


INVENTORY_NOTE = "with --json, inventory_units says which inventory numbers are bits, which a count"


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """What crosses one data port; bytes are payload bits / 8, padding included."""

    transfers: int
    transfer_bits: int
    bytes: float
    bits_per_cycle: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One workload: what the model counts, and what that costs."""

    counts: Counts
    cost: CostReport


def add(commands: Commands) -> None:
    """Add model to the command line."""
    modelling = arguments.command(
        commands, "model", run, "cycles, frequency, activity, traffic, area and energy",
        ["hwgen model edge16", "hwgen model edge16 --gemm 128,768,768 --set dataflow=ws",
         "hwgen model edge16 --workload minilm_query --json",
         "hwgen model lut32_int8 --tech asap7 --dram lpddr5x --bandwidth-gbps 25.6",
         INVENTORY_NOTE],
    )  # fmt: skip
    arguments.design(modelling)
    arguments.workload(modelling)
    arguments.technology(modelling)
    arguments.memory(modelling)


def run(args: Namespace) -> Outcome:
    """The cost of the design on each workload asked for, and in all."""
    design = design_of(args)
    workloads = workloads_of(design, args)
    prices = technology_of(args)
    ports = [*archmodels.PORT_BITS[type(design.params)](design.params)]
    system = supply.supply_of(args, ports)
    if system is not None and (args.bandwidth or args.on_chip):
        supply.check_clocked(system, prices)
    results = {name: evaluate(design, load, prices) for name, load in workloads.items()}
    every = [*results.values()]
    content = summary(design, every) | _external(design, every, system)
    content["technology_sources"] = list(prices.titles)
    content["workloads"] = [
        {"name": name} | summary(design, [result]) | _external(design, [result], system)
        for name, result in results.items()
    ]
    return Outcome(content=content, text=_text(design, results, prices, system))


def technology_of(args: Namespace) -> Technology:
    """The prices that `--tech` asks for. Raises DesignError for an unknown name."""
    known, asked = technology.names(), args.technology
    if asked not in known and not asked.endswith(technology.SUFFIX):
        raise DesignError(not_among("--tech", asked, known))
    return technology.load(asked)


def evaluate(design: Design, workload: Workload, prices: Technology) -> Result:
    """Model and prices of one workload."""
    counts = archmodels.MODELS[type(design.params)](design.params, workload)
    cost = archmodels.price(design.params, workload, counts, prices)
    return Result(counts=counts, cost=cost)


def summary(design: Design, results: Sequence[Result]) -> dict[str, object]:
    """What `--json` says of workloads that run one after the other, or of a single one."""
    costs, first = [result.cost for result in results], results[0]
    cycles = sum(int(cost.cycles) for cost in costs)
    useful_macs = sum(int(cost.useful_macs) for cost in costs)
    return {
        "cycles": cycles,
        "is_expected": is_expected(design),
        "utilisation": useful_macs / (cycles * design.params.mac_slots_per_cycle),
        "useful_macs": useful_macs,
        "area_um2": float(first.cost.area_um2),
        "energy_pj": sum(float(cost.energy_pj) for cost in costs),
        "period_ps": _number(first.cost.period_ps),
        "frequency_mhz": _number(first.cost.frequency_mhz),
        "time_us": _time_us(results),
        "leakage_mw": _number(first.cost.leakage_mw),
        "inventory": inventory(first.counts),
        "inventory_units": inventory_units(first.counts),
        "activity": activity(results),
        "port_traffic": {port: asdict(flow) for port, flow in traffic(design, results).items()},
        "area_breakdown_um2": _sums([first.cost.area_breakdown_um2]),
        "energy_breakdown_pj": _sums(cost.energy_breakdown_pj for cost in costs),
        "area_interpolated_keys": sorted(first.cost.area_interpolated),
        "energy_interpolated_keys": sorted({k for cost in costs for k in cost.energy_interpolated}),
        "path_delays_ps": _sums([first.cost.path_delays_ps]),
        "outside_range": sorted({key for cost in costs for key in cost.outside_range}),
        "technology": first.cost.technology,
    }


def is_expected(design: Design) -> bool:
    """Whether data decides what happens: cycles and activity are then expected over operands."""
    return type(design.params) in archmodels.EXACT


def inventory(counts: Counts) -> dict[str, int]:
    """Bits of registers and memories, and the number of everything else, by inventory key."""
    return {key: _amount(item) for key, item in counts.inventory.items()}


def inventory_units(counts: Counts) -> dict[str, str]:
    """What the numbers of `inventory` are, by inventory key: `bits` or `count`."""
    return {
        key: "bits" if item.kind in STORAGE else "count" for key, item in counts.inventory.items()
    }


def activity(results: Sequence[Result]) -> dict[str, int]:
    """How often each event happens, by activity key."""
    total: dict[str, int] = {}
    for result in results:
        for key, event in result.counts.activity.items():
            total[key] = total.get(key, 0) + int(event.count)
    return total


def traffic(design: Design, results: Sequence[Result]) -> dict[str, Traffic]:
    """What crosses each data port, from the activity `<port>.transfers`."""
    cycles, events = sum(int(result.cost.cycles) for result in results), activity(results)
    flows = {}
    for port, payload_bits in archmodels.PORT_BITS[type(design.params)](design.params).items():
        transfers, transfer_bits = events[f"{port}.transfers"], int(payload_bits)
        flows[port] = Traffic(
            transfers=transfers,
            transfer_bits=transfer_bits,
            bytes=transfers * transfer_bits / 8,
            bits_per_cycle=transfers * transfer_bits / cycles,
        )
    return flows


def _external(
    design: Design, results: Sequence[Result], system: Supply | None
) -> dict[str, object]:
    """What `--json` says of the external memory, if one is asked for, and of the system with it.

    `system` is null where no clock is known.
    """
    if system is None:
        return {}
    bits = _external_bits(port_bits(design, results), system)
    reports = _systems(design, results, system)
    return {
        "dram": dram.content(system.dram, bits),
        "system": supply.content(system, reports) if reports else None,
    }


def _external_bits(bits: Mapping[str, int], system: Supply) -> dict[str, int]:
    return {port: amount for port, amount in bits.items() if port not in system.on_chip}


def _systems(design: Design, results: Sequence[Result], system: Supply) -> list[SystemReport]:
    """What the system does on each workload; nothing where no clock is known."""
    if not supply.is_clocked(system, results[0].cost.prices):
        return []
    return [supplied(one.cost, port_bits(design, [one]), system) for one in results]


def port_bits(design: Design, results: Sequence[Result]) -> dict[str, int]:
    """Payload bits that cross each data port."""
    total: dict[str, int] = {}
    for result in results:
        bits = archmodels.transferred_bits(design.params, result.counts)
        for port, amount in bits.items():
            total[port] = total.get(port, 0) + int(amount)
    return total


def _time_us(results: Sequence[Result]) -> float | None:
    """Time of all workloads at the highest frequency, if the technology has one."""
    times = [_number(result.cost.time_us) for result in results]
    return sum(time for time in times if time is not None) if None not in times else None


def _number(value: Real | None) -> float | None:
    return None if value is None else float(value)


def _sums(parts: Iterable[Mapping[str, Real]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, 0.0) + float(value)
    return total


def _amount(item: Item) -> int:
    if item.kind not in STORAGE:
        return int(item.count)
    words = item.other_bits if item.kind is Kind.MEMORY else 1
    return int(item.count * item.bits * words)


def _text(
    design: Design, results: Mapping[str, Result], prices: Technology, system: Supply | None
) -> str:
    every = [*results.values()]
    cost = every[0].cost
    expected = "expected " if is_expected(design) else ""
    rows: list[tuple[object, ...]] = [("workload", f"{expected}cycles", "utilisation", "energy")]
    if cost.time_us is not None:
        rows = [(*rows[0], "time")]
    for name, result in results.items():
        rows.append(_row(name, design, [result]))
    if len(every) > 1:
        rows.append(_row("in all", design, every))
    ports: list[tuple[object, ...]] = [("port", "transfers", "bytes", "bits per cycle")]
    for port, flow in traffic(design, every).items():
        ports.append((port, flow.transfers, round(flow.bytes), flow.bits_per_cycle))
    energy = _sums(result.cost.energy_breakdown_pj for result in every)
    used = {key: count for key, count in activity(every).items() if count}
    parts = [
        f"{design.name} in {prices.name}",
        table(rows),
        *_clock(cost),
        "traffic",
        table(ports),
        f"{expected}activity",
        table(used.items()),
        f"energy: {energy_text(sum(energy.values()))}",
        breakdown(energy, energy_text),
        f"area: {area_text(float(cost.area_um2))}",
        breakdown(_sums([cost.area_breakdown_um2]), area_text),
        *_rests_on(prices, sorted({key for item in every for key in item.cost.outside_range})),
    ]
    if system is not None:
        parts += _external_text(design, results, system)
    return "\n".join(parts)


def _external_text(design: Design, results: Mapping[str, Result], system: Supply) -> list[str]:
    bits = {
        name: _external_bits(port_bits(design, [result]), system)
        for name, result in results.items()
    }
    reports = _systems(design, [*results.values()], system)
    together = [supply.text(system, dict(zip(results, reports, strict=True)))] if reports else []
    return [dram.text(system.dram, bits), *together]


def _clock(cost: CostReport) -> list[str]:
    """The clock and what sets it, where the technology has delays; leakage, where it has that."""
    lines = []
    period_ps, leakage_mw = _number(cost.period_ps), _number(cost.leakage_mw)
    if period_ps is not None:
        slowest = max(cost.path_delays_ps, key=lambda key: float(cost.path_delays_ps[key]))
        lines.append(
            f"clock: {1e6 / period_ps:,.4g} MHz, {period_ps:,.4g} ps, set by {slowest}; "
            "before placement, without wires"
        )
    if leakage_mw is not None:
        lines.append(f"leakage: {leakage_mw:,.4g} mW")
    return lines


def _rests_on(prices: Technology, outside: Sequence[str]) -> list[str]:
    """The technology, what it does not price, and its sources."""
    absent = ["wires", "clock tree"]
    absent += ["leakage"] if prices.leakage_prices is None else []
    absent += ["delay"] if prices.delay_prices is None else []
    missing = f"{', '.join(absent[:-1])} and {absent[-1]}"
    node = f"{prices.node_nm} nm, {prices.supply_v} V"
    lines = [f"technology: {prices.name}, {node}; {missing} are not priced"]
    if outside:
        lines.append(f"outside the calibrated widths: {', '.join(outside)}")
    lines += [f"  {short}: {title}" for short, title in prices.sources.items()]
    if prices.calibration is not None:
        lines.append(f"  calibration: {prices.calibration.title}")
    return lines


def _row(name: str, design: Design, results: Sequence[Result]) -> tuple[object, ...]:
    cycles = sum(int(result.cost.cycles) for result in results)
    useful_macs = sum(int(result.cost.useful_macs) for result in results)
    utilisation = useful_macs / (cycles * design.params.mac_slots_per_cycle)
    energy_pj = sum(float(result.cost.energy_pj) for result in results)
    time_us = _time_us(results)
    row = (name, cycles, f"{utilisation:.1%}", energy_text(energy_pj))
    return row if time_us is None else (*row, dram.time_text(1e3 * time_us))


def breakdown(parts: Mapping[str, float], text: Callable[[float], str]) -> str:
    """Parts of a sum, largest first; the smallest ones, up to 1% in all, together."""
    whole = sum(parts.values())
    ordered = sorted((part for part in parts.items() if part[1]), key=lambda part: -part[1])
    rows: list[tuple[object, ...]] = []
    shown = 0.0
    for place, (key, value) in enumerate(ordered):
        if shown >= 0.99 * whole:
            others = sum(value for _, value in ordered[place:])
            rows.append(("others", text(others), f"{others / whole:.1%}"))
            break
        rows.append((key, text(value), f"{value / whole:.1%}"))
        shown += value
    return table(rows)
