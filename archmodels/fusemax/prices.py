"""What the authors charge, from `fusemax45.yaml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from archmodels.technology.entries import Entry, root
from designs.rules import Int, Real, to_real

FILE = "fusemax45.yaml"
BITS_PER_MIB = 2**23
BITS_PER_BYTE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """A group of numbers, where they are from, and if they are `derived` as `note` says."""

    values: Mapping[str, float]
    source: str
    derived: bool
    note: str

    def __getitem__(self, key: str) -> float:
        return self.values[key]


@dataclass(frozen=True, kw_only=True, slots=True)
class BufferRow:
    """Energy of reading and of writing a row of a buffer of `bits`, in pJ."""

    bits: int
    read_pj: float
    write_pj: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """Energies in pJ, areas in um2.

    energy, register, dram, wide_add, area, register_area: the groups of the file.
    row_bits: width of the rows that `buffers` prices. buffer_areas: (bits of a row, rows) to area.
    """

    energy: Price
    register: Price
    dram: Price
    wide_add: Price
    area: Price
    register_area: Price
    row_bits: int
    buffers: Sequence[BufferRow]
    buffer_areas: Mapping[tuple[int, int], float]
    sources: Mapping[str, str]

    def buffer_word_pj(self, buffer_bytes: Int, word_bytes: Int, key: str) -> Real:
        """Energy of a value that is read or written (`key`): its part of a row."""
        bits = to_real(buffer_bytes) * BITS_PER_BYTE
        row = on_the_line([(one.bits, getattr(one, f"{key}_pj")) for one in self.buffers], bits)
        return row * to_real(word_bytes) * (BITS_PER_BYTE / self.row_bits)


def on_the_line(points: Sequence[tuple[float, float]], size: Real) -> Real:
    """On the line through two points, at any size."""
    ((low, first), (high, last)), *_ = pairwise(points)
    return first + (size - low) * ((last - first) / (high - low))


@cache
def prices() -> Prices:
    """Those that ship. Raises TechnologyError where the file is malformed."""
    return parse((files("archmodels") / FILE).read_text(encoding="utf-8"))


def parse(text: str) -> Prices:
    """The prices of a file like `fusemax45.yaml`. Raises TechnologyError."""
    whole = root(text, FILE)
    names = {
        "energy_pj": ("macc", "add", "max", "exponential", "divide"),
        "register_pj": ("bits", "read", "write"),
        "dram_pj": ("bits", "access"),
        "wide_add": ("ratio",),
        "area_um2": ("macc", "max", "exponential", "divide", "column"),
        "register_um2": ("cells", "comparators", "address_bit"),
    }
    whole.allow("sources", "buffer_pj", "buffer_um2", *names)
    titles = whole.child("sources")
    sources = {short: titles.text(short) for short in titles.keys()}
    groups = {key: _group(whole.child(key), own, sources) for key, own in names.items()}
    buffer, areas = whole.child("buffer_pj"), whole.child("buffer_um2")
    _group(buffer, ("row_bits",), sources, "sizes")
    _group(areas, (), sources, "sizes")
    return Prices(
        energy=groups["energy_pj"],
        register=groups["register_pj"],
        dram=groups["dram_pj"],
        wide_add=groups["wide_add"],
        area=groups["area_um2"],
        register_area=groups["register_um2"],
        row_bits=buffer.integer("row_bits"),
        buffers=[_row(entry) for entry in buffer.children("sizes")],
        buffer_areas={
            (entry.integer("row_bits"), entry.integer("rows")): entry.number("area")
            for entry in areas.children("sizes")
        },
        sources=sources,
    )


def _group(entry: Entry, names: Sequence[str], sources: Mapping[str, str], *more: str) -> Price:
    entry.allow("source", "derived", "note", *names, *more)
    return Price(
        values={name: entry.number(name) for name in names},
        source=entry.choice("source", list(sources)),
        derived=entry.flag("derived"),
        note=entry.text("note"),
    )


def _row(entry: Entry) -> BufferRow:
    entry.allow("mib", "read", "write")
    return BufferRow(
        bits=entry.integer("mib") * BITS_PER_MIB,
        read_pj=entry.number("read"),
        write_pj=entry.number("write"),
    )
