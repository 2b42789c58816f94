"""Many design points as one object: the attributes of a params or workload type as int64 arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from types import FunctionType, MethodType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from designs.rules import Spec, default_of, kept, nested_type


class Grid:
    """`size` points of `kind` (a params or workload dataclass), structure of arrays.

    Every field is an attribute: an int64 array (bool for flags, float64 for numbers, integer codes
    for enums), and what else a field may hold is one object that all points share. Where params
    nest it is that, or a Grid. Fields left out take their default at every point. Properties and
    methods of `kind` are evaluated by delegation: a formula written for one object runs on the grid
    unchanged.
    """

    def __init__(
        self,
        kind: type[Any],
        columns: "Mapping[str, ArrayLike | Grid]",
        size: int,
        base: Any = MISSING,
    ) -> None:
        """A column of a field of nested params is called by its path: `core.rows`.

        Fields left out are as in `base`, an object of `kind`, if there is one. Raises TypeError for
        a column that is no field, or a missing one without a default.
        """
        self.kind = kind
        self.size = size
        declared = {item.name: item for item in fields(kind)}
        below: dict[str, dict[str, Any]] = {name: {} for name in declared}
        for path, column in columns.items():
            name, dot, rest = path.partition(".")
            if name not in declared or (dot and nested_type(declared[name]) is None):
                raise TypeError(f"{path} must be a field of {kind.__name__}")
            if dot:
                below[name][rest] = column
        for name, item in declared.items():
            value = columns.get(name, default_of(item, base))
            setattr(self, name, self._column(item, value, below[name]))

    def _column(self, item: "Field[Any]", value: Any, below: Mapping[str, Any]) -> object:
        """What a field holds: `value`, and in its place the columns `below` it."""
        held: Any = item.type
        if below:
            return Grid(held, below, self.size, value)
        if value is MISSING:
            raise TypeError(f"{item.name} must be given: it has no default in {self.kind.__name__}")
        if not issubclass(held, int | float):
            return value
        kind = np.float64 if held is float else np.bool_ if held is bool else np.int64
        return np.broadcast_to(np.asarray(value, dtype=kind), (self.size,))

    def __getattr__(self, name: str) -> Any:
        kind: type[Any] = object.__getattribute__(self, "kind")
        member = getattr(kind, name)
        if isinstance(member, property) and member.fget is not None:
            return member.fget(self)
        if isinstance(member, FunctionType):
            return MethodType(member, self)
        return member

    def valid(self) -> NDArray[np.bool_]:
        """Points that `kind` would accept: every field in range and every rule kept."""
        mask = np.ones(self.size, dtype=np.bool_)
        for item in fields(self.kind):
            value, spec = getattr(self, item.name), item.metadata.get("spec", Spec(doc=""))
            if isinstance(value, Grid):
                mask &= value.valid()
            if not isinstance(value, np.ndarray):
                continue
            if spec.low is not None:
                mask &= value >= spec.low
            if spec.high is not None:
                mask &= value <= spec.high
        return mask & kept(self.kind.RULES, self)

    def object_at(self, index: int) -> Any:
        """The object that one point is; raises as `kind` does where the point is not valid."""
        held: dict[str, Any] = {}
        for item in fields(self.kind):
            value, kind = getattr(self, item.name), item.type
            if isinstance(value, Grid):
                held[item.name] = value.object_at(index)
            elif isinstance(value, np.ndarray) and isinstance(kind, type):
                held[item.name] = kind(value[index])
            else:
                held[item.name] = value
        return self.kind(**held)

    def parts(self, path: str = "") -> "Iterator[tuple[str, Grid]]":
        """The grids of nested params by path, innermost first, and this one last (`path`)."""
        for item in fields(self.kind):
            value = getattr(self, item.name)
            if isinstance(value, Grid):
                yield from value.parts(f"{path}.{item.name}" if path else item.name)
        yield path, self
