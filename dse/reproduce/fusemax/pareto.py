"""Figure 12: latency over area, and the areas behind the paper's comparison."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from archmodels import fusemax as model
from archmodels.fusemax.area import (
    FLAT_REGISTERS,
    FUSEMAX_REGISTERS,
    array_um2,
    buffer_um2,
    lanes_um2,
    least_machine,
    pareto_registers,
)
from designs.fusemax import MIB, Configuration, FuseMaxParams, published
from dse.reproduce.fusemax import points
from dse.reproduce.fusemax.published import (
    AREA_OVER_FLAT,
    PAPER,
    PARETO_LENGTH,
    PARETO_SIDES,
)
from dse.reproduce.row import Row

FIGURE_12 = "Figure 12: FuseMax's arrays, BERT at 256K"
AREA = "Area of FuseMax over FLAT"

STEPPED = "the buffer doubles until the memory keeps up with the lanes; the artifact's to 1e-9"
PRICED = "elements and lanes by the artifact's prices, buffers by what it has left over for them"
NO_BUFFERS = (
    "elements and lanes alone are equal; the rest is the buffer of half the size, and of the areas "
    "of both the artifact says nothing"
)
IMPLIED = "area of the buffers with which the paper's 6.4 % comes out"
SHARE = "part of an element's area: modelled as 64 words of 32 bits whatever the file holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One machine of figure 12."""

    side: int
    buffer_bytes: int
    latency_s: float
    area_mm2: float


@cache
def front(encoder: str) -> tuple[Point, ...]:
    """The machines of figure 12 for one encoder, of PARETO_NAMES."""
    work = points.shapes()[encoder].attention(PARETO_LENGTH)
    prices, found = model.prices(), []
    for side in PARETO_SIDES:
        machine = least_machine(replace(published(Configuration.BINDING), side=side), work)
        registers = pareto_registers(machine, work)
        logic = array_um2(machine, registers, prices) + lanes_um2(machine, registers, prices)
        buffer = buffer_um2(machine, prices)
        if buffer is None:
            raise ValueError(f"encoder must have buffers of known areas, not be {encoder}")
        found.append(
            Point(
                side=side,
                buffer_bytes=machine.buffer_bytes,
                latency_s=float(model.timing(machine, work).latency_s),
                area_mm2=(float(logic) + buffer) * 1e-6,
            )
        )
    return tuple(found)


def logic_mm2(machine: FuseMaxParams) -> float:
    """Elements and lanes of one of the paper's machines."""
    is_flat = machine.configuration <= Configuration.CASCADE
    registers, prices = FLAT_REGISTERS if is_flat else FUSEMAX_REGISTERS, model.prices()
    both = array_um2(machine, registers, prices) + lanes_um2(machine, registers, prices)
    return float(both) * 1e-6


def rows() -> list[Row]:
    """Figure 12, then what is behind the 6.4 %."""
    return [*_figure_12(), *_area()]


def _figure_12() -> Sequence[Row]:
    found = []
    for point in front("bert"):
        what = f"{point.side} x {point.side}, buffer of {point.buffer_bytes >> 10} KiB"
        found += [
            Row(section=FIGURE_12, what=what, unit="s", ours=point.latency_s, reason=STEPPED),
            Row(section=FIGURE_12, what=what, unit="mm2", ours=point.area_mm2, reason=PRICED),
        ]
    return found


def _area() -> Sequence[Row]:
    flat, fusemax = published(Configuration.FLAT), published(Configuration.BINDING)
    one, other = logic_mm2(fusemax), logic_mm2(flat)
    # (one + b * small) / (other + b * large) is the paper's ratio.
    small, large = (machine.buffer_bytes / MIB for machine in (fusemax, flat))
    implied = (one - AREA_OVER_FLAT * other) / (AREA_OVER_FLAT * large - small)
    prices = model.prices()
    element = array_um2(fusemax, FUSEMAX_REGISTERS, prices) / fusemax.side**2
    file = prices.register_area["cells"] + prices.register_area["comparators"]
    return [
        Row(section=AREA, what="without buffers", ours=one / other, paper=AREA_OVER_FLAT,
            source=PAPER, reason=NO_BUFFERS),
        Row(section=AREA, what="buffer", unit="mm2/MiB", ours=implied, reason=IMPLIED),
        Row(section=AREA, what="register file", ours=file / float(element), reason=SHARE),
    ]  # fmt: skip
