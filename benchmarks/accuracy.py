"""Model against synthesis on designs that no calibration saw: area, frequency, energy per MAC.

`python -m benchmarks.accuracy LIBERTY_DIR` measures: a folder with asap7.lib.gz, sky130hd.lib.gz
and sg13g2.lib.gz; OpenSTA must be on PATH. Designs are synthesised by the pinned Yosys, as fast as
it can; OpenSTA gives the frequency; the netlist, simulated on 64 streams of random operands, gives
the energy, and its outputs and cycles must be those of golden and model. What was measured is kept
in `results/accuracy_synthesis.json`, design by design; what is there is not measured again.
Without LIBERTY_DIR the tables are made of that file and of today's model.

Memories are left out on both sides: a macro has one price, whoever asks.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

import archmodels
from archmodels.counts import Counts, Kind
from archmodels.technology import FittedPrice, Technology, load
from benchmarks.points import POINTS, Point
from benchmarks.scatter import scatter
from benchmarks.tables import RESULTS, Row, Table, publish
from dse.files import whole
from hwgen.emit import emit
from hwgen.synth import flow, liberty
from sim import measure

TECHNOLOGIES = ("asap7", "sky130hd", "sg13g2")
TARGETS_PERCENT = {
    "area": {"mean": 5.0, "worst": 12.0},
    "frequency": {"mean": 10.0},
    "energy per MAC": {"mean": 10.0},
}
"""What the model promises, by metric."""

UNITS = {"area": "um2", "frequency": "MHz", "energy per MAC": "pJ"}
NW_PS_TO_FJ = 1e-6
"""nW for a ps, in fJ."""

SYNTHESIS = RESULTS / "accuracy_synthesis.json"
Figures: TypeAlias = dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One design in one technology: metric to (model, synthesis)."""

    technology: str
    point: Point
    pairs: Mapping[str, tuple[float, float]]

    def error_percent(self, metric: str) -> float:
        model, synthesis = self.pairs[metric]
        return 100.0 * (model / synthesis - 1.0)


def measured(technology: str, point: Point, folder: Path) -> Figures:
    """Synthesise, time and simulate one design: metric to figure."""
    name, params, library = point.name, point.params, _library(folder / f"{technology}.lib.gz")
    netlist = flow.synthesise(emit(name, params).files[f"{name}.v"], name, library)
    timing = netlist.timing
    if timing is None or timing.tool != "opensta" or netlist.area_um2 is None:
        raise SystemExit("OpenSTA (`sta`) must be on PATH, and it is not")
    operands = measure.operands(params, point.workload, alike=point.alike)
    run = measure.measure(netlist.mapped, library, params, point.workload, operands)
    if not run.outputs_equal or run.cycles != counted(point).cycles:
        raise SystemExit(f"{name}: the netlist must agree with golden and model, and it does not")
    leaked_fj = run.energy.leakage_nw * timing.delay_ps * run.cycles * NW_PS_TO_FJ
    return {
        "area": netlist.area_um2,
        "frequency": 1e6 / timing.delay_ps,
        "energy per MAC": (run.energy.dynamic_fj + leaked_fj) * 1e-3 / point.workload.mac_count,
    }


def counted(point: Point) -> Counts:
    """What the model counts, of the operands of the simulation where it needs to know them."""
    inputs = measure.operands(point.params, point.workload)[0] if point.alike else ()
    return archmodels.counted(point.params, point.workload, inputs)


def modelled(technology: str, point: Point) -> Figures:
    """What the model says of it."""
    cost = archmodels.price(point.params, point.workload, counted(point), _prices(technology))
    if cost.frequency_mhz is None:
        raise SystemExit(f"technology {technology} must have delays, and it has none")
    return {
        "area": float(cost.area_um2),
        "frequency": float(cost.frequency_mhz),
        "energy per MAC": float(cost.energy_pj_per_mac),
    }


