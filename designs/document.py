"""YAML documents whose every value remembers the file, the line and the key it came from."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from designs.names import NAME

Scalar: TypeAlias = str | int | float | bool | None

DEPTH_MAX = 32


class DesignError(ValueError):
    """What the user wrote is wrong; the text is one sentence with its place in front."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where something was written: a file with its line and key path, or an option.

    `key` is the last key of the path, by which sentences call what stands there. `folder` is where
    the file is: what it names by a relative path starts there.
    """

    source: str
    line: int | None = None
    path: str = ""
    key: str = "document"
    folder: Path = Path()

    def child(self, key: str | int, line: int | None = None) -> "Place":
        """The place of one entry; without a line of its own it has this one's."""
        last = f"{self.key}[{key}]" if isinstance(key, int) else key
        part = f"[{key}]" if isinstance(key, int) else f".{key}" if self.path else key
        return Place(
            source=self.source,
            line=line or self.line,
            path=self.path + part,
            key=last,
            folder=self.folder,
        )

    def error(self, sentence: str) -> DesignError:
        """The error to raise: "file:line: key.path: sentence"."""
        spot = self.source if self.line is None else f"{self.source}:{self.line}"
        return DesignError(": ".join(part for part in (spot, self.path, sentence) if part))


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One value of a document and its place; a key's line is that of the key."""

    value: "Scalar | list[Node] | dict[str, Node]"
    place: Place

    def mapping(self, legal: Collection[str]) -> "dict[str, Node]":
        """The entries; raises DesignError unless this is a mapping with none but `legal` keys."""
        if not isinstance(self.value, dict):
            raise self.error(f"must be a mapping with keys among {', '.join(legal)}")
        for key, node in self.value.items():
            if key not in legal:
                raise node.place.error(not_among("key", key, legal))
        return self.value

    def sequence(self) -> "list[Node]":
        """The items; raises DesignError unless this is a list."""
        if not isinstance(self.value, list):
            raise self.error("must be a list")
        return self.value

    def name(self) -> str:
        """The text; raises DesignError unless this is a name (lower case, digits, underscores)."""
        if not isinstance(self.value, str) or not NAME.fullmatch(self.value):
            raise self.error(f"must be a name of the form {NAME.pattern}")
        return self.value

    def choice(self, legal: Collection[str]) -> str:
        """The text; raises DesignError unless it is one of `legal`."""
        if isinstance(self.value, str) and self.value in legal:
            return self.value
        raise self.place.error(not_among(self.place.key, self.plain(), legal))

    def error(self, rule: str) -> DesignError:
        """The error that this value breaks a rule: "<key> must be ..., not <value>"."""
        value = "empty" if self.value is None else written(self.plain())
        return self.place.error(f"{self.place.key} {rule}, not {value}")

    def plain(self) -> object:
        """The value as plain Python: scalars, lists, dicts."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def not_among(what: str, value: object, legal: Collection[str]) -> str:
    """The sentence for a name that is not legal, with the nearest legal one where one is close."""
    choices = f"one of {', '.join(legal)}" if len(legal) > 1 else "".join(legal)
    near = difflib.get_close_matches(str(value), legal, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{what} must be {choices}, not {written(value)}{hint}"


def written(value: object) -> str:
    """A plain value as YAML spells it, in one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {written(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else repr(value)


def read(path: Path, source: str) -> Node:
    """The document in a YAML file; errors call the file `source`. Raises DesignError."""
    place = Place(source=source)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise place.error("file must exist, and there is none of this name") from error
    except UnicodeDecodeError as error:
        raise place.error("file must be UTF-8 text, and it is not") from error
    except OSError as error:
        raise place.error(f"file must be readable, and it is not ({error.strerror})") from error
    return parse(text, Place(source=source, line=1, folder=path.parent))


def parse(text: str, place: Place) -> Node:
    """The document in a YAML text that starts at `place`. Raises DesignError.

    Scalars follow YAML 1.2: only true and false are booleans, integers are decimal or 0x. Aliases,
    tags and duplicate keys are errors.
    """
    try:
        root = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if place.line is None or mark is None else mark.line + 1
        raise Place(source=place.source, line=line).error(
            f"text must be YAML: {error.problem or error.context}"
        ) from error
    except yaml.reader.ReaderError as error:
        line = None if place.line is None else text.count("\n", 0, error.position) + 1
        raise Place(source=place.source, line=line).error(
            f"text must be YAML: {error.reason}"
        ) from error
    except _TooDeepError as error:
        raise place.error(f"text must be nested at most {DEPTH_MAX} levels deep") from error
    return Node(value=None, place=place) if root is None else _Reader().node(root, place)


class _TooDeepError(yaml.YAMLError):
    pass


class _Loader(yaml.SafeLoader):
    """Composes nodes with the scalars of YAML 1.2, and not without end."""

    yaml_implicit_resolvers = {}
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth > DEPTH_MAX:
            raise _TooDeepError
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_TAG = "tag:yaml.org,2002:"
_SCALARS = (
    ("bool", r"true|false", "tf"),
    ("null", r"~|null|", "~n\0"),
    ("int", r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*|(?=[eE])))([eE][-+]?[0-9]+)?", "-+.0123456789"),
)
for _kind, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        _TAG + _kind, re.compile(rf"(?:{_pattern})\Z"), ["" if c == "\0" else c for c in _first]
    )


class _Reader:
    """Turns composed nodes into ours. A node that comes again was an alias."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def node(self, node: yaml.Node, place: Place) -> Node:
        if id(node) in self.seen:
            raise place.error(f"{place.key} must be written out, not an alias")
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return Node(value=self.mapping(node, place), place=place)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return Node(value=self.sequence(node, place), place=place)
        if isinstance(node, yaml.ScalarNode):
            return Node(value=_scalar(node, place), place=place)
        raise place.error(f"{place.key} must have no tag, not {node.tag}")

    def sequence(self, node: yaml.SequenceNode, place: Place) -> list[Node]:
        return [
            self.node(item, place.child(index, _line(item, place)))
            for index, item in enumerate(node.value)
        ]

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key, value in node.value:
            line = _line(key, place)
            if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
                written = key.value if isinstance(key, yaml.ScalarNode) else "a collection"
                raise place.child("?", line).error(f"key must be a name, not {written}")
            spot = place.child(key.value, line)
            if key.value in entries:
                first = entries[key.value].place.line
                raise spot.error(f"{key.value} must be given once, not again (see line {first})")
            entries[key.value] = self.node(value, spot)
        return entries


def _scalar(node: yaml.ScalarNode, place: Place) -> Scalar:
    text: str = node.value
    try:
        match node.tag.removeprefix(_TAG):
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return {"true": True, "false": False}[text]
            case "int":
                return int(text, 16 if text.startswith("0x") else 10)
            case "float":
                return float(text)
    except (ValueError, KeyError) as error:  # too long a number, or a tag that the text belies
        raise place.error(
            f"{place.key} must be a shorter number or a word, not {text:.20}"
        ) from error
    raise place.error(f"{place.key} must have no tag, not {node.tag}")


def _line(node: yaml.Node, place: Place) -> int | None:
    return None if place.line is None else node.start_mark.line + 1
