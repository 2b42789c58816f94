"""One line of a reproduction: what a paper says, what we find, and why the two differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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

    section: heading that it stands under. technology: empty where it depends on none. paper: None
    where the paper does not say. source: where its value is from. ours: None where it has not been
    measured. unit: empty for a ratio. limit: what is wanted of our value. reason: why ours is not
    the paper's, or what ours is where the paper has none; one sentence.
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
            "unit": self.unit or None,
            "paper": self.paper,
            "source": self.source or None,
            "ours": self.ours,
            "ratio": self.ratio,
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
            self.technology,
            number(self.paper),
            ours,
            number(self.ratio),
            wanted,
        )


HEAD = ("what", "technology", "paper", "ours", "ours / paper", "wanted")
TEXTS = ("what", "wanted", "why")
"""Columns that are no numbers."""


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
        body = [(*row.cells, reasons[row.reason]) for row in own]
        parts += [section, table([(*HEAD, "why"), *body])]
        parts += [f"  ({place}) {reason}" for reason, place in reasons.items()]
        parts.append("")
    return "\n".join(parts).rstrip()


def markdown(rows: Sequence[Row]) -> str:
    """Rows of one section as a table of Markdown, one line for all technologies of a figure.

    Each distinct reason stands under it once, with its number.
    """
    reasons = _numbered(rows)
    technologies = [*dict.fromkeys(row.technology for row in rows)]
    head = ("what", "paper", *(name or "ours" for name in technologies), *HEAD[4:], "why")
    lines = [head, tuple("---:" if name not in TEXTS else "---" for name in head)]
    for own in _figures(rows):
        by_name = {row.technology: row for row in own}
        ours = [by_name[name].cells[3] if name in by_name else "" for name in technologies]
        ratios = ", ".join(filter(None, (row.cells[4] for row in own)))
        why = f"({reasons[own[0].reason]})"
        lines.append((own[0].cells[0], own[0].cells[2], *ours, ratios, _wanted(own), why))
    listed = "\n".join(f"{place}. {reason}" for reason, place in reasons.items())
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + f"\n{listed}\n"


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
