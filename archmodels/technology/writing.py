"""Technology files written: the same technology, the same bytes."""

from collections.abc import Mapping
from typing import Any

import yaml

from archmodels.counts import Kind
from archmodels.technology.prices import FittedPrice, PointPrice, Price
from archmodels.technology.process import Calibration, Input, Technology

WIDTH = 100
AXES = ("bits", "other_bits")


class _Leaf(dict[Any, Any]):
    """A mapping that is written in one line."""


class _Row(list[Any]):
    """A list that is written in one line."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out again: no anchors."""
        return True


_Dumper.add_representer(
    _Leaf,
    lambda dumper, data: dumper.represent_mapping(
        "tag:yaml.org,2002:map", data.items(), flow_style=True
    ),
)
_Dumper.add_representer(
    _Row,
    lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True),
)


def dump(technology: Technology) -> str:
    """The text of its file: `parse(dump(t), t.name) == t`, prices in the order of `Kind`."""
    document: dict[str, Any] = {
        "node_nm": technology.node_nm,
        "supply_v": technology.supply_v,
        "sources": dict(technology.sources),
    }
    if technology.calibration is not None:
        document["calibration"] = _calibration(technology.calibration)
    document["area_um2"] = _prices(technology.area_prices)
    document["energy_pj"] = _prices(technology.energy_prices)
    if technology.leakage_prices is not None:
        document["leakage_nw"] = _prices(technology.leakage_prices)
    if technology.delay_prices is not None:
        document["delay_ps"] = _prices(technology.delay_prices)
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, width=WIDTH, allow_unicode=True
    )
    return text


def _calibration(calibration: Calibration) -> dict[str, Any]:
    return {
        "hwgen": calibration.hwgen,
        "tools": dict(calibration.tools),
        "liberty": _inputs(calibration.liberty),
        "sram": _inputs(calibration.sram),
        "clock_ps": calibration.clock_ps,
        "points": calibration.points,
    }


def _inputs(inputs: tuple[Input, ...]) -> list[dict[str, str]]:
    return [{"file": item.file, "sha256": item.sha256} for item in inputs]


def _prices(prices: Mapping[Kind, Price]) -> dict[str, dict[str, Any]]:
    return {str(kind): _price(prices[kind]) for kind in Kind if kind in prices}


def _price(price: Price) -> dict[str, Any]:
    entry = _fitted(price) if isinstance(price, FittedPrice) else _through_points(price)
    if price.statistics is not None:
        entry["statistics"] = _Leaf(
            base=price.statistics.base,
            toggle=price.statistics.toggle,
            zeros=price.statistics.zeros,
        )
    return entry | {"source": price.source, "derived": price.derived, "note": price.note}


def _fitted(price: FittedPrice) -> dict[str, Any]:
    spans = {"bits": _Row(price.range.bits)}
    if price.range.other_bits is not None:
        spans["other_bits"] = _Row(price.range.other_bits)
    entry: dict[str, Any] = {
        "law": _Row(map(str, price.law)),
        "coefficients": _Row(price.coefficients),
        "range": _Leaf(spans),
        "residual_percent": _Leaf(
            mean=price.residual.mean_percent, worst=price.residual.worst_percent
        ),
    }
    if price.axes is not None:
        entry["axes"] = _Leaf(
            {name: _Row(axis) for name, axis in zip(AXES, price.axes, strict=True)}
        )
    return entry | ({"table": [_Row(row) for row in price.table]} if price.table else {})


def _through_points(price: PointPrice) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "law": str(price.law),
        "points": _Leaf({int(size): value for size, value in price.points}),
    }
    residuals = {int(size): round(error, 1) for size, error in price.residuals_percent().items()}
    if residuals:
        entry["residuals_percent"] = _Leaf(residuals)
    if price.access_bits:
        entry["access_bits"] = price.access_bits
    return entry
