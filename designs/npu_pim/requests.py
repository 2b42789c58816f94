"""Requests that are decoded together, from files: a length each, and where it lies."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from designs.document import Place

LENGTH_COLUMN = "seq_len"
CHANNEL_COLUMN = "ch_idx"
COLUMNS = (LENGTH_COLUMN, CHANNEL_COLUMN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """length: tokens in its cache. channel: that its cache is in; None where not yet placed."""

    length: int
    channel: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """length: the most tokens that a channel holds of one request. channels: that there are."""

    length: int
    channels: int


def read_requests(path: Path, source: str, limits: Limits) -> tuple[Request, ...]:
    """The requests of a CSV file with a column seq_len and, if placed, ch_idx; in its order.

    Raises DesignError: one sentence with "source:line: column: " in front.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sentence = "file must exist and be UTF-8 text, and it does not or is not"
        raise Place(source=source).error(sentence) from error
    rows = csv.reader(text.splitlines())
    head = [cell.strip() for cell in next(rows, [])]
    if LENGTH_COLUMN not in head or not set(head) <= set(COLUMNS) or len({*head}) < len(head):
        raise Place(source=source, line=1).error(
            f"header must be {LENGTH_COLUMN} or {','.join(COLUMNS)}, not {','.join(head)!r}"
        )
    found = [
        _request(row, head, Place(source=source, line=rows.line_num), limits)
        for row in rows
        if any(cell.strip() for cell in row)
    ]
    if not found:
        raise Place(source=source).error("file must have at least one request, and it has none")
    return tuple(found)


def _request(row: Sequence[str], head: Sequence[str], place: Place, limits: Limits) -> Request:
    if len(row) > len(head):
        raise place.error(f"row must have at most {len(head)} cells, not {len(row)}")
    cells = dict(zip(head, (*row, *[""] * len(head)), strict=False))
    length = _count(cells[LENGTH_COLUMN], place.child(LENGTH_COLUMN), range(1, limits.length + 1))
    if CHANNEL_COLUMN not in cells:
        return Request(length=length)
    channel = _count(cells[CHANNEL_COLUMN], place.child(CHANNEL_COLUMN), range(limits.channels))
    return Request(length=length, channel=channel)


def _count(text: str, place: Place, legal: range) -> int:
    """The integer in a cell, which is one of `legal`."""
    try:
        found = int(text.strip())
    except ValueError as error:
        what = repr(text.strip()) if text.strip() else "missing"
        raise place.error(f"{place.key} must be an integer, not {what}") from error
    if found not in legal:
        limits = f"{legal[0]} and {legal[-1]}, for a device has no more"
        raise place.error(f"{place.key} must be between {limits}, not {found}")
    return found
