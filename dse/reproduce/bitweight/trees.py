"""A dot product of 16 lanes alone: OPT2, with encoders inside or shared, against multipliers."""

from collections.abc import Iterator, Sequence
from typing import Any

from designs import SystolicParams
from designs.digits import PartialProductStyle
from designs.systolic import Dataflow, Element, EncoderPlace, Reduction, ResolvePlace
from dse.reproduce.bitweight.elements import row_parts
from dse.reproduce.circuit import Circuit, between_registers
from dse.reproduce.figures import Figures, ratio
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_most

SECTION = "A dot product of 16 lanes alone"
LANES = 16
OPT2: dict[str, Any] = {"element": Element.OPT2, "resolve": ResolvePlace.ELEMENT}
UNITS: dict[str, dict[str, Any]] = {
    "dot16_mac": {"element": Element.MAC},
    "dot16_fused": {"element": Element.FUSED},
    "dot16_opt2": OPT2,
    "dot16_opt2_shared": OPT2 | {"encoder": EncoderPlace.EDGE},
    "dot16_opt2_negate": OPT2 | {"partial_product": PartialProductStyle.NEGATE},
}
"""Circuit to its element, with one adder for the result in each; see `SystolicParams`."""

AT_SAME_THROUGHPUT = (
    "both take 16 products per cycle and give one resolved word; activation registers, which all "
    "columns share, left out"
)
EACH_ITS_CLOCK = "the same, each at its own shortest period"


def circuits() -> Sequence[Circuit]:
    """The unit in each form, its inputs registered, never stalled."""
    return [_circuit(name, fields) for name, fields in UNITS.items()]


def _circuit(name: str, fields: dict[str, Any]) -> Circuit:
    def part() -> tuple[Any, Any]:
        params = SystolicParams(
            rows=LANES,
            cols=1,
            dataflow=Dataflow.WS,
            reduction=Reduction.TREE,
            broadcast=True,
            double_buffer=False,
            **fields,
        )
        ((kind, element),) = row_parts(params)
        return kind, element

    return between_registers(name, part, held={"advance": 1}, still={"west__load": 0})


def area_um2(found: Figures, name: str) -> float | None:
    """Without the registers of the inputs."""
    figures = found.measurements.figures(found.technology, name)
    if figures is None:
        return None
    per_bit = figures["flip_flop_um2"] / figures["flip_flop_count"]
    return figures["area_um2"] - per_bit * figures["input_bits"]


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """Area, then area times delay, in each technology."""
    for technology in technologies:
        found = Figures(measurements, technology)
        mac_um2 = area_um2(found, "dot16_mac")
        for name, limit in (
            ("dot16_opt2_shared", at_most(0.88)),
            ("dot16_opt2", None),
            ("dot16_opt2_negate", None),
            ("dot16_fused", None),
        ):
            yield Row(
                section=SECTION,
                technology=technology,
                what=f"area of {name} over dot16_mac",
                ours=ratio(area_um2(found, name), mac_um2),
                reason=AT_SAME_THROUGHPUT,
                limit=limit,
            )
        for name in ("dot16_opt2_shared", "dot16_fused"):
            yield Row(
                section=SECTION,
                technology=technology,
                what=f"throughput per area of {name} over dot16_mac",
                ours=ratio(_cost(found, "dot16_mac"), _cost(found, name)),
                reason=EACH_ITS_CLOCK,
            )


def _cost(found: Figures, name: str) -> float | None:
    area, delay = area_um2(found, name), found.delay_ps(name)
    return None if area is None or delay is None else area * delay
