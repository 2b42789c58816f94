"""Sweeps: every point of a search space through the cost model, in chunks that survive a kill."""

import enum
import hashlib
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

import archmodels
import designs
from archmodels import technology
from archmodels.report import CostReport
from archmodels.supply import Limit, Supply, supplied
from archmodels.technology import Technology
from designs.families import Params
from designs.grid import Grid
from designs.rules import leaves
from dse.files import whole
from dse.pareto import balanced_point, pareto_front
from dse.space import Refusal, SearchSpace, merged

Columns: TypeAlias = dict[str, NDArray[Any]]

CHUNK_POINTS = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepResult:
    """The valid points of a space, in its order, with what each costs on all its workloads.

    points: their numbers in the space
    costs: column to array, one element per valid point: `cycles`, `energy_pj`, `area_um2` and
        `utilisation` of the workloads one after the other; with more than one workload also
        `<workload>.cycles` and `<workload>.energy_pj`; where the technology has such prices also
        `frequency_mhz`, `time_us` and `leakage_mw`; behind memories also those of `_system`
    front: mask of the Pareto front over the objectives of the space
    best: position of the point of the front with the least product of the objectives
    refusals: why the other points are not valid, the most frequent reason first
    resumed_points: points of the space that an earlier, killed sweep had already done
    scratch: folder of the sweep's own, which `finish` removes with all that is in it
    """

    space: SearchSpace
    points: NDArray[np.int64]
    costs: Columns
    front: NDArray[np.bool_]
    best: int
    refusals: tuple[Refusal, ...]
    resumed_points: int
    scratch: Path

    @property
    def best_params(self) -> Params:
        """The params of the best point."""
        return self.space.params(int(self.points[self.best]))

    @property
    def variants(self) -> dict[str, NDArray[np.bool_]]:
        """Mask of the points by variant: the names on the first axis that has names, else ""."""
        every = np.ones_like(self.front)
        axis = _variant_axis(self.space)
        if axis is None:
            return {"": every}
        values = self.columns(every)[axis]
        return {name: values == name for name in np.unique(values).tolist()}

    @property
    def best_choices(self) -> dict[str, Any]:
        """The best point's variant, and its value on each axis where points of that differ."""
        (alike,) = (mask for mask in self.variants.values() if mask[self.best])
        columns = self.columns(alike)
        place = np.count_nonzero(alike[: self.best])
        return {
            axis.name: columns[axis.name].tolist()[place]
            for axis in self.space.axes
            if axis.name == _variant_axis(self.space) or len(np.unique(columns[axis.name])) > 1
        }

    def columns(self, mask: NDArray[np.bool_]) -> Columns:
        """The points under `mask` as a table: number, every params field, every cost."""
        points = self.points[mask]
        table: Columns = {"point": points, **written(self.space.grid(points))}
        return table | {name: values[mask] for name, values in self.costs.items()}


class EmptySpaceError(ValueError):
    """A space without a single valid point, in one sentence after the space's file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A chunk: the costs of its valid points, and why the others are not valid."""

    columns: Columns
    refusals: list[Refusal]
    resumed_points: int


def sweep(
    space: SearchSpace, folder: Path, show: Callable[[int], None] = lambda done: None
) -> SweepResult:
    """Evaluate every point of `space`; `show` is told how many are done.

    Finished chunks are kept below `folder` until `finish`, so that the same call after a kill goes
    on where the other stopped. Raises EmptySpaceError if no point is valid.
    """
    prices = technology.load(space.technology)
    scratch = _scratch_folder(space, prices, folder)
    scratch.mkdir(exist_ok=True)
    every = _parts(space, prices, scratch, show)
    refusals = merged(refusal for part in every for refusal in part.refusals)
    parts = [part.columns for part in every if len(part.columns["point"])]
    if not parts:
        shutil.rmtree(scratch, ignore_errors=True)
        most = refusals[0]
        raise EmptySpaceError(
            f"{space.source}: space must have a valid point, and each of its "
            f"{space.point_count:,} breaks a rule or does not fit a workload, "
            f"{most.count:,} of them this one: {most.example}"
        )
    costs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    points = costs.pop("point")
    objectives = np.stack([costs[name].astype(np.float64) for name in space.objectives], axis=1)
    return SweepResult(
        space=space,
        points=points,
        costs=costs,
        front=pareto_front(objectives),
        best=balanced_point(objectives),
        refusals=refusals,
        resumed_points=sum(part.resumed_points for part in every),
        scratch=scratch,
    )


def _parts(
    space: SearchSpace, prices: Technology, scratch: Path, show: Callable[[int], None]
) -> list[_Part]:
    """Every chunk, evaluated or found in `scratch`."""
    parts: list[_Part] = []
    for start in range(0, space.point_count, CHUNK_POINTS):
        stop = min(start + CHUNK_POINTS, space.point_count)
        valid, refusals = space.sifted(np.arange(start, stop, dtype=np.int64))
        path = scratch / f"{start}.npz"
        saved = _saved(path)
        columns = evaluate(space, prices, valid) if saved is None else saved
        if saved is None:
            with whole(path) as partial:
                _save(partial, columns)
        resumed_points = 0 if saved is None else stop - start
        parts.append(_Part(columns=columns, refusals=refusals, resumed_points=resumed_points))
        show(stop)
    return parts


def finish(result: SweepResult) -> None:
    """Remove what the sweep keeps for itself; call it when the results are written."""
    shutil.rmtree(result.scratch, ignore_errors=True)


