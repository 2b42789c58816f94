"""`hwgen explain`: where a figure comes from."""

import difflib
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from archmodels.explanation import Line, basis, explained
from archmodels.technology import Technology
from designs import DesignError
from dse import arguments
from dse.arguments import Commands
from dse.commands.model import evaluate, technology_of
from dse.request import design_of, workloads_of
from dse.text import Outcome, table

UNITS = {"area_um2": "um2", "leakage_nw": "nW", "energy_pj": "pJ", "delay_ps": "ps"}
"""Unit of each quantity, in the order in which they are told."""

TITLES = {
    "area_um2": "area",
    "leakage_nw": "leakage",
    "energy_pj": "energy",
    "delay_ps": "delay, by path",
}

MORE = "with a KEY: law, range, residual and source of its prices; --workload: of another workload"


def add(commands: Commands) -> None:
    """Add explain to the command line."""
    explaining = arguments.command(
        commands, "explain", run, "where a figure of the model comes from",
        ["hwgen explain edge16", "hwgen explain edge16 pe.multiplier --gemm 64,64,64",
         "hwgen explain tile4 mac.slots --tech horowitz45 --json"],
    )  # fmt: skip
    arguments.design(explaining)
    explaining.add_argument("key", metavar="KEY", nargs="?",
                            help="a part, event or path (default: all)")  # fmt: skip
    arguments.workload(explaining)
    arguments.technology(explaining)


def run(args: Namespace) -> Outcome:
    """Every figure of the design on one workload, or all that is behind one key."""
    design = design_of(args)
    name, workload = next(iter(workloads_of(design, args).items()))
    prices = technology_of(args)
    lines = explained(evaluate(design, workload, prices).cost)
    if args.key is not None:
        _check_key(args.key, [line.key for line in lines])
        lines = [line for line in lines if line.key == args.key]
    content: dict[str, object] = {
        "design": design.name,
        "workload": name,
        "technology": prices.name,
        "calibration": None if prices.calibration is None else asdict(prices.calibration),
        "outside_range": sorted({line.key for line in lines if line.is_outside}),
        "lines": [_content(line, prices) for line in lines],
    }
    head = f"{design.name}, workload {name}, in {prices.name}"
    text = _details(lines, prices) if args.key is not None else [*_tables(lines), MORE]
    return Outcome(content=content, text="\n".join([head, *text]))


def _check_key(key: str, known: Iterable[str]) -> None:
    names = list(dict.fromkeys(known))
    if key in names:
        return
    near = difflib.get_close_matches(key, names, n=4, cutoff=0.4)
    place = [name for name in names if name.partition(".")[0] == key]
    found = place or near
    hint = f" (did you mean {', '.join(found)}?)" if found else ""
    raise DesignError(f"KEY must be one of those that hwgen explain lists, not {key!r}{hint}")


def _content(line: Line, prices: Technology) -> dict[str, object]:
    """A line as `--json` says it."""
    content: dict[str, object] = {
        "quantity": line.quantity,
        "key": line.key,
        "kind": line.kind,
        "count": line.count,
        "bits": line.bits,
        "other_bits": line.other_bits,
        "price": line.price,
        "factor": line.factor,
        "value": line.value,
        "share": line.share,
        "outside_range": line.is_outside,
    }
    return content | ({} if line.price_of is None else {**basis(line.price_of, prices)})


def _tables(lines: list[Line]) -> list[str]:
    """A table for each quantity, the largest first; a path's stages stand in their order."""
    parts = []
    for quantity, unit in UNITS.items():
        own = [line for line in lines if line.quantity == quantity]
        if quantity == "delay_ps":
            whole = _sums(own)
            own.sort(key=lambda line: -whole[line.key])
        else:
            own.sort(key=lambda line: -line.value)
        if own:
            head = ("key", "kind", "count", "widths", f"price [{unit}]", unit, "share", "")
            parts += [f"{TITLES[quantity]} [{unit}]", table([head, *map(_row, own)])]
    return parts


def _row(line: Line) -> tuple[object, ...]:
    return (
        line.key,
        line.kind,
        line.count,
        _widths(line),
        line.price * line.factor,
        line.value,
        f"{line.share:.1%}",
        "outside" if line.is_outside else "",
    )


def _details(lines: list[Line], prices: Technology) -> list[str]:
    """A paragraph for each line."""
    parts = []
    for line in lines:
        unit = UNITS[line.quantity]
        factor = f" x {line.factor:.4g} for its data" if line.factor != 1.0 else ""
        parts.append(
            f"{TITLES[line.quantity]}: {line.count:,} x {_named(line)} x {line.price:.5g} {unit}"
            f"{factor} = {line.value:.5g} {unit}, {line.share:.1%} of the whole"
        )
        rows: list[tuple[object, ...]] = []
        if line.price_of is not None:
            rows += [(name, _plain(value)) for name, value in basis(line.price_of, prices).items()]
        else:
            rows.append(("law", "leakage of all parts over one clock period"))
        if line.is_outside:
            rows.append(("outside", "priced by the law beyond the widths it was calibrated on"))
        parts.append(table(rows))
    return parts


def _named(line: Line) -> str:
    return f"{line.kind} {_widths(line)}".strip() or "cycle"


def _widths(line: Line) -> str:
    if not line.bits:
        return ""
    return f"{line.bits} x {line.other_bits}" if line.other_bits else f"{line.bits}"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    if isinstance(value, list):
        return " to ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else value


def _sums(lines: Iterable[Line]) -> dict[str, float]:
    total: dict[str, float] = {}
    for line in lines:
        total[line.key] = total.get(line.key, 0.0) + line.value
    return total
