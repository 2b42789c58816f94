"""Technology files, `archmodels/tech/NAME.yaml`, read and checked."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TypedDict

from archmodels.counts import Kind
from archmodels.technology.entries import Entry, root
from archmodels.technology.prices import (
    OF_BITS_ALONE,
    FittedPrice,
    Law,
    PointPrice,
    Price,
    Range,
    Residual,
    Statistics,
    Term,
)
from archmodels.technology.process import CALIBRATION, Calibration, Input, Technology

SUFFIX = ".yaml"
OF_POINTS = ("law", "points", "residuals_percent", "access_bits")
OF_FITTED = ("law", "coefficients", "range", "residual_percent", "table", "axes")
"""Keys of a price through points, and of a fitted one; those of both are `_Basis`."""

ONE_TOLERANCE = 1e-3
"""How far from 1 the statistics' factor on random data may be, for its coefficients are rounded."""


def names() -> tuple[str, ...]:
    """The technologies that ship, in alphabetical order."""
    found = (entry.name for entry in (files("archmodels") / "tech").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def load(name: str) -> Technology:
    """A technology that ships, by its name, or any other, by the path of its YAML file.

    Raises ValueError for an unknown name, OSError for a file that is none, TechnologyError.
    """
    if name.endswith(SUFFIX):
        return parse(Path(name).read_text(encoding="utf-8"), Path(name).stem)
    if name not in names():
        raise ValueError(f"technology must be one of {', '.join(names())}, not {name!r}")
    file = files("archmodels") / "tech" / f"{name}.yaml"
    return parse(file.read_text(encoding="utf-8"), name)


def parse(text: str, name: str) -> Technology:
    """Read the text of `NAME.yaml`. Raises TechnologyError."""
    whole = root(text, f"{name}.yaml")
    whole.allow(
        "node_nm",
        "supply_v",
        "sources",
        "calibration",
        "area_um2",
        "energy_pj",
        "leakage_nw",
        "delay_ps",
    )
    sources = {short: whole.child("sources").text(short) for short in whole.child("sources").keys()}
    calibration = _calibration(whole.child(CALIBRATION), sources) if CALIBRATION in whole else None
    legal = [*sources, *([CALIBRATION] if calibration else [])]
    return Technology(
        name=name,
        node_nm=whole.integer("node_nm"),
        supply_v=whole.number("supply_v"),
        sources=sources,
        area_prices=_prices(whole.child("area_um2"), legal),
        energy_prices=_prices(whole.child("energy_pj"), legal, of_data=True),
        leakage_prices=(
            _prices(whole.child("leakage_nw"), legal) if "leakage_nw" in whole else None
        ),
        delay_prices=_prices(whole.child("delay_ps"), legal) if "delay_ps" in whole else None,
        calibration=calibration,
    )


def _calibration(block: Entry, sources: Mapping[str, str]) -> Calibration:
    block.allow("hwgen", "tools", "liberty", "sram", "clock_ps", "points")
    if CALIBRATION in sources:
        raise block.error("", "must not be a short name in sources too")
    tools = block.child("tools")
    return Calibration(
        hwgen=block.text("hwgen"),
        tools={name: tools.text(name) for name in tools.keys()},
        liberty=tuple(map(_input, block.children("liberty"))),
        sram=tuple(map(_input, block.children("sram"))) if "sram" in block else (),
        clock_ps=block.number("clock_ps"),
        points=block.integer("points"),
    )


def _input(entry: Entry) -> Input:
    entry.allow("file", "sha256")
    return Input(file=entry.text("file"), sha256=entry.text("sha256"))


def _prices(section: Entry, sources: list[str], of_data: bool = False) -> dict[Kind, Price]:
    prices: dict[Kind, Price] = {}
    for key in section.keys():
        if key not in list(Kind):
            raise section.error(key, f"must be one of {', '.join(Kind)}")
        entry = section.child(key)
        if "statistics" in entry and not of_data:
            raise entry.error("statistics", "has no meaning but for energy")
        prices[Kind(key)] = _price(entry, sources)
    return prices


class _Basis(TypedDict):
    """What a price of either form has beside its law."""

    source: str
    note: str
    derived: bool
    statistics: Statistics | None


def _price(entry: Entry, sources: list[str]) -> Price:
    """A price of the form that its law says: a list of terms was fitted."""
    is_fitted = isinstance(entry.get("law"), list)
    entry.allow(*(OF_FITTED if is_fitted else OF_POINTS), *_Basis.__annotations__)
    basis = _Basis(
        source=entry.choice("source", sources),
        note=entry.text("note"),
        derived=entry.flag("derived"),
        statistics=_statistics(entry),
    )
    return _fitted(entry, basis) if is_fitted else _through_points(entry, basis)


def _through_points(entry: Entry, basis: _Basis) -> PointPrice:
    law = Law(entry.choice("law", list(Law)))
    points = entry.points("points")
    if law in (Law.EACH_BIT, Law.EACH_PRODUCT) and [size for size, _ in points] != [1]:
        raise entry.error("points", f"must hold the price of size 1 alone under {law}")
    if law is not Law.ROOT_OF_CAPACITY and "access_bits" in entry:
        raise entry.error("access_bits", f"has no meaning under {law}")
    price = PointPrice(
        law=law,
        points=points,
        access_bits=entry.integer("access_bits") if law is Law.ROOT_OF_CAPACITY else 0,
        **basis,
    )
    residuals = {int(size): round(error, 1) for size, error in price.residuals_percent().items()}
    if residuals and entry.get("residuals_percent") != residuals:
        raise entry.error("residuals_percent", f"must be {residuals}, as the points have it")
    return price


def _fitted(entry: Entry, basis: _Basis) -> FittedPrice:
    law = tuple(map(Term, entry.choices("law", list(Term))))
    widths, residual = entry.child("range"), entry.child("residual_percent")
    widths.allow("bits", "other_bits")
    residual.allow("mean", "worst")
    needs_other = not OF_BITS_ALONE.issuperset(law)
    spans = Range(
        bits=widths.span("bits"),
        other_bits=widths.span("other_bits") if needs_other or "other_bits" in widths else None,
    )
    axes = _axes(entry, spans) if "axes" in entry else None
    return FittedPrice(
        law=law,
        coefficients=entry.coefficients("coefficients", len(law)),
        range=spans,
        residual=Residual(
            mean_percent=residual.residual("mean"), worst_percent=residual.residual("worst")
        ),
        table=_table(entry, spans, axes) if "table" in entry else None,
        axes=axes,
        **basis,
    )


def _axes(entry: Entry, widths: Range) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The widths that the table has, from one end of the range to the other."""
    if "table" not in entry:
        raise entry.error("axes", "has no meaning without a table")
    axes = entry.child("axes")
    axes.allow("bits", "other_bits")
    return axes.axis("bits", widths.bits), axes.axis("other_bits", widths.other_bits or (0, 0))


def _table(
    entry: Entry, widths: Range, axes: tuple[tuple[int, ...], tuple[int, ...]] | None
) -> tuple[tuple[float, ...], ...]:
    """A row for each of `bits` in the range or on its axis, in it a price for each `other_bits`."""
    if widths.other_bits is None:
        raise entry.error("table", "must have a range of other_bits beside that of bits")
    rows, columns = (high - low + 1 for low, high in (widths.bits, widths.other_bits))
    if axes is not None:
        rows, columns = map(len, axes)
    return tuple(entry.row("table", rows, index, columns) for index in range(rows))


def _statistics(entry: Entry) -> Statistics | None:
    if "statistics" not in entry:
        return None
    factors = entry.child("statistics")
    factors.allow("base", "toggle", "zeros")
    statistics = Statistics(
        base=factors.coefficient("base"),
        toggle=factors.coefficient("toggle"),
        zeros=factors.coefficient("zeros"),
    )
    if abs(statistics.base + statistics.toggle / 2 - 1) > ONE_TOLERANCE:
        raise entry.error(
            "statistics", "must have base + toggle / 2 = 1, the factor on random data"
        )
    return statistics
