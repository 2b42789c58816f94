"""Area that a channel's banks take for dot products, as a part of the dies that hold its rows.

Vector buffers, controllers and wires are not part of it.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from archmodels.technology.entries import Entry, root
from designs.npu_pim import PimChannel, RowBuffers

FILE = "pim_area.yaml"
BITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class AreaPrices:
    """What the file has.

    row_buffer, subarray_latch: parts of a die. mac_unit_mm2, mac_circuit_mm2: of a lane. mac_pj: of
    a multiply-accumulate.
    """

    die_mm2: float
    die_bits: int
    row_buffer: float
    subarray_latch: float
    mac_unit_mm2: float
    mac_circuit_mm2: float
    mac_pj: float


@cache
def area_prices() -> AreaPrices:
    """Those that ship. Raises TechnologyError where the file is malformed."""
    return parse((files("archmodels") / FILE).read_text(encoding="utf-8"))


def parse(text: str) -> AreaPrices:
    """The prices of a file like `pim_area.yaml`. Raises TechnologyError."""
    whole = root(text, FILE)
    own = {
        "die": ("area_mm2", "capacity_bits"),
        "row_buffer": ("part",),
        "subarray_latch": ("part",),
        "mac_unit": ("area_mm2", "lanes"),
        "mac_circuit": ("area_mm2", "lanes"),
        "mac_energy": ("mac_pj",),
    }
    whole.allow("sources", *own)
    entries = {name: _entry(whole, name, keys) for name, keys in own.items()}

    def lane_mm2(name: str) -> float:
        return entries[name].number("area_mm2") / entries[name].integer("lanes")

    return AreaPrices(
        die_mm2=entries["die"].number("area_mm2"),
        die_bits=entries["die"].integer("capacity_bits"),
        row_buffer=entries["row_buffer"].number("part"),
        subarray_latch=entries["subarray_latch"].number("part"),
        mac_unit_mm2=lane_mm2("mac_unit"),
        mac_circuit_mm2=lane_mm2("mac_circuit"),
        mac_pj=entries["mac_energy"].number("mac_pj"),
    )


def _entry(whole: Entry, name: str, keys: tuple[str, ...]) -> Entry:
    found = whole.child(name)
    found.allow("source", "derived", "note", *keys)
    found.choice("source", whole.child("sources").keys())
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    """Parts of the die: what is added to each of its square millimetres.

    row_buffers: second ones, or none. subarray_latches: what they could be instead. mac_units,
    mac_circuits: the same units as two sources have them.
    """

    row_buffers: float
    subarray_latches: float
    mac_units: float
    mac_circuits: float

    @property
    def total(self) -> float:
        """Row buffers and units."""
        return self.row_buffers + self.mac_units


def area(channel: PimChannel, prices: AreaPrices) -> Area:
    """Of a channel."""
    is_dual = channel.row_buffers == RowBuffers.DUAL
    dies_mm2 = prices.die_mm2 * channel.capacity_bytes * BITS / prices.die_bits
    lanes = channel.banks * channel.lanes
    return Area(
        row_buffers=prices.row_buffer if is_dual else 0.0,
        subarray_latches=prices.subarray_latch if is_dual else 0.0,
        mac_units=lanes * prices.mac_unit_mm2 / dies_mm2,
        mac_circuits=lanes * prices.mac_circuit_mm2 / dies_mm2,
    )
