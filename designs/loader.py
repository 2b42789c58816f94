"""Designs from YAML files, with the file, line and key of whatever is wrong in them."""

import enum
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml

from designs.document import DesignError, Node, Place, not_among, parse, read
from designs.families import FAMILIES, WORKLOADS, Params, Workload, check_fit, workload_key
from designs.names import NAME, RESERVED
from designs.objects import at, build
from designs.rules import P, RuleError, default_of, nested_type

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """One accelerator that was asked for, and the problems it is meant for.

    name: the file's stem, and the name of the top module
    family, machine: keys of FAMILIES
    workloads: name to workload, in the order of the file
    """

    name: str
    family: str
    machine: str
    params: Params
    workloads: Mapping[str, Workload]


def shipped(folder: str) -> tuple[str, ...]:
    """Names of the files that ship in `zoo` (designs), `spaces` or `cascades`, sorted."""
    return tuple(sorted(path.stem for path in (_FOLDER / folder).glob("*.yaml")))


def description(name: str, folder: str) -> str:
    """The comment at the head of a shipped file, as one line."""
    text = (_FOLDER / folder / f"{name}.yaml").read_text(encoding="utf-8")
    head = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    return " ".join(line.removeprefix("#").strip() for line in head)


def load(source: str, overrides: Sequence[str] = ()) -> Design:
    """The design of a shipped name or of a YAML file, with params overridden by `key=value`.

    A workload that goes past a limit which was overridden is kept: `check_workloads` is for those
    that will be run. Raises DesignError: one sentence with "file:line: key.path: " or
    "--set key=value: " in front.
    """
    name, document = open_document(source, "zoo", "DESIGN")
    root = document.mapping(("family", "machine", "params", "workloads"))
    family, machine, kind = params_type(document)
    given = root.get("params", Node(value={}, place=document.place.child("params")))
    for text in overrides:
        given = _overridden(given, kind, text)
    params = build(kind, given)
    workloads = read_workloads(root["workloads"]) if "workloads" in root else {}
    for node, workload in workloads.values():
        check_workload(params, workload, node, overrides)
    return Design(
        name=name,
        family=family,
        machine=machine,
        params=params,
        workloads={name: workload for name, (_, workload) in workloads.items()},
    )


def overridden(base: P, overrides: Sequence[str]) -> P:
    """A params object that is as `base`, with fields set by `key=value`. Raises DesignError."""
    given = Node(value={}, place=Place(source="--set"))
    for text in overrides:
        given = _overridden(given, type(base), text)
    made: P = build(type(base), given, base)
    return made


def dump(design: Design) -> str:
    """The text of a YAML file that loads as `design` (under its name); fields in order."""
    content: dict[str, object] = {"family": design.family}
    if len(FAMILIES[design.family]) > 1:
        content["machine"] = design.machine
    content["params"] = plain(design.params)
    content["workloads"] = [
        {workload_key(type(workload)): plain(workload), "name": name}
        for name, workload in design.workloads.items()
    ]
    return yaml.safe_dump(content, sort_keys=False, width=100)


def open_document(source: str, folder: str, option: str) -> tuple[str, Node]:
    """Name and content of a shipped file of `folder`, or else of the file at the path `source`."""
    names = shipped(folder)
    if source in names:
        return source, read(_FOLDER / folder / f"{source}.yaml", f"{folder}/{source}.yaml")
    path = Path(source)
    if not source or (path.name == source and not path.suffix and not path.exists()):
        sentence = not_among(option, source, names)
        raise DesignError(sentence.replace("must be", "must be the path of a YAML file or", 1))
    document = read(path, source)
    if not NAME.fullmatch(path.stem):
        raise DesignError(f"{source}: file name must be {NAME.pattern}.yaml, not {path.name}")
    if path.stem in RESERVED:
        raise DesignError(f"{source}: name must be no keyword of Verilog, and {path.stem} is one")
    return path.stem, document