def without_memories(technology: Technology) -> Technology:
    """The technology, with memories for nothing."""

    def priced(prices: Mapping[Kind, object]) -> dict[Kind, object]:
        return {
            **prices,
            **{
                kind: replace(price, coefficients=(0.0,) * len(price.coefficients))
                for kind in (Kind.MEMORY, Kind.MEMORY_READ_REGISTER)
                if isinstance(price := prices.get(kind), FittedPrice)
            },
        }

    return replace(
        technology,
        area_prices=priced(technology.area_prices),
        energy_prices=priced(technology.energy_prices),
        leakage_prices=priced(technology.leakage_prices or {}),
    )


def summary(outcomes: Sequence[Outcome]) -> Table:
    """Mean and worst error by technology and family, and which targets are missed."""
    rows: list[Row] = []
    for technology, family in dict.fromkeys((one.technology, one.point.family) for one in outcomes):
        own = [
            one for one in outcomes if (one.technology, one.point.family) == (technology, family)
        ]
        row: Row = {"technology": technology, "family": family, "designs": len(own)}
        missed = []
        for metric, targets in TARGETS_PERCENT.items():
            errors = [abs(one.error_percent(metric)) for one in own]
            found = {"mean": fmean(errors), "worst": max(errors)}
            row |= {f"{metric}, {what} [%]": round(value, 1) for what, value in found.items()}
            missed += [
                f"{metric} {what} ({target:g} %)"
                for what, target in targets.items()
                if found[what] > target
            ]
        rows.append(row | {"targets missed": ", ".join(missed) or "none"})
    return Table(
        caption="Model against synthesis on designs that no calibration saw, memories left out. "
        "Targets: area 5 % in the mean, 12 % at worst; frequency and energy 10 % in the mean.",
        rows=rows,
    )


def listing(technology: str, outcomes: Sequence[Outcome]) -> Table:
    """Each design: synthesis, and the model's error."""
    rows: list[Row] = []
    for one in outcomes:
        if one.technology == technology:
            row: Row = {"family": one.point.family, "design": one.point.title}
            for metric, (_, synthesis) in one.pairs.items():
                row |= {
                    f"{metric} [{UNITS[metric]}]": float(synthesis),
                    f"{metric}, error [%]": round(one.error_percent(metric), 1),
                }
            rows.append(row)
    return Table(
        caption=f"{technology}: what synthesis gives, and the error of the model.", rows=rows
    )


def outcomes() -> list[Outcome]:
    """All designs that were measured, in each technology, beside today's model."""
    found = _measurements()
    return [
        Outcome(
            technology=technology,
            point=point,
            pairs={
                metric: (value, found[technology][point.title][metric])
                for metric, value in modelled(technology, point).items()
            },
        )
        for technology, point in _tasks()
        if point.title in found.get(technology, {})
    ]


def tables() -> list[Table]:
    """The summary, then each technology."""
    found = outcomes()
    return [summary(found), *(listing(technology, found) for technology in TECHNOLOGIES)]


def measure_all(folder: Path) -> None:
    """Measure what the file of measurements lacks, and write it after each design."""
    found = _measurements()
    missing = [task for task in _tasks() if task[1].title not in found.get(task[0], {})]
    with ProcessPoolExecutor() as pool:
        futures = {pool.submit(measured, *task, folder): task for task in missing}
        for count, future in enumerate(as_completed(futures), 1):
            technology, point = futures[future]
            found.setdefault(technology, {})[point.title] = future.result()
            with whole(SYNTHESIS) as partial:
                partial.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
            print(f"{count} of {len(missing)}: {technology} {point.title}", file=sys.stderr)


def _tasks() -> list[tuple[str, Point]]:
    return [
        (technology, point)
        for technology in TECHNOLOGIES
        for points in POINTS
        for point in points()
    ]


def _measurements() -> dict[str, dict[str, Figures]]:
    """Technology to title of the point to what was measured."""
    return dict(json.loads(SYNTHESIS.read_text())) if SYNTHESIS.exists() else {}


@cache
def _prices(technology: str) -> Technology:
    return without_memories(load(technology))


@cache
def _library(path: Path) -> liberty.Library:
    return liberty.read([path])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure_all(Path(sys.argv[1]))
    scatter(outcomes(), TECHNOLOGIES, UNITS, RESULTS / "accuracy.png")
    publish("accuracy", tables())
