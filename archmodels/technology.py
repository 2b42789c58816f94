"""Prices of counts: area in um2 and energy in pJ, each with its law and its source.

A technology is one file, `archmodels/tech/NAME.yaml`. Prices are functions of the widths of a
primitive and work on numbers and on arrays alike. Wires, clock tree and leakage are not priced.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np
import yaml
from numpy.typing import NDArray

from archmodels.counts import Item, Kind, Operation
from designs.rules import Int

Real: TypeAlias = float | NDArray[np.float64]


class TechnologyError(ValueError):
    """A technology file is malformed; the sentence names the file and the key."""


class MissingPriceError(ValueError):
    """A count has no price; the sentence names the technology and the kind."""


class Law(enum.StrEnum):
    """How a price depends on the widths.

    Every law passes through the origin and through all the points of the price, is linear in its
    variable from each point to the next, and goes on with the last slope beyond the last point.

    - EACH_BIT: in `bits`, one cell for each; there is one point, of one bit.
    - EACH_PRODUCT: in `bits` * `other_bits`, one cell for each; one point, of one cell.
    - LINEAR_IN_BITS: in `bits`.
    - LINEAR_IN_PRODUCT: in `bits` * `other_bits`.
    - ROOT_OF_CAPACITY: in the square root of the capacity, `bits` * `other_bits`; points are
      accesses of `access_bits`, and an access costs in proportion to its `bits`.
    """

    EACH_BIT = "each_bit"
    EACH_PRODUCT = "each_product"
    LINEAR_IN_BITS = "linear_in_bits"
    LINEAR_IN_PRODUCT = "linear_in_product"
    ROOT_OF_CAPACITY = "root_of_capacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One price: a law through points, where the points are from, and if they are `derived`.

    `points` are (size, price) pairs of ascending size. They are quoted from the source, or, with
    `derived`, computed from what it says in the way that `note` states. `access_bits` is the
    access that the points of ROOT_OF_CAPACITY are for, and 0 under other laws.
    """

    law: Law
    points: tuple[tuple[float, float], ...]
    source: str
    note: str
    derived: bool
    access_bits: int = 0

    def at(self, bits: Int, other_bits: Int = 0) -> Real:
        """The price of one instance or one operation of these widths."""
        price = self._along(self.points, self._size(bits, other_bits))
        if self.law is Law.ROOT_OF_CAPACITY:
            price = price * (to_real(bits) / self.access_bits)
        return price

    def is_interpolated(self, bits: Int, other_bits: Int = 0) -> bool:
        """Whether any of these widths is priced by the law or by derivation, not by a quotation."""
        if self.law in (Law.EACH_BIT, Law.EACH_PRODUCT):
            return self.derived
        quoted = np.isin(self._size(bits, other_bits), [size for size, _ in self.points])
        if self.law is Law.ROOT_OF_CAPACITY:
            quoted = quoted & np.equal(bits, self.access_bits)
        return self.derived or not bool(np.all(quoted))

    def residuals_percent(self) -> dict[float, float]:
        """By size of each point: how far the law through the other points misses it.

        Empty for a single point, which nothing can check.
        """
        residuals: dict[float, float] = {}
        for size, price in self.points if len(self.points) > 1 else ():
            others = tuple(point for point in self.points if point[0] != size)
            estimate = self._along(others, size)
            residuals[size] = 100.0 * (float(estimate) / price - 1.0)
        return residuals

    def _along(self, points: tuple[tuple[float, float], ...], size: Real) -> Real:
        sizes, prices = (np.array(column) for column in zip((0.0, 0.0), *points, strict=True))
        if self.law is Law.ROOT_OF_CAPACITY:
            sizes, size = np.sqrt(sizes), np.sqrt(size)
        return _through(sizes, prices, size)

    def _size(self, bits: Int, other_bits: Int) -> Real:
        if self.law in (Law.EACH_BIT, Law.LINEAR_IN_BITS):
            return to_real(bits)
        return to_real(bits) * to_real(other_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Technology:
    """The prices of one process, and the full titles of their sources by short name."""

    name: str
    node_nm: int
    supply_v: float
    sources: Mapping[str, str]
    area_prices: Mapping[Kind, Price]
    energy_prices: Mapping[Kind, Price]

    def area_um2(self, item: Item, key: str = "") -> Real:
        """Area of all instances of `item`, without wires and placement density.

        Raises MissingPriceError, which names the inventory key `key` where one is given.
        """
        return to_real(item.count) * self.area_price(item.kind, key).at(item.bits, item.other_bits)

    def energy_pj(self, operation: Operation, key: str = "") -> Real:
        """Dynamic energy of one operation, without leakage, wires and clock tree.

        Raises MissingPriceError, which names the activity key `key` where one is given.
        """
        price = self.energy_price(operation.kind, key)
        return price.at(operation.bits, operation.other_bits)

    def area_price(self, kind: Kind, key: str = "") -> Price:
        """The area price of `kind`. Raises MissingPriceError."""
        if kind not in self.area_prices:
            place = f" (inventory key {key})" if key else ""
            raise MissingPriceError(f"technology {self.name} has no area price for '{kind}'{place}")
        return self.area_prices[kind]

    def energy_price(self, kind: Kind, key: str = "") -> Price:
        """The energy price of `kind`. Raises MissingPriceError."""
        if kind not in self.energy_prices:
            place = f" (activity key {key})" if key else ""
            raise MissingPriceError(
                f"technology {self.name} has no energy price for '{kind}'{place}"
            )
        return self.energy_prices[kind]


def to_real(value: Int) -> Real:
    """Round an exact count to float64, the same way for an int and for an array of ints."""
    return value.astype(np.float64) if isinstance(value, np.ndarray) else float(value)


def names() -> tuple[str, ...]:
    """The technologies that ship, in alphabetical order."""
    found = (entry.name for entry in (files("archmodels") / "tech").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def load(name: str) -> Technology:
    """Load a technology that ships. Raises ValueError for an unknown name, TechnologyError."""
    if name not in names():
        raise ValueError(f"technology must be one of {', '.join(names())}, not {name!r}")
    file = files("archmodels") / "tech" / f"{name}.yaml"
    return parse(file.read_text(encoding="utf-8"), name)


def parse(text: str, name: str) -> Technology:
    """Read the text of `NAME.yaml`. Raises TechnologyError."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        raise TechnologyError(f"{name}.yaml{line}: must be valid YAML: {problem}") from None
    root = _Node(f"{name}.yaml", "", document)
    root.allow("node_nm", "supply_v", "sources", "area_um2", "energy_pj")
    sources = {short: root.child("sources").text(short) for short in root.child("sources").keys()}
    return Technology(
        name=name,
        node_nm=root.integer("node_nm"),
        supply_v=root.number("supply_v"),
        sources=sources,
        area_prices=_prices(root.child("area_um2"), sources),
        energy_prices=_prices(root.child("energy_pj"), sources),
    )


@dataclass(frozen=True, slots=True)
class _Node:
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

    def allow(self, *known: str) -> None:
        for key in self.keys():
            if key not in known:
                raise self.error(key, f"is unknown here; known are {', '.join(known)}")

    def get(self, key: str) -> Any:
        if key not in self.keys():
            raise self.error(key, "is missing")
        return self.value[key]

    def child(self, key: str) -> "_Node":
        return _Node(self.file, f"{self.path}{key}.", self.get(key))

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"must be a text, not {value!r}")
        return " ".join(value.split())

    def number(self, key: str) -> float:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
            raise self.error(key, f"must be a positive number, not {value!r}")
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

    def points(self, key: str) -> tuple[tuple[float, float], ...]:
        value = self.get(key)
        if not isinstance(value, dict) or not value:
            raise self.error(key, f"must be a mapping from size to price, not {value!r}")
        for size in value:
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise self.error(f"{key}.{size}", "must have a positive integer as its size")
        prices = _Node(self.file, f"{self.path}{key}.", {str(size): value[size] for size in value})
        return tuple((float(size), prices.number(str(size))) for size in sorted(value))


def _prices(section: _Node, sources: Mapping[str, str]) -> dict[Kind, Price]:
    prices: dict[Kind, Price] = {}
    for key in section.keys():
        if key not in list(Kind):
            raise section.error(key, f"must be one of {', '.join(Kind)}")
        prices[Kind(key)] = _price(section.child(key), sources)
    return prices


def _price(entry: _Node, sources: Mapping[str, str]) -> Price:
    entry.allow("law", "points", "residuals_percent", "access_bits", "source", "derived", "note")
    law = Law(entry.choice("law", list(Law)))
    derived = entry.get("derived")
    if not isinstance(derived, bool):
        raise entry.error("derived", f"must be true or false, not {derived!r}")
    points = entry.points("points")
    if law in (Law.EACH_BIT, Law.EACH_PRODUCT) and [size for size, _ in points] != [1]:
        raise entry.error("points", f"must hold the price of size 1 alone under {law}")
    if law is not Law.ROOT_OF_CAPACITY and "access_bits" in entry.keys():
        raise entry.error("access_bits", f"has no meaning under {law}")
    price = Price(
        law=law,
        points=points,
        source=entry.choice("source", list(sources)),
        note=entry.text("note"),
        derived=derived,
        access_bits=entry.integer("access_bits") if law is Law.ROOT_OF_CAPACITY else 0,
    )
    residuals = {int(size): round(error, 1) for size, error in price.residuals_percent().items()}
    if residuals and entry.get("residuals_percent") != residuals:
        raise entry.error("residuals_percent", f"must be {residuals}, as the points have it")
    return price


def _through(sizes: NDArray[np.float64], prices: NDArray[np.float64], size: Real) -> Real:
    """Piecewise linear through all points, exact at each, with the last slope beyond the last."""
    slopes = np.diff(prices) / np.diff(sizes)
    slopes = np.append(slopes, slopes[-1])
    left = np.searchsorted(sizes, size, side="right") - 1
    price: NDArray[np.float64] = prices[left] + (size - sizes[left]) * slopes[left]
    return price if isinstance(size, np.ndarray) else float(price)
