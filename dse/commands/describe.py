# amaranth: UnusedElaboratable=no
"""`hwgen list`, `show` and `schema`: what there is to choose from."""

import enum
import json
import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

import archmodels
import designs
from archmodels.counts import Counts
from designs import Design
from designs.document import written
from designs.families import least_work
from designs.loader import description, plain
from designs.rules import Int, Spec, leaves, nested_type, properties
from dse import arguments
from dse.arguments import Commands
from dse.commands.model import INVENTORY_NOTE, inventory, inventory_units
from dse.request import circuit_of, design_of
from dse.text import Outcome, table

LISTED = {
    "spaces": "search spaces (hwgen sweep NAME -o DIR)",
    "cascades": "cascades of Einsums (hwgen passes NAME)",
}
"""Folders of files that ship, beside designs, to the heading of their list."""


def add(commands: Commands) -> None:
    """Add list, show and schema to the command line."""
    arguments.command(
        commands, "list", run_list, "list the designs and search spaces that ship", []
    )
    show = arguments.command(
        commands, "show", run_show, "params, ports, inventory and peak of a design",
        ["hwgen show tile4", "hwgen show my_array.yaml --set cols=32 --json", INVENTORY_NOTE],
    )  # fmt: skip
    arguments.design(show)
    arguments.command(
        commands, "schema", run_schema, "print the JSON Schema of design files",
        ["hwgen schema > hwgen.schema.json",
         "in an editor: # yaml-language-server: $schema=hwgen.schema.json"],
    )  # fmt: skip


def run_list(args: Namespace) -> Outcome:
    """The designs, search spaces and cascades that ship."""
    found = [designs.load(name) for name in designs.shipped("zoo")]
    content: dict[str, object] = {
        "designs": [
            {
                "name": design.name,
                "family": design.family,
                "machine": design.machine,
                "description": description(design.name, "zoo"),
                "workloads": list(design.workloads),
            }
            for design in found
        ]
    }
    lines = ["designs (hwgen show NAME)"]
    lines.append(
        table(
            (d.name, d.family, d.machine, _first_clause(description(d.name, "zoo"))) for d in found
        )
    )
    for folder, heading in LISTED.items():
        texts = {name: description(name, folder) for name in designs.shipped(folder)}
        content[folder] = [{"name": name, "description": text} for name, text in texts.items()]
        lines += [heading, table((name, _first_clause(text)) for name, text in texts.items())]
    return Outcome(content=content, text="\n".join(lines))


def run_schema(args: Namespace) -> Outcome:
    """The JSON Schema of design files."""
    content = designs.schema()
    return Outcome(content=content, text=json.dumps(content, indent=2))


def run_show(args: Namespace) -> Outcome:
    """One design: params, widths that follow, ports, inventory, peak."""
    design = design_of(args)
    model = archmodels.MODELS[type(design.params)]
    counts: Counts = model(design.params, least_work(design.params))
    content: dict[str, object] = {
        "name": design.name,
        "family": design.family,
        "machine": design.machine,
        "params": _params(design.params),
        "derived": _derived(design.params),
        "ports": _ports(design),
        "inventory": inventory(counts),
        "inventory_units": inventory_units(counts),
        "peak_macs_per_cycle": design.params.mac_slots_per_cycle,
        "workloads": {name: plain(workload) for name, workload in design.workloads.items()},
    }
    return Outcome(content=content, text=_text(design, content, counts))


def _text(design: Design, content: Mapping[str, Any], counts: Counts) -> str:
    """What a terminal shows of a design."""
    parts = [
        f"{design.name}: family {design.family}, machine {design.machine}",
        "params",
        table(
            (p["name"], str(p["value"]).lower(), p["unit"], p["legal"], p["doc"])
            for p in content["params"]
        ),
        "derived",
        table((d["name"], _scalar(d["value"]), d["doc"]) for d in content["derived"]),
        "ports",
        table((p["name"], p["direction"], p["width_bits"]) for p in content["ports"]),
        "inventory",
        table(
            (key, f"{item.kind}", item.count, f"x {item.bits} bits", _words(item.other_bits))
            for key, item in counts.inventory.items()
            if item.count
        ),
        f"peak: {design.params.mac_slots_per_cycle:,} multiply-accumulates per cycle",
    ]
    if design.workloads:
        parts += [
            "workloads",
            table((name, written(plain(load))) for name, load in design.workloads.items()),
        ]
    return "\n".join(parts)


def _scalar(value: object) -> object:
    """A value as design files write it, numbers with their thousands apart."""
    return str(value).lower() if isinstance(value, bool) else value


def _params(params: Any) -> list[dict[str, object]]:
    """Params, those of a part under its name, as `--set` takes them."""
    rows: list[dict[str, object]] = []
    for path, item in leaves(type(params)).items():
        spec: Spec = item.metadata["spec"]
        value: object = attrgetter(path)(params)
        legal = f"{spec.low}..{spec.high}"
        if isinstance(value, enum.Enum):
            legal = ", ".join(member.name.lower() for member in type(value))
            value = value.name.lower()
        elif isinstance(value, bool):
            legal = "true, false"
        rows.append(
            {"name": path, "value": value, "unit": spec.unit, "legal": legal, "doc": spec.doc}
        )
    return rows


def _derived(params: Any, prefix: str = "") -> list[dict[str, object]]:
    """Integer properties of the params, then of their parts: what follows from the fields."""
    rows: list[dict[str, object]] = []
    for name, member in properties(type(params)).items():
        value = getattr(params, name)
        if isinstance(value, int):
            doc = (member.__doc__ or "").partition("\n")[0]
            rows.append({"name": prefix + name, "value": value, "doc": doc})
    for item in fields(params):
        if nested_type(item) is not None:
            rows += _derived(getattr(params, item.name), f"{prefix}{item.name}.")
    return rows


def _ports(design: Design) -> list[dict[str, Any]]:
    """Ports of the top module as Verilog has them, clock and reset first."""
    from hwgen import COMPONENTS
    from hwgen.module import flat_ports

    with circuit_of(design):
        component = COMPONENTS[type(design.params)](design.params)
    clocks = (component.clock_port, *(() if component.reset_less else (component.reset_port,)))
    rows: list[dict[str, Any]] = [
        {"name": name, "direction": "in", "width_bits": 1} for name in clocks
    ]
    for name, member, value in flat_ports(component):
        direction = member.flow.name.lower()
        rows.append({"name": name, "direction": direction, "width_bits": len(value)})
    return rows


def _words(other_bits: Int) -> str:
    return f"x {other_bits}" if other_bits else ""


def _first_clause(text: str) -> str:
    return re.split(r"[.:,;](?:\s|$)", text, maxsplit=1)[0]