def params_type(document: Node) -> tuple[str, str, type[Params]]:
    """Family, machine and params type that a document asks for."""
    root = document.value
    if not isinstance(root, dict) or "family" not in root:
        raise document.place.error(f"family must be given: one of {', '.join(FAMILIES)}")
    family = root["family"].choice(FAMILIES)
    machines = FAMILIES[family]
    machine = root["machine"].choice(machines) if "machine" in root else next(iter(machines))
    return family, machine, machines[machine]


def read_workloads(document: Node) -> dict[str, tuple[Node, Workload]]:
    """The workloads of a list by name, each with the node that gives its sizes."""
    workloads: dict[str, tuple[Node, Workload]] = {}
    lines: dict[str, int | None] = {}
    for index, item in enumerate(document.sequence()):
        given = item.mapping((*WORKLOADS, "name"))
        key, workload = read_workload(item)
        name = given["name"].name() if "name" in given else f"w{index}"
        if name in lines:
            raise given.get("name", item).place.error(
                f"name must be unique, not {name} again (first on line {lines[name]})"
            )
        lines[name] = item.place.line
        workloads[name] = given[key], workload
    return workloads


def read_workload(item: Node) -> tuple[str, Workload]:
    """The one workload of an item of a list, under the key of its kind."""
    given = item.mapping((*WORKLOADS, "name"))
    kinds = [key for key in given if key in WORKLOADS]
    if len(kinds) != 1:
        raise item.place.error(f"workload must have one key of {', '.join(WORKLOADS)}")
    return kinds[0], build(WORKLOADS[kinds[0]], given[kinds[0]])


def check_workload(
    params: Params, workload: Workload, node: Node, overrides: Sequence[str] = ()
) -> None:
    """Raise DesignError, at the size in `node` that is wrong, where `params` cannot run it.

    A limit that one of `overrides` sets is not checked.
    """
    try:
        check_fit(params, workload)
    except RuleError as error:
        if not _override_of(error.limit, overrides):
            raise at(node, error.key).error(str(error)) from error


def check_workloads(
    params: Params, workloads: Mapping[str, Workload], overrides: Sequence[str]
) -> None:
    """Raise DesignError, at the override that is at fault, where `params` cannot run one."""
    for name, workload in workloads.items():
        try:
            check_fit(params, workload)
        except RuleError as error:
            place = Place(source=f"--set {_override_of(error.limit, overrides)}")
            raise place.child(f"workload {name}").error(str(error)) from error


def _overridden(params: Node, kind: type[Any], text: str) -> Node:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Place(source="--set").error(f"override must be key=value, not {text!r}")
    place = Place(source=f"--set {text}", key=key.rpartition(".")[2])
    return _with(params, kind, key, parse(value, place))


def _with(params: Node, kind: type[Any], path: str, value: Node) -> Node:
    """`params`, which will be read as `kind`, with the value at a dotted path replaced."""
    key, _, rest = path.partition(".")
    declared = {item.name: item for item in fields(kind)}
    if key not in declared:
        raise value.place.error(not_among("key", key, declared))
    entries = dict(params.mapping(declared))
    part = nested_type(declared[key])
    if rest:
        if part is None:
            raise value.place.error(f"{key} must have no keys below it, not {rest}")
        inner = entries.get(key, Node(value={}, place=value.place))
        entries[key] = _with(inner, part, rest, value)
    else:
        entries[key] = value
    return Node(value=entries, place=params.place)


def _override_of(key: str, overrides: Sequence[str]) -> str:
    """The override that has the last word on a param; empty where there is none."""
    return next((text for text in reversed(overrides) if text.partition("=")[0] == key), "")


def plain(value: Any, base: Any = MISSING) -> object:
    """A params or workload object as files write it, without the fields that are as in `base`.

    Without a base, those that have their defaults are left out.
    """
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if not is_dataclass(value):
        return value
    content = {}
    for item in fields(value):
        held, default = getattr(value, item.name), default_of(item, base)
        if held != default:
            from_file = item.metadata["spec"].read is not None
            content[item.name] = held.path if from_file else plain(held, default)
    return content
