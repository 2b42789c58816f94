"""The four dense arrays: OPT1 and OPT2 against multiply-accumulates, in area and energy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from designs import Gemm, SystolicParams
from designs.systolic import Dataflow, Element, EncoderPlace, Reduction
from dse.reproduce.bitweight.published import ABSTRACT
from dse.reproduce.engine import Engine, energy_per_mac_fj
from dse.reproduce.figures import least, product, ratio
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row

SECTION = "Four dense arrays, bare as in the paper and as whole engines"
BASELINES = ("mac", "fused")
"""Elements that the paper's are compared with: the better one, by metric."""

BARE = (
    "the array alone, as in the paper: running sums left unresolved, no operand skew, no "
    "sequencer; each at its own shortest period and without wires, which hide the more the "
    "shorter paths are; without glitches, of which a multiplier has more than a carry-save tree"
)
BETTER = "the same against a fused MAC where that is better, of the same pruned trees"
WHOLE = (
    "the engine with resolving adders, sequencer, skew and result buffers: the clock of opt1 is "
    "then set by the sequencer that admits operands, and the wider results cost area"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Array:
    """One kind of array.

    title: as in the paper. base: its structure. choice: what its element is compared. area_gain,
    energy_gain: of the paper, in throughput per area and per power.
    """

    title: str
    base: SystolicParams
    workload: Gemm
    element: Element
    fields: Mapping[str, Any]
    area_gain: float
    energy_gain: float

    @property
    def optimised(self) -> str:
        return self.element.name.lower()


ARRAYS: Mapping[str, Array] = {
    "systolic": Array(
        title="systolic array, 16x16",
        base=SystolicParams(rows=16, cols=16),
        workload=Gemm(m=32, k=128, n=32),
        element=Element.OPT1,
        fields={},
        area_gain=1.27,
        energy_gain=1.04,
    ),
    "cube": Array(
        title="3D cube, 8x8x8",
        base=SystolicParams(rows=8, cols=8, depth=8),
        workload=Gemm(m=16, k=512, n=16),
        element=Element.OPT1,
        fields={},
        area_gain=1.28,
        energy_gain=1.56,
    ),
    "tree": Array(
        title="multiplier-adder tree, 16 lanes, 16 columns",
        base=SystolicParams(rows=16, cols=16, dataflow=Dataflow.WS, reduction=Reduction.TREE),
        workload=Gemm(m=64, k=32, n=32),
        element=Element.OPT2,
        fields={"encoder": EncoderPlace.EDGE},
        area_gain=1.56,
        energy_gain=1.49,
    ),
    "matrix": Array(
        title="2D matrix, 16x16",
        base=SystolicParams(rows=16, cols=16, broadcast=True),
        workload=Gemm(m=32, k=128, n=32),
        element=Element.OPT1,
        fields={},
        area_gain=1.44,
        energy_gain=1.20,
    ),
}


def engines() -> Sequence[Engine]:
    """Each array with each element that it is compared with."""
    return [
        Engine(
            name=f"{name}_{element.name.lower()}",
            params=replace(
                array.base, element=element, **(array.fields if element == array.element else {})
            ),
            workload=array.workload,
        )
        for name, array in ARRAYS.items()
        for element in (Element.MAC, Element.FUSED, array.element)
    ]


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """Gains in throughput per area and per power, array by array."""
    for name, array in ARRAYS.items():
        for technology in technologies:
            for view in VIEWS:
                gains = Gains(measurements, technology, name, view)
                for metric, paper, ours in (
                    ("throughput per area", array.area_gain, gains.area),
                    ("operations per energy", array.energy_gain, gains.energy),
                ):
                    yield Row(
                        section=SECTION,
                        what=f"{array.title}: {metric}, {array.optimised} over {view.title}",
                        technology=technology,
                        paper=paper,
                        source=ABSTRACT,
                        ours=ours,
                        reason=view.reason,
                    )


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What of an engine is compared with what.

    prefix: of the figures, see `Engine.measured`. baselines: elements, of which the best counts.
    """

    title: str
    prefix: str
    baselines: tuple[str, ...]
    reason: str


VIEWS = (
    View(title="mac, bare", prefix="array_", baselines=("mac",), reason=BARE),
    View(title="the better MAC, bare", prefix="array_", baselines=BASELINES, reason=BETTER),
    View(title="the better MAC, engine", prefix="", baselines=BASELINES, reason=WHOLE),
)


@dataclass(frozen=True, slots=True)
class Gains:
    """An array with its optimised element against the best of the baselines."""

    measurements: Measurements
    technology: str
    name: str
    view: View

    @property
    def area(self) -> float | None:
        """In throughput per area."""
        baseline = least([self._cost(element) for element in self.view.baselines])
        return ratio(baseline, self._cost(ARRAYS[self.name].optimised))

    @property
    def energy(self) -> float | None:
        """In operations per energy."""
        baseline = least([self._energy_fj(element) for element in self.view.baselines])
        return ratio(baseline, self._energy_fj(ARRAYS[self.name].optimised))

    def _cost(self, element: str) -> float | None:
        """Area by time, of the workload."""
        return product(
            *(
                self.measurements.figure(self.technology, f"{self.name}_{element}", key)
                for key in (f"{self.view.prefix}area_um2", f"{self.view.prefix}delay_ps", "cycles")
            )
        )

    def _energy_fj(self, element: str) -> float | None:
        found = self.measurements.figures(self.technology, f"{self.name}_{element}")
        if found is None:
            return None
        mac_count = ARRAYS[self.name].workload.mac_count
        return energy_per_mac_fj(found, mac_count, self.view.prefix)
