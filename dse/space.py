"""Search spaces: axes over the params of a machine, and the workloads that every point is given."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import archmodels.technology
from archmodels.supply import Supply
from archmodels.technology import Technology
from designs.document import Node
from designs.families import Params, Workload, check_fit, check_kind, fit
from designs.grid import Grid
from designs.loader import open_document, params_type, read_workloads
from designs.objects import field_value
from designs.rules import Flag, Rule, RuleError, nested_type

Indices: TypeAlias = NDArray[np.int64]

OBJECTIVES: dict[str, str] = {
    "cycles": "cycles",
    "time_us": "time [us]",
    "energy_pj": "energy [pJ]",
    "area_um2": "area [um2]",
}
"""What a search can minimise, each with the label of its plot axis.

Time needs a technology with delays; without one, cycles stand for it.
"""

SYSTEM_OBJECTIVES: dict[str, str] = {
    "system_time_us": "time of the system [us]",
    "system_energy_pj": "energy of the system [pJ]",
}
"""What a search minimises behind memories of finite bandwidth, likewise."""

DEFAULT_TECHNOLOGY = "horowitz45"
POINTS_MAX = 10**9


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """The values of one params field; enums as their integer codes, flags as 0 and 1.

    `name` is the path of the field: below nested params `core.rows`.
    """

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Points that are not valid: `count` of them break `rule`, and no rule before it.

    part: path of the nested params that break it; empty for a rule of the params or of a workload
    workload: the one that they do not fit; empty for a rule of the params
    example: the sentence of the first of these points
    """

    rule: Rule[Any]
    part: str
    workload: str
    example: str
    count: int

    @property
    def key(self) -> str:
        """Path of the field to change."""
        return f"{self.part}.{self.rule.key}" if self.part else self.rule.key

    @property
    def where(self) -> str:
        """What breaks the rule: a workload, nested params, or (empty) the params."""
        return self.workload or self.part


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchSpace:
    """All combinations of the axes' values; the last axis changes fastest.

    Points are numbered from 0 in that order. Those that break a rule, or do not fit one of the
    workloads, are part of the space and not valid. Fields without an axis have their defaults.
    `source` is the file that errors name; it makes no difference between two spaces. With `supply`,
    points have the time and energy of the system behind these memories, besides the core's own.
    """

    name: str
    source: str = field(repr=False, compare=False)
    family: str
    machine: str
    kind: type[Params]
    axes: tuple[Axis, ...]
    workloads: Mapping[str, Workload]
    objectives: tuple[str, ...]
    technology: str
    supply: Supply | None = None

    @property
    def point_count(self) -> int:
        """Points of the space, valid or not."""
        return math.prod(len(axis.values) for axis in self.axes)

    def grid(self, points: Indices) -> Grid:
        """The params at `points`, valid or not."""
        shape = [len(axis.values) for axis in self.axes]
        places = np.unravel_index(points, shape) if self.axes else ()
        columns = {
            axis.name: np.array(axis.values)[place]
            for axis, place in zip(self.axes, places, strict=True)
        }
        return Grid(self.kind, columns, len(points))

    def valid_points(self, points: Indices) -> Indices:
        """Those of `points` that keep every rule and fit every workload."""
        return self.sifted(points)[0]

    def sifted(self, points: Indices) -> tuple[Indices, list[Refusal]]:
        """The valid ones of `points`, and why the others are not."""
        valid = np.ones(len(points), dtype=np.bool_)
        refusals = []
        grid = self.grid(points)
        for part, workload, rule, holds in self._verdicts(grid):
            broken = valid & np.logical_not(holds)
            valid &= holds
            if broken.any():
                example = self._sentence(grid, int(np.argmax(broken)), part, workload)
                count = int(np.count_nonzero(broken))
                refusals.append(
                    Refusal(rule=rule, part=part, workload=workload, example=example, count=count)
                )
        return points[valid], refusals

    def _verdicts(self, grid: Any) -> Iterator[tuple[str, str, Rule[Any], Flag]]:
        """Every rule that one object would be checked against, in that order: where it holds.

        With the part of the params, or the workload, that it is about. Each value of an axis is in
        the range of its field.
        """
        for path, part in grid.parts():
            for rule in part.kind.RULES:
                yield path, "", rule, rule.holds(part)
        for name, workload in self.workloads.items():
            pair = fit(grid, workload)
            for rule in type(pair).RULES:
                yield "", name, rule, rule.holds(pair)

    def _sentence(self, grid: Grid, index: int, part: str, workload: str) -> str:
        """What is wrong with a point: with a part of its params, or with a workload on them."""
        try:
            found = (attrgetter(part)(grid) if part else grid).object_at(index)
            check_fit(found, self.workloads[workload])
        except ValueError as error:
            return str(error)
        raise ValueError(f"point must be one that is refused, not {index} of {grid.size}")

    def params(self, point: int) -> Params:
        """The params at one valid point."""
        found: Params = self.grid(np.array([point])).object_at(0)
        return found


