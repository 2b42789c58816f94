"""What the port traffic of workloads costs in an external memory, as `hwgen model --dram` says it.

Energy and time stand beside the core's own and are part of neither its energy nor its cycles; what
core and memory do together is in `dse.supply`.
"""

from collections.abc import Mapping

from archmodels import dram
from archmodels.dram import Dram
from designs import DesignError
from designs.document import not_among
from dse.text import energy_text, table


def memory_of(name: str, option: str = "--dram") -> Dram:
    """The memory of this name. Raises DesignError naming `option`."""
    if name not in dram.names():
        raise DesignError(not_among(option, name, dram.names()))
    return dram.load(name)


def content(memory: Dram, port_bits: Mapping[str, int]) -> dict[str, object]:
    """What `--json` says of the bits that cross the data ports; times are in ns."""
    cost = memory.port_traffic(port_bits)
    return {
        "memory": memory.name,
        "peak_gb_per_s": memory.peak_gb_per_s,
        "bytes": sum(port_bits.values()) / 8,
        "transfer_ns": float(cost.transfer_ns),
        "energy_pj": float(cost.energy_pj),
        "activate_pj": float(cost.activate_pj),
        "core_pj": float(cost.core_pj),
        "io_pj": float(cost.io_pj),
        "derived": [name for name in dram.FIGURES if getattr(memory, name).derived],
        "sources": list(memory.sources.values()),
    }


def text(memory: Dram, port_bits: Mapping[str, Mapping[str, int]]) -> str:
    """What a terminal shows: a row for each workload, by name, and what the figures rest on."""
    rows: list[tuple[object, ...]] = [
        ("workload", "bytes", "time at its peak", "energy", "rows", "core", "I/O")
    ]
    for workload, bits in port_bits.items():
        cost = memory.port_traffic(bits)
        rows.append(
            (
                workload,
                round(sum(bits.values()) / 8),
                time_text(float(cost.transfer_ns)),
                *(
                    energy_text(float(part))
                    for part in (cost.energy_pj, cost.activate_pj, cost.core_pj, cost.io_pj)
                ),
            )
        )
    head = (
        f"external memory: {memory.title}, {memory.peak_gb_per_s:,.4g} GB/s; "
        "not part of the core's cycles and energy"
    )
    return "\n".join(
        [
            head,
            table(rows),
            "  at best: every row opened once and used whole; without standby and refresh",
            *(f"  {short}: {title}" for short, title in memory.sources.items()),
        ]
    )


def time_text(time_ns: float) -> str:
    """A time in the unit that keeps it short."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if time_ns >= size:
            return f"{time_ns / size:.4g} {unit}"
    return f"{time_ns:.4g} ns"
