"""External memories: what the traffic of an accelerator costs in energy, and the time it needs.

Both stand beside the core's own figures. Nothing here is part of its cycles: a core that is faster
than its memory waits for it, which no model of the core says, and `archmodels.supply` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from archmodels.technology import Real, to_real
from archmodels.technology.entries import Entry, root
from designs.rules import Int, ceil_div

FILE = "dram.yaml"

RESULT_PORTS = frozenset({"o", "kv_new", "kv_new_scales"})
"""Data ports whose transfers are written to memory; those of all others are read from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An energy in pJ: quoted from `source`, or `derived` from it in the way that `note` states."""

    value: float
    source: str
    derived: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What some bits cost on a memory.

    activate_pj, core_pj, io_pj: energy of opening rows, in the memory, and of the interface
    transfer_ns: time that they occupy the interface at its peak rate
    """

    activate_pj: Real
    core_pj: Real
    io_pj: Real
    transfer_ns: Real

    @property
    def energy_pj(self) -> Real:
        """All of the energy."""
        return self.activate_pj + self.core_pj + self.io_pj


@dataclass(frozen=True, slots=True, kw_only=True)
class Dram:
    """A memory: one channel or stack, as `title` says, with figures for activation, core and I/O.

    `data_rate_mbps` is a pin's, `width_bits` the number of data pins; `row_bits` are opened by one
    activation. `standard` is the source of these three, `sources` has the full titles of all that
    this memory's figures and notes name.
    """

    name: str
    title: str
    standard: str
    data_rate_mbps: int
    width_bits: int
    row_bits: int
    activate_pj: Figure
    read_core_pj_per_bit: Figure
    write_core_pj_per_bit: Figure
    read_io_pj_per_bit: Figure
    write_io_pj_per_bit: Figure
    sources: Mapping[str, str]

    @property
    def peak_gb_per_s(self) -> float:
        """Peak bandwidth, in 10^9 bytes per second."""
        return self.data_rate_mbps * self.width_bits / 8000

    def traffic(self, read_bits: Int, write_bits: Int) -> Traffic:
        """What reading and writing these bits costs, at best.

        At best: operands and results lie in the order of their transfers, so that each row is
        opened once for the bits read and once for the bits written, and used whole. The time is
        that of the bits at the peak rate, without refresh, activation and turning the bus round.
        """
        rows = ceil_div(read_bits, self.row_bits) + ceil_div(write_bits, self.row_bits)
        read, write = to_real(read_bits), to_real(write_bits)
        return Traffic(
            activate_pj=to_real(rows) * self.activate_pj.value,
            core_pj=read * self.read_core_pj_per_bit.value
            + write * self.write_core_pj_per_bit.value,
            io_pj=read * self.read_io_pj_per_bit.value + write * self.write_io_pj_per_bit.value,
            transfer_ns=(read + write) / (8 * self.peak_gb_per_s),
        )

    def port_traffic(self, port_bits: Mapping[str, Int]) -> Traffic:
        """As `traffic`, of the bits that cross each data port; RESULT_PORTS are written."""
        read_bits: Int = 0
        write_bits: Int = 0
        for port, bits in port_bits.items():
            if port in RESULT_PORTS:
                write_bits = write_bits + bits
            else:
                read_bits = read_bits + bits
        return self.traffic(read_bits, write_bits)


FIGURES = (
    "activate_pj",
    "read_core_pj_per_bit",
    "write_core_pj_per_bit",
    "read_io_pj_per_bit",
    "write_io_pj_per_bit",
)
NUMBERS = ("data_rate_mbps", "width_bits", "row_bits")


def names() -> tuple[str, ...]:
    """The memories that ship, in the order of their file."""
    return tuple(_shipped())


def load(name: str) -> Dram:
    """A memory that ships. Raises ValueError for an unknown name."""
    memories = _shipped()
    if name not in memories:
        raise ValueError(f"dram must be one of {', '.join(memories)}, not {name!r}")
    return memories[name]


def parse(text: str) -> dict[str, Dram]:
    """The memories of a file like `dram.yaml`, by name. Raises TechnologyError."""
    document = root(text, FILE)
    document.allow("sources", "memories")
    titles = document.child("sources")
    sources = {short: titles.text(short) for short in titles.keys()}
    memories = document.child("memories")
    return {name: _memory(memories.child(name), name, sources) for name in memories.keys()}


def _shipped() -> dict[str, Dram]:
    return parse((files("archmodels") / FILE).read_text(encoding="utf-8"))


def _memory(entry: Entry, name: str, sources: Mapping[str, str]) -> Dram:
    entry.allow("title", "standard", "also", *NUMBERS, *FIGURES)
    figures = {key: _figure(entry.child(key), sources) for key in FIGURES}
    standard = entry.choice("standard", list(sources))
    also = entry.choices("also", list(sources)) if "also" in entry else ()
    named = {standard, *also, *(figure.source for figure in figures.values())}
    return Dram(
        name=name,
        title=entry.text("title"),
        standard=standard,
        data_rate_mbps=entry.integer("data_rate_mbps"),
        width_bits=entry.integer("width_bits"),
        row_bits=entry.integer("row_bits"),
        activate_pj=figures["activate_pj"],
        read_core_pj_per_bit=figures["read_core_pj_per_bit"],
        write_core_pj_per_bit=figures["write_core_pj_per_bit"],
        read_io_pj_per_bit=figures["read_io_pj_per_bit"],
        write_io_pj_per_bit=figures["write_io_pj_per_bit"],
        sources={short: title for short, title in sources.items() if short in named},
    )


def _figure(entry: Entry, sources: Mapping[str, str]) -> Figure:
    entry.allow("value", "source", "derived", "note")
    return Figure(
        value=entry.number("value"),
        source=entry.choice("source", list(sources)),
        derived=entry.flag("derived"),
        note=entry.text("note"),
    )
