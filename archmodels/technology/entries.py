"""The entries of a technology file, read one at a time, each with the path that its errors name."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml


class TechnologyError(ValueError):
    """A technology file is malformed; the sentence names the file and the key."""


class _Loader(yaml.SafeLoader):
    """Plain values as `yaml.safe_load` has them, but a key may stand once in its mapping."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if not isinstance(key, str | int | float):
            raise yaml.MarkedYAMLError(problem="a key is no text", problem_mark=node.start_mark)
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"{key} is given again", problem_mark=key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def root(text: str, file: str) -> "Entry":
    """The whole document of `file`. Raises TechnologyError where it is not YAML."""
    try:
        document = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        raise TechnologyError(f"{file}{line}: must be valid YAML: {problem}") from None
    return Entry(file, "", document)


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping of the file, with the path that its errors name."""

    file: str
    path: str
    value: Any

    def error(self, key: str, rule: str) -> TechnologyError:
        return TechnologyError(f"{self.file}: {self.path}{key} {rule}")

    def keys(self) -> list[str]:
        if not isinstance(self.value, dict):
            key = self.path.rstrip(".") or "the file"
            raise TechnologyError(f"{self.file}: {key} must be a mapping, not {self.value!r}")
        return [str(key) for key in self.value]

    def __contains__(self, key: str) -> bool:
        return key in self.keys()

    def allow(self, *known: str) -> None:
        for key in self.keys():
            if key not in known:
                raise self.error(key, f"is unknown here; known are {', '.join(known)}")

    def get(self, key: str) -> Any:
        if key not in self.keys():
            raise self.error(key, "is missing")
        return self.value[key]

    def child(self, key: str) -> "Entry":
        return Entry(self.file, f"{self.path}{key}.", self.get(key))

    def children(self, key: str) -> "list[Entry]":
        """The mappings in a list."""
        value = self.get(key)
        if not isinstance(value, list):
            raise self.error(key, f"must be a list, not {value!r}")
        return [
            Entry(self.file, f"{self.path}{key}[{index}].", item)
            for index, item in enumerate(value)
        ]

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"must be a text, not {value!r}")
        return " ".join(value.split())

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if not isinstance(value, bool):
            raise self.error(key, f"must be true or false, not {value!r}")
        return value

    def number(self, key: str) -> float:
        """A positive number."""
        value = self.get(key)
        if not _is_number(value) or value <= 0:
            raise self.error(key, f"must be a positive number, not {value!r}")
        return float(value)

    def residual(self, key: str) -> float:
        """A number of at least 0."""
        value = self.get(key)
        if not _is_number(value) or value < 0:
            raise self.error(key, f"must be a number of at least 0, not {value!r}")
        return float(value)

    def coefficient(self, key: str) -> float:
        """A number of either sign."""
        value = self.get(key)
        if not _is_number(value):
            raise self.error(key, f"must be a number, not {value!r}")
        return float(value)

    def integer(self, key: str) -> int:
        value = self.number(key)
        if value != int(value):
            raise self.error(key, f"must be an integer, not {value!r}")
        return int(value)

    def choice(self, key: str, known: list[str]) -> str:
        value = self.get(key)
        if value not in known:
            raise self.error(key, f"must be one of {', '.join(known)}, not {value!r}")
        return str(value)

    def choices(self, key: str, known: list[str]) -> tuple[str, ...]:
        """A list of at least one of the known texts, none twice."""
        value = self.get(key)
        if not isinstance(value, list) or not value:
            raise self.error(key, f"must be a list of {', '.join(known)}, not {value!r}")
        for index, item in enumerate(value):
            if item not in known:
                raise self.error(
                    f"{key}[{index}]", f"must be one of {', '.join(known)}, not {item!r}"
                )
            if item in value[:index]:
                raise self.error(f"{key}[{index}]", f"must be another term, not {item} again")
        return tuple(value)

    def coefficients(self, key: str, count: int) -> tuple[float, ...]:
        """As many numbers as there are terms."""
        value = self.get(key)
        if not isinstance(value, list) or len(value) != count or not all(map(_is_number, value)):
            raise self.error(key, f"must be {count} numbers, one for each term, not {value!r}")
        return tuple(float(item) for item in value)

    def row(self, key: str, count: int, index: int, length: int) -> tuple[float, ...]:
        """One of `count` lists of as many positive numbers."""
        value = self.get(key)
        if not isinstance(value, list) or len(value) != count:
            raise self.error(key, f"must be {count} lists, one for each of bits in the range")
        numbers = value[index]
        if (
            not isinstance(numbers, list)
            or len(numbers) != length
            or not all(_is_number(number) and number > 0 for number in numbers)
        ):
            raise self.error(
                f"{key}[{index}]",
                f"must be {length} positive numbers, one for each of other_bits in the range",
            )
        return tuple(map(float, numbers))

    def span(self, key: str) -> tuple[int, int]:
        """The least and the greatest of some widths."""
        value = self.get(key)
        if (
            not isinstance(value, list)
            or len(value) != 2
            or any(isinstance(item, bool) or not isinstance(item, int) for item in value)
            or not 0 <= value[0] <= value[1]
        ):
            raise self.error(key, f"must be two widths, the lesser first, not {value!r}")
        return value[0], value[1]

    def axis(self, key: str, span: tuple[int, int]) -> tuple[int, ...]:
        """At least two ascending widths, the first and the last of a span."""
        value = self.get(key)
        if (
            not isinstance(value, list)
            or len(value) < 2
            or any(isinstance(item, bool) or not isinstance(item, int) for item in value)
            or value != sorted(set(value))
            or (value[0], value[-1]) != span
        ):
            raise self.error(
                key, f"must be ascending widths from {span[0]} to {span[1]}, not {value!r}"
            )
        return tuple(value)

    def points(self, key: str) -> tuple[tuple[float, float], ...]:
        value = self.get(key)
        if not isinstance(value, dict) or not value:
            raise self.error(key, f"must be a mapping from size to price, not {value!r}")
        for size in value:
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise self.error(f"{key}.{size}", "must have a positive integer as its size")
        prices = Entry(self.file, f"{self.path}{key}.", {str(size): value[size] for size in value})
        return tuple((float(size), prices.number(str(size))) for size in sorted(value))


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
    )
