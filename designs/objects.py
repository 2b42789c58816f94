"""Objects of params and workload types, from what a document has for them."""

import enum
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from designs.document import Node, Place, written
from designs.rules import RuleError, Spec, check_value, default_of, nested_type


def build(kind: type[Any], node: Node, base: Any = MISSING) -> Any:
    """An object of a params or workload dataclass from the mapping in `node`.

    What is left out is as in `base`, an object of this kind; without one it has its default.
    """
    declared = {item.name: item for item in fields(kind)}
    given = node.mapping(declared)
    values = {name: default_of(item, base) for name, item in declared.items()}
    for name, item in declared.items():
        if name in given:
            values[name] = field_value(item, given[name], values[name])
        elif values[name] is MISSING:
            raise node.place.child(name).error(f"{name} must be given ({_doc(item)})")
    try:
        return kind(**values)
    except RuleError as error:
        raise at(node, error.key).error(str(error)) from error


def field_value(item: "Field[Any]", node: Node, base: Any = MISSING) -> Any:
    """The value of one field of a params or workload dataclass, checked against its Spec.

    What is left out of a nested one is as in `base`.
    """
    if node.value is None:
        raise node.place.error(f"{item.name} must have a value, not be left empty")
    part = nested_type(item)
    if part is not None:
        return build(part, node, base)
    if isinstance(item.type, type) and issubclass(item.type, enum.IntEnum):
        members = {member.name.lower(): member for member in item.type}
        return members[node.choice(members)]
    value = node.plain()
    spec: Spec = item.metadata["spec"]
    if spec.read is not None:
        return _found(spec.read, value, node)
    try:
        check_value(item, value, written)
    except (TypeError, ValueError) as error:
        raise node.place.error(str(error)) from error
    return value


def at(node: Node, key: str) -> Place:
    """The place of an entry, at a dotted path; of the node itself where the key is empty."""
    place, value = node.place, node.value
    for part in key.split(".") if key else ():
        below = value.get(part) if isinstance(value, dict) else None
        place = place.child(part) if below is None else below.place
        value = None if below is None else below.value
    return place


def _found(read: Callable[[Path], object], path: object, node: Node) -> object:
    """What is in the file that a node names."""
    if not isinstance(path, str):
        raise node.error("must be the path of a file")
    try:
        return read((node.place.folder / path).resolve())
    except ValueError as error:
        raise node.place.error(f"{node.place.key} must be {error}") from error


def _doc(item: "Field[Any]") -> str:
    doc: str = item.metadata["spec"].doc
    return doc
