"""Many design points as one object: the attributes of a params or workload type as int64 arrays."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from types import FunctionType, MethodType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from designs.rules import Spec, kept


class Grid:
    """`size` points of `kind` (a params or workload dataclass), structure of arrays.

    Every field is an attribute: an int64 array (bool for flags, integer codes for enums), and where
    params nest a Grid, or one object that all points share. Fields left out take their default at
    every point. Properties and methods of `kind` are evaluated by delegation: a formula written for
    one object runs on the grid unchanged.
    """

    def __init__(
        self, kind: type[Any], columns: "Mapping[str, ArrayLike | Grid]", size: int
    ) -> None:
        """Raises TypeError for a column that is no field, or a missing one without a default."""
        self.kind = kind
        self.size = size
        declared = {item.name: item for item in fields(kind)}
        for name in columns:
            if name not in declared:
                raise TypeError(f"{name} must be a field of {kind.__name__}")
        for name, item in declared.items():
            setattr(self, name, self._column(item, columns))

    def _column(self, item: "Field[Any]", columns: "Mapping[str, ArrayLike | Grid]") -> object:
        value = columns.get(item.name, item.default)
        if value is MISSING:
            raise TypeError(f"{item.name} must be given: it has no default in {self.kind.__name__}")
        if isinstance(value, Grid) or is_dataclass(value):
            return value
        return np.broadcast_to(
            np.asarray(value, dtype=np.bool_ if item.type is bool else np.int64), (self.size,)
        )

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
            if is_dataclass(value):
                continue
            if spec.low is not None:
                mask &= value >= spec.low
            if spec.high is not None:
                mask &= value <= spec.high
        return mask & kept(self.kind.RULES, self)
