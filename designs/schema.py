"""JSON Schema of the design files, for editors."""

import enum
from dataclasses import MISSING, Field, fields
from typing import Any, TypeAlias

from designs.families import FAMILIES, WORKLOADS
from designs.names import NAME
from designs.rules import Spec, default_of, nested_type

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a design file.

    It knows names, types, ranges and defaults; rules over several fields only the loader knows.
    """
    kinds = [kind for machines in FAMILIES.values() for kind in machines.values()]
    return {
        "$schema": DIALECT,
        "title": "hwgen design",
        "description": "One accelerator and the workloads it is meant for.",
        "type": "object",
        "properties": {
            "family": {"enum": list(FAMILIES), "description": "kind of accelerator"},
            "machine": {
                "enum": [name for machines in FAMILIES.values() for name in machines],
                "description": "machine of the family; left out: the family's first",
            },
            "params": {"type": "object", "description": "structure of the machine"},
            "workloads": {"type": "array", "items": {"$ref": "#/$defs/workload"}},
        },
        "required": ["family"],
        "additionalProperties": False,
        "allOf": [_choice(family, machine) for family in FAMILIES for machine in FAMILIES[family]],
        "$defs": {
            "workload": _workload(),
            **{kind.__name__: _object(kind) for kind in [*kinds, *WORKLOADS.values()]},
        },
    }


def _choice(family: str, machine: str) -> Schema:
    """Which params a family and machine take; the first machine also when none is named."""
    asked: Schema = {"properties": {"family": {"const": family}, "machine": {"const": machine}}}
    asked["required"] = (
        ["family"] if machine == next(iter(FAMILIES[family])) else list(asked["properties"])
    )
    params = {"$ref": f"#/$defs/{FAMILIES[family][machine].__name__}"}
    return {"if": asked, "then": {"properties": {"params": params}}}


def _workload() -> Schema:
    properties: Schema = {
        "name": {
            "type": "string",
            "pattern": f"^{NAME.pattern}$",
            "description": "what to call it; left out: w0, w1, ...",
        }
    }
    for key, kind in WORKLOADS.items():
        properties[key] = {"$ref": f"#/$defs/{kind.__name__}"}
    return {
        "type": "object",
        "properties": properties,
        "oneOf": [{"required": [key]} for key in WORKLOADS],
        "additionalProperties": False,
    }


def _object(kind: Any, base: Any = MISSING) -> Schema:
    """A mapping that is read as `kind`; what is left out of it is as in `base`, if there is one."""
    defaults = {item.name: default_of(item, base) for item in fields(kind)}
    return {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "properties": {item.name: _field(item, defaults[item.name]) for item in fields(kind)},
        "required": [name for name, default in defaults.items() if default is MISSING],
        "additionalProperties": False,
    }


def _field(item: "Field[Any]", default: Any) -> Schema:
    spec: Spec = item.metadata["spec"]
    text: Schema = {"description": f"{spec.doc} [{spec.unit}]" if spec.unit else spec.doc}
    part = nested_type(item)
    if part is not None:
        return _object(part, default) | text
    if isinstance(item.type, type) and issubclass(item.type, enum.Enum):
        text["enum"] = [member.name.lower() for member in item.type]
        default = default.name.lower() if isinstance(default, enum.Enum) else default
    elif spec.read is not None:
        return text | {"type": "string"}
    elif item.type is bool:
        text["type"] = "boolean"
    else:
        number = "number" if item.type is float else "integer"
        text |= {"type": number, "minimum": spec.low, "maximum": spec.high}
    return text if default is MISSING else text | {"default": default}
