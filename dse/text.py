"""What commands answer, and how it reads on a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a command has to say.

    content: the one object that `--json` prints
    text: what a person reads
    failure: one sentence if a check failed (exit status 1), else empty
    """

    content: dict[str, object]
    text: str
    failure: str = ""


def table(rows: Iterable[Sequence[object]]) -> str:
    """Rows as indented lines of aligned columns; those with numbers to the right."""
    grid = [[*row] for row in rows]
    columns = []
    for column in zip(*grid, strict=True):
        texts = [_cell(value) for value in column]
        width = max(map(len, texts))
        is_numeric = any(_is_number(value) for value in column)
        columns.append([t.rjust(width) if is_numeric else t.ljust(width) for t in texts])
    return "\n".join("  " + "  ".join(line).rstrip() for line in zip(*columns, strict=True))


def area_text(area_um2: float) -> str:
    """An area in the unit that keeps it short."""
    return f"{area_um2 / 1e6:,.4g} mm2" if area_um2 >= 1e5 else f"{area_um2:,.5g} um2"


def energy_text(energy_pj: float) -> str:
    """An energy in the unit that keeps it short."""
    for unit, size in (("mJ", 1e9), ("uJ", 1e6), ("nJ", 1e3)):
        if energy_pj >= size:
            return f"{energy_pj / size:.4g} {unit}"
    return f"{energy_pj:.4g} pJ"


def _cell(value: object) -> str:
    if value is None:
        return "not checked"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