def evaluate(space: SearchSpace, prices: Technology, valid: NDArray[np.int64]) -> Columns:
    """Valid points (column `point`) and their costs, as in SweepResult.

    Where there are none, `point` is the only column.
    """
    if not len(valid):
        return {"point": valid}
    if space.kind not in archmodels.STEPPED:
        return _costs(space, prices, valid, space.grid(valid))
    parts = [_costs(space, prices, valid[[i]], space.params(at)) for i, at in enumerate(valid)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _costs(space: SearchSpace, prices: Technology, valid: NDArray[np.int64], grid: Any) -> Columns:
    """Of valid points: a grid of them, or the params of the only one."""
    reports: dict[str, CostReport] = {}
    for name, workload in space.workloads.items():
        reports[name] = archmodels.estimate(grid, workload, prices)
    first = next(iter(reports.values()))
    each = {name: _column(valid, cost.cycles, np.int64) for name, cost in reports.items()}
    energies = {name: _column(valid, cost.energy_pj) for name, cost in reports.items()}
    cycles = np.sum([*each.values()], axis=0)
    useful_macs = sum(workload.mac_count for workload in space.workloads.values())
    columns: Columns = {
        "point": valid,
        "cycles": cycles,
        "energy_pj": np.sum([*energies.values()], axis=0),
        "area_um2": _column(valid, first.area_um2),
        "utilisation": useful_macs / (cycles * _column(valid, grid.mac_slots_per_cycle)),
    }
    if first.period_ps is not None:
        period_ps = _column(valid, first.period_ps)
        columns |= {"frequency_mhz": 1e6 / period_ps, "time_us": 1e-6 * period_ps * cycles}
    if first.leakage_mw is not None:
        columns["leakage_mw"] = _column(valid, first.leakage_mw)
    if len(reports) > 1:
        columns |= {f"{name}.cycles": values for name, values in each.items()}
        columns |= {f"{name}.energy_pj": values for name, values in energies.items()}
    if space.supply is not None:
        columns |= _system(valid, grid, reports, space.supply)
    return columns


def _column(
    points: NDArray[np.int64], values: object, kind: type[Any] = np.float64
) -> NDArray[Any]:
    """The values, or the one value, of all points."""
    return np.broadcast_to(np.asarray(values, dtype=kind), points.shape)


def _system(
    points: NDArray[np.int64], grid: Any, reports: Mapping[str, CostReport], supply: Supply
) -> Columns:
    """`system_time_us`, `system_energy_pj` and `dram_energy_pj` of all workloads in turn, what
    limits most of this time as `limit`, and the time of each workload.
    """
    systems = {
        name: supplied(cost, archmodels.transferred_bits(grid, cost.counts), supply)
        for name, cost in reports.items()
    }
    times_us = {name: 1e-3 * _column(points, one.time_ns) for name, one in systems.items()}
    every = systems.values()
    limited_us = [
        sum(times_us[name] * (np.asarray(one.limit) == limit) for name, one in systems.items())
        for limit in Limit
    ]
    names = np.array([limit.name.lower() for limit in Limit])
    columns: Columns = {
        "system_time_us": np.sum([*times_us.values()], axis=0),
        "system_energy_pj": np.sum([_column(points, one.energy_pj) for one in every], axis=0),
        "dram_energy_pj": np.sum([_column(points, one.dram.energy_pj) for one in every], axis=0),
        "limit": names[np.argmax(limited_us, axis=0)],
    }
    if len(systems) > 1:
        columns |= {f"{name}.system_time_us": values for name, values in times_us.items()}
    return columns


def write_csv(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """One row per point under a header."""
    texts = [map(str, values.tolist()) for values in columns.values()]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(columns) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*texts, strict=True))


def written(grid: Grid) -> Columns:
    """Params fields by path, as the design file writes them, but of parts that all points share."""
    columns: Columns = {}
    for path, item in leaves(grid.kind).items():
        values = attrgetter(path)(grid)
        if not isinstance(values, np.ndarray):
            continue
        if _has_names(item.type):
            names = {member.value: member.name.lower() for member in item.type}
            values = np.array([names.get(code, "") for code in range(max(names) + 1)])[values]
        elif item.type is bool:
            values = np.array(["false", "true"])[values.astype(np.int64)]
        columns[path] = values
    return columns


def _variant_axis(space: SearchSpace) -> str | None:
    """The first axis of more than one value whose values have names, such as `dataflow`."""
    declared = leaves(space.kind)
    for axis in space.axes:
        if len(axis.values) > 1 and _has_names(declared[axis.name].type):
            return axis.name
    return None


def _has_names(kind: object) -> TypeGuard[type[enum.IntEnum]]:
    return isinstance(kind, type) and issubclass(kind, enum.IntEnum)


def _scratch_folder(space: SearchSpace, prices: Technology, folder: Path) -> Path:
    """Named by all that the chunks depend on: the space, the prices, the code of the models."""
    digest = hashlib.sha256(repr((space, prices, CHUNK_POINTS)).encode())
    for module in (designs, archmodels):
        for path in sorted(Path(str(module.__file__)).parent.rglob("*.py")):
            digest.update(path.read_bytes())
    return folder / f".sweep-{digest.hexdigest()[:16]}"


def _save(path: Path, part: Columns) -> None:
    """In the format of numpy's savez, whose keywords cannot be told from columns."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in part.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, values, allow_pickle=False)


def _saved(path: Path) -> Columns | None:
    try:
        with np.load(path, allow_pickle=False) as saved:
            return dict(saved)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
