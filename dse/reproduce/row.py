"""One line of a reproduction: what a paper says, what we find, and why the two differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

from dse.text import table

NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """What our value is wanted to be: at least `low`, at most `high`; None where there is none."""

    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"at most {self.high:g}" if self.low is None else f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"

    def holds(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def at_most(value: float) -> Limit:
    return Limit(high=value)


def at_least(value: float) -> Limit:
    return Limit(low=value)


def between(low: float, high: float) -> Limit:
    return Limit(low=low, high=high)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One figure.

    section: heading that it stands under. technology: empty where it depends on none. machine: of
    several that stand side by side; empty where there is one. paper: None where the paper does not
    say. source: where its value is from. simulator: what the authors' own simulator gives, None
    where there is none, or it was not run. ours: None where it has not been measured. unit: empty
    for a ratio. limit: what is wanted of our value. reason: why ours is not the paper's, or what
    ours is where the paper has none; one sentence.
    """

    section: str
    what: str
    ours: float | None
    reason: str
    technology: str = ""
    paper: float | None = None
    source: str = ""
    unit: str = ""
    limit: Limit | None = None
    machine: str = ""
    simulator: float | None = None

    @property
    def column(self) -> str:
        """Which of the values that stand side by side it is."""
        return self.technology or self.machine

    @property
    def simulator_ratio(self) -> float | None:
        """Our value over the simulator's."""
        return self.ours / self.simulator if self.ours is not None and self.simulator else None

    @property
    def ratio(self) -> float | None:
        """Our value over the paper's."""
        return self.ours / self.paper if self.ours is not None and self.paper else None

    @property
    def difference(self) -> float | None:
        """Our value less the paper's."""
        return None if self.ours is None or self.paper is None else self.ours - self.paper

    @property
    def is_met(self) -> bool | None:
        """Whether our value is as wanted; None where nothing is, or nothing was measured."""
        if self.limit is None or self.ours is None:
            return None
        return self.limit.holds(self.ours)

    @property
    def content(self) -> dict[str, object]:
        """What `--json` says of it."""
        return {
            "section": self.section,
            "what": self.what,
            "technology": self.technology or None,
            "machine": self.machine or None,
            "unit": self.unit or None,
            "paper": self.paper,
            "source": self.source or None,
            "simulator": self.simulator,
            "ours": self.ours,
            "ratio": self.ratio,
            "simulator_ratio": self.simulator_ratio,
            "difference": self.difference,
            "wanted": None if self.limit is None else str(self.limit),
            "wanted_met": self.is_met,
            "reason": self.reason,
        }

    @property
    def cells(self) -> tuple[str, ...]:
        """Its columns as text, the reason left out; see `HEAD`."""
        what = f"{self.what} [{self.unit}]" if self.unit else self.what
        wanted = "" if self.limit is None else str(self.limit)
        if self.is_met is not None:
            wanted += "" if self.is_met else ": missed"
        ours = NOT_MEASURED if self.ours is None else number(self.ours)
        return (
            what,
            self.column,
            number(self.paper),
            ours,
            number(self.ratio),
            wanted,
        )


HEAD = ("what", "technology", "paper", "ours", "ours / paper", "wanted")
TEXTS = ("what", "wanted", "why")
"""Columns that are no numbers."""


SIMULATED = ("simulator", "ours / simulator")
"""Columns beside those of `HEAD`, where a section has runs of a simulator."""


def number(value: float | None) -> str:
    """A number to three digits; empty for None."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def sections(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by their section, in order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.section, []).append(row)
    return found


def text(rows: Iterable[Row]) -> str:
    """Rows for a terminal: a table per section, each distinct reason under it once."""
    parts = []
    for section, own in sections(rows).items():
        reasons = _numbered(own)
        kind = "machine" if any(row.machine for row in own) else HEAD[1]
        head = _between((HEAD[0], kind, *HEAD[2:], "why"), SIMULATED)
        body = [_between((*row.cells, reasons[row.reason]), _simulated(row)) for row in own]
        parts += [section, table(_filled(own, [head, *body]))]
        parts += [f"  ({place}) {reason}" for reason, place in reasons.items()]
        parts.append("")
    return "\n".join(parts).rstrip()


def markdown(rows: Sequence[Row]) -> str:
    """Rows of one section as a table of Markdown, one line for all technologies of a figure.

    Each distinct reason stands under it once, with its number.
    """
    reasons = _numbered(rows)
    columns = [*dict.fromkeys(row.column for row in rows)]
    head = ("what", "paper", SIMULATED[0], *(name or "ours" for name in columns))
    lines = [(*head, HEAD[4], SIMULATED[1], HEAD[5], "why")]
    for own in _figures(rows):
        by_name = {row.column: row for row in own}
        ours = [by_name[name].cells[3] if name in by_name else "" for name in columns]
        ratios = ", ".join(filter(None, (row.cells[4] for row in own)))
        cells, (found, other) = own[0].cells, _simulated(own[0])
        why = f"({reasons[own[0].reason]})"
        lines.append((cells[0], cells[2], found, *ours, ratios, other, _wanted(own), why))
    filled = _filled(rows, lines)
    rule = tuple("---:" if name not in TEXTS else "---" for name in filled[0])
    listed = "\n".join(f"{place}. {reason}" for reason, place in reasons.items())
    shown = [filled[0], rule, *filled[1:]]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in shown) + f"\n{listed}\n"


def _simulated(row: Row) -> tuple[str, str]:
    """See `SIMULATED`."""
    return number(row.simulator), number(row.simulator_ratio)


def _between(cells: tuple[object, ...], simulated: tuple[str, str]) -> tuple[object, ...]:
    """Cells as `HEAD` has them, with the simulator's behind the paper's."""
    return (*cells[:3], simulated[0], *cells[3:5], simulated[1], *cells[5:])


def _filled(rows: Sequence[Row], lines: Sequence[Sequence[object]]) -> list[Sequence[object]]:
    """The lines, a head first, without columns of a simulator that nothing stands in.

    Where there are machines or a simulator, without any such column.
    """
    is_plain = not any(row.machine or row.simulator is not None for row in rows)
    keeps = [
        any(filled) or (is_plain and name not in SIMULATED)
        for name, *filled in zip(*lines, strict=True)
    ]
    return [[*compress(line, keeps)] for line in lines]


def _figures(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows that differ in technology alone, together."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.what, row.reason), []).append(row)
    return [*found.values()]


def _wanted(rows: Sequence[Row]) -> str:
    """What is wanted of a figure, and in which technologies it is missed."""
    missed = [row.technology for row in rows if row.is_met is False]
    limit = rows[0].limit
    if limit is None:
        return ""
    if not missed:
        return str(limit)
    return f"{limit}: missed" + (f" in {', '.join(missed)}" if len(missed) < len(rows) else "")


def _numbered(rows: Iterable[Row]) -> dict[str, int]:
    """Distinct reasons, numbered from 1 in their order."""
    reasons = dict.fromkeys(row.reason for row in rows)
    return {reason: place for place, reason in enumerate(reasons, 1)}
