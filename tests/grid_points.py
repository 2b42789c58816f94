"""Grids of design points, and that a model counts on one what it counts on each of its points."""

import dataclasses

import numpy as np
import pytest
from hypothesis import strategies as st

from archmodels.counts import Kind
from designs.grid import Grid
from designs.rules import Spec, properties

MAX = 2**63 - 1
EXPECTATIONS = (".toggle", ".zeros")


def values_of(params):
    """Every field of some params with its value, those of nested params too."""
    for item in dataclasses.fields(params):
        value = getattr(params, item.name)
        if dataclasses.is_dataclass(value):
            yield from values_of(value)
        else:
            yield type(params), item.name, value


def each_value(points):
    """Names of points, the fewest that are easily found, that have every value of every field."""
    wanted = {name: set(values_of(params)) for name, (params, _) in points.items()}
    left = set().union(*wanted.values())
    chosen = set()
    while left:
        name = max(wanted, key=lambda name: len(wanted[name] & left))
        chosen.add(name)
        left -= wanted[name]
    return frozenset(chosen)


def ends(kind, name, inside):
    """A field's least, greatest, or some value of its legal range up to `inside`."""
    (spec,) = [f.metadata["spec"] for f in dataclasses.fields(kind) if f.name == name]
    assert isinstance(spec, Spec)
    return st.one_of(st.just(spec.low), st.just(spec.high), st.integers(spec.low, inside))


def grid_of(members):
    """Params or workloads of one type as a grid; what nests in them must be the same in all."""
    (kind,) = {type(one) for one in members}
    columns = {}
    for item in dataclasses.fields(kind):
        values = [getattr(one, item.name) for one in members]
        if dataclasses.is_dataclass(values[0]):
            (values,) = set(values)
        columns[item.name] = values
    return Grid(kind, columns, len(members))


def assert_properties_are_those_of_each_point(points):
    """Every rule is kept, and every property is the same on the grid."""
    grid = grid_of(points)
    assert grid.valid().all()
    for name in properties(type(points[0])):
        found = np.broadcast_to(getattr(grid, name), len(points))
        assert found.tolist() == [getattr(point, name) for point in points], name


def numbers(counted):
    """Every number of some counts, by name."""
    found = {"cycles": counted.cycles}
    for key, item in counted.inventory.items():
        for name in ("count", "bits", "other_bits"):
            found[f"{key}.{name}"] = getattr(item, name)
        words = item.other_bits if item.kind == Kind.MEMORY else 1
        found[f"{key}.total"] = item.count * item.bits * words
    for key, event in counted.activity.items():
        found[f"{key}.events"] = event.count
        for index, operation in enumerate(event.operations):
            for name in ("bits", "other_bits", "toggle", "zeros"):
                found[f"{key}.{index}.{name}"] = getattr(operation, name)
    return found


def stages(counted, size=1, index=0):
    """Path to its stages, without those that are not there at the point `index` of `size`."""

    def at(number):
        return int(np.broadcast_to(number, size)[index])

    return {
        key: there
        for key, path in counted.paths.items()
        if (there := [(s.kind, at(s.bits), at(s.other_bits)) for s in path if at(s.bits)])
    }


def assert_a_grid_is_its_points(model, pairs):
    """`model` on grids of (params, workload) gives what it gives on each pair; nothing overflows.

    Counts are equal as integers, expectations to the last digits.
    """
    params, workloads = zip(*pairs, strict=True)
    size = len(pairs)
    together = model(grid_of(params), grid_of(workloads))
    whole = numbers(together)
    for index, pair in enumerate(pairs):
        alone = model(*pair)
        assert stages(together, size, index) == stages(alone), pair
        for name, number in numbers(alone).items():
            found = np.broadcast_to(whole[name], size)[index]
            if name.endswith(EXPECTATIONS):
                assert 0.0 <= number <= 1.0, (name, pair)
                assert found == pytest.approx(number, rel=1e-12, abs=1e-12), (name, pair)
            else:
                assert type(number) is int and 0 <= number <= MAX, (name, pair)
                assert found == number, (name, pair)
