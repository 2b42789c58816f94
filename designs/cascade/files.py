"""Cascades from YAML files, with the file, line and key of whatever is wrong, and back to text."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import yaml

from designs import loader
from designs.cascade.cascade import Cascade, Iteration
from designs.cascade.parse import access, einsum
from designs.cascade.terms import DEFAULT_MERGE, Einsum
from designs.document import Node, Place
from designs.rules import RuleError

T = TypeVar("T")

FOLDER = "cascades"
KEYS = ("source", "passes", "splits", "aliases", "inputs", "iterate", "einsums")
EINSUM_KEYS = ("einsum", "reduce", "where", "merge")
MINUS_INFINITY = "-inf"
LINE = 100


def shipped() -> tuple[str, ...]:
    """Names of the cascades that ship, sorted."""
    return loader.shipped(FOLDER)


def load(source: str) -> Cascade:
    """The cascade of a shipped name or of a YAML file. Raises DesignError."""
    name, document = loader.open_document(source, FOLDER, "CASCADE")
    root = document.mapping(KEYS)
    for key in ("inputs", "einsums"):
        if key not in root:
            raise document.place.child(key).error(f"{key} must be given")
    try:
        return Cascade(
            name=name,
            source=_text(root["source"]) if "source" in root else "",
            passes=_pairs(root, "passes", _count),
            splits=_pairs(root, "splits", _names),
            aliases=_pairs(root, "aliases", Node.name),
            inputs=tuple(
                (_tensor(key, node.place), _names(node))
                for key, node in _entries(root["inputs"]).items()
            ),
            iterations=tuple(
                _iteration(rank, node) for rank, node in _entries(root.get("iterate")).items()
            ),
            einsums=tuple(map(_einsum, root["einsums"].sequence())),
        )
    except RuleError as error:
        raise _place(document, error.key).error(str(error)) from error


def dump(cascade: Cascade) -> str:
    """The text of a YAML file that loads as `cascade`, under its name."""
    lines = []
    if cascade.source:
        lines.append(yaml.safe_dump({"source": cascade.source}, width=LINE - 1).rstrip())
    for key, flow in (
        ("passes", _flow(cascade.passes)),
        ("splits", _flow((family, _items(ranks)) for family, ranks in cascade.splits)),
        ("aliases", _flow(cascade.aliases)),
        ("inputs", _flow((tensor, _items(ranks)) for tensor, ranks in cascade.inputs)),
    ):
        if flow != "{}":
            lines.append(f"{key}: {flow}")
    if cascade.iterations:
        lines.append("iterate:")
    for one in cascade.iterations:
        start = _flow((tensor, _number(value)) for tensor, value in one.start)
        stop = one.rank.upper() if one.stop is None else one.stop
        lines.append(f"  {one.rank}: {_flow([('start', start), ('stop', stop)])}")
    lines.append("einsums:")
    for item in cascade.einsums:
        lines += _lines(item)
    return "\n".join(lines) + "\n"


def _lines(one: Einsum) -> list[str]:
    """An Einsum as an item of the list; what is as usual is left out."""
    lines = [f"  - einsum: {one}"]
    reduce = [(r.rank, r.operator) for r in one.reductions if r.operator != "add"]
    if reduce:
        lines.append(f"    reduce: {_flow(reduce)}")
    if one.filters:
        lines.append(f"    where: {_items(map(str, one.filters))}")
    if one.merges != tuple(DEFAULT_MERGE[operator] for operator in one.operators):
        lines.append(f"    merge: {_items(one.merges)}")
    return lines


def _einsum(node: Node) -> Einsum:
    given = node.mapping(EINSUM_KEYS)
    if "einsum" not in given:
        raise node.place.child("einsum").error("einsum must be given, as in Y = A[k] * B[k]")
    try:
        return einsum(
            _text(given["einsum"]),
            {rank: _text(child) for rank, child in _entries(given.get("reduce")).items()},
            [_text(child) for child in _listed(given.get("where"))],
            [_text(child) for child in _listed(given.get("merge"))],
        )
    except RuleError as error:
        raise given.get(error.key, node).place.error(str(error)) from error


def _iteration(rank: str, node: Node) -> Iteration:
    given = node.mapping(("start", "stop"))
    if "start" not in given:
        raise node.place.child("start").error("start must be given, as in {RM: -inf, RD: 0}")
    start = tuple((tensor, _value(one)) for tensor, one in _entries(given["start"]).items())
    stop = given.get("stop")
    if stop is None or stop.value == rank.upper():
        return Iteration(rank=rank, start=start)
    return Iteration(rank=rank, start=start, stop=_count(stop, f"{rank.upper()} or "))


def _place(document: Node, key: str) -> Place:
    """The place of `key`, of which `einsums[3]` is the fourth Einsum."""
    entries = document.value if isinstance(document.value, dict) else {}
    name, bracket, index = key.partition("[")
    if bracket:
        return entries[name].sequence()[int(index[:-1])].place
    return entries[name].place if name in entries else document.place.child(name)


def _entries(node: Node | None) -> Mapping[str, Node]:
    """The entries of a mapping, whatever its keys; none where there is no node."""
    if node is None:
        return {}
    return node.mapping(node.value if isinstance(node.value, dict) else ("names",))


def _pairs(
    root: Mapping[str, Node], key: str, value: Callable[[Node], T]
) -> tuple[tuple[str, T], ...]:
    return tuple((name, value(node)) for name, node in _entries(root.get(key)).items())


def _listed(node: Node | None) -> Sequence[Node]:
    return [] if node is None else node.sequence()


def _text(node: Node) -> str:
    if not isinstance(node.value, str):
        raise node.error("must be a text")
    return node.value


def _names(node: Node) -> tuple[str, ...]:
    return tuple(item.name() for item in node.sequence())


def _count(node: Node, other: str = "") -> int:
    if not isinstance(node.value, int) or isinstance(node.value, bool) or node.value < 1:
        raise node.error(f"must be {other}an integer of at least 1")
    return node.value


def _value(node: Node) -> float:
    if node.value == MINUS_INFINITY:
        return -math.inf
    if not isinstance(node.value, int | float) or isinstance(node.value, bool):
        raise node.error(f"must be a number or {MINUS_INFINITY}")
    return float(node.value)


def _tensor(name: str, place: Place) -> str:
    try:
        if access(name).indices:
            raise RuleError("inputs", f"tensor must be a name, without indices, not {name}")
    except RuleError as error:
        raise place.error(str(error)) from error
    return name


def _number(value: float) -> str:
    if math.isinf(value):
        return MINUS_INFINITY
    return str(int(value)) if value.is_integer() else repr(value)


def _items(texts: Iterable[str]) -> str:
    return f"[{', '.join(texts)}]"


def _flow(pairs: Iterable[tuple[str, object]]) -> str:
    return f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"