def merged(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """One for each rule, of the first example; those of the most points first."""
    found: dict[tuple[Rule[Any], str], Refusal] = {}
    for one in refusals:
        place = one.rule, one.where
        before = found.get(place)
        found[place] = one if before is None else replace(before, count=before.count + one.count)
    return tuple(sorted(found.values(), key=lambda one: -one.count))


def behind(space: SearchSpace, supply: Supply) -> SearchSpace:
    """The same space behind these memories: its time and energy are those of the system.

    Cycles stand for time where no time is among the objectives, and are the core's where it is.
    """
    timed = "time_us" if "time_us" in space.objectives else "cycles"
    system = {timed: "system_time_us", "energy_pj": "system_energy_pj"}
    objectives = tuple(system.get(name, name) for name in space.objectives)
    return replace(space, objectives=objectives, supply=supply)


def load_space(source: str) -> SearchSpace:
    """The search space of a shipped name or of a YAML file. Raises DesignError.

    Under `params` a field has one value, a list of values, or a range: {from, to, step} or
    {from, to, factor}, both ends included where they are met. Nested params are a mapping of such.
    """
    name, document = open_document(source, "spaces", "SPACE")
    root = document.mapping(
        ("family", "machine", "params", "workloads", "objectives", "technology")
    )
    family, machine, kind = params_type(document)
    for key in ("params", "workloads"):
        if key not in root:
            raise document.place.error(f"{key} must be given")
    workloads = _workloads(kind, root["workloads"])
    prices = archmodels.technology.load(
        root["technology"].choice(archmodels.technology.names())
        if "technology" in root
        else DEFAULT_TECHNOLOGY
    )
    space = SearchSpace(
        name=name,
        source=document.place.source,
        family=family,
        machine=machine,
        kind=kind,
        axes=_axes(kind, root["params"]),
        workloads=workloads,
        objectives=(
            _objectives(root["objectives"], prices)
            if "objectives" in root
            else default_objectives(prices)
        ),
        technology=prices.name,
    )
    if space.point_count > POINTS_MAX:
        raise root["params"].place.error(
            f"params must span at most {POINTS_MAX} points, not {space.point_count}"
        )
    return space


def _workloads(kind: type[Params], node: Node) -> dict[str, Workload]:
    """Those of a list, of the kind that the machine runs."""
    workloads: dict[str, Workload] = {}
    for name, (place, workload) in read_workloads(node).items():
        try:
            check_kind(kind, workload)
        except RuleError as error:
            raise place.place.error(str(error)) from error
        workloads[name] = workload
    if not workloads:
        raise node.error("must hold at least one workload")
    return workloads


def _axes(kind: type[Any], node: Node, prefix: str = "") -> tuple[Axis, ...]:
    """One for each field in a mapping, in its order; those of nested params below their paths."""
    declared = {item.name: item for item in fields(kind)}
    axes: tuple[Axis, ...] = ()
    for name, child in node.mapping(declared).items():
        item = declared[name]
        part = nested_type(item)
        if part is not None:
            axes += _axes(part, child, f"{prefix}{name}.")
        else:
            axes += (Axis(name=prefix + name, values=_values(item, child)),)
    return axes


def _values(item: "Field[Any]", node: Node) -> tuple[float, ...]:
    kind: type[float] = float if item.type is float else int
    values: Sequence[float]
    if isinstance(node.value, list):
        values = [kind(field_value(item, child)) for child in node.value]
    elif isinstance(node.value, dict) and item.type is int:
        values = _range(item, node)
    else:
        values = [kind(field_value(item, node))]
    if not values:
        raise node.error("must have at least one value")
    if len(set(values)) < len(values):
        raise node.error("must have each value once")
    return tuple(values)


def _range(item: "Field[Any]", node: Node) -> list[int]:
    given = node.mapping(("from", "to", "step", "factor"))
    for key in ("from", "to"):
        if key not in given:
            raise node.place.child(key).error(f"{key} must be given, as in {{from: 4, to: 64}}")
    first, last = (int(field_value(item, given[key])) for key in ("from", "to"))
    if last < first:
        raise given["to"].error(f"must be at least {first}, where the range starts")
    if "factor" in given:
        if "step" in given:
            raise given["step"].place.error("step must be left out where factor is given")
        factor = _at_least(given["factor"], 2)
        if first < 1:
            raise given["from"].error("must be at least 1 where factor is given")
        values = [first]
        while values[-1] * factor <= last:
            values.append(values[-1] * factor)
        return values
    step = _at_least(given["step"], 1) if "step" in given else 1
    return list(range(first, last + 1, step))


def _at_least(node: Node, low: int) -> int:
    if not isinstance(node.value, int) or isinstance(node.value, bool) or node.value < low:
        raise node.error(f"must be an integer of at least {low}")
    return node.value


def default_objectives(prices: Technology) -> tuple[str, ...]:
    """Time, energy and area, with cycles for time where the technology has no delays."""
    return ("cycles" if prices.delay_prices is None else "time_us", "energy_pj", "area_um2")


def _objectives(node: Node, prices: Technology) -> tuple[str, ...]:
    names = tuple(child.choice(OBJECTIVES) for child in node.sequence())
    if "time_us" in names and prices.delay_prices is None:
        raise node.place.error(f"time_us must be left out: {prices.name} has no delay prices")
    if len(names) < 2 or len(set(names)) < len(names):
        raise node.error("must hold at least two different objectives")
    return names
